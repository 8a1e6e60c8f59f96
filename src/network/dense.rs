//! The dense layer.

use core::marker::PhantomData;
use rand_core::Rng;

use crate::activation::{Activation, Relu};
use crate::fingerprint;
use crate::kernel::Kernels;
use crate::layer::{InputGradient, Layer, Params, Role, Train};
use crate::layout::{ByOutput, Layout};
use crate::network::chain::Chain;
use crate::network::scratch::{End, Scratch};
use crate::scalar::Scalar;

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
pub struct Dense<const I: usize, const O: usize, A = Relu, T = f32, L = ByOutput> {
    /// The weights, in the order of the layout.
    weights: [[T; I]; O],
    /// Shape (O).
    pub bias: [T; O],
    kind: PhantomData<(A, L)>,
}

impl<const I: usize, const O: usize, A, T: Copy, L: Layout> Dense<I, O, A, T, L> {
    /// A layer with these weights, shape (O, I), and this bias, shape (O). They are laid out here.
    pub const fn new(weights: [[T; I]; O], bias: [T; O]) -> Self {
        const { assert!(I > 0 && O > 0, "a dense layer needs at least one input and one output") };
        let mut laid_out = weights;
        if L::BY_INPUT {
            let mut rest = laid_out.as_flattened_mut();
            let mut input = 0;
            while input < I {
                let mut output = 0;
                while output < O {
                    if let [place, behind @ ..] = rest {
                        *place = weights[output][input];
                        rest = behind;
                    } else {
                        rest = &mut [];
                    }
                    output += 1;
                }
                input += 1;
            }
        }
        Dense { weights: laid_out, bias, kind: PhantomData }
    }

    /// The weights in the order of the layout: by output or by input.
    pub const fn weights(&self) -> &[T] {
        self.weights.as_flattened()
    }

    /// The weights in the order of the layout, to be changed.
    pub const fn weights_mut(&mut self) -> &mut [T] {
        self.weights.as_flattened_mut()
    }

    /// This layer, then `next`, whose input is this layer's output.
    #[must_use]
    pub const fn then<B: Layer<Input = [T; O]> + Copy>(self, next: B) -> Chain<Self, B>
    where
        Self: Copy,
    {
        Chain(self, next)
    }
}

impl<const I: usize, const O: usize, A: Activation, T: Kernels, L: Layout> Dense<I, O, A, T, L> {
    /// With another bias.
    #[inline]
    pub(crate) fn forward_with(&self, bias: &[T; O], x: &[T], y: &mut [T]) {
        L::forward::<T, A>(self.weights(), bias, x, y);
    }

    /// [`Layer::run`] with another bias.
    pub(crate) fn run_with<const WORDS: usize>(
        &self,
        bias: &[T; O],
        scratch: &mut Scratch<T, WORDS>,
        from: End,
    ) -> End {
        const { assert!(WORDS >= I + O, "the working memory is smaller than Layer::SCRATCH") };
        if let Some((x, y)) = scratch.split(from, I, O) {
            self.forward_with(bias, x, y);
        }
        from.opposite()
    }
}

impl<const I: usize, const O: usize, A: Activation, T: Kernels, L: Layout> Layer for Dense<I, O, A, T, L> {
    type Item = T;
    type Input = [T; I];
    type Output = [T; O];
    const SCRATCH: usize = I + O;

    fn run<const WORDS: usize>(&self, scratch: &mut Scratch<T, WORDS>, from: End) -> End {
        self.run_with(&self.bias, scratch, from)
    }
}

impl<const I: usize, const O: usize, A: Activation, T: Kernels, L: Layout> Params for Dense<I, O, A, T, L> {
    type Scalar = T;
    const ZERO: Self = Dense::new([[T::ZERO; I]; O], [T::ZERO; O]);
    const COUNT: usize = (I + 1) * O;
    const FINGERPRINT: u32 = fingerprint::dense(I, O, A::FINGERPRINT, L::BY_INPUT);

    fn tensors(&self) -> impl Iterator<Item = (Role, &[T])> {
        [(Role::Weights, self.weights()), (Role::Bias, self.bias.as_slice())].into_iter()
    }
    fn tensors_mut(&mut self) -> impl Iterator<Item = (Role, &mut [T])> {
        let Dense { weights, bias, .. } = self;
        [(Role::Weights, weights.as_flattened_mut()), (Role::Bias, bias.as_mut_slice())].into_iter()
    }
    fn initialize(&mut self, rng: &mut impl Rng) {
        let fan = A::fan(I, O);
        if L::BY_INPUT {
            // An output's weights after the other's here, too: the layout does not change the network.
            for output in 0..O {
                for w in self.weights_mut().iter_mut().skip(output).step_by(O) {
                    *w = uniform(fan, rng);
                }
            }
        } else {
            initialize(self.weights_mut(), fan, rng);
        }
        self.bias = [T::ZERO; O];
    }
}

impl<const I: usize, const O: usize, A: Activation, T: Kernels, L: Layout> Train for Dense<I, O, A, T, L> {
    type Tape = [T; O];
    const TAPE: [T; O] = [T::ZERO; O];
    const GATE: bool = A::GATE;

    #[inline]
    fn record(&self, x: &[T; I], tape: &mut [T; O]) {
        self.forward_with(&self.bias, x, tape);
    }
    fn output(tape: &[T; O]) -> &[T; O] {
        tape
    }
    #[inline]
    fn through_activation(y: &[T; O], dy: &mut [T; O]) {
        for (dy, &y) in dy.iter_mut().zip(y) {
            *dy = A::backward(y, *dy);
        }
    }
    #[inline]
    fn input_gradient(&self, x: &[T; I], _y: &[T; O], dz: &[T; O], dx: InputGradient<'_, [T; I]>) {
        L::input_gradient(self.weights(), x, dz, dx.into_slice());
    }
    #[inline]
    fn backward(
        &self,
        x: &[T; I],
        _y: &[T; O],
        dz: &[T; O],
        gradient: &mut Self,
        dx: InputGradient<'_, [T; I]>,
    ) {
        let Dense { weights, bias, .. } = gradient;
        L::backward(self.weights(), (weights.as_flattened_mut(), bias), x, dz, dx.into_slice());
    }
    #[inline]
    fn descend(&mut self, x: &[T; I], _y: &[T; O], dz: &[T; O], dx: InputGradient<'_, [T; I]>) {
        let Dense { weights, bias, .. } = self;
        L::descend((weights.as_flattened_mut(), bias), x, dz, dx.into_slice());
    }
}

/// Weights uniform in ±√(6 / fan), one `u32` of `rng` each, in memory order.
pub fn initialize<T: Scalar>(weights: &mut [T], fan: usize, rng: &mut impl Rng) {
    for w in weights {
        *w = uniform(fan, rng);
    }
}

fn uniform<T: Scalar>(fan: usize, rng: &mut impl Rng) -> T {
    let limit = (T::from_count(6) / T::from_count(fan)).sqrt();
    limit * (T::TWO * T::unit_interval(rng.next_u32()) - T::ONE)
}
