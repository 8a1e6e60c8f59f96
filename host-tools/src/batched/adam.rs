//! How a batched network moves.

use microdistill::optimizer::{AdamRates, Corrections};

use super::{Batched, Parameters, tensors};

/// The core's Adam over a batched network.
pub(crate) struct Adam {
    moments: [Vec<Parameters<f32>>; 2],
    corrections: Corrections<f32>,
}

impl Adam {
    /// Before the first step of a network of these `widths`.
    pub(crate) fn zero(widths: &[usize]) -> Self {
        Adam {
            moments: [Parameters::zeros(widths), Parameters::zeros(widths)],
            corrections: Corrections::ZERO,
        }
    }

    /// Moves the parameters against `scale` times their gradients, which it clears.
    pub(crate) fn step(&mut self, network: &mut Batched<f32>, rates: &AdamRates, scale: f32) {
        self.corrections.advance(rates);
        let [first, second] = &mut self.moments;
        let moments = tensors(first).zip(tensors(second));
        let parameters = tensors(&mut network.layers).zip(tensors(&mut network.gradients));
        for (((role, p), (_, g)), ((_, m), (_, v))) in parameters.zip(moments) {
            rates.step(role, p, g, (m, v), &self.corrections, scale);
        }
    }
}
