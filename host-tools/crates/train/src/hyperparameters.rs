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
    /// Maximum number of epochs, at least 1.
    pub epochs: usize,
    /// Early stopping: training stops after this many epochs without a better validation loss. Needs a validation
    /// set. Given a validation set, the weights of the best epoch are kept in any case.
    pub patience: Option<usize>,
    /// Weights of the training rows in the loss, by label. All validation rows count the same.
    pub class_weights: ClassWeights,
    /// Seed of the initial weights, the order of samples and the dropped units.
    pub seed: u64,
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
    /// Checks the ranges of the numbers. The widths are checked with the data.
    pub(crate) fn check(&self) -> Result<()> {
        let invalid = |message: String| Err(Error::Invalid(message));
        let AdamRates { rate, weight_decay, .. } = self.rates;
        if self.batch == 0 || self.epochs == 0 {
            return invalid("batch and epochs must be at least 1".into());
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
    use super::epochs;

    #[test]
    fn many_rows_are_passed_over_less_often() {
        assert_eq!([0, 785, 40_000, 1_000_000].map(|rows| epochs(100, rows)), [100, 100, 50, 5]);
    }
}
