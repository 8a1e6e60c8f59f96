//! A network with its weights where the core's kernels want them.

use microdistill::layer::{InputGradient, Role};
use microdistill::layout::{ByInput, ByOutput, Layout as _};

use crate::network::{Activation, Dense, Network};

/// A [`Network`] that computes and learns: the weights of its first layer lie by output, those of the others by input, as
/// [`Mlp!`](microdistill::Mlp) has them.
#[derive(Clone, Debug, PartialEq)]
pub struct LaidOut(Network);

/// Whether a layer's weights lie by input.
pub(crate) fn by_input(index: usize) -> bool {
    index > 0
}

/// What a backward pass may do without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Zeros {
    /// A layer took what the one before it gave: behind a ReLU, a zero says that no gradient passes.
    Exact,
    /// It took rounded numbers, of which a zero says nothing.
    Rounded,
}

impl LaidOut {
    /// All parameters zero.
    pub(crate) fn zero(widths: &[usize]) -> Self {
        LaidOut(Network::zero(widths, Activation::Identity))
    }

    /// `network`, laid out.
    pub fn of(network: &Network) -> Self {
        let layer = |(index, layer): (usize, &Dense)| match by_input(index) {
            true => Dense { weights: transposed(&layer.weights, layer.inputs()), ..layer.clone() },
            false => layer.clone(),
        };
        LaidOut(Network { layers: network.layers.iter().enumerate().map(layer).collect() })
    }

    /// The network with its weights as files have them.
    pub fn network(&self) -> Network {
        let layer = |(index, layer): (usize, &Dense)| match by_input(index) {
            true => Dense { weights: transposed(&layer.weights, layer.outputs()), ..layer.clone() },
            false => layer.clone(),
        };
        Network { layers: self.0.layers.iter().enumerate().map(layer).collect() }
    }

    /// Room for the outputs of every layer.
    pub(crate) fn tape(&self) -> Vec<Vec<f32>> {
        self.0.layers.iter().map(|layer| vec![0.0; layer.outputs()]).collect()
    }

    /// The outputs of a layer for one sample.
    pub(crate) fn forward(&self, index: usize, x: &[f32], y: &mut [f32]) {
        let layer = &self.0.layers[index];
        let forward = if by_input(index) { ByInput::forward } else { ByOutput::forward };
        forward(&layer.weights, &layer.bias, x, y);
        layer.activation.apply(y);
    }

    /// Forward pass that keeps the outputs of every layer.
    pub(crate) fn record(&self, x: &[f32], tape: &mut [Vec<f32>]) {
        let mut input = x;
        for (index, output) in tape.iter_mut().enumerate() {
            self.forward(index, input, output);
            input = output;
        }
    }

    /// Adds ∂L/∂θ to `gradient`. `inputs` gives what each layer took, and `tape` what it gave, in the recorded pass;
    /// `dys` has the tape's shape, with ∂L/∂y in its last element, and is overwritten.
    pub(crate) fn backward<'a>(
        &self,
        inputs: impl Fn(usize) -> &'a [f32],
        zeros: Zeros,
        tape: &[Vec<f32>],
        dys: &mut [Vec<f32>],
        gradient: &mut LaidOut,
    ) {
        let gate = |index: usize| zeros == Zeros::Exact && self.0.layers[index].activation.is_gate();
        for (index, layer) in self.0.layers.iter().enumerate().rev() {
            let (before, after) = dys.split_at_mut(index);
            let (behind, Some(dz), Some(to)) =
                (after.len() > 1, after.first_mut(), gradient.0.layers.get_mut(index))
            else {
                return;
            };
            if !(behind && gate(index)) {
                layer.activation.backward(&tape[index], dz);
            }
            let dx = match before.last_mut() {
                None => InputGradient::None,
                Some(dx) if gate(index - 1) => InputGradient::Active(dx.as_mut_slice()),
                Some(dx) => InputGradient::All(dx.as_mut_slice()),
            };
            let backward = if by_input(index) { ByInput::backward } else { ByOutput::backward };
            backward(&layer.weights, (&mut to.weights, &mut to.bias), inputs(index), dz, dx);
        }
    }

    /// Every tensor, in the core's order.
    pub fn into_tensors(self) -> impl Iterator<Item = Vec<f32>> {
        self.0.layers.into_iter().flat_map(|layer| [layer.weights, layer.bias])
    }

    /// Every tensor with its role, in the core's order.
    pub fn tensors_mut(&mut self) -> impl Iterator<Item = (Role, &mut [f32])> {
        self.0.tensors_mut()
    }
}

/// A matrix of `columns` columns, the other way round.
fn transposed(matrix: &[f32], columns: usize) -> Vec<f32> {
    (0..columns).flat_map(|column| matrix.iter().skip(column).step_by(columns)).copied().collect()
}
