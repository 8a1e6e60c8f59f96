//! f32 multilayer perceptrons whose shape is known only at run time. They call the kernels of the core crate in its
//! order, so they compute the same bits as the typed network of a firmware.

use microdistill::activation::{self, Activation as _};
use microdistill::fingerprint;
use microdistill::kernel::Kernels;
use microdistill::layer::{InputGradient, Role};
use microdistill::scalar::Scalar;
use nalgebra::DMatrix;
use rand_core::Rng;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::network::curve::Curve;
use crate::network::dense::Dense;
use crate::network::dropout::Dropout;

/// Element-wise activation of a layer: run-time counterpart of the types in [`microdistill::activation`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
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
    /// An activation that only models of other tools have.
    Curve(Curve),
}

/// Expression for the activation's type in the core crate, and another one for a curve.
macro_rules! typed {
    ($activation:expr, $type:ident => $expression:expr, $curve:ident => $other:expr) => {{
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
            Activation::Curve($curve) => $other,
        }
    }};
}

impl Activation {
    /// Applies the activation to every element of `z`, in place.
    pub fn apply<T: Kernels>(self, z: &mut [T]) {
        typed!(self, A => A::apply_all(z), curve => for z in z {
            *z = T::from_f32(curve.apply(z.to_f32().into()) as f32);
        });
    }

    /// Computes `dy ← dy · f′(z)` from the outputs `y = f(z)`. The gradient of a curve, which nothing trains, is NaN.
    pub(crate) fn backward<T: Scalar>(self, y: &[T], dy: &mut [T]) {
        typed!(
            self,
            A => dy.iter_mut().zip(y).for_each(|(dy, &y)| *dy = A::backward(y, *dy)),
            _curve => dy.fill(T::from_f32(f32::NAN))
        );
    }

    pub(super) fn fingerprint(self) -> u32 {
        typed!(self, A => A::FINGERPRINT, curve => fingerprint::activation(curve.name()))
    }

    fn is_gate(self) -> bool {
        typed!(self, A => A::GATE, _curve => false)
    }

    pub(crate) fn fan(self, inputs: usize, outputs: usize) -> usize {
        typed!(self, A => A::fan(inputs, outputs), _curve => inputs)
    }

    /// Returns the name used in `--activation` and in model files.
    pub fn name(self) -> &'static str {
        match self {
            Activation::Identity => "identity",
            Activation::Relu => "relu",
            Activation::Relu6 => "relu6",
            Activation::LeakyRelu => "leaky-relu",
            Activation::Tanh => "tanh",
            Activation::Sigmoid => "sigmoid",
            Activation::Curve(curve) => curve.name(),
        }
    }

    /// Returns true for an activation that is not just a clamp. In int8 it needs a lookup table.
    pub(crate) fn is_curved(self) -> bool {
        matches!(self, Activation::LeakyRelu | Activation::Tanh | Activation::Sigmoid | Activation::Curve(_))
    }
}

/// Maximum number of parameters of a network that is trained. Gradients and moments of so many still fit in a
/// desktop's memory.
const PARAMETERS_LIMIT: usize = 1 << 28;

/// Returns the input and output widths of a network that can be trained.
pub(crate) fn check_widths(widths: &[usize]) -> Result<(usize, usize)> {
    let &[inputs, .., outputs] = widths else {
        return Err(Error::Invalid(
            "a network needs at least two widths: that of the input and that of the output".into(),
        ));
    };
    if widths.contains(&0) {
        return Err(Error::Invalid(format!(
            "{widths:?} are not the widths of a network: every width must be at least 1"
        )));
    }
    let mut parameters = 0usize;
    for pair in widths.windows(2) {
        parameters = parameters.saturating_add(pair[0].saturating_add(1).saturating_mul(pair[1]));
    }
    if parameters > PARAMETERS_LIMIT {
        let message = format!(
            "a network of widths {widths:?} has {parameters} parameters, but at most {PARAMETERS_LIMIT} can be \
                 trained: make its layers narrower"
        );
        return Err(Error::Invalid(message));
    }
    Ok((inputs, outputs))
}

/// Returns the number of multiply-accumulate operations per inference of a network with these widths.
pub fn macs(widths: &[usize]) -> u64 {
    widths.windows(2).map(|pair| (pair[0] * pair[1]) as u64).sum()
}

/// Network of dense layers. The last one is linear: logits or regression values.
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    layers: Vec<Dense>,
}

/// Inputs of the layers in a recorded pass.
#[derive(Clone, Copy)]
pub(crate) enum Inputs<'a> {
    /// The first layer takes this sample; each other layer takes the outputs of the one before.
    Plain(&'a [f32]),
    /// Every layer takes its own element of these: the outputs of the layer before, after rounding or dropout.
    Changed(&'a [Vec<f32>], &'a Dropout),
}

impl<'a> Inputs<'a> {
    fn of(self, layer: usize, tape: &'a [Vec<f32>]) -> &'a [f32] {
        match self {
            Inputs::Plain(x) => layer.checked_sub(1).map_or(x, |before| &tape[before]),
            Inputs::Changed(inputs, _) => &inputs[layer],
        }
    }

    /// Turns the gradient of a layer's input, in place, into that of the outputs of the hidden layer `before` it.
    fn through_change(self, before: usize, dy: &mut [f32]) {
        if let Inputs::Changed(_, dropout) = self {
            dropout.apply(before, dy);
        }
    }
}

impl Network {
    /// Creates a network of at least one layer. The inputs of each layer must match the outputs of the one before.
    pub fn new(layers: impl IntoIterator<Item = Dense>) -> Self {
        Network { layers: layers.into_iter().enumerate().map(|(index, layer)| layer.at(index)).collect() }
    }

    /// Creates a network with all parameters zero. `widths` go from input to output: at least two, each at least 1.
    pub fn zero(widths: &[usize], hidden: Activation) -> Self {
        let last = widths.len().saturating_sub(2);
        Network::new(widths.windows(2).enumerate().map(|(index, pair)| {
            let activation = if index == last { Activation::Identity } else { hidden };
            Dense::new(vec![0.0; pair[0] * pair[1]], vec![0.0; pair[1]], activation)
        }))
    }

    /// Creates a network with random weights, drawn as the core's
    /// [`Params::initialize`](microdistill::Params::initialize) draws them.
    pub fn random(widths: &[usize], hidden: Activation, rng: &mut impl Rng) -> Self {
        let mut network = Network::zero(widths, hidden);
        network.initialize(rng);
        network
    }

    /// Draws new random weights, as [`random`](Network::random) does, and sets all biases to zero.
    pub fn initialize(&mut self, rng: &mut impl Rng) {
        self.layers.iter_mut().for_each(|layer| layer.initialize(rng));
    }

    /// Returns the network with all parameters zero.
    pub(crate) fn zeroed(mut self) -> Self {
        self.tensors_mut().for_each(|(_, tensor)| tensor.fill(0.0));
        self
    }

    /// Returns the layers from input to output.
    pub fn layers(&self) -> &[Dense] {
        &self.layers
    }

    /// Returns the layers from input to output, mutably.
    pub fn layers_mut(&mut self) -> &mut [Dense] {
        &mut self.layers
    }

    /// Returns the widths from input to output.
    pub fn widths(&self) -> Vec<usize> {
        let inputs = self.layers.first().map(Dense::inputs);
        inputs.into_iter().chain(self.layers.iter().map(Dense::outputs)).collect()
    }

    /// Returns the number of weights and biases.
    pub fn parameters(&self) -> usize {
        self.layers.iter().map(Dense::parameters).sum()
    }

    /// Iterates over all weights and biases, in the order of the core crate.
    pub fn parameter_values(&self) -> impl Iterator<Item = f32> {
        self.tensors().flat_map(|(_, tensor)| tensor).copied()
    }

    /// Returns the fingerprint of the typed network: [`Params::FINGERPRINT`](microdistill::Params::FINGERPRINT).
    pub fn fingerprint(&self) -> u32 {
        let layers = self.layers.iter().rev();
        layers.fold(fingerprint::NOTHING, |rest, layer| fingerprint::chain(layer.fingerprint(), rest))
    }

    /// Returns the outputs of every layer for one standardized sample. The last are those of the network.
    pub fn activations(&self, x: &[f32]) -> Vec<Vec<f32>> {
        let mut tape = self.tape();
        self.record(x, &mut tape);
        tape
    }

    /// Returns the logits, or values, for one standardized sample.
    pub fn predict(&self, x: &[f32]) -> Vec<f32> {
        self.activations(x).pop().unwrap_or_default()
    }

    /// Calls [`predict`](Network::predict) for every column of `x`, shape (inputs × rows). Returns shape (outputs ×
    /// rows).
    pub fn predict_all(&self, x: &DMatrix<f32>) -> DMatrix<f32> {
        let mut tape = self.tape();
        let mut y = DMatrix::zeros(tape.last().map_or(0, Vec::len), x.ncols());
        for (sample, mut output) in x.column_iter().zip(y.column_iter_mut()) {
            self.record(sample.as_slice(), &mut tape);
            if let Some(last) = tape.last() {
                output.copy_from_slice(last);
            }
        }
        y
    }

    /// Allocates room for the outputs of every layer.
    pub(crate) fn tape(&self) -> Vec<Vec<f32>> {
        self.layers.iter().map(|layer| vec![0.0; layer.outputs()]).collect()
    }

    /// Runs a forward pass and writes the outputs of every layer to `tape`.
    pub(crate) fn record(&self, x: &[f32], tape: &mut [Vec<f32>]) {
        let mut input = x;
        for (layer, output) in self.layers.iter().zip(tape) {
            layer.forward(input, output);
            input = output;
        }
    }

    /// Adds ∂L/∂θ to `gradient`. `inputs` and `tape` come from the recorded pass. `dys` has the shape of the tape,
    /// with ∂L/∂y in its last element, and is overwritten.
    pub(crate) fn backward(
        &self,
        inputs: Inputs<'_>,
        tape: &[Vec<f32>],
        dys: &mut [Vec<f32>],
        gradient: &mut Network,
    ) {
        if let (Some(last), Some(y), Some(dy)) = (self.layers.last(), tape.last(), dys.last_mut()) {
            last.activation.backward(y, dy);
        }
        for (index, (layer, gradient)) in self.layers.iter().zip(&mut gradient.layers).enumerate().rev() {
            let (before, after) = dys.split_at_mut(index);
            let (x, dz) = (inputs.of(index, tape), &after[0]);
            let Some((below, dy)) = self.layers[..index].last().zip(before.last_mut()) else {
                layer.backward(x, dz, gradient, InputGradient::None);
                break;
            };
            // An output that was rounded to zero is not an inactive unit.
            if matches!(inputs, Inputs::Plain(_)) && below.activation.is_gate() {
                layer.backward(x, dz, gradient, InputGradient::Active(dy));
            } else {
                layer.backward(x, dz, gradient, InputGradient::All(dy));
                inputs.through_change(index - 1, dy);
                below.activation.backward(&tape[index - 1], dy);
            }
        }
    }

    /// Iterates over all tensors with their roles, in the order of the core crate.
    pub fn tensors(&self) -> impl Iterator<Item = (Role, &[f32])> {
        self.layers.iter().flat_map(|layer| {
            [(Role::Weights, layer.weights.as_slice()), (Role::Bias, layer.bias.as_slice())]
        })
    }

    /// Iterates over all tensors with their roles, in the order of the core crate.
    pub(crate) fn tensors_mut(&mut self) -> impl Iterator<Item = (Role, &mut [f32])> {
        self.layers.iter_mut().flat_map(|layer| {
            [(Role::Weights, layer.weights.as_mut_slice()), (Role::Bias, layer.bias.as_mut_slice())]
        })
    }
}

impl Dropout {
    /// Runs a forward pass. `inputs` gets the inputs of every layer and the outputs of the last one; `tape` gets the
    /// outputs of every layer before dropout.
    pub(crate) fn record(
        &self,
        network: &Network,
        x: &[f32],
        inputs: &mut [Vec<f32>],
        tape: &mut [Vec<f32>],
    ) {
        inputs[0].copy_from_slice(x);
        for (index, layer) in network.layers().iter().enumerate() {
            layer.forward(&inputs[index], &mut tape[index]);
            inputs[index + 1].copy_from_slice(&tape[index]);
            self.apply(index, &mut inputs[index + 1]);
        }
    }
}
