//! All models of one data set, condition and seed.

use rayon::prelude::*;
use sha2::{Digest as _, Sha256};

use super::arms::{Arm, Knob};
use super::ledger::{Ledger, Record};
use super::problem::{Draw, Problem};
use super::results::{ArmKind, Bin, Cell, Condition, CurvePoint};
use super::training::Training;
use super::{BINS, SIZE_SEEDS, SIZES, Study, Watch};
use crate::dataset::{Dataset, Standardizer, Target};
use crate::error::{Error, Result};
use crate::export::Footprint;
use crate::metrics::{self, evaluate, probabilities};
use crate::model::Model;
use crate::network::Network;
use crate::precision::Scales;
use crate::quantize::quantize;

/// Everything that shares its rows.
pub(super) struct Job<'a> {
    pub(super) study: &'a Study,
    pub(super) problem: &'a Problem,
    /// Of the problem.
    pub(super) hash: &'a str,
    pub(super) condition: Condition,
    /// Index of the seed.
    pub(super) index: usize,
}

/// A model to be made.
pub(super) struct Task {
    pub(super) arm: Arm,
    pub(super) hidden: Vec<usize>,
    /// Whether its learning curve is wanted.
    curve: bool,
}

/// Teachers of one draw.
struct Teachers {
    choice: Option<usize>,
    /// Trained on all training rows; the first is the teacher of the tables.
    all: Vec<Model>,
    /// Trained without the rows that judge candidates.
    inner: Model,
}

impl Job<'_> {
    fn seed(&self) -> u64 {
        self.study.seeds[self.index]
    }

    /// What is to be made: every arm, and, no model twice, the default recipe at other temperatures and some arms in other
    /// sizes.
    pub(super) fn tasks(&self) -> Vec<Task> {
        let study = self.study;
        let main =
            |arm: &Arm| Task { arm: arm.clone(), hidden: study.hidden_of(arm), curve: self.index == 0 };
        let mut tasks: Vec<Task> = study.arms.iter().map(main).collect();
        let mut add = |arm: Arm, hidden: Vec<usize>| {
            if !tasks.iter().any(|task| task.arm.same(&arm) && task.hidden == hidden) {
                tasks.push(Task { arm, hidden, curve: false });
            }
        };
        for arm in study.temperatures() {
            let hidden = study.hidden.clone();
            add(arm, hidden);
        }
        if self.index < SIZE_SEEDS {
            for arm in study.sized() {
                SIZES.iter().for_each(|&hidden| add(arm.clone(), vec![hidden]));
            }
        }
        tasks
    }

    /// What came of `arm` with these hidden widths, under the arm's name; none if it is not finished, or not wanted.
    pub(super) fn cell(&self, ledger: &Ledger, arm: &Arm, hidden: &[usize]) -> Option<Cell> {
        let task = self.tasks().into_iter().find(|task| task.arm.same(arm) && task.hidden == hidden)?;
        let cell = ledger.get(&self.key(&task))?.cell;
        Some(Cell { arm: arm.name.clone(), ..cell })
    }

    /// A name for all that decides about a task's result.
    fn key(&self, task: &Task) -> String {
        let Task { arm, hidden, curve } = task;
        let teacher = self.study.teacher();
        let teacher = (teacher.method, teacher.knob, &self.study.teacher_hidden);
        let rows = (self.hash, self.condition, self.study.inner_validation, self.seed());
        let all = format!("{:?}", (rows, arm.method, arm.knob, hidden, curve, teacher));
        Sha256::digest(all).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
    }

    /// What is not finished.
    fn missing(&self, ledger: &Ledger) -> Vec<Task> {
        self.tasks().into_iter().filter(|task| ledger.get(&self.key(task)).is_none()).collect()
    }

    /// Makes what is not finished, in parallel.
    pub(super) fn run(&self, ledger: &Ledger, watch: &Watch<'_>) -> Result<()> {
        let missing = self.missing(ledger);
        if missing.is_empty() {
            return Ok(());
        }
        let draw = self.problem.draw(self.condition, self.study.inner_validation, self.seed())?;
        let teachers = self.teachers(ledger, &draw, watch)?;
        missing.par_iter().try_for_each(|task| {
            let (choice, cell) = self.make(task, &draw, &teachers, watch)?;
            ledger.add(Record { key: self.key(task), choice, cell })
        })
    }

    fn training<'a>(&self, arm: &'a Arm, hidden: &'a [usize], watch: &'a Watch<'a>) -> Training<'a> {
        Training { arm, value: None, hidden, seed: self.seed(), watch }
    }

    fn teachers(&self, ledger: &Ledger, draw: &Draw, watch: &Watch<'_>) -> Result<Teachers> {
        let arm = self.study.teacher();
        let training = self.training(arm, &self.study.teacher_hidden, watch);
        let task =
            Task { arm: arm.clone(), hidden: self.study.teacher_hidden.clone(), curve: self.index == 0 };
        let choice = match (arm.knob, ledger.get(&self.key(&task))) {
            (None, _) => None,
            (Some(_), Some(Record { choice: Some(choice), .. })) => Some(choice),
            (Some(knob), _) => Some(choose(training, knob, draw, &[])?),
        };
        let value = choice.zip(arm.knob).map(|(choice, knob)| knob.candidates()[choice]);
        let training = Training { value, ..training };
        let train = |rows: &Dataset, member: u64| {
            let seed = self.seed().wrapping_add(member.wrapping_mul(MEMBERS));
            Training { seed, ..training }.run(rows, &[], &mut |_, _, _| {})
        };
        let count = self.study.arms.iter().map(|arm| arm.method.teachers).max().unwrap_or_default().max(1);
        let all = (0..count as u64).into_par_iter().map(|member| train(&draw.train, member));
        let (all, inner) = rayon::join(|| all.collect::<Result<_>>(), || train(&draw.inner, 0));
        Ok(Teachers { choice, all: all?, inner: inner? })
    }

    fn make(
        &self,
        task: &Task,
        draw: &Draw,
        teachers: &Teachers,
        watch: &Watch<'_>,
    ) -> Result<(Option<usize>, Cell)> {
        let Task { arm, hidden, curve } = task;
        let training = self.training(arm, hidden, watch);
        let inner_teachers = std::slice::from_ref(&teachers.inner);
        let (choice, value) = match (arm.method.kind, arm.knob) {
            (ArmKind::Teacher, knob) => (teachers.choice, knob.zip(teachers.choice)),
            (_, None) => (None, None),
            (_, Some(knob)) => {
                let choice = choose(training, knob, draw, inner_teachers)?;
                (Some(choice), Some((knob, choice)))
            }
        };
        let value = value.map(|(knob, choice): (Knob, usize)| (knob, knob.candidates()[choice]));
        let training = Training { value: value.map(|(_, value)| value), ..training };
        let rows = training.rows(&draw.train)?;
        let model = match (arm.method.kind, teachers.all.first()) {
            (ArmKind::Teacher, Some(teacher)) => teacher.clone(),
            _ => training.run(&rows, &teachers.all, &mut |_, _, _| {})?,
        };
        let curve = if *curve { learning_curve(training, draw, inner_teachers)? } else { Vec::new() };
        let int8 = quantize(&model, &model.examples, Scales::default())?;
        let cell = Cell {
            arm: arm.name.clone(),
            seed: self.seed(),
            widths: model.widths(),
            parameters: model.parameters(),
            flash_bytes: Footprint::of(&model)?.flash,
            flash_bytes_int8: Footprint::of(&int8)?.flash,
            chosen: value.map(|(knob, value)| format!("{} {value}", knob.name())),
            train: evaluate(&model, &rows)?,
            test: evaluate(&model, &draw.test)?,
            curve,
            reliability: reliability(&model, &draw.test),
        };
        Ok((choice, cell))
    }

    /// About how much is still to be done.
    pub(super) fn work(&self, ledger: &Ledger) -> u64 {
        let missing = self.missing(ledger);
        if missing.is_empty() {
            return 0;
        }
        let (rows, features) = self.problem.size(self.condition);
        let nothing = Watch { stop: &|| false, done: &|_| () };
        let inner = ((1.0 - self.study.inner_validation) * rows as f64) as usize;
        let one = |arm: &Arm, hidden: &[usize], all: u64, curve: bool| {
            let training = self.training(arm, hidden, &nothing);
            let candidates = arm.knob.map_or(0, |knob| knob.candidates().len()) as u64 + u64::from(curve);
            all * training.work(rows, features) + candidates * training.work(inner, features)
        };
        let tasks = missing.iter().filter(|task| task.arm.method.kind != ArmKind::Teacher);
        let tasks: u64 = tasks.map(|task| one(&task.arm, &task.hidden, 1, task.curve)).sum();
        let count = self.study.arms.iter().map(|arm| arm.method.teachers).max().unwrap_or_default().max(1);
        tasks + one(self.study.teacher(), &self.study.teacher_hidden, count as u64, true)
    }
}

/// What divides the seeds of the teachers of an ensemble.
const MEMBERS: u64 = 0x9E37_79B9_7F4A_7C15;

/// The index of the candidate with the best likelihood on the rows that judge; of equal ones the first. One whose training
/// diverges is worse than any other.
fn choose(training: Training<'_>, knob: Knob, draw: &Draw, teachers: &[Model]) -> Result<usize> {
    let rows = training.rows(&draw.inner)?;
    let loss = |value: f32| match (Training { value: Some(value), ..training }).run(
        &rows,
        teachers,
        &mut |_, _, _| {},
    ) {
        Ok(model) => Ok(evaluate(&model, &draw.validation)?.loss()),
        Err(Error::Diverged { .. }) => Ok(f64::INFINITY),
        Err(error) => Err(error),
    };
    let losses: Vec<f64> = knob.candidates().into_par_iter().map(loss).collect::<Result<_>>()?;
    let best = (0..losses.len()).reduce(|a, b| if losses[b] < losses[a] { b } else { a });
    Ok(best.unwrap_or_default())
}

/// Most points of a curve.
const POINTS: usize = 60;

/// The training without the rows that judge, and how it does on them.
fn learning_curve(training: Training<'_>, draw: &Draw, teachers: &[Model]) -> Result<Vec<CurvePoint>> {
    let rows = training.rows(&draw.inner)?;
    let standardizer = Standardizer::fit(&rows, None);
    let parts = [&rows, &draw.validation].map(|data| (standardizer.scaler.apply(&data.x), classes(data)));
    let score = |network: &Network, part: usize| {
        let (x, classes) = &parts[part];
        metrics::classification(&network.predict_all(x), classes)
    };
    let mut curve = Vec::new();
    training.run(&rows, teachers, &mut |epoch, epochs, network| {
        let step = epochs.div_ceil(POINTS);
        if epoch % step == 0 || epoch == epochs {
            let (train, validation) = (score(network, 0), score(network, 1));
            curve.push(CurvePoint {
                epoch,
                train_nll: train.nll,
                train_accuracy: train.accuracy,
                validation_nll: validation.nll,
                validation_accuracy: validation.accuracy,
            });
        }
    })?;
    curve.truncate(POINTS);
    Ok(curve)
}

fn classes(data: &Dataset) -> &[usize] {
    if let Target::Classes(classes) = &data.target { classes } else { &[] }
}

/// How often the model is right where it is about so sure.
fn reliability(model: &Model, test: &Dataset) -> Vec<Bin> {
    let mut bins = vec![Bin { confidence: 0.0, accuracy: 0.0, rows: 0 }; BINS];
    for (logits, &label) in model.predict(test).column_iter().zip(classes(test)) {
        let guess = microdistill::argmax(logits.as_slice());
        let confidence = probabilities(logits.as_slice()).0[guess];
        let bin = &mut bins[metrics::bin(confidence)];
        bin.confidence += confidence;
        bin.accuracy += f64::from(u8::from(guess == label));
        bin.rows += 1;
    }
    bins.retain(|bin| bin.rows > 0);
    for bin in &mut bins {
        bin.confidence /= bin.rows as f64;
        bin.accuracy /= bin.rows as f64;
    }
    bins
}
