//! Adam for batched networks.

use microdistill::kernel::Moments;
use microdistill::optimizer::{AdamRates, Corrections};

use super::{Batched, Parameters, tensors};

/// Adam of the core crate, applied to a batched network.
pub(crate) struct Adam {
    moments: [Vec<Parameters<f32>>; 2],
    corrections: Corrections<f32>,
}

impl Adam {
    /// Creates the state of Adam before the first step of `network`.
    pub(crate) fn of(network: &Batched<f32>) -> Self {
        let zero = |layer: &Parameters<f32>| Parameters::zero(layer.weights.nrows(), layer.bias.len());
        let zeros = || network.layers.iter().map(zero).collect();
        Adam { moments: [zeros(), zeros()], corrections: Corrections::ZERO }
    }

    /// Updates the parameters with `scale` times their gradients, and clears the gradients.
    pub(crate) fn step(&mut self, network: &mut Batched<f32>, rates: &AdamRates, scale: f32) {
        self.corrections.advance(rates);
        let [first, second] = &mut self.moments;
        let moments = tensors(first).zip(tensors(second));
        let parameters = tensors(&mut network.layers).zip(tensors(&mut network.gradients));
        for (((role, p), (_, g)), ((_, m), (_, v))) in parameters.zip(moments) {
            let moments = Moments { first: m, second: v };
            rates.step(role, p, g, moments, &self.corrections, scale);
        }
    }
}
