//! Default hyperparameters of a teacher.

use microdistill::optimizer::AdamRates;

use crate::class_weights::ClassWeights;
use crate::hyperparameters::{Hyperparameters, Length, epochs};
use crate::network::Activation;

impl Hyperparameters {
    /// Default hyperparameters of a teacher for a training set of `rows` rows: tanh, whose smooth decision boundaries
    /// cross-validate better than ReLU's on small data sets; Adam with a learning rate of 10⁻³; 100 epochs, or fewer
    /// for large training sets. Only the weight decay should be [tuned](crate::tune).
    pub fn new(widths: Vec<usize>, rows: usize, seed: u64) -> Self {
        Hyperparameters {
            widths,
            activation: Activation::Tanh,
            dropout: 0.0,
            rates: AdamRates::DEFAULT,
            batch: 32,
            length: Length::Epochs(epochs(100, rows)),
            patience: None,
            class_weights: ClassWeights::None,
            seed,
        }
    }
}
