//! Hyperparameters common to teachers and students.

use microdistill::optimizer::AdamRates;
use serde::{Deserialize, Serialize};

use crate::class_weights::ClassWeights;
use crate::error::{Error, Result};
use crate::network::Activation;

/// Hyperparameters that teachers and students have in common; a teacher has no others. The [file of a
/// teacher](crate::model::Metadata::training) records them, so that [similar teachers](crate::teacher::fit_like) can be
/// trained later.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hyperparameters {
    /// Layer widths from input to output, at least two.
    pub widths: Vec<usize>,
    /// Activation of the hidden layers.
    pub activation: Activation,
    /// Dropout: share of hidden units dropped at each step, in [0, 1).
    pub dropout: f32,
    /// Parameters of Adam with decoupled weight decay. The learning rate falls along a half cosine to zero.
    #[serde(with = "Rates")]
    pub rates: AdamRates,
    /// Batch size: samples per update, at least 1.
    pub batch: usize,
    /// Length of the training. Early stopping may end it sooner.
    #[serde(flatten)]
    pub length: Length,
    /// Early stopping: training stops after this many epochs without a better validation loss. Needs a validation
    /// set. Given a validation set, the weights of the best epoch are kept in any case.
    pub patience: Option<usize>,
    /// Weights of the training rows in the loss, by label. All validation rows count the same.
    pub class_weights: ClassWeights,
    /// Seed of the initial weights, the order of samples and the dropped units.
    pub seed: u64,
}

/// Length of a training. A training ends after whole epochs in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Length {
    /// Number of epochs, passes over the training set: at least 1.
    Epochs(usize),
    /// Number of steps, updates of the weights: at least 1. The last epoch is completed. What a training converges
    /// after is a number of steps, whatever the number of rows, so other rows are trained on for as many.
    Steps(usize),
}

impl Length {
    /// Number of epochs of a training that visits `samples` samples per epoch in batches of `batch`.
    pub fn epochs(self, samples: usize, batch: usize) -> usize {
        match self {
            Length::Epochs(epochs) => epochs,
            Length::Steps(steps) => steps.div_ceil(steps_per_epoch(samples, batch)),
        }
    }

    /// Number of steps of a training that visits `samples` samples per epoch in batches of `batch`: those of whole
    /// epochs.
    pub fn steps(self, samples: usize, batch: usize) -> usize {
        self.epochs(samples, batch).saturating_mul(steps_per_epoch(samples, batch))
    }

    /// Half the length, at least one epoch or step.
    pub(crate) fn half(self) -> Self {
        match self {
            Length::Epochs(epochs) => Length::Epochs(epochs.div_ceil(2)),
            Length::Steps(steps) => Length::Steps(steps.div_ceil(2)),
        }
    }

    fn is_zero(self) -> bool {
        matches!(self, Length::Epochs(0) | Length::Steps(0))
    }
}

fn steps_per_epoch(samples: usize, batch: usize) -> usize {
    samples.div_ceil(batch.max(1)).max(1)
}

/// Basis of the choice of a length.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Basis {
    /// Trainings were judged on this number of held-out rows, in all rounds together.
    HeldOut(usize),
    /// There were too few rows or groups to hold any out, so nothing was chosen.
    TooFew,
    /// Rows and network are too large for several trainings, so nothing was chosen.
    TooLarge,
}

/// Result of the [choice](crate::tune::LengthChoice) of a length. Model files keep it, so that its reason is known later.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChosenLength {
    /// Number of steps to train for.
    pub steps: usize,
    /// Basis of the choice.
    pub basis: Basis,
    /// Lengths that were tried, and their losses on the held-out rows.
    pub trials: Vec<LengthTrial>,
    /// True if the longest of the trainings that fit the budget was chosen. A longer one may be better still.
    pub limited: bool,
}

impl ChosenLength {
    /// Held-out loss of the chosen length; none if none was chosen.
    pub fn loss(&self) -> Option<f64> {
        self.trials.iter().find(|trial| trial.steps == self.steps)?.loss
    }
}

/// Held-out loss of trainings of one length.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LengthTrial {
    /// Number of steps.
    pub steps: usize,
    /// Mean loss of the held-out rows: the NLL at the best temperature or, in regression, the squared error as a share of
    /// the variance, in the mean over the targets. None if a training diverged.
    pub loss: Option<f64>,
}

/// Serialized form of [`AdamRates`].
#[derive(Serialize, Deserialize)]
#[serde(remote = "AdamRates")]
struct Rates {
    rate: f32,
    beta1: f32,
    beta2: f32,
    epsilon: f32,
    weight_decay: f32,
}

impl Hyperparameters {
    /// Number of epochs of a training that visits `samples` samples per epoch.
    pub fn epochs(&self, samples: usize) -> usize {
        self.length.epochs(samples, self.batch)
    }

    /// Number of steps of one epoch, which visits `samples` samples: at least 1.
    pub fn steps_per_epoch(&self, samples: usize) -> usize {
        steps_per_epoch(samples, self.batch)
    }

    /// Number of steps of a training that visits `samples` samples per epoch.
    pub fn steps(&self, samples: usize) -> usize {
        self.length.steps(samples, self.batch)
    }

    /// Checks the ranges of the numbers. The widths are checked with the data.
    pub(crate) fn check(&self) -> Result<()> {
        let invalid = |message: String| Err(Error::Invalid(message));
        let AdamRates { rate, weight_decay, .. } = self.rates;
        if self.batch == 0 || self.length.is_zero() {
            return invalid("batch, epochs and steps must be at least 1".into());
        }
        if let Activation::Curve(curve) = self.activation {
            return invalid(format!(
                "no network is trained with {}: choose another activation",
                curve.name()
            ));
        }
        if !(rate.is_finite() && rate > 0.0) {
            return invalid(format!("rate {rate}: it must be above 0"));
        }
        if !(weight_decay.is_finite() && weight_decay >= 0.0) {
            return invalid(format!("weight decay {weight_decay}: it must be at least 0"));
        }
        if !(0.0..1.0).contains(&self.dropout) {
            return invalid(format!("dropout {}: it must be at least 0 and below 1", self.dropout));
        }
        Ok(())
    }
}

/// Returns the default number of epochs for `rows` rows: `most`, or fewer so that at most two million samples are
/// seen, but at least five.
pub(crate) fn epochs(most: usize, rows: usize) -> usize {
    most.min((2_000_000 / rows.max(1)).max(5))
}

#[cfg(test)]
mod tests {
    use super::{Hyperparameters, Length, epochs};

    #[test]
    fn many_rows_are_passed_over_less_often() {
        assert_eq!([0, 785, 40_000, 1_000_000].map(|rows| epochs(100, rows)), [100, 100, 50, 5]);
    }

    #[test]
    fn a_training_ends_after_whole_epochs() {
        let lengths = |length: Length, samples| (length.epochs(samples, 32), length.steps(samples, 32));
        assert_eq!(lengths(Length::Epochs(3), 100), (3, 12));
        assert_eq!(lengths(Length::Steps(12), 100), (3, 12));
        assert_eq!(lengths(Length::Steps(13), 100), (4, 16));
        assert_eq!(lengths(Length::Steps(500), 5), (500, 500), "fewer rows than a batch");
        assert_eq!(lengths(Length::Steps(1), 1_000_000), (1, 31_250));
        assert_eq!(
            [Length::Epochs(5).half(), Length::Steps(4)].map(Length::half),
            [Length::Epochs(2), Length::Steps(2)]
        );
    }

    #[test]
    fn model_files_hold_either_unit() {
        let mut settings = Hyperparameters::new(vec![2, 3, 1], 100, 1);
        let json = serde_json::to_string(&settings).unwrap();
        assert!(json.contains("\"batch\":32,\"epochs\":100,\"patience\":null"), "as in older files: {json}");
        assert_eq!(serde_json::from_str::<Hyperparameters>(&json).unwrap(), settings);
        settings.length = Length::Steps(4000);
        let json = serde_json::to_string(&settings).unwrap();
        assert!(json.contains("\"steps\":4000"), "{json}");
        assert_eq!(serde_json::from_str::<Hyperparameters>(&json).unwrap(), settings);
    }
}
