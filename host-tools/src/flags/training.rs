//! The flags of every training, a teacher's and a student's.

use clap::{Args, ValueEnum};
use microdistill::optimizer::AdamRates;
use microdistill_train::class_weights::ClassWeights;
use microdistill_train::tune::FOLDS;

use crate::flags::parse::{count, folds};
use crate::flags::weight_decay::WeightDecay;

#[derive(Args, Debug)]
pub(crate) struct TrainingFlags {
    /// L2, decoupled: a number, or `auto` for the best in cross-validation
    #[arg(long, value_name = "DECAY", default_value = "auto")]
    pub(crate) weight_decay: WeightDecay,
    /// Folds of that cross-validation; with groups, at most as many as there are groups
    #[arg(long, default_value_t = FOLDS, value_parser = folds)]
    pub(crate) folds: usize,
    /// Adam's step size; it falls to zero along a half cosine
    #[arg(long)]
    rate: Option<f32>,
    /// Rows an update
    #[arg(long, value_parser = count::<usize>)]
    batch: Option<usize>,
    /// Passes over the rows [default: 100, fewer for more than 20,000 rows; a few hundred rows may want 300]
    #[arg(long, value_parser = count::<usize>)]
    epochs: Option<usize>,
    /// Early stopping: epochs without a better validation loss. The validation rows are then not trained on
    #[arg(long, value_name = "EPOCHS", value_parser = count::<usize>)]
    pub(crate) patience: Option<usize>,
    /// Weight of each row in the loss, by class
    #[arg(long, value_enum, default_value = "none")]
    class_weights: ClassWeightsFlag,
}

/// Weights of rows in the loss.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ClassWeightsFlag {
    /// All rows alike
    None,
    /// All classes alike, so that rare ones are not given up
    Balanced,
}

impl TrainingFlags {
    /// Puts what was asked for in the place of defaults.
    pub(crate) fn apply(&self, rates: &mut AdamRates, batch: &mut usize, epochs: &mut usize) {
        rates.rate = self.rate.unwrap_or(rates.rate);
        *batch = self.batch.unwrap_or(*batch);
        *epochs = self.epochs.unwrap_or(*epochs);
    }

    pub(crate) fn class_weights(&self) -> ClassWeights {
        match self.class_weights {
            ClassWeightsFlag::None => ClassWeights::None,
            ClassWeightsFlag::Balanced => ClassWeights::Balanced,
        }
    }
}
