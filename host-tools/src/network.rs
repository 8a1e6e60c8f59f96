//! An MLP whose shape is known at run time, computed by the core's kernels in the core's order: bit for bit what the
//! typed network of a firmware computes.

use microdistill::activation::{self, Activation as _};
use microdistill::fingerprint;
use microdistill::layer::Role;
use microdistill::scalar::Scalar;
use nalgebra::DMatrix;
use rand_core::Rng;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::laid_out::{LaidOut, by_input};

/// Element-wise activation of a layer: the run-time name of the types in [`microdistill::activation`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Activation {
    /// `y = z`
    Identity,
    /// `y = max(z, 0)`
    Relu,
    /// `y = min(max(z, 0), 6)`
    Relu6,
    /// `y = z` above zero, else `z/100`
    LeakyRelu,
    /// `y = tanh z`
    Tanh,
    /// `y = 1 / (1 + exp(−z))`
    Sigmoid,
}

/// An expression for the activation's type in the core.
macro_rules! typed {
    ($activation:expr, $type:ident => $expression:expr) => {{
        macro_rules! with {
            ($typed:ty) => {{
                type $type = $typed;
                $expression
            }};
        }
        match $activation {
            Activation::Identity => with!(activation::Identity),
            Activation::Relu => with!(activation::Relu),
            Activation::Relu6 => with!(activation::Relu6),
            Activation::LeakyRelu => with!(activation::LeakyRelu<1, 100>),
            Activation::Tanh => with!(activation::Tanh),
            Activation::Sigmoid => with!(activation::Sigmoid),
        }
    }};
}

impl Activation {
    /// `f(z)`, element by element, in place.
    pub fn apply<T: Scalar>(self, z: &mut [T]) {
        typed!(self, A => A::apply_all(z));
    }

    /// `dy ← dy · f′(z)`, from `y = f(z)`.
    pub(crate) fn backward<T: Scalar>(self, y: &[T], dy: &mut [T]) {
        typed!(self, A => dy.iter_mut().zip(y).for_each(|(dy, &y)| *dy = A::backward(y, *dy)));
    }

    /// [`GATE`](microdistill::activation::Activation::GATE)
    pub(crate) fn is_gate(self) -> bool {
        typed!(self, A => A::GATE)
    }

    fn fingerprint(self) -> u32 {
        typed!(self, A => A::FINGERPRINT)
    }

    fn fan(self, inputs: usize, outputs: usize) -> usize {
        typed!(self, A => A::fan(inputs, outputs))
    }

    /// As `--activation` and model files have it.
    pub fn name(self) -> &'static str {
        match self {
            Activation::Identity => "identity",
            Activation::Relu => "relu",
            Activation::Relu6 => "relu6",
            Activation::LeakyRelu => "leaky-relu",
            Activation::Tanh => "tanh",
            Activation::Sigmoid => "sigmoid",
        }
    }

    /// Whether it is more than a clamp: in int8, a table.
    pub(crate) fn is_curved(self) -> bool {
        matches!(self, Activation::LeakyRelu | Activation::Tanh | Activation::Sigmoid)
    }
}

/// `y = activation(weights·x + bias)`.
#[derive(Clone, Debug, PartialEq)]
pub struct Dense {
    /// Shape (outputs, inputs), row-major.
    pub weights: Vec<f32>,
    /// Shape (outputs).
    pub bias: Vec<f32>,
    /// Applied to every output.
    pub activation: Activation,
}

impl Dense {
    /// Number of inputs.
    pub fn inputs(&self) -> usize {
        self.weights.len() / self.bias.len()
    }

    /// Number of outputs.
    pub fn outputs(&self) -> usize {
        self.bias.len()
    }
}

/// Most parameters that a network is trained with: their gradient and moments still fit in a desktop's memory.
const PARAMETERS_LIMIT: usize = 1 << 28;

/// The input and output width of a network that can be trained.
pub(crate) fn check_widths(widths: &[usize]) -> Result<(usize, usize)> {
    let &[inputs, .., outputs] = widths else {
        return Err(Error::Invalid("a network needs at least an input and an output width".into()));
    };
    if widths.contains(&0) {
        return Err(Error::Invalid(format!(
            "{widths:?} is no shape of a network: every width is at least 1"
        )));
    }
    let mut parameters = 0usize;
    for pair in widths.windows(2) {
        parameters = parameters.saturating_add(pair[0].saturating_add(1).saturating_mul(pair[1]));
    }
    if parameters > PARAMETERS_LIMIT {
        let message =
            format!("{widths:?} has {parameters} parameters: at most {PARAMETERS_LIMIT} can be trained here");
        return Err(Error::Invalid(message));
    }
    Ok((inputs, outputs))
}

/// Multiplications of an inference by a network of these widths.
pub fn macs(widths: &[usize]) -> u64 {
    widths.windows(2).map(|pair| (pair[0] * pair[1]) as u64).sum()
}

/// Dense layers in a row; the last one is linear (logits, or regression values).
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    /// At least one.
    pub layers: Vec<Dense>,
}

impl Network {
    /// All parameters zero. `widths` from input to output, at least two, each at least 1.
    pub fn zero(widths: &[usize], hidden: Activation) -> Self {
        let last = widths.len().saturating_sub(2);
        let layer = |(index, pair): (usize, &[usize])| Dense {
            weights: vec![0.0; pair[0] * pair[1]],
            bias: vec![0.0; pair[1]],
            activation: if index == last { Activation::Identity } else { hidden },
        };
        Network { layers: widths.windows(2).enumerate().map(layer).collect() }
    }

    /// Random weights, drawn as the core's [`Params::initialize`](microdistill::Params::initialize) draws them.
    pub fn random(widths: &[usize], hidden: Activation, rng: &mut impl Rng) -> Self {
        let mut network = Network::zero(widths, hidden);
        network.initialize(rng);
        network
    }

    /// Draws the weights anew, as [`random`](Network::random); biases become zero.
    pub fn initialize(&mut self, rng: &mut impl Rng) {
        for layer in &mut self.layers {
            let fan = layer.activation.fan(layer.inputs(), layer.outputs());
            microdistill::initialize(&mut layer.weights, fan, rng);
            layer.bias.fill(0.0);
        }
    }

    /// Widths from input to output.
    pub fn widths(&self) -> Vec<usize> {
        let inputs = self.layers.first().map(Dense::inputs);
        inputs.into_iter().chain(self.layers.iter().map(Dense::outputs)).collect()
    }

    /// Number of weights and biases.
    pub fn parameters(&self) -> usize {
        self.layers.iter().map(|layer| layer.weights.len() + layer.bias.len()).sum()
    }

    /// Every weight and bias, in the core's order.
    pub(crate) fn parameter_values(&self) -> impl Iterator<Item = f32> + use<> {
        LaidOut::of(self).into_tensors().flatten()
    }

    /// That of the typed network: [`Params::FINGERPRINT`](microdistill::Params::FINGERPRINT).
    pub fn fingerprint(&self) -> u32 {
        self.layers.iter().enumerate().rev().fold(fingerprint::NOTHING, |rest, (index, layer)| {
            let (inputs, outputs) = (layer.inputs(), layer.outputs());
            let activation = layer.activation.fingerprint();
            fingerprint::chain(fingerprint::dense(inputs, outputs, activation, by_input(index)), rest)
        })
    }

    /// The outputs of every layer for one standardized sample; the last is the network's.
    pub fn activations(&self, x: &[f32]) -> Vec<Vec<f32>> {
        let laid_out = LaidOut::of(self);
        let mut tape = laid_out.tape();
        laid_out.record(x, &mut tape);
        tape
    }

    /// Logits (or values) for one standardized sample.
    pub fn predict(&self, x: &[f32]) -> Vec<f32> {
        self.activations(x).pop().unwrap_or_default()
    }

    /// [`predict`](Network::predict) for every column of `x`: shape (outputs × rows).
    pub fn predict_all(&self, x: &DMatrix<f32>) -> DMatrix<f32> {
        let laid_out = LaidOut::of(self);
        let mut tape = laid_out.tape();
        let mut y = DMatrix::zeros(tape.last().map_or(0, Vec::len), x.ncols());
        for (sample, mut output) in x.column_iter().zip(y.column_iter_mut()) {
            laid_out.record(sample.as_slice(), &mut tape);
            if let Some(last) = tape.last() {
                output.copy_from_slice(last);
            }
        }
        y
    }

    /// Every tensor with its role, in the core's order.
    pub(crate) fn tensors_mut(&mut self) -> impl Iterator<Item = (Role, &mut [f32])> {
        self.layers.iter_mut().flat_map(|layer| {
            [(Role::Weights, layer.weights.as_mut_slice()), (Role::Bias, layer.bias.as_mut_slice())]
        })
    }
}
