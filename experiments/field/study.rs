//! A run with one data set and seed: training on the desktop, then a life in the field.

use std::ops::ControlFlow;

use anyhow::{Context as _, Result, bail};
use microdistill::Mlp;
use microdistill::drift::disagreement;
use microdistill::loss::SoftLabels;
use microdistill::metric::{Accuracy, NegativeLogLikelihood};
use microdistill_train::dataset::{Dataset, folds};
use microdistill_train::error::Result as LibraryResult;
use microdistill_train::model::{Body, Model};
use microdistill_train::network::precision::Scales;
use microdistill_train::quantize::quantize;
use microdistill_train::student::{self, Recipe, Taught};
use microdistill_train::teacher;
use microdistill_train::tune::{WEIGHT_DECAYS, beside_rows, sufficient, trials};
use rand_core::Rng as _;
use rand_pcg::Pcg32;

use crate::arms::Arm;
use crate::device::{Row, Sample, Shipped, Student, answer, load};
use crate::problem::{Problem, classes};
use crate::shift::Shift;

/// Hidden widths of the teacher.
const TEACHER: [usize; 2] = [128, 128];
const STUDENT: [usize; 1] = [16];
/// Weight decay of the student.
const STUDENT_DECAY: f32 = 0.01;
/// Number of folds for choosing the teacher's weight decay.
const FOLDS: usize = 3;
/// Maximum number of labelled rows in flash.
const TRUSTED: usize = 64;
const REHEARSED: usize = 256;

/// An int8 teacher and its student.
pub(crate) struct Models {
    teacher: Model,
    student: Model,
}

/// Scores of a student or of the teacher on some rows.
#[derive(Clone, Copy, Default)]
pub(crate) struct Judged {
    pub(crate) rows: f64,
    pub(crate) right: f64,
    /// Sum of the negative log-likelihood in nats.
    pub(crate) nll: f64,
}

/// Result of a way to adapt, for all people of a set.
#[derive(Clone, Default)]
pub(crate) struct Outcome {
    /// Scores on the held-out rows of each person.
    pub(crate) by_person: Vec<Judged>,
    /// Scores on held-out rows of the people that the student was trained for, after each person.
    at_home: Vec<Judged>,
    pub(crate) samples: u32,
    pub(crate) asked: u32,
    pub(crate) learning: u32,
    pub(crate) kept: u32,
    pub(crate) dropped: u32,
}

/// Chooses the teacher's weight decay for the rows of `problem`.
pub(crate) fn tune(problem: &Problem) -> Result<f32> {
    let data = &problem.prepared;
    let candidates = WEIGHT_DECAYS.map(|candidate| beside_rows(candidate, data.rows()));
    let trials = trials(data, &folds(data, FOLDS, 1)?, &candidates, |rows, decay| teacher(rows, decay, 1))?;
    Ok(sufficient(&trials).map_or(0.0, |trial| trial.weight_decay))
}

fn teacher(rows: &Dataset, decay: f32, seed: u64) -> LibraryResult<Model> {
    let mut settings = teacher::Settings::new(rows.widths(&TEACHER), rows.rows(), seed);
    settings.rates.weight_decay = decay;
    teacher::fit(rows, None, &settings, &mut |_| ControlFlow::Continue(()))
}

/// Calls a function for the device whose student has the widths of the models'.
macro_rules! for_device {
    ($models:expr, $run:ident($($argument:expr),+)) => {
        match $models.widths()[..] {
            [30, 16, 7] => $run::<Mlp![30, 16, 7], 30, 7>($($argument),+),
            [32, 16, 8] => $run::<Mlp![32, 16, 8], 32, 8>($($argument),+),
            [61, 16, 10] => $run::<Mlp![61, 16, 10], 61, 10>($($argument),+),
            [97, 16, 10] => $run::<Mlp![97, 16, 10], 97, 10>($($argument),+),
            ref widths => bail!("there is no device for a student of {widths:?}"),
        }
    };
}
pub(crate) use for_device;

impl Models {
    /// Trains the models on the prepared rows.
    pub(crate) fn train(problem: &Problem, decay: f32, seed: u64) -> Result<Self> {
        let data = &problem.prepared;
        let teacher = teacher(data, decay, seed)?;
        let recipe = Recipe::SoftLabels(SoftLabels::DEFAULT);
        let mut settings = student::Settings::new(data.widths(&STUDENT), recipe, data.rows(), seed);
        settings.training.rates.weight_decay = STUDENT_DECAY;
        let rows = Taught { data, teacher: Some(&teacher.teacher_outputs(data)) };
        let student = student::fit(rows, None, &settings, &mut |_| ControlFlow::Continue(()))?;
        Ok(Models { teacher: quantize(&teacher, &data.x, Scales::default())?, student })
    }

    /// Returns the outcomes of the teacher, of the shipped student and of `arms`.
    pub(crate) fn live(
        &self,
        problem: &Problem,
        shift: Option<Shift>,
        arms: &[Arm],
        seed: u64,
    ) -> Result<Vec<Outcome>> {
        for_device!(self, lives(self, problem, shift, arms, seed))
    }

    /// Layer widths of the student.
    pub(crate) fn widths(&self) -> Vec<usize> {
        self.student.widths()
    }

    /// Converts rows to samples that arrive at a device.
    pub(crate) fn samples<const I: usize, const C: usize>(&self, data: &Dataset) -> Vec<Sample<I, C>> {
        let logits = self.teacher.predict(data);
        let x = self.student.preparation.apply(&data.x);
        let sample = |row: usize| Sample {
            x: std::array::from_fn(|feature| x[(feature, row)]),
            teacher: std::array::from_fn(|class| logits[(class, row)]),
            class: classes(data)[row],
        };
        (0..data.rows()).map(sample).collect()
    }

    /// Builds the shipped device.
    pub(crate) fn ship<S: Student<I, C>, const I: usize, const C: usize>(
        &self,
        problem: &Problem,
    ) -> Result<Shipped<S, I, C>> {
        let (Body::F32(network), Body::Int8(teacher)) = (&self.student.body, &self.teacher.body) else {
            bail!("a device takes a student in f32 and a teacher in int8")
        };
        let student: S = load(network.tensors().map(|(_, tensor)| tensor));
        let trusted = self.samples(&problem.trusted);
        let apart = |sample: &Sample<I, C>| disagreement(&answer(&student, &sample.x), &sample.teacher);
        let rows = |samples: &[Sample<I, C>], most: usize| -> Vec<Row<I>> {
            let every = samples.len().div_ceil(most);
            let row = |sample: &Sample<I, C>| (teacher.input.encode(&sample.x), sample.class);
            samples.iter().step_by(every).map(row).collect()
        };
        Ok(Shipped {
            student,
            edge: teacher.input,
            logits: teacher.output(),
            trusted: rows(&trusted, TRUSTED),
            rehearsed: rows(&self.samples(&problem.train), REHEARSED),
            disagreement: trusted.iter().map(apart).sum::<f32>() / trusted.len() as f32,
        })
    }
}

fn lives<S: Student<I, C>, const I: usize, const C: usize>(
    models: &Models,
    problem: &Problem,
    shift: Option<Shift>,
    arms: &[Arm],
    seed: u64,
) -> Result<Vec<Outcome>> {
    let shipped = models.ship::<S, I, C>(problem)?;
    let scaler = models.student.preparation.scaler().context("the student has no scaler")?;
    let home = models.samples(&problem.home);
    let mut outcomes = vec![Outcome::default(); 2 + arms.len()];
    let (fixed, adapted) = outcomes.split_at_mut(2);
    for (person, index) in problem.people.iter().zip(0..) {
        let shifted = |data: &Dataset| match shift {
            Some(shift) => models.samples(&shift.apply(data, scaler)),
            None => models.samples(data),
        };
        let judging = shifted(&person.judging);
        fixed[0].add(of_teacher(&judging), of_teacher(&home));
        fixed[1].add(of_student(&shipped.student, &judging), of_student(&shipped.student, &home));
        let mut rng = Pcg32::new(seed, index);
        let stream = in_runs(&shifted(&person.arriving), &mut rng);
        for (outcome, arm) in adapted.iter_mut().zip(arms) {
            // Every arm draws the same random numbers.
            let life = shipped.live(&stream, arm, &mut rng.clone());
            outcome.add(of_student(&life.student, &judging), of_student(&life.student, &home));
            outcome.samples += stream.len() as u32;
            outcome.asked += life.asked;
            outcome.learning += life.learning;
            outcome.kept += life.kept;
            outcome.dropped += life.dropped;
        }
    }
    Ok(outcomes)
}

/// Puts the samples into runs of one class, in the order of recording, and the runs into random order.
fn in_runs<const I: usize, const C: usize>(samples: &[Sample<I, C>], rng: &mut Pcg32) -> Vec<Sample<I, C>> {
    let mut runs: Vec<&[Sample<I, C>]> = samples.chunk_by(|a, b| a.class == b.class).collect();
    for last in (1..runs.len()).rev() {
        runs.swap(last, rng.next_u32() as usize % (last + 1));
    }
    runs.concat()
}

/// Scores of the student on the samples.
pub(crate) fn of_student<S: Student<I, C>, const I: usize, const C: usize>(
    student: &S,
    samples: &[Sample<I, C>],
) -> Judged {
    Judged::of(samples, |sample| answer(student, &sample.x))
}

fn of_teacher<const I: usize, const C: usize>(samples: &[Sample<I, C>]) -> Judged {
    Judged::of(samples, |sample| sample.teacher)
}

impl Judged {
    fn of<const I: usize, const C: usize>(
        samples: &[Sample<I, C>],
        answer: impl Fn(&Sample<I, C>) -> [f32; C],
    ) -> Self {
        let (mut accuracy, mut likelihood) = (Accuracy::default(), NegativeLogLikelihood::ZERO);
        for sample in samples {
            let logits = answer(sample);
            accuracy.add(&logits, sample.class);
            likelihood.add(&logits, sample.class);
        }
        let rows = f64::from(accuracy.total);
        Judged { rows, right: accuracy.correct.into(), nll: f64::from(likelihood.mean()) * rows }
    }

    /// Accuracy in %.
    pub(crate) fn accuracy(&self) -> f64 {
        100.0 * self.right / self.rows
    }

    /// Mean negative log-likelihood in nats.
    pub(crate) fn likelihood(&self) -> f64 {
        self.nll / self.rows
    }
}

impl std::iter::Sum<Judged> for Judged {
    fn sum<T: Iterator<Item = Judged>>(all: T) -> Self {
        all.fold(Judged::default(), |a, b| Judged {
            rows: a.rows + b.rows,
            right: a.right + b.right,
            nll: a.nll + b.nll,
        })
    }
}

impl Outcome {
    /// Scores on the held-out rows of all people.
    pub(crate) fn field(&self) -> Judged {
        self.by_person.iter().copied().sum()
    }

    /// Scores on held-out rows of the people that the student was trained for, after all people.
    pub(crate) fn home(&self) -> Judged {
        self.at_home.iter().copied().sum()
    }

    fn add(&mut self, field: Judged, home: Judged) {
        self.by_person.push(field);
        self.at_home.push(home);
    }
}
