//! View of a training that a progress callback receives.

use std::fmt;
use std::ops::ControlFlow;

use crate::dataset::{Preparation, Standardizer};
use crate::network::Network;

/// A callback of a training loop: it sees each epoch, and makes a copy of the network if it needs one.
pub(crate) type Watch<'a, Epoch> = dyn FnMut(Epoch, &dyn Fn() -> Network) -> ControlFlow<()> + 'a;

/// State of a training after an epoch: the figures of the epoch, and the network.
#[derive(Clone, Copy)]
pub struct Progress<'a, Epoch> {
    /// Number and losses of the epoch.
    pub epoch: Epoch,
    /// Makes a copy, which takes as long as the epoch if there are few rows.
    network: &'a dyn Fn() -> Network,
    standardizer: &'a Standardizer,
}

impl<'a, Epoch> Progress<'a, Epoch> {
    pub(crate) fn new(
        epoch: Epoch,
        network: &'a dyn Fn() -> Network,
        standardizer: &'a Standardizer,
    ) -> Self {
        Progress { epoch, network, standardizer }
    }

    /// Returns the first step of every inference, fitted to the training rows.
    pub fn preparation(&self) -> &'a Preparation {
        &self.standardizer.preparation
    }

    /// Returns a copy of the network that maps prepared features to logits, or to values in the target's unit.
    pub fn network(&self) -> Network {
        self.standardizer.restore((self.network)())
    }
}

impl<Epoch: fmt::Debug> fmt::Debug for Progress<'_, Epoch> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Progress").field("epoch", &self.epoch).finish_non_exhaustive()
    }
}
