//! The view of a training that a progress callback gets.

use crate::dataset::{Scaler, Standardizer};
use crate::network::Network;

/// A training after an epoch, for a progress callback: the figures of the epoch, and the network as it is.
#[derive(Clone, Copy, Debug)]
pub struct Progress<'a, Epoch> {
    /// Number and losses of the epoch.
    pub epoch: Epoch,
    network: &'a Network,
    standardizer: &'a Standardizer,
}

impl<'a, Epoch> Progress<'a, Epoch> {
    pub(crate) fn new(epoch: Epoch, network: &'a Network, standardizer: &'a Standardizer) -> Self {
        Progress { epoch, network, standardizer }
    }

    /// The scaler of the training rows, the first step of an inference.
    pub fn scaler(&self) -> &'a Scaler {
        &self.standardizer.scaler
    }

    /// A copy of the network, from standardized features to logits, or to values in the target's unit.
    pub fn network(&self) -> Network {
        self.standardizer.restore(self.network.clone())
    }
}
