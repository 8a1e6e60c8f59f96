//! Hyperparameters of a student.

use microdistill::optimizer::AdamRates;

use super::annealing::Cooling;
use super::recipe::Recipe;
use super::sampler::Blend;
use super::samples::Lessons;
use crate::class_weights::ClassWeights;
use crate::error::{Error, Result};
use crate::hyperparameters::{self, epochs};
use crate::network::precision::Precision;
use crate::network::{Activation, check_widths};

/// Hyperparameters of a student's training.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Widths from input to output.
    pub widths: Vec<usize>,
    /// Activation of the hidden layers.
    pub activation: Activation,
    /// The loss.
    pub recipe: Recipe,
    /// Temperature schedule over the epochs; none: the temperature is constant.
    pub cooling: Option<Cooling>,
    /// Share of hidden units dropped, drawn anew for each sample, in [0, 1).
    pub dropout: f32,
    /// ε in [0, 1): the share of a label that is spread over all classes where a recipe has a cross-entropy with labels.
    pub label_smoothing: f32,
    /// α > 0 of mixup (Zhang et al. 2018): a sample is `λ·x₁ + (1−λ)·x₂` of two rows, `λ` of Beta(α, α), and so is what it
    /// is held against. None: samples are rows.
    pub mixup: Option<f32>,
    /// The share that further rows have in each batch. None: they are shuffled together with the data's.
    pub blend: Option<Blend>,
    /// Adam's, with its decoupled weight decay. The rate falls along a half cosine to zero.
    pub rates: AdamRates,
    /// Samples an update, at least 1.
    pub batch: usize,
    /// Most passes over the lessons; of [blended](Settings::blend) ones, over the data's.
    pub epochs: usize,
    /// Early stopping: epochs without a better validation loss after which training stops. Needs validation lessons; the
    /// weights of the best epoch are kept in any case where there are such.
    pub patience: Option<usize>,
    /// Weights of rows by label. Validation rows all count the same.
    pub class_weights: ClassWeights,
    /// Precision to which weights are rounded in the second half of the epochs, with activations of 8 bits:
    /// quantization-aware
    /// training. The student that comes out has such weights, and early stopping waits for that half.
    pub precision: Option<Precision>,
    /// Seed of the initial weights, the order of samples, dropped units and mixup.
    pub seed: u64,
}

/// A small weight decay, which a student needs beside its teacher.
pub const WEIGHT_DECAY: f32 = 0.1;

impl Settings {
    /// What works untuned for `rows` training rows, or [samples a pass](Blend::samples): ReLU, which int8 has for nothing;
    /// Adam at 10⁻² with a small weight decay; 200 epochs, fewer where the rows are many, since a student of this size is
    /// trained in seconds.
    pub fn new(widths: Vec<usize>, recipe: Recipe, rows: usize, seed: u64) -> Self {
        Settings {
            widths,
            activation: Activation::Relu,
            recipe,
            cooling: None,
            dropout: 0.0,
            label_smoothing: 0.0,
            mixup: None,
            blend: None,
            rates: AdamRates { rate: 1e-2, weight_decay: WEIGHT_DECAY, ..AdamRates::DEFAULT },
            batch: 32,
            epochs: epochs(200, rows),
            patience: None,
            class_weights: ClassWeights::None,
            precision: None,
            seed,
        }
    }

    /// The recipe in an epoch, from 1.
    pub(super) fn recipe_at(&self, epoch: usize) -> Recipe {
        match self.cooling {
            None => self.recipe,
            Some(cooling) => {
                let first = self.recipe.temperature();
                self.recipe.at(cooling.temperature(first, epoch, self.epochs))
            }
        }
    }

    /// Checks the settings, and the training set against them.
    pub(super) fn check(&self, lessons: Lessons<'_>) -> Result<()> {
        let invalid = |message: String| Err(Error::Invalid(message));
        let (inputs, outputs) = check_widths(&self.widths)?;
        hyperparameters::check(&self.rates, self.batch, self.epochs, self.dropout)?;
        let smoothing = self.label_smoothing;
        if !(0.0..1.0).contains(&smoothing) {
            return invalid(format!("label smoothing {smoothing}: it must be at least 0 and below 1"));
        }
        if smoothing > 0.0 && self.recipe.label_share() == 0.0 {
            return invalid(format!("label smoothing {smoothing}: this loss has no labels to smooth"));
        }
        if let Some(alpha) = self.mixup
            && !(alpha > 0.0 && alpha.is_finite())
        {
            return invalid(format!("mixup {alpha}: it must be above 0"));
        }
        self.recipe.check(outputs)?;
        if let Some(Cooling { last, .. }) = self.cooling {
            if self.recipe.at(1.0) == self.recipe.at(2.0) {
                return invalid("this loss has no temperature to change".into());
            }
            self.recipe.at(last).check(outputs)?;
        }
        self.precision.map_or(Ok(()), Precision::check)?;
        lessons.check(self.recipe, inputs, outputs)
    }
}
