//! Batched networks on the desktop, for teachers and generators: matrix products in buffers that are allocated once.
//!
//! Shapes: weights are (inputs × outputs), which has the same memory layout as the row-major (outputs, inputs) of the
//! core crate. Activations are (width × batch), with one column per sample.

mod adam;
mod gemm;
#[cfg(test)]
pub(crate) mod gradients;
mod tanh;

use microdistill::initialize;
use microdistill::layer::Role;
use nalgebra::DMatrix;
use rand_core::Rng;

pub(crate) use adam::Adam;
pub(crate) use gemm::{Operand, Real};
use tanh::tanh;

use crate::network::{Activation, Network};

/// Parameters of a layer, or their gradients or moments.
pub(crate) struct Parameters<T> {
    /// Weights, shape (inputs × outputs).
    pub weights: DMatrix<T>,
    /// Bias, shape (outputs).
    pub bias: Vec<T>,
}

impl<T: Real> Parameters<T> {
    fn zero(inputs: usize, outputs: usize) -> Self {
        Parameters { weights: DMatrix::from_element(inputs, outputs, T::ZERO), bias: vec![T::ZERO; outputs] }
    }

    /// Creates zero parameters for every layer of a network of these `widths`.
    fn zeros(widths: &[usize]) -> Vec<Self> {
        widths.windows(2).map(|pair| Parameters::zero(pair[0], pair[1])).collect()
    }
}

/// Iterates over all tensors with their roles, in the order of the core crate.
pub(crate) fn tensors<T: Real>(layers: &mut [Parameters<T>]) -> impl Iterator<Item = (Role, &mut [T])> {
    layers.iter_mut().flat_map(|layer| {
        [(Role::Weights, layer.weights.as_mut_slice()), (Role::Bias, layer.bias.as_mut_slice())]
    })
}

/// Outputs of a layer and their gradient.
struct Buffers<T> {
    /// Outputs after the activation, shape (outputs × batch).
    y: DMatrix<T>,
    /// ∂L/∂y, which the backward pass turns into ∂L/∂z.
    dy: DMatrix<T>,
    /// Input of the next layer with dropout: `y · mask`.
    dropped: Option<(DMatrix<T>, DMatrix<T>)>,
}

impl<T> Buffers<T> {
    fn output(&self) -> &DMatrix<T> {
        self.dropped.as_ref().map_or(&self.y, |(dropped, _mask)| dropped)
    }
}

/// A multilayer perceptron with the memory to train it in batches.
pub(crate) struct Batched<T> {
    pub layers: Vec<Parameters<T>>,
    pub gradients: Vec<Parameters<T>>,
    hidden: Activation,
    buffers: Vec<Buffers<T>>,
    keep: T,
}

/// Mode of a pass. Hidden units are dropped only in training.
pub(crate) enum Mode<'a, R> {
    Training(&'a mut R),
    Inference,
}

impl<T: Real> Batched<T> {
    /// Creates a network of zeros for batches of up to `batch` samples. `dropout`, in [0, 1), is the share of hidden
    /// units dropped.
    pub(crate) fn zero(widths: &[usize], hidden: Activation, dropout: T, batch: usize) -> Self {
        let last = widths.len() - 2;
        let buffers = widths[1..].iter().enumerate().map(|(index, &width)| {
            let zero = DMatrix::from_element(width, batch, T::ZERO);
            let dropped = (index < last && dropout > T::ZERO).then(|| (zero.clone(), zero.clone()));
            Buffers { y: zero.clone(), dy: zero, dropped }
        });
        Batched {
            layers: Parameters::zeros(widths),
            gradients: Parameters::zeros(widths),
            hidden,
            buffers: buffers.collect(),
            keep: T::ONE - dropout,
        }
    }

    /// Creates a network with random weights, drawn as those of a [`Network`], and without dropout.
    pub(crate) fn random(widths: &[usize], hidden: Activation, batch: usize, rng: &mut impl Rng) -> Self {
        let mut batched = Batched::zero(widths, hidden, T::ZERO, batch);
        let last = batched.layers.len() - 1;
        for (index, layer) in batched.layers.iter_mut().enumerate() {
            let activation = if index == last { Activation::Identity } else { hidden };
            let fan = activation.fan(layer.weights.nrows(), layer.bias.len());
            initialize(layer.weights.as_mut_slice(), fan, rng);
        }
        batched
    }

    /// Runs a forward pass on the first `n` columns of `x`, at most a batch. Returns logits or values, shape (outputs
    /// × batch).
    pub(crate) fn forward<R: Rng>(&mut self, x: &DMatrix<T>, n: usize, mut mode: Mode<'_, R>) -> &DMatrix<T> {
        let last = self.layers.len() - 1;
        for (index, layer) in self.layers.iter().enumerate() {
            let (before, after) = self.buffers.split_at_mut(index);
            let buffers = &mut after[0];
            let input = before.last().map_or(x, Buffers::output);
            for mut column in buffers.y.column_iter_mut().take(n) {
                column.as_mut_slice().copy_from_slice(&layer.bias);
            }
            let weights = Operand::all(&layer.weights).transposed();
            T::gemm(weights, Operand::first(input, n), T::ONE, &mut buffers.y, n);
            if index == last {
                break;
            }
            let used = n * layer.bias.len();
            let y = &mut buffers.y.as_mut_slice()[..used];
            match self.hidden {
                Activation::Tanh => tanh(y),
                other => other.apply(y),
            }
            if let Some((dropped, mask)) = &mut buffers.dropped {
                let mask = &mut mask.as_mut_slice()[..used];
                draw(mask, self.keep, &mut mode);
                for ((dropped, &y), &mask) in dropped.as_mut_slice().iter_mut().zip(&*y).zip(&*mask) {
                    *dropped = y * mask;
                }
            }
        }
        &self.buffers[last].y
    }

    /// Returns the outputs of the last [`forward`](Batched::forward) and the place for ∂L/∂output, both of shape
    /// (outputs × batch).
    pub(crate) fn output_and_gradient(&mut self) -> (&DMatrix<T>, &mut DMatrix<T>) {
        let last = self.buffers.len() - 1;
        let buffers = &mut self.buffers[last];
        (&buffers.y, &mut buffers.dy)
    }

    /// Runs a backward pass: computes the summed gradients of the first `n` samples from ∂L/∂output.
    pub(crate) fn backward(&mut self, x: &DMatrix<T>, n: usize) {
        for index in (0..self.layers.len()).rev() {
            let (before, after) = self.buffers.split_at_mut(index);
            let dz = Operand::first(&after[0].dy, n);
            let input = before.last().map_or(x, Buffers::output);
            let gradient = &mut self.gradients[index];
            let outputs = gradient.bias.len();
            T::gemm(Operand::first(input, n), dz.transposed(), T::ZERO, &mut gradient.weights, outputs);
            gradient.bias.fill(T::ZERO);
            for column in after[0].dy.column_iter().take(n) {
                for (sum, &dz) in gradient.bias.iter_mut().zip(column.as_slice()) {
                    *sum += dz;
                }
            }
            let Some(below) = before.last_mut() else { break };
            T::gemm(Operand::all(&self.layers[index].weights), dz, T::ZERO, &mut below.dy, n);
            let dy = &mut below.dy.as_mut_slice()[..n * below.y.nrows()];
            if let Some((_, mask)) = &below.dropped {
                for (dy, &mask) in dy.iter_mut().zip(mask.as_slice()) {
                    *dy *= mask;
                }
            }
            self.hidden.backward(&below.y.as_slice()[..dy.len()], dy);
        }
    }

    /// Writes ∂L/∂input of the first `n` samples of the last [`backward`](Batched::backward) to `dx`, shape (inputs ×
    /// batch).
    pub(crate) fn input_gradient(&self, n: usize, dx: &mut DMatrix<T>) {
        let (first, buffers) = (&self.layers[0], &self.buffers[0]);
        T::gemm(Operand::all(&first.weights), Operand::first(&buffers.dy, n), T::ZERO, dx, n);
    }
}

/// Copies the columns `rows` of `from` to the first columns of `to`.
pub(crate) fn gather<T: Real>(from: &DMatrix<T>, rows: impl Iterator<Item = usize>, to: &mut DMatrix<T>) {
    for (mut to, row) in to.column_iter_mut().zip(rows) {
        to.as_mut_slice().copy_from_slice(from.column(row).as_slice());
    }
}

/// Draws a dropout mask: zero for a dropped unit, else `1 / keep`, so that the mean is preserved.
fn draw<T: Real, R: Rng>(mask: &mut [T], keep: T, mode: &mut Mode<'_, R>) {
    match mode {
        Mode::Inference => mask.fill(T::ONE),
        Mode::Training(rng) => {
            for mask in mask {
                let kept = T::unit_interval(rng.next_u32()) < keep;
                *mask = if kept { T::ONE / keep } else { T::ZERO };
            }
        }
    }
}

impl Batched<f32> {
    /// Copies the weights from `network`, which has the same shape.
    pub(crate) fn load(&mut self, network: &Network) {
        for (layer, from) in self.layers.iter_mut().zip(network.layers()) {
            layer.weights.as_mut_slice().copy_from_slice(&from.weights());
            layer.bias.copy_from_slice(&from.bias);
        }
    }

    /// Copies the weights to `network`, which has the same shape.
    pub(crate) fn store(&self, network: &mut Network) {
        for (layer, to) in self.layers.iter().zip(network.layers_mut()) {
            to.set_weights(layer.weights.as_slice());
            to.bias.copy_from_slice(&layer.bias);
        }
    }
}
