//! The comparison of `microdistill demo`: a teacher, and students of one shape trained in three ways.

use std::ops::ControlFlow;

use rayon::prelude::*;
use serde::Serialize;

use microdistill_train::class_weights::ClassWeights;
use microdistill_train::dataset::Dataset;
use microdistill_train::distill::{
    self, Candidate, Lesson, Plan, Problem, Scope, Student, Teachers, Trial, best, trials,
};
use microdistill_train::effort::Effort;
use microdistill_train::error::{Error, Result};
use microdistill_train::export::Footprint;
use microdistill_train::metrics::{Scores, evaluate};
use microdistill_train::model::{Body, Model};
use microdistill_train::network::Activation;
use microdistill_train::network::precision::Scales;
use microdistill_train::quantize::quantize;
use microdistill_train::student::{self, Recipe, Taught};
use microdistill_train::teacher::{self, zoo};
use microdistill_train::tune;

/// Hidden widths of the students.
const STUDENT: [usize; 1] = [16];

/// Hidden widths of the teacher that boards run.
const NETWORK: [usize; 2] = [128, 128];
/// Weight decay of that teacher, which cross-validation over people chose.
const NETWORK_DECAY: f32 = 1.5;

/// Names of the compared models, in the order of the table.
pub const NAMES: [&str; 5] =
    ["teacher", "hard labels", "hard labels, chosen", "distilled", "distilled, int8"];

/// What held-out training rows chose, for the student on labels and for the distilled one.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Chosen {
    /// Candidate without a teacher.
    pub hard_labels: Candidate,
    /// Candidate of `microdistill distill`.
    pub distilled: Candidate,
}

/// Callback that is called often. `Break` ends the work with [`Error::Interrupted`].
pub type Progress<'a> = &'a (dyn Fn() -> ControlFlow<()> + Sync);

/// Chooses the candidates, as `microdistill distill` does. `progress` is called often.
///
/// # Errors
/// Returns an error if the data cannot be trained on, or after an interruption.
pub fn choose(data: &Dataset, seed: u64, progress: Progress<'_>) -> Result<Chosen> {
    let scope = Scope { effort: Effort::Default, inputs: None, asks_teacher: true, may_ignore_teacher: true };
    let plan = Plan::new(data, &STUDENT, scope);
    let teachers = [(1.0, blend(data, seed, progress)?)];
    let student = student(seed, plan.trial_steps);
    let problem = Problem { rows: data, teachers: Teachers::Like(&teachers), student: &student };
    let trials = trials(&student, &distill::exams(problem, &plan, progress)?, &plan.candidates, progress)?;
    let chosen = |among: &dyn Fn(Lesson) -> bool| {
        let among: Vec<&Trial> = trials.iter().filter(|trial| among(trial.candidate.lesson)).collect();
        let diverged = || Error::Invalid("every training diverged: check the data for extreme values".into());
        best(among).map(|trial| trial.candidate).ok_or_else(diverged)
    };
    Ok(Chosen { hard_labels: chosen(&|lesson| !lesson.is_distilled())?, distilled: chosen(&|_| true)? })
}

/// Trains the models of each seed, in the order of [`NAMES`]. `progress` is called often, and `done` after each seed.
///
/// # Errors
/// Returns the same errors as [`choose`].
pub fn train(
    data: &Dataset,
    chosen: Chosen,
    seeds: &[u64],
    progress: Progress<'_>,
    done: &(dyn Fn() + Sync),
) -> Result<Vec<[Model; 5]>> {
    let models = |&seed: &u64| {
        let teachers = [(1.0, blend(data, seed, progress)?)];
        let student = student(seed, Plan::steps_of(Effort::Default));
        let problem = Problem { rows: data, teachers: Teachers::Like(&teachers), student: &student };
        let material = distill::material(problem)?;
        let candidates = [chosen.hard_labels, chosen.distilled];
        let trained: Option<Vec<Model>> =
            student.train(&material, &candidates, progress)?.into_iter().collect();
        let Some([labels, distilled]) = trained.and_then(|trained| <[Model; 2]>::try_from(trained).ok())
        else {
            return Err(Error::Invalid("a training diverged: check the data for extreme values".into()));
        };
        let hard = plain(data, seed, progress)?;
        let int8 = quantize(&distilled, &data.x, Scales::default())?;
        let [(_, teacher)] = teachers;
        done();
        Ok([teacher, hard, labels, distilled, int8])
    };
    seeds.par_iter().map(models).collect()
}

/// Trains a teacher that a board can run beside its student: a network.
///
/// # Errors
/// Returns the same errors as [`choose`].
pub fn network(data: &Dataset, seed: u64, progress: Progress<'_>) -> Result<Model> {
    let mut settings = teacher::Settings::new(data.widths(&NETWORK), data.rows(), seed);
    settings.rates.weight_decay = tune::beside_rows(NETWORK_DECAY, data.rows());
    ended(progress, teacher::fit(data, None, &settings, &mut |_| progress()))
}

fn blend(data: &Dataset, seed: u64, progress: Progress<'_>) -> Result<Model> {
    Ok(zoo::fit(data, &zoo::Settings::new(seed), &|_| progress())?.model)
}

fn student(seed: u64, steps: usize) -> Student {
    let (activation, class_weights) = (Activation::Relu, ClassWeights::None);
    Student { hidden: STUDENT.into(), activation, steps, class_weights, seed }
}

/// A student on hard labels, with nothing chosen and no regularizer.
fn plain(rows: &Dataset, seed: u64, progress: Progress<'_>) -> Result<Model> {
    let mut settings = student::Settings::new(rows.widths(&STUDENT), Recipe::HardLabels, rows.rows(), seed);
    settings.training.rates.weight_decay = 0.0;
    let taught = Taught { data: rows, teacher: None };
    ended(progress, student::fit(taught, None, &settings, &mut |_| progress()))
}

/// An interrupted training has no result.
fn ended(progress: Progress<'_>, trained: Result<Model>) -> Result<Model> {
    if progress().is_break() { Err(Error::Interrupted) } else { trained }
}

/// A row of the table: scores of one kind of model over all seeds.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// Name of the model, one of [`NAMES`].
    pub name: &'static str,
    /// Number of weights and biases.
    pub parameters: usize,
    /// Bytes of flash and RAM. None of a blend, which no board runs.
    pub footprint: Option<Footprint>,
    /// Accuracy on the training rows.
    pub train_accuracy: Summary,
    /// Accuracy on the test rows.
    pub test_accuracy: Summary,
    /// Training accuracy minus test accuracy of each seed, a measure of overfitting.
    pub gap: Summary,
    /// Mean negative log-likelihood on test rows, in nats.
    pub nll: Summary,
}

/// A figure over all seeds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// Mean of the values.
    pub mean: f64,
    /// Sample standard deviation of the values; 0 for a single one.
    pub std: f64,
    /// One value per seed, in order.
    pub values: Vec<f64>,
}

impl Summary {
    /// Summarizes these numbers.
    pub fn of(values: Vec<f64>) -> Self {
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let squares = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>();
        let std = if values.len() > 1 { (squares / (count - 1.0)).sqrt() } else { 0.0 };
        Summary { mean, std, values }
    }

    /// Summarizes the differences `self − other`, paired by seed.
    pub fn minus(&self, other: &Summary) -> Self {
        Summary::of(self.values.iter().zip(&other.values).map(|(a, b)| a - b).collect())
    }
}

/// Computes the table: one row per model in [`NAMES`].
///
/// # Errors
/// Returns an error if rows have no labels.
pub fn table(seeds: &[[Model; 5]], train: &Dataset, test: &Dataset) -> Result<Vec<Row>> {
    let row = |(kind, name): (usize, &'static str)| {
        let models = || seeds.iter().map(|models| &models[kind]);
        let scores = |data| models().map(|model| classification(model, data)).collect::<Result<Vec<_>>>();
        let (train, test) = (scores(train)?, scores(test)?);
        let accuracy = |scores: &[(f64, f64)]| Summary::of(scores.iter().map(|score| score.0).collect());
        let (train_accuracy, test_accuracy) = (accuracy(&train), accuracy(&test));
        let first = &seeds[0][kind];
        Ok(Row {
            name,
            parameters: first.parameters(),
            footprint: if matches!(first.body, Body::Blend(_)) { None } else { Some(Footprint::of(first)?) },
            gap: train_accuracy.minus(&test_accuracy),
            nll: Summary::of(test.iter().map(|score| score.1).collect()),
            train_accuracy,
            test_accuracy,
        })
    };
    NAMES.into_iter().enumerate().map(row).collect()
}

/// Accuracy and NLL of a classifier.
fn classification(model: &Model, data: &Dataset) -> Result<(f64, f64)> {
    match evaluate(model, data)? {
        Scores::Classification(scores) => Ok((scores.accuracy, scores.nll)),
        Scores::Regression(_) => {
            Err(Error::Invalid("the comparison needs class labels, but the target holds values".into()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Summary;

    #[test]
    fn summaries_are_paired() {
        let (a, b) = (Summary::of(vec![1.0, 2.0, 3.0]), Summary::of(vec![0.5, 1.5, 2.5]));
        assert_eq!((a.mean, a.std), (2.0, 1.0));
        let difference = a.minus(&b);
        assert_eq!((difference.mean, difference.std), (0.5, 0.0));
        assert_eq!(Summary::of(vec![4.0]).std, 0.0);
    }
}
