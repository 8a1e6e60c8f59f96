//! Hyperparameters of a student.

use microdistill::optimizer::AdamRates;
use serde::{Deserialize, Serialize};

use super::annealing::Annealing;
use super::recipe::Recipe;
use super::sampler::Blend;
use super::samples::Samples;
use crate::error::{Error, Result};
use crate::hyperparameters::{Hyperparameters, Length, epochs};
use crate::network::precision::Precision;
use crate::network::{Activation, check_widths};

/// Hyperparameters of a student's training.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Hyperparameters that a teacher has too. Dropout draws new masks for each sample, the seed also serves mixup, and an
    /// epoch is a pass over the training set or, with a [blend](Settings::blend), over the data's own rows.
    pub training: Hyperparameters,
    /// First step of an inference, and form of the first layer.
    pub inputs: Inputs,
    /// Loss to minimize.
    pub recipe: Recipe,
    /// Temperature schedule over the epochs. None keeps the temperature constant.
    pub annealing: Option<Annealing>,
    /// Label smoothing: share ε in [0, 1) of a label that is spread over all classes, in the cross-entropy with the
    /// labels. A recipe without that cross-entropy refuses it.
    pub label_smoothing: f32,
    /// Mixup (Zhang et al. 2018): α > 0. Each sample is `λ·x₁ + (1−λ)·x₂` of two rows with λ drawn from Beta(α, α),
    /// and its target is mixed in the same way. None trains on the rows themselves.
    pub mixup: Option<f32>,
    /// Share of further rows in each batch. None shuffles further rows together with the data's own.
    pub blend: Option<Blend>,
    /// Quantization-aware training: weights are rounded to this precision, and activations to 8 bits, in the second
    /// half of the epochs. The trained student has rounded weights, and early stopping waits for the second half.
    /// None trains in `f32`.
    pub precision: Option<Precision>,
}

/// First step of an inference by a student.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Inputs {
    /// Standardizes the features.
    #[default]
    Standardized,
    /// Divides the range of each feature into at most so many pieces with equally many training rows each, and makes the
    /// first layer piecewise linear. Such a student is trained over the [code](crate::dataset::Knots::encode) of the pieces
    /// and then folded. Its first width is the number of features all the same.
    Pieces(usize),
}

impl std::fmt::Display for Inputs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Inputs::Standardized => f.write_str("standardized"),
            Inputs::Pieces(most) => write!(f, "pieces:{most}"),
        }
    }
}

/// Default weight decay of a student: small, and useful even when a teacher's outputs regularize it.
pub const WEIGHT_DECAY: f32 = 0.1;

impl Settings {
    /// Default hyperparameters for a training set of `rows` rows, or [samples per pass](Blend::samples): ReLU, which
    /// costs nothing in int8; Adam with a learning rate of 10⁻² and a small weight decay; 200 epochs, or fewer for
    /// large training sets.
    pub fn new(widths: Vec<usize>, recipe: Recipe, rows: usize, seed: u64) -> Self {
        Settings {
            training: Hyperparameters {
                activation: Activation::Relu,
                rates: AdamRates { rate: 1e-2, weight_decay: WEIGHT_DECAY, ..AdamRates::DEFAULT },
                length: Length::Epochs(epochs(200, rows)),
                ..Hyperparameters::new(widths, rows, seed)
            },
            inputs: Inputs::default(),
            recipe,
            annealing: None,
            label_smoothing: 0.0,
            mixup: None,
            blend: None,
            precision: None,
        }
    }

    /// Returns the recipe at the temperature of `epoch`, counted from 1, in a training of `epochs` epochs.
    pub(super) fn recipe_at(&self, epoch: usize, epochs: usize) -> Recipe {
        match self.annealing {
            None => self.recipe,
            Some(annealing) => {
                let first = self.recipe.temperature();
                self.recipe.at(annealing.temperature(first, epoch, epochs))
            }
        }
    }

    /// Checks the settings, and that the training set fits them.
    pub(super) fn check(&self, samples: Samples<'_>) -> Result<()> {
        let invalid = |message: String| Err(Error::Invalid(message));
        let (inputs, outputs) = check_widths(&self.training.widths)?;
        self.training.check()?;
        let smoothing = self.label_smoothing;
        if !(0.0..1.0).contains(&smoothing) {
            return invalid(format!("label smoothing {smoothing}: it must be at least 0 and below 1"));
        }
        if smoothing > 0.0 && self.recipe.label_share() == 0.0 {
            return invalid(format!(
                "label smoothing {smoothing}: this loss has no labels to smooth; set it to 0, or choose a loss with \
                 labels"
            ));
        }
        if let Some(alpha) = self.mixup
            && !(alpha > 0.0 && alpha.is_finite())
        {
            return invalid(format!("mixup {alpha}: it must be above 0"));
        }
        self.recipe.check(outputs)?;
        if let Some(Annealing { last, .. }) = self.annealing {
            if self.recipe.at(1.0) == self.recipe.at(2.0) {
                return invalid(
                    "this loss has no temperature to change: use soft labels, or leave the schedule out"
                        .into(),
                );
            }
            self.recipe.at(last).check(outputs)?;
        }
        self.precision.map_or(Ok(()), Precision::check)?;
        samples.check(self.recipe, inputs, outputs)
    }
}
