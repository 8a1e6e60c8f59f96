//! View of a training that a progress callback receives.

use crate::dataset::{Scaler, Standardizer};
use crate::network::Network;

/// State of a training after an epoch: the figures of the epoch, and the network.
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

    /// Returns the scaler of the training rows, which is the first step of every inference.
    pub fn scaler(&self) -> &'a Scaler {
        &self.standardizer.scaler
    }

    /// Returns a copy of the network that maps standardized features to logits, or to values in the target's unit.
    pub fn network(&self) -> Network {
        self.standardizer.restore(self.network.clone())
    }
}
