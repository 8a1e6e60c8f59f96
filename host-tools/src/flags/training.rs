//! Training flags that `train` and `distill` share.

use clap::{Args, ValueEnum};
use microdistill_train::class_weights::ClassWeights;
use microdistill_train::hyperparameters::{Hyperparameters, Length};
use microdistill_train::tune::FOLDS;

use crate::flags::parse::{count, folds};
use crate::flags::weight_decay::WeightDecay;

#[derive(Args, Debug)]
pub(crate) struct TrainingFlags {
    /// Decoupled weight decay (L2): a number, or `auto` to choose it by cross-validation [default: auto]
    #[arg(long, value_name = "DECAY")]
    pub(crate) weight_decay: Option<WeightDecay>,
    /// Number of folds of `--weight-decay auto`; with groups, at most the number of groups
    #[arg(long, default_value_t = FOLDS, value_parser = folds)]
    pub(crate) folds: usize,
    /// Initial learning rate of Adam, which falls to zero along a half cosine
    #[arg(long)]
    rate: Option<f32>,
    /// Batch size: rows per update
    #[arg(long, value_parser = count::<usize>)]
    batch: Option<usize>,
    /// Length of the training in steps, which are updates of the weights; the last epoch is completed [default: chosen on
    /// held-out rows]
    #[arg(long, value_parser = count::<usize>, conflicts_with = "epochs")]
    steps: Option<usize>,
    /// Length of the training in epochs, which are passes over the rows
    #[arg(long, value_parser = count::<usize>)]
    epochs: Option<usize>,
    /// Early stopping: stop after this many epochs without a better validation loss. Validation rows are then not trained on
    #[arg(long, value_name = "EPOCHS", value_parser = count::<usize>)]
    pub(crate) patience: Option<usize>,
    /// Weight of each row in the loss, by class
    #[arg(long, value_enum, default_value = "none")]
    class_weights: ClassWeightsFlag,
}

/// Weighting of rows in the loss.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ClassWeightsFlag {
    /// The same weight for every row
    None,
    /// The same total weight for every class, so that rare classes are not neglected
    Balanced,
}

impl TrainingFlags {
    /// The length of the training, if it is not to be chosen.
    pub(crate) fn length(&self) -> Option<Length> {
        self.epochs.map(Length::Epochs).or(self.steps.map(Length::Steps))
    }

    /// Returns a flag that was given and that only a network's training knows, if there is one.
    pub(crate) fn given(&self) -> Option<&'static str> {
        let given = [
            ("--weight-decay", self.weight_decay.is_some()),
            ("--rate", self.rate.is_some()),
            ("--batch", self.batch.is_some()),
            ("--steps", self.steps.is_some()),
            ("--epochs", self.epochs.is_some()),
            ("--patience", self.patience.is_some()),
            ("--class-weights", self.class_weights != ClassWeightsFlag::None),
        ];
        given.into_iter().find(|(_, given)| *given).map(|(flag, _)| flag)
    }

    /// Replaces defaults by the values of the flags. The weight decay is chosen elsewhere.
    pub(crate) fn apply(&self, training: &mut Hyperparameters) {
        let rates = &mut training.rates;
        rates.rate = self.rate.unwrap_or(rates.rate);
        training.batch = self.batch.unwrap_or(training.batch);
        training.length = self.length().unwrap_or(training.length);
        training.patience = self.patience;
        training.class_weights = match self.class_weights {
            ClassWeightsFlag::None => ClassWeights::None,
            ClassWeightsFlag::Balanced => ClassWeights::Balanced,
        };
    }
}
