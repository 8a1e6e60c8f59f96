//! The piecewise-linear layer.

use core::marker::PhantomData;

use rand_core::Rng;

use crate::activation::{Activation, Relu};
use crate::fingerprint;
use crate::kernel::{Kernels, pieces};
use crate::layer::{InputGradient, Layer, Params, Role, Train};
use crate::network::chain::Chain;
use crate::network::dense::initialize;
use crate::network::scratch::{End, Scratch};

/// `y = A(bias + Σ table(x))`: a first layer that is piecewise linear in each of its `I` inputs, `O` outputs.
///
/// The table has `R` rows, one per knot of each feature. An input is a coordinate in it, as [`Knots`](crate::Knots) gives: a
/// coordinate of 4.25 takes ¾ of row 4 and ¼ of row 5. An output so is the sum of one piecewise-linear function per feature.
/// It is what a dense layer gives over several columns per feature, but takes the time of two rows per feature, whatever
/// the number of knots. Coordinates outside the table are cut to its first or last row.
///
/// ```
/// use microdistill::{Knots, Network, PiecewiseLinear, Prepare, activation::Identity};
///
/// // 0 below 10, then up to 8 at 20, then down to 4 at 40.
/// static INPUT: Knots<1, 3> = Knots::new([10.0, 20.0, 40.0], [0], [1.0]);
/// static NETWORK: Network<PiecewiseLinear<1, 3, 1, Identity>, 2> =
///     Network::new(PiecewiseLinear::new([[0.0], [8.0], [4.0]], [0.5]));
/// assert_eq!([5.0, 15.0, 30.0].map(|raw| NETWORK.predict(&INPUT.apply(&[raw]))), [[0.5], [4.5], [6.5]]);
/// ```
///
/// In training, a sample changes two rows per feature. The gradient of an input is the slope between its two rows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PiecewiseLinear<const I: usize, const R: usize, const O: usize, A = Relu, T = f32> {
    /// What the outputs are at each knot, but for the other features and the bias. Shape (R, O).
    pub table: [[T; O]; R],
    /// Shape (O).
    pub bias: [T; O],
    kind: PhantomData<A>,
}

impl<const I: usize, const R: usize, const O: usize, A, T: Copy> PiecewiseLinear<I, R, O, A, T> {
    /// A layer with this table, shape (R, O), and this bias, shape (O).
    pub const fn new(table: [[T; O]; R], bias: [T; O]) -> Self {
        const {
            assert!(I > 0 && O > 0, "a piecewise-linear layer needs at least one input and one output");
            assert!(R > 1, "a table needs at least two rows");
        }
        PiecewiseLinear { table, bias, kind: PhantomData }
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

impl<const I: usize, const R: usize, const O: usize, A: Activation, T: Kernels>
    PiecewiseLinear<I, R, O, A, T>
{
    fn forward(&self, x: &[T], y: &mut [T]) {
        pieces::forward(self.table.as_flattened(), &self.bias, x, y);
        A::apply_all(y);
    }

    /// Adds ∂L/∂θ to the parameters themselves.
    fn add_gradient(&mut self, x: &[T; I], dz: &[T; O]) {
        pieces::table_gradient(x, dz, self.table.as_flattened_mut());
        T::add_all(dz, &mut self.bias);
    }
}

impl<const I: usize, const R: usize, const O: usize, A: Activation, T: Kernels> Layer
    for PiecewiseLinear<I, R, O, A, T>
{
    type Item = T;
    type Input = [T; I];
    type Output = [T; O];
    const SCRATCH: usize = I + O;

    fn run<const WORDS: usize>(&self, scratch: &mut Scratch<T, WORDS>, from: End) -> End {
        const { assert!(WORDS >= I + O, "the working memory is smaller than Layer::SCRATCH") };
        if let Some((x, y)) = scratch.split(from, I, O) {
            self.forward(x, y);
        }
        from.opposite()
    }
}

impl<const I: usize, const R: usize, const O: usize, A: Activation, T: Kernels> Params
    for PiecewiseLinear<I, R, O, A, T>
{
    type Scalar = T;
    const ZERO: Self = PiecewiseLinear::new([[T::ZERO; O]; R], [T::ZERO; O]);
    const COUNT: usize = (R + 1) * O;
    const FINGERPRINT: u32 = fingerprint::piecewise_linear(I, R, O, A::FINGERPRINT);

    fn tensors(&self) -> impl Iterator<Item = (Role, &[T])> {
        [(Role::Weights, self.table.as_flattened()), (Role::Bias, self.bias.as_slice())].into_iter()
    }
    fn tensors_mut(&mut self) -> impl Iterator<Item = (Role, &mut [T])> {
        let PiecewiseLinear { table, bias, .. } = self;
        [(Role::Weights, table.as_flattened_mut()), (Role::Bias, bias.as_mut_slice())].into_iter()
    }
    /// Rows are drawn one after the other, with the fan of a dense layer of as many inputs.
    fn initialize(&mut self, rng: &mut impl Rng) {
        initialize(self.table.as_flattened_mut(), A::fan(I, O), rng);
        self.bias = [T::ZERO; O];
    }
}

impl<const I: usize, const R: usize, const O: usize, A: Activation, T: Kernels> Train
    for PiecewiseLinear<I, R, O, A, T>
{
    type Tape = [T; O];
    const TAPE: [T; O] = [T::ZERO; O];
    const GATE: bool = A::GATE;

    fn record(&self, x: &[T; I], tape: &mut [T; O]) {
        self.forward(x, tape);
    }
    fn output(tape: &[T; O]) -> &[T; O] {
        tape
    }
    fn through_activation(y: &[T; O], dy: &mut [T; O]) {
        for (dy, &y) in dy.iter_mut().zip(y) {
            *dy = A::backward(y, *dy);
        }
    }
    fn input_gradient(&self, x: &[T; I], _y: &[T; O], dz: &[T; O], dx: InputGradient<'_, [T; I]>) {
        dx.into_slice().write(x, |dx| pieces::input_gradient(self.table.as_flattened(), x, dz, dx));
    }
    fn backward(
        &self,
        x: &[T; I],
        y: &[T; O],
        dz: &[T; O],
        gradient: &mut Self,
        dx: InputGradient<'_, [T; I]>,
    ) {
        self.input_gradient(x, y, dz, dx);
        gradient.add_gradient(x, dz);
    }
    fn descend(&mut self, x: &[T; I], y: &[T; O], dz: &[T; O], dx: InputGradient<'_, [T; I]>) {
        self.input_gradient(x, y, dz, dx);
        self.add_gradient(x, dz);
    }
}

/// The type of an MLP whose first layer is [piecewise linear](PiecewiseLinear): the rows of its table; the widths, from
/// input to output; and, if it is not ReLU, the activation of hidden layers.
///
/// ```
/// use microdistill::{PiecewiseMlp, Params, activation::Tanh};
///
/// type Student = PiecewiseMlp![180; 30, 16, 7];      // 30 features with 180 knots in all
/// type Smooth = PiecewiseMlp![180; 30, 16, 7; Tanh];
///
/// static STUDENT: Student = Student::ZERO;
/// assert_eq!(STUDENT.predict(&[1.5; 30]), [0.0; 7]);
/// assert_eq!(Student::SCRATCH_BYTES, (30 + 16) * 4);
/// ```
#[macro_export]
macro_rules! PiecewiseMlp {
    (@layers $activation:ty, $scalar:ty; $rows:expr; $i:expr, $o:expr) => {
        $crate::PiecewiseLinear<{ $i }, { $rows }, { $o }, $crate::activation::Identity, $scalar>
    };
    (@layers $activation:ty, $scalar:ty; $rows:expr; $i:expr, $h:expr, $($rest:expr),+) => {
        $crate::Chain<
            $crate::PiecewiseLinear<{ $i }, { $rows }, { $h }, $activation, $scalar>,
            $crate::Mlp!(@layers $activation, $scalar, ByInput; $h, $($rest),+),
        >
    };
    ($rows:expr; $($width:expr),+ $(,)?) => {
        $crate::PiecewiseMlp![$rows; $($width),+; $crate::activation::Relu]
    };
    ($rows:expr; $($width:expr),+; $activation:ty) => { $crate::PiecewiseMlp![$rows; $($width),+; $activation, f32] };
    ($rows:expr; $($width:expr),+; $activation:ty, $scalar:ty) => {
        $crate::Network<
            $crate::PiecewiseMlp!(@layers $activation, $scalar; $rows; $($width),+),
            { $crate::scratch::<$scalar>(&[$($width),+]) },
        >
    };
}
