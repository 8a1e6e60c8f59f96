//! A student's whole training.

use std::ops::ControlFlow;

use microdistill::loss::{CrossEntropy, Linear, LogitMse, Loss, OutputMse, Soft, SoftLabels, Softmax};
use microdistill::optimizer::AdamRates;
use microdistill::schedule::{HalfCosine, Schedule as _};
use nalgebra::DMatrix;
use rand_pcg::Pcg32;

use super::Distiller;
use crate::error::{Error, Result};
use crate::network::{Activation, Network, check_widths};
use crate::precision::Precision;
use crate::random::shuffle;
use crate::schedule::epochs;
use crate::weights::{ClassWeights, Weighted};

/// What a student is trained for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Recipe {
    /// Cross-entropy with the labels; no teacher.
    HardLabels,
    /// `α·T²·KL(q‖p) + (1−α)·CE`; the labels may be missing.
    SoftLabels(SoftLabels),
    /// Mean squared difference between the probabilities of teacher and student.
    OutputMse,
    /// Mean squared difference between the logits of teacher and student.
    LogitMse,
    /// Mean squared difference between the values of teacher and student: regression.
    ValueMse,
}

/// What a student learns from; columns and elements belong together.
#[derive(Clone, Copy, Debug)]
pub struct Lessons<'a> {
    /// Standardized features, shape (inputs × rows).
    pub x: &'a DMatrix<f32>,
    /// Classes.
    pub labels: Option<&'a [usize]>,
    /// The teacher's logits or values, or measured values: shape (outputs × rows).
    pub teacher: Option<&'a DMatrix<f32>>,
}

/// How a student is trained.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Widths from input to output.
    pub widths: Vec<usize>,
    /// Of the hidden layers.
    pub activation: Activation,
    /// The loss.
    pub recipe: Recipe,
    /// Adam's, with its decoupled weight decay. The rate falls along a half cosine to zero.
    pub rates: AdamRates,
    /// Samples an update, at least 1.
    pub batch: usize,
    /// Passes over the lessons.
    pub epochs: usize,
    /// What rows count, by their label.
    pub class_weights: ClassWeights,
    /// What weights are rounded to in the second half of the epochs, with activations of 8 bits: quantization-aware
    /// training. The student that comes out has such weights.
    pub precision: Option<Precision>,
    /// Of initial weights and of the order of samples.
    pub seed: u64,
}

/// A small weight decay, which a student needs beside its teacher.
pub const WEIGHT_DECAY: f32 = 0.01;

impl Settings {
    /// What works untuned for `rows` training rows: ReLU, which int8 has for nothing; Adam at 10⁻² with a small weight
    /// decay; 200 epochs, fewer where the rows are many, since a student of this size is trained in seconds.
    pub fn new(widths: Vec<usize>, recipe: Recipe, rows: usize, seed: u64) -> Self {
        Settings {
            widths,
            activation: Activation::Relu,
            recipe,
            rates: AdamRates { rate: 1e-2, weight_decay: WEIGHT_DECAY, ..AdamRates::DEFAULT },
            batch: 32,
            epochs: epochs(200, rows),
            class_weights: ClassWeights::None,
            precision: None,
            seed,
        }
    }
}

/// Progress, told after each epoch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Epoch {
    /// From 1.
    pub number: usize,
    /// Mean training loss of the epoch.
    pub loss: f64,
}

/// Trains a student. `progress` is called after each epoch; on `Break` the student trained so far is returned.
///
/// Fails if the lessons do not fit the recipe or each other, or if training diverges.
pub fn train(
    settings: &Settings,
    lessons: Lessons<'_>,
    progress: &mut dyn FnMut(Epoch) -> ControlFlow<()>,
) -> Result<Network> {
    check(settings, lessons)?;
    let rows = lessons.x.ncols();
    let mut rng = Pcg32::new(settings.seed, STREAM);
    let mut distiller = Distiller::new(Network::random(&settings.widths, settings.activation, &mut rng));
    let weights = settings.class_weights.of(lessons.labels);
    let mut order: Vec<usize> = (0..rows).collect();
    let schedule = HalfCosine { steps: settings.epochs.saturating_mul(rows.div_ceil(settings.batch)) };
    let mut update = 0;
    for number in 1..=settings.epochs {
        if let Some(precision) = settings.precision
            && number > settings.epochs / 2
        {
            // Again each epoch: the ranges of activations move with the weights. They are finite, or it diverged.
            let diverged = |_| Error::Diverged { epoch: number, rate: settings.rates.rate };
            distiller.quantize(precision, lessons.x).map_err(diverged)?;
        }
        shuffle(&mut order, &mut rng);
        let mut sum = 0.0;
        for batch in order.chunks(settings.batch) {
            for &row in batch {
                sum += f64::from(learn(&mut distiller, settings.recipe, lessons, weights.as_deref(), row));
            }
            let rate = settings.rates.rate * schedule.share(update);
            distiller.update(&AdamRates { rate, ..settings.rates });
            update += 1;
        }
        let loss = sum / rows as f64;
        if !loss.is_finite() {
            return Err(Error::Diverged { epoch: number, rate: settings.rates.rate });
        }
        if progress(Epoch { number, loss }).is_break() {
            break;
        }
    }
    Ok(distiller.student().clone())
}

/// The generator's stream for students, so that a teacher of the same seed draws other numbers.
const STREAM: u64 = 0x5354_5544;

/// One row; `weights` are of the classes.
fn learn(
    distiller: &mut Distiller,
    recipe: Recipe,
    lessons: Lessons<'_>,
    weights: Option<&[f32]>,
    row: usize,
) -> f32 {
    let x = lessons.x.column(row);
    let teacher = lessons.teacher.map(|teacher| teacher.column(row));
    let teacher = teacher.as_ref().map_or(&[][..], |teacher| teacher.as_slice());
    let label = lessons.labels.map(|labels| labels[row]);
    let weight = weights.and_then(|weights| weights.get(label?).copied());
    let x = x.as_slice();
    match recipe {
        Recipe::HardLabels => step(distiller, x, &CrossEntropy, label.unwrap_or(usize::MAX), weight),
        Recipe::SoftLabels(loss) => step(distiller, x, &loss, Soft { teacher, label }, weight),
        Recipe::OutputMse => step(distiller, x, &OutputMse::<Softmax>::new(), teacher, weight),
        Recipe::LogitMse => step(distiller, x, &LogitMse::new(), teacher, weight),
        Recipe::ValueMse => step(distiller, x, &OutputMse::<Linear>::new(), teacher, weight),
    }
}

fn step<L: Loss<f32>>(
    distiller: &mut Distiller,
    x: &[f32],
    loss: &L,
    target: L::Target<'_>,
    weight: Option<f32>,
) -> f32 {
    match weight {
        None => distiller.learn(x, loss, target),
        Some(weight) => distiller.learn(x, &Weighted { loss, weight }, target),
    }
}

fn check(settings: &Settings, lessons: Lessons<'_>) -> Result<()> {
    let rows = lessons.x.ncols();
    let invalid = |message: String| Err(Error::Invalid(message));
    let (inputs, outputs) = check_widths(&settings.widths)?;
    if settings.batch == 0 || settings.epochs == 0 {
        return invalid("batch and epochs must be at least 1".into());
    }
    settings.precision.map_or(Ok(()), Precision::check)?;
    if rows == 0 {
        return invalid("there are no rows to train on".into());
    }
    if lessons.x.nrows() != inputs {
        return invalid(format!("the data has {} features, the student takes {inputs}", lessons.x.nrows()));
    }
    match (settings.recipe, lessons.labels, lessons.teacher) {
        (Recipe::HardLabels, None, _) => invalid("training on hard labels needs labels".into()),
        (Recipe::SoftLabels(_) | Recipe::OutputMse | Recipe::LogitMse | Recipe::ValueMse, _, None) => {
            invalid("distilling needs a teacher's outputs".into())
        }
        (_, Some(labels), _) if labels.len() != rows => {
            invalid(format!("{} labels for {rows} rows", labels.len()))
        }
        (_, Some(labels), _) if labels.iter().any(|&label| label >= outputs) => {
            invalid(format!("a label is not among the student's {outputs} classes"))
        }
        (_, _, Some(teacher)) if teacher.shape() != (outputs, rows) => invalid(format!(
            "the teacher gives {} outputs for {} rows; the student has {outputs} outputs and {rows} rows",
            teacher.nrows(),
            teacher.ncols()
        )),
        _ => Ok(()),
    }
}
