//! A whole network: layers and, in its type, the working memory of one inference.

pub mod activation;
pub(crate) mod chain;
pub(crate) mod dense;
pub(crate) mod dropout;
pub mod fast;
pub mod fingerprint;
pub mod layer;
pub mod layout;
pub(crate) mod piecewise;
pub(crate) mod scratch;
#[cfg(feature = "nalgebra")]
pub mod view;

use rand_core::Rng;

use crate::layer::{Array, InputGradient, Layer, Params, Role, Train};
use crate::network::scratch::{End, Scratch};
use crate::scalar::Element;

/// Layers with the working memory of one inference, `SCRATCH` words, named in the type.
///
/// [`Mlp!`](crate::Mlp) and [`MlpI8!`](crate::MlpI8) write this type. A `SCRATCH` that is not what the layers need
/// does not compile:
///
/// ```compile_fail,E0080
/// use microdistill::{Dense, Network};
///
/// static NETWORK: Network<Dense<2, 1>, 2> = Network::new(Dense::new([[2.0, -1.0]], [0.5]));
/// # fn main() { NETWORK.predict(&[0.0, 0.0]); }
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Network<L, const SCRATCH: usize> {
    /// [`Chain`](crate::Chain) of dense layers, or a single one.
    pub layers: L,
}

impl<L: Layer, const SCRATCH: usize> Network<L, SCRATCH> {
    /// A network of these layers.
    pub const fn new(layers: L) -> Self
    where
        L: Copy,
    {
        const { assert!(SCRATCH == L::SCRATCH, "the network's SCRATCH is not its layers' Layer::SCRATCH") };
        Network { layers }
    }

    /// Working memory of one inference in bytes, on the stack of [`predict`](Network::predict), where its input and output
    /// come on top.
    pub const SCRATCH_BYTES: usize = SCRATCH * size_of::<<L::Item as Element>::Held>();

    /// The output for `x`: logits, or regression values.
    #[must_use]
    pub fn predict(&self, x: &L::Input) -> L::Output {
        let mut scratch = Scratch::<L::Item, SCRATCH>::new();
        scratch.load(x.as_slice());
        let end = self.layers.run(&mut scratch, End::Front);
        let mut y = L::Output::ZEROED;
        scratch.copy_to(end, y.as_mut_slice());
        y
    }
}

impl<L: Params, const SCRATCH: usize> Params for Network<L, SCRATCH> {
    type Scalar = L::Scalar;
    const ZERO: Self = Network { layers: L::ZERO };
    const COUNT: usize = L::COUNT;
    const FINGERPRINT: u32 = L::FINGERPRINT;

    fn tensors(&self) -> impl Iterator<Item = (Role, &[L::Scalar])> {
        self.layers.tensors()
    }
    fn tensors_mut(&mut self) -> impl Iterator<Item = (Role, &mut [L::Scalar])> {
        self.layers.tensors_mut()
    }
    fn initialize(&mut self, rng: &mut impl Rng) {
        self.layers.initialize(rng);
    }
}

impl<L: Layer, const SCRATCH: usize> Layer for Network<L, SCRATCH> {
    type Item = L::Item;
    type Input = L::Input;
    type Output = L::Output;
    const SCRATCH: usize = L::SCRATCH;

    fn run<const WORDS: usize>(&self, scratch: &mut Scratch<L::Item, WORDS>, from: End) -> End {
        self.layers.run(scratch, from)
    }
}

impl<L: Train, const SCRATCH: usize> Train for Network<L, SCRATCH> {
    type Tape = L::Tape;
    const TAPE: L::Tape = L::TAPE;
    const GATE: bool = L::GATE;

    fn draw(tape: &mut L::Tape, rng: &mut impl Rng) {
        L::draw(tape, rng);
    }
    fn record(&self, x: &L::Input, tape: &mut L::Tape) {
        self.layers.record(x, tape);
    }
    fn output(tape: &L::Tape) -> &L::Output {
        L::output(tape)
    }
    fn through_activation(tape: &L::Tape, dy: &mut L::Output) {
        L::through_activation(tape, dy);
    }
    fn input_gradient(&self, x: &L::Input, tape: &L::Tape, dz: &L::Output, dx: InputGradient<'_, L::Input>) {
        self.layers.input_gradient(x, tape, dz, dx);
    }
    fn backward(
        &self,
        x: &L::Input,
        tape: &L::Tape,
        dz: &L::Output,
        gradient: &mut Self,
        dx: InputGradient<'_, L::Input>,
    ) {
        self.layers.backward(x, tape, dz, &mut gradient.layers, dx);
    }
    fn descend(&mut self, x: &L::Input, tape: &L::Tape, dz: &L::Output, dx: InputGradient<'_, L::Input>) {
        self.layers.descend(x, tape, dz, dx);
    }
}

/// The type of an MLP by its widths, from input to output: hidden layers with an activation, then a linear layer. Layers
/// behind the first lie [by input](crate::layout::ByInput).
///
/// ```
/// use microdistill::{Mlp, Params, activation::Tanh};
///
/// type Student = Mlp![64, 32, 10];           // f32, ReLU
/// type Smooth = Mlp![64, 32, 10; Tanh];      // another activation
/// type Reference = Mlp![64, 32, 10; Tanh, f64];
///
/// static STUDENT: Student = Student::ZERO;
/// assert_eq!(STUDENT.predict(&[1.0; 64]), [0.0; 10]);
/// assert_eq!(Student::SCRATCH_BYTES, (64 + 32) * 4);
/// ```
#[macro_export]
macro_rules! Mlp {
    (@layers $activation:ty, $scalar:ty, $layout:ident; $i:expr, $o:expr) => {
        $crate::Dense<{ $i }, { $o }, $crate::activation::Identity, $scalar, $crate::layout::$layout>
    };
    (@layers $activation:ty, $scalar:ty, $layout:ident; $i:expr, $h:expr, $($rest:expr),+) => {
        $crate::Chain<
            $crate::Dense<{ $i }, { $h }, $activation, $scalar, $crate::layout::$layout>,
            $crate::Mlp!(@layers $activation, $scalar, ByInput; $h, $($rest),+),
        >
    };
    ($only:expr $(,)?) => { compile_error!("an MLP has at least two widths: its inputs and its outputs") };
    ($($width:expr),+ $(,)?) => { $crate::Mlp![$($width),+; $crate::activation::Relu] };
    ($($width:expr),+; $activation:ty) => { $crate::Mlp![$($width),+; $activation, f32] };
    ($($width:expr),+; $activation:ty, $scalar:ty) => {
        $crate::Network<
            $crate::Mlp!(@layers $activation, $scalar, ByOutput; $($width),+),
            { $crate::scratch::<$scalar>(&[$($width),+]) },
        >
    };
}
