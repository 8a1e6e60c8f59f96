//! A layer of a network whose shape is known only at run time.

use std::borrow::Cow;

use microdistill::activation;
use microdistill::fingerprint;
use microdistill::kernel::{Kernels, pieces};
use microdistill::layer::InputGradient;
use microdistill::layout::{ByInput, ByOutput, Layout};
use rand_core::Rng;

use crate::network::Activation;

/// Dense layer: `y = activation(weights·x + bias)`; or a piecewise-linear first layer, which is one over the shares that
/// each input takes of the rows of a table.
#[derive(Clone, Debug, PartialEq)]
pub struct Dense {
    /// Weights in the order of the form.
    pub(super) weights: Vec<f32>,
    form: Form,
    /// Bias, shape (outputs).
    pub bias: Vec<f32>,
    /// Activation of the outputs.
    pub activation: Activation,
}

/// What a layer computes, and the order of its weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// Weights of an output are adjacent.
    ByOutput,
    /// Weights of an input are adjacent.
    ByInput,
    /// The weights are a table, in which the numbers of a row are adjacent. Holds the number of inputs.
    Piecewise(usize),
}

impl Dense {
    /// Creates a layer from weights, shape (outputs, inputs), row-major, and a bias, shape (outputs).
    pub fn new(weights: Vec<f32>, bias: Vec<f32>, activation: Activation) -> Self {
        Dense { weights, form: Form::ByOutput, bias, activation }
    }

    /// Creates a piecewise-linear first layer of `inputs` inputs, which are coordinates in its `table`, shape (rows,
    /// outputs), row-major. Run-time counterpart of [`microdistill::PiecewiseLinear`].
    pub fn piecewise_linear(inputs: usize, table: Vec<f32>, bias: Vec<f32>, activation: Activation) -> Self {
        Dense { weights: table, form: Form::Piecewise(inputs), bias, activation }
    }

    /// Returns true for a piecewise-linear first layer.
    pub fn is_piecewise_linear(&self) -> bool {
        matches!(self.form, Form::Piecewise(_))
    }

    /// Returns the layer in the memory layout of its place in a network: layers after the first are stored by input.
    pub(super) fn at(mut self, index: usize) -> Self {
        if !self.is_piecewise_linear() {
            let weights = self.weights().into_owned();
            self.form = if index > 0 { Form::ByInput } else { Form::ByOutput };
            self.set_weights(&weights);
        }
        self
    }

    /// Returns the weights, shape (outputs, columns), row-major.
    pub fn weights(&self) -> Cow<'_, [f32]> {
        match self.form {
            Form::ByInput | Form::Piecewise(_) => columns(&self.weights, self.outputs()).collect(),
            Form::ByOutput => self.weights.as_slice().into(),
        }
    }

    /// Replaces the weights, shape (outputs, columns), row-major.
    ///
    /// # Panics
    /// If `weights` has another length than the weights of the layer.
    pub fn set_weights(&mut self, weights: &[f32]) {
        assert_eq!(weights.len(), self.weights.len(), "a layer keeps its shape");
        let count = self.columns();
        match self.form {
            Form::ByInput | Form::Piecewise(_) => {
                self.weights.iter_mut().zip(columns(weights, count)).for_each(|(to, from)| *to = from);
            }
            Form::ByOutput => self.weights.copy_from_slice(weights),
        }
    }

    /// Passes the weights, shape (outputs, columns), row-major, to `edit` and stores the result.
    pub fn edit_weights(&mut self, edit: impl FnOnce(&mut [f32])) {
        let mut weights = self.weights().into_owned();
        edit(&mut weights);
        self.set_weights(&weights);
    }

    /// Returns the number of inputs.
    pub fn inputs(&self) -> usize {
        match self.form {
            Form::ByOutput | Form::ByInput => self.columns(),
            Form::Piecewise(inputs) => inputs,
        }
    }

    /// Returns the number of weights per output: one per input or, in a piecewise-linear layer, one per row of its table.
    pub fn columns(&self) -> usize {
        self.weights.len() / self.bias.len().max(1)
    }

    /// Returns the number of outputs.
    pub fn outputs(&self) -> usize {
        self.bias.len()
    }

    /// Returns the number of weights and biases.
    pub fn parameters(&self) -> usize {
        self.weights.len() + self.bias.len()
    }

    pub(super) fn initialize(&mut self, rng: &mut impl Rng) {
        let fan = self.activation.fan(self.inputs(), self.outputs());
        match self.form {
            Form::Piecewise(_) => microdistill::initialize(&mut self.weights, fan, rng),
            Form::ByOutput | Form::ByInput => {
                self.edit_weights(|weights| microdistill::initialize(weights, fan, rng));
            }
        }
        self.bias.fill(0.0);
    }

    pub(crate) fn fingerprint(&self) -> u32 {
        let (inputs, outputs, activation) = (self.inputs(), self.outputs(), self.activation.fingerprint());
        match self.form {
            Form::ByOutput => fingerprint::dense(inputs, outputs, activation, false),
            Form::ByInput => fingerprint::dense(inputs, outputs, activation, true),
            Form::Piecewise(_) => fingerprint::piecewise_linear(inputs, self.columns(), outputs, activation),
        }
    }

    /// Computes the outputs `y` for one sample `x`.
    pub(crate) fn forward(&self, x: &[f32], y: &mut [f32]) {
        // The activation is a value here and no type, so it is applied separately.
        type None = activation::Identity;
        match self.form {
            Form::ByOutput => ByOutput::forward::<f32, None>(&self.weights, &self.bias, x, y),
            Form::ByInput => ByInput::forward::<f32, None>(&self.weights, &self.bias, x, y),
            Form::Piecewise(_) => pieces::forward(&self.weights, &self.bias, x, y),
        }
        self.activation.apply(y);
    }

    /// Adds ∂L/∂θ to `gradient` and writes ∂L/∂x to `dx`. `dz` is ∂L/∂z, the gradient before the activation.
    pub(super) fn backward(&self, x: &[f32], dz: &[f32], gradient: &mut Dense, dx: InputGradient<'_, [f32]>) {
        let (dw, db) = (gradient.weights.as_mut_slice(), gradient.bias.as_mut_slice());
        match self.form {
            Form::ByOutput => ByOutput::backward(&self.weights, (dw, db), x, dz, dx),
            Form::ByInput => ByInput::backward(&self.weights, (dw, db), x, dz, dx),
            // It is the first layer, so nobody wants the gradient of its inputs.
            Form::Piecewise(_) => {
                pieces::table_gradient(x, dz, dw);
                f32::add_all(dz, db);
            }
        }
    }
}

/// Iterates over a row-major matrix of `count` columns, column by column.
fn columns(matrix: &[f32], count: usize) -> impl Iterator<Item = f32> {
    // A layer without outputs is refused only later.
    let count = count.max(1);
    (0..count).flat_map(move |column| matrix.iter().skip(column).step_by(count)).copied()
}
