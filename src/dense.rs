//! The dense layer.

use core::marker::PhantomData;
use rand_core::Rng;

use crate::activation::{Activation, Relu};
use crate::chain::Chain;
use crate::fingerprint;
use crate::kernel;
use crate::layer::{Layer, Params, Role, Train};
use crate::scalar::Scalar;
use crate::scratch::{End, Scratch};

/// `y = A(weights·x + bias)`, `I` inputs, `O` outputs.
///
/// ```
/// use microdistill::{Dense, Network, activation::Identity};
///
/// static NETWORK: Network<Dense<2, 1, Identity>, 3> = Network::new(Dense::new([[2.0, -1.0]], [0.5]));
/// assert_eq!(NETWORK.predict(&[1.0, 3.0]), [-0.5]);
/// ```
///
/// Shapes are types; an input of another length does not compile:
///
/// ```compile_fail,E0308
/// # use microdistill::{Dense, Network, activation::Identity};
/// # static NETWORK: Network<Dense<2, 1, Identity>, 3> = Network::new(Dense::new([[2.0, -1.0]], [0.5]));
/// NETWORK.predict(&[1.0, 3.0, 5.0]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dense<const I: usize, const O: usize, A = Relu, T = f32> {
    /// Shape (O, I), row-major.
    pub weights: [[T; I]; O],
    /// Shape (O).
    pub bias: [T; O],
    activation: PhantomData<A>,
}

impl<const I: usize, const O: usize, A, T> Dense<I, O, A, T> {
    /// A layer with these weights, shape (O, I), and this bias, shape (O).
    pub const fn new(weights: [[T; I]; O], bias: [T; O]) -> Self {
        const { assert!(I > 0 && O > 0, "a dense layer needs at least one input and one output") };
        Dense { weights, bias, activation: PhantomData }
    }

    /// This layer, then `next`, whose input is this layer's output.
    pub const fn then<B: Layer<Input = [T; O]> + Copy>(self, next: B) -> Chain<Self, B>
    where
        Self: Copy,
    {
        Chain(self, next)
    }
}

impl<const I: usize, const O: usize, A: Activation, T: Scalar> Dense<I, O, A, T> {
    fn forward(&self, x: &[T], y: &mut [T]) {
        kernel::affine(self.weights.as_flattened(), &self.bias, x, y);
        for y in y {
            *y = A::apply(*y);
        }
    }
}

impl<const I: usize, const O: usize, A: Activation, T: Scalar> Layer for Dense<I, O, A, T> {
    type Item = T;
    type Input = [T; I];
    type Output = [T; O];
    const SCRATCH: usize = I + O;

    fn run<const WORDS: usize>(&self, scratch: &mut Scratch<T, WORDS>, from: End) -> End {
        const { assert!(WORDS >= Self::SCRATCH, "the working memory is smaller than Layer::SCRATCH") };
        if let Some((x, y)) = scratch.split(from, I, O) {
            self.forward(x, y);
        }
        from.opposite()
    }
}

impl<const I: usize, const O: usize, A: Activation, T: Scalar> Params for Dense<I, O, A, T> {
    type Scalar = T;
    const ZERO: Self = Dense::new([[T::ZERO; I]; O], [T::ZERO; O]);
    const COUNT: usize = (I + 1) * O;
    const FINGERPRINT: u32 = fingerprint::dense(I, O, A::FINGERPRINT);

    fn tensors(&self) -> impl Iterator<Item = (Role, &[T])> {
        [(Role::Weights, self.weights.as_flattened()), (Role::Bias, self.bias.as_slice())].into_iter()
    }
    fn tensors_mut(&mut self) -> impl Iterator<Item = (Role, &mut [T])> {
        let Dense { weights, bias, .. } = self;
        [(Role::Weights, weights.as_flattened_mut()), (Role::Bias, bias.as_mut_slice())].into_iter()
    }
    fn initialize(&mut self, rng: &mut impl Rng) {
        initialize(self.weights.as_flattened_mut(), A::fan(I, O), rng);
        self.bias = [T::ZERO; O];
    }
}

impl<const I: usize, const O: usize, A: Activation, T: Scalar> Train for Dense<I, O, A, T> {
    type Tape = [T; O];
    const TAPE: [T; O] = [T::ZERO; O];

    fn record(&self, x: &[T; I], tape: &mut [T; O]) {
        self.forward(x, tape);
    }
    fn output(tape: &[T; O]) -> &[T; O] {
        tape
    }
    fn backward(&self, x: &[T; I], y: &[T; O], mut dy: [T; O], gradient: &mut Self, dx: Option<&mut [T; I]>) {
        for (dy, &y) in dy.iter_mut().zip(y) {
            *dy = A::backward(y, *dy);
        }
        if let Some(dx) = dx {
            *dx = [T::ZERO; I];
            kernel::affine_input_gradient(self.weights.as_flattened(), &dy, dx);
        }
        kernel::affine_parameter_gradient(x, &dy, gradient.weights.as_flattened_mut(), &mut gradient.bias);
    }
}

/// Weights uniform in ±√(6 / fan), one `u32` of `rng` each, in memory order.
pub fn initialize<T: Scalar>(weights: &mut [T], fan: usize, rng: &mut impl Rng) {
    let limit = (T::from_count(6) / T::from_count(fan)).sqrt();
    for w in weights {
        *w = limit * (T::TWO * T::unit_interval(rng.next_u32()) - T::ONE);
    }
}
