//! Dropout, while training.

use core::marker::PhantomData;

use rand_core::Rng;

use crate::fingerprint;
use crate::kernel::Kernels;
use crate::layer::{InputGradient, Layer, Params, Role, Train};
use crate::network::chain::Chain;
use crate::network::scratch::{End, Scratch};

/// Drops each of `N` numbers with a probability of `PERCENT` % (Srivastava et al. 2014), inverted: `y = x·m/keep`,
/// `keep = 1 − PERCENT/100`, `m` 1 with the probability `keep`, else 0.
///
/// Masks are drawn by [`Distiller::draw`](crate::Distiller::draw), one for each call; before the first, nothing is
/// dropped. Inference passes over the layer: it has no weights, and its output is its input, where that lies.
///
/// ```
/// use microdistill::activation::{Identity, Relu};
/// use microdistill::loss::CrossEntropy;
/// use microdistill::optimizer::{Sgd, SgdRates};
/// use microdistill::{Chain, Dense, Distiller, Dropout, Params};
/// use rand_pcg::Pcg32;
///
/// type Student = Chain<Dense<2, 8, Relu>, Chain<Dropout<8, 20>, Dense<8, 3, Identity>>>;
/// let mut distiller = Distiller::<Student, Sgd<Student>>::ZERO;
/// let mut rng = Pcg32::new(1, 2);
/// distiller.student.initialize(&mut rng);
///
/// distiller.draw(&mut rng);
/// distiller.learn(&[0.5, -1.0], &CrossEntropy, 2);
/// distiller.update(&SgdRates { rate: 0.1, momentum: 0.0, weight_decay: 0.0 });
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dropout<const N: usize, const PERCENT: u8, T = f32>(PhantomData<T>);

impl<const N: usize, const PERCENT: u8, T> Dropout<N, PERCENT, T> {
    /// The layer.
    pub const fn new() -> Self {
        const { assert!(N > 0 && PERCENT < 100, "dropout leaves something of at least one number") };
        Dropout(PhantomData)
    }

    /// This layer, then `next`, whose input is this layer's output.
    #[must_use]
    pub const fn then<B: Layer<Input = [T; N]> + Copy>(self, next: B) -> Chain<Self, B>
    where
        T: Copy,
    {
        Chain(self, next)
    }
}

impl<const N: usize, const PERCENT: u8, T: Kernels> Dropout<N, PERCENT, T> {
    fn keep() -> T {
        T::from_count(100 - usize::from(PERCENT)) / T::from_count(100)
    }
}

/// The tape of a [`Dropout`]: its mask, and its output.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dropped<const N: usize, T = f32> {
    output: [T; N],
    dropped: [bool; N],
    /// True if a mask was drawn. Without one, nothing is scaled either.
    drawn: bool,
}

impl<const N: usize, T: Kernels> Dropped<N, T> {
    /// `y ← x·m/keep`
    fn apply(&self, x: &[T], y: &mut [T], keep: T) {
        for ((y, &x), &dropped) in y.iter_mut().zip(x).zip(&self.dropped) {
            *y = match (self.drawn, dropped) {
                (false, _) => x,
                (true, false) => x / keep,
                (true, true) => T::ZERO,
            };
        }
    }
}

impl<const N: usize, const PERCENT: u8, T: Kernels> Layer for Dropout<N, PERCENT, T> {
    type Item = T;
    type Input = [T; N];
    type Output = [T; N];
    const SCRATCH: usize = N;

    fn run<const WORDS: usize>(&self, _scratch: &mut Scratch<T, WORDS>, from: End) -> End {
        const { assert!(WORDS >= N, "the working memory is smaller than Layer::SCRATCH") };
        from
    }
}

impl<const N: usize, const PERCENT: u8, T: Kernels> Params for Dropout<N, PERCENT, T> {
    type Scalar = T;
    const ZERO: Self = Dropout::new();
    const COUNT: usize = 0;
    const FINGERPRINT: u32 = fingerprint::NOTHING;

    fn tensors(&self) -> impl Iterator<Item = (Role, &[T])> {
        core::iter::empty()
    }
    fn tensors_mut(&mut self) -> impl Iterator<Item = (Role, &mut [T])> {
        core::iter::empty()
    }
    fn initialize(&mut self, _rng: &mut impl Rng) {}
}

impl<const N: usize, const PERCENT: u8, T: Kernels> Train for Dropout<N, PERCENT, T> {
    type Tape = Dropped<N, T>;
    const TAPE: Self::Tape = Dropped { output: [T::ZERO; N], dropped: [false; N], drawn: false };
    const GATE: bool = false;

    /// One `u32` of `rng` a number.
    fn draw(tape: &mut Self::Tape, rng: &mut impl Rng) {
        tape.drawn = true;
        for dropped in &mut tape.dropped {
            *dropped = T::unit_interval(rng.next_u32()) >= Self::keep();
        }
    }
    fn record(&self, x: &[T; N], tape: &mut Self::Tape) {
        let mut output = [T::ZERO; N];
        tape.apply(x, &mut output, Self::keep());
        tape.output = output;
    }
    fn output(tape: &Self::Tape) -> &[T; N] {
        &tape.output
    }
    fn through_activation(_tape: &Self::Tape, _dy: &mut [T; N]) {}
    fn input_gradient(&self, x: &[T; N], tape: &Self::Tape, dz: &[T; N], dx: InputGradient<'_, [T; N]>) {
        dx.into_slice().write(x, |dx| tape.apply(dz, dx, Self::keep()));
    }
    fn backward(
        &self,
        x: &[T; N],
        tape: &Self::Tape,
        dz: &[T; N],
        _gradient: &mut Self,
        dx: InputGradient<'_, [T; N]>,
    ) {
        self.input_gradient(x, tape, dz, dx);
    }
    fn descend(&mut self, x: &[T; N], tape: &Self::Tape, dz: &[T; N], dx: InputGradient<'_, [T; N]>) {
        self.input_gradient(x, tape, dz, dx);
    }
}
