//! The traits of layers: shapes as types, the working memory of inference, and training.

use core::fmt::Debug;

use crate::kernel::Kernels;
use crate::network::scratch::{End, Scratch};
use crate::scalar::{Element, Scalar};
use rand_core::Rng;

/// A fixed-size array whose zeroed value exists in `const`.
pub trait Array: Copy + Debug + PartialEq + AsRef<[Self::Item]> {
    /// Type of the items.
    type Item: Element;
    /// All zero.
    const ZEROED: Self;
    /// The array as a slice, which is what the kernels take.
    fn as_slice(&self) -> &[Self::Item];
    /// The array as a mutable slice.
    fn as_mut_slice(&mut self) -> &mut [Self::Item];
}

impl<T: Element, const N: usize> Array for [T; N] {
    type Item = T;
    const ZEROED: Self = [T::ZERO; N];

    fn as_slice(&self) -> &[T] {
        self
    }
    fn as_mut_slice(&mut self) -> &mut [T] {
        self
    }
}

/// A map from a fixed-size array to a fixed-size array.
///
/// Inference works in one buffer, used from both ends: each layer reads its input at one end and writes its output
/// at the other, so that the working memory is the largest sum of two neighbouring widths, whatever the depth.
/// [`Network`](crate::Network) owns that buffer; call its `predict`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a layer, or its layers do not fit",
    label = "not a `Layer`",
    note = "in a `Chain<A, B>` the inputs of `B` are the outputs of `A`, in number and in type: `Chain<Dense<4, 16>, Dense<16, 3>>`",
    note = "the macros `Mlp!`, `MlpI8!` and `MlpI4!` name networks whose layers fit: `Mlp![4, 16, 3]`"
)]
pub trait Layer {
    /// Element type of inputs and outputs.
    type Item: Element;
    /// `[Item; I]`
    type Input: Array<Item = Self::Item>;
    /// `[Item; O]`
    type Output: Array<Item = Self::Item>;
    /// Words of working memory: the largest sum of two neighbouring widths, as the kernel holds them.
    const SCRATCH: usize;

    /// Maps the input, which lies at the end `from`, and tells at which end the output lies.
    /// A buffer of fewer than [`SCRATCH`](Layer::SCRATCH) words does not compile.
    fn run<const WORDS: usize>(&self, scratch: &mut Scratch<Self::Item, WORDS>, from: End) -> End;
}

/// Role of a tensor of parameters. Weight decay, for example, spares the biases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Role {
    /// A weight matrix, in the order of its layer's [layout](crate::layout).
    Weights,
    /// A bias vector, shape (outputs).
    Bias,
}

/// Trainable tensors, in the order input to output, weights before bias.
///
/// A gradient, and each moment of an optimizer, is a value of the network's own type: they all walk in step.
pub trait Params {
    /// Type of the parameters: `f32` or [`Fused`](crate::scalar::Fused), or `f64` as a reference in tests.
    type Scalar: Kernels;
    /// All parameters zero: an empty gradient, a moment at its start.
    const ZERO: Self;
    /// Number of parameters.
    const COUNT: usize;
    /// Tells which network the parameters belong to: see [`fingerprint`](crate::fingerprint).
    const FINGERPRINT: u32;

    /// Every tensor with its role.
    fn tensors(&self) -> impl Iterator<Item = (Role, &[Self::Scalar])>;
    /// Every tensor with its role, to be changed.
    fn tensors_mut(&mut self) -> impl Iterator<Item = (Role, &mut [Self::Scalar])>;
    /// Draws initial weights, uniform in ±√(6 / fan) as the activation wants it, and sets biases to zero.
    fn initialize(&mut self, rng: &mut impl Rng);
    /// Takes over the parameters of a network of the same shape and layouts, but of other numbers.
    fn copy_from<P: Params>(&mut self, other: &P) {
        for ((_, to), (_, from)) in self.tensors_mut().zip(other.tensors()) {
            for (to, &from) in to.iter_mut().zip(from) {
                *to = Self::Scalar::from_f32(from.to_f32());
            }
        }
    }
}

/// Destination of ∂L/∂x, the gradient of a layer's input.
#[derive(Debug)]
pub enum InputGradient<'a, X: ?Sized> {
    /// Nowhere: nothing before it is trained.
    None,
    /// All of it.
    All(&'a mut X),
    /// Where x is not zero. Elsewhere zero is written, which is what an activation before it that is a
    /// [`GATE`](crate::activation::Activation::GATE) would make of the gradient.
    Active(&'a mut X),
}

impl<T: Scalar> InputGradient<'_, [T]> {
    /// Has `write` write all of it, if it is wanted, and clears what is not active; `x` is the input.
    #[inline]
    pub(crate) fn write(self, x: &[T], write: impl FnOnce(&mut [T])) {
        match self {
            InputGradient::None => {}
            InputGradient::All(dx) => write(dx),
            InputGradient::Active(dx) => {
                write(dx);
                for (dx, _) in dx.iter_mut().zip(x).filter(|(_, x)| **x == T::ZERO) {
                    *dx = T::ZERO;
                }
            }
        }
    }
}

impl<'a, X: Array> InputGradient<'a, X> {
    /// The same request, with the array as a slice.
    pub fn into_slice(self) -> InputGradient<'a, [X::Item]> {
        match self {
            InputGradient::None => InputGradient::None,
            InputGradient::All(dx) => InputGradient::All(dx.as_mut_slice()),
            InputGradient::Active(dx) => InputGradient::Active(dx.as_mut_slice()),
        }
    }
}

/// A layer that can be trained by backpropagation.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be trained",
    label = "not a layer that can be trained",
    note = "int8 and int4 layers are not trained: train their f32 original and quantize it again",
    note = "in a `Chain<A, B>` the inputs of `B` are the outputs of `A`, in number and in type"
)]
pub trait Train: Layer<Item = <Self as Params>::Scalar> + Params {
    /// Every activation of one forward pass.
    type Tape;
    /// An empty tape.
    const TAPE: Self::Tape;
    /// True if the activation of the output is a [gate](crate::activation::Activation::GATE).
    const GATE: bool;

    /// Draws what the next passes leave to chance, the masks of [`Dropout`](crate::Dropout); most layers leave nothing.
    fn draw(_tape: &mut Self::Tape, _rng: &mut impl Rng) {}
    /// Forward pass that keeps what `backward` needs.
    fn record(&self, x: &Self::Input, tape: &mut Self::Tape);
    /// The output of the recorded pass.
    fn output(tape: &Self::Tape) -> &Self::Output;
    /// From ∂L/∂y to ∂L/∂z, z before the output's activation, in place: nothing to do if that is a
    /// [`GATE`](Train::GATE) and ∂L/∂y is zero wherever it is off.
    fn through_activation(tape: &Self::Tape, dy: &mut Self::Output);
    /// Writes ∂L/∂x to `dx`.
    ///
    /// `x` and `tape` are those of [`record`](Train::record), `dz` is [∂L/∂z](Train::through_activation).
    fn input_gradient(
        &self,
        x: &Self::Input,
        tape: &Self::Tape,
        dz: &Self::Output,
        dx: InputGradient<'_, Self::Input>,
    );
    /// Computes [`input_gradient`](Train::input_gradient), and adds ∂L/∂θ to `gradient`.
    fn backward(
        &self,
        x: &Self::Input,
        tape: &Self::Tape,
        dz: &Self::Output,
        gradient: &mut Self,
        dx: InputGradient<'_, Self::Input>,
    );
    /// As [`backward`](Train::backward), but adds to the parameters themselves, a layer after its input's gradient: for
    /// `dz` of −rate·∂L/∂z a step of gradient descent that needs no memory for a gradient.
    fn descend(
        &mut self,
        x: &Self::Input,
        tape: &Self::Tape,
        dz: &Self::Output,
        dx: InputGradient<'_, Self::Input>,
    );
}
