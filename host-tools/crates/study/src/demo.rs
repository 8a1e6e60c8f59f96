//! The comparison of `microdistill demo`: a teacher, and students of one shape trained in four ways.

use std::ops::ControlFlow;

use rayon::prelude::*;
use serde::Serialize;

use microdistill::loss::SoftLabels;
use microdistill_train::dataset::{Dataset, folds};
use microdistill_train::error::{Error, Result};
use microdistill_train::export::Footprint;
use microdistill_train::metrics::{Scores, evaluate};
use microdistill_train::model::Model;
use microdistill_train::network::precision::Scales;
use microdistill_train::quantize::quantize;
use microdistill_train::student::{self, Recipe, Taught};
use microdistill_train::teacher;
use microdistill_train::tune::{self, WEIGHT_DECAYS};

/// Hidden widths of the teacher.
pub const TEACHER: [usize; 2] = [128, 128];
/// Hidden widths of the students.
pub const STUDENT: [usize; 1] = [16];
/// Folds of the cross-validations. Each person in the bundled training rows is held out once.
pub const FOLDS: usize = 7;

/// Names of the compared models, in the order of the table.
pub const NAMES: [&str; 5] =
    ["teacher", "hard labels", "hard labels, tuned L2", "distilled", "distilled, int8"];

/// Weight decays chosen by cross-validation on training rows.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Tuned {
    /// Weight decay of the teacher.
    pub teacher: f32,
    /// Weight decay of the student on hard labels.
    pub hard_labels: f32,
}

/// Callback that is called often. `Break` ends the work with [`Error::Interrupted`].
pub type Progress<'a> = &'a (dyn Fn() -> ControlFlow<()> + Sync);

/// Chooses the weight decays. `progress` is called after each of `2 · FOLDS · WEIGHT_DECAYS.len()` trainings.
///
/// # Errors
/// Returns an error if the data cannot be trained on, or after an interruption.
pub fn tune(data: &Dataset, seed: u64, progress: Progress<'_>) -> Result<Tuned> {
    let folds = folds(data, FOLDS, seed)?;
    let best = |fit: &(dyn Fn(&Dataset, f32) -> Result<Model> + Sync)| {
        let trials = tune::trials(data, &folds, &WEIGHT_DECAYS, |rows, decay| {
            let model = fit(rows, decay)?;
            if progress().is_break() { Err(Error::Interrupted) } else { Ok(model) }
        })?;
        Ok(tune::best(&trials).map_or(0.0, |trial| trial.weight_decay))
    };
    Ok(Tuned {
        teacher: best(&|rows, decay| teacher(rows, decay, seed))?,
        hard_labels: best(&|rows, decay| student(rows, None, decay, seed))?,
    })
}

/// Trains the models of each seed, in the order of [`NAMES`]. `progress` is called after each seed.
///
/// # Errors
/// Returns the same errors as [`tune()`].
pub fn train(data: &Dataset, tuned: Tuned, seeds: &[u64], progress: Progress<'_>) -> Result<Vec<[Model; 5]>> {
    let models = |&seed: &u64| {
        let teacher = teacher(data, tuned.teacher, seed)?;
        let hard = student(data, None, 0.0, seed)?;
        let l2 = student(data, None, tuned.hard_labels, seed)?;
        let distilled = student(data, Some(&teacher), student::WEIGHT_DECAY, seed)?;
        let int8 = quantize(&distilled, &data.x, Scales::default())?;
        if progress().is_break() { Err(Error::Interrupted) } else { Ok([teacher, hard, l2, distilled, int8]) }
    };
    seeds.par_iter().map(models).collect()
}

fn teacher(rows: &Dataset, decay: f32, seed: u64) -> Result<Model> {
    let mut settings = teacher::Settings::new(rows.widths(&TEACHER), rows.rows(), seed);
    settings.rates.weight_decay = decay;
    teacher::fit(rows, None, &settings, &mut |_| ControlFlow::Continue(()))
}

fn student(rows: &Dataset, teacher: Option<&Model>, decay: f32, seed: u64) -> Result<Model> {
    let recipe = teacher.map_or(Recipe::HardLabels, |_| Recipe::SoftLabels(SoftLabels::DEFAULT));
    let mut settings = student::Settings::new(rows.widths(&STUDENT), recipe, rows.rows(), seed);
    settings.training.rates.weight_decay = decay;
    let teacher_outputs = teacher.map(|teacher| teacher.teacher_outputs(rows));
    let rows = Taught { data: rows, teacher: teacher_outputs.as_ref() };
    student::fit(rows, None, &settings, &mut |_| ControlFlow::Continue(()))
}

/// A row of the table: scores of one kind of model over all seeds.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// Name of the model, one of [`NAMES`].
    pub name: &'static str,
    /// Number of weights and biases.
    pub parameters: usize,
    /// Bytes of flash and RAM.
    #[serde(flatten)]
    pub footprint: Footprint,
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
            footprint: Footprint::of(first)?,
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
