//! The int8 dense layer.

use crate::kernel::Aligned;
use crate::kernel::int8::{self, Weights};
use crate::layer::Layer;
use crate::network::chain::Chain;
use crate::network::scratch::{End, Scratch, room};
use crate::quant::rescale::Rescale;
use crate::quant::{Clamp, Requantize, Stage};

/// `y = A(requantize(weights·x + bias))`, `I` inputs, `O` outputs, `S` scales: `O` for one an output, 1 for one a layer;
/// the stage `A` applies the activation to the codes.
///
/// Exported files build it by [`DenseI8::new`] from row-major weights, so that the layout inside can follow the
/// target's kernel without a new export. Call that in a `const` or a `static`: it is evaluated when the program is
/// compiled. Called at run time, it may link code that panics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DenseI8<const I: usize, const O: usize, const S: usize = O, A = Clamp> {
    weights: Aligned<[[i8; I]; O]>,
    rescale: Rescale<O, S, A>,
}

impl<const I: usize, const O: usize, const S: usize, A> DenseI8<I, O, S, A> {
    /// `weights`: shape (O, I), in [-127, 127]. `bias`: shape (O), of scale `s_in·s_w`, the input's zero point folded
    /// in: `bias − zero_in·Σ w`. `requantize`: `s_in·s_w / s_out`, one an output or one for all. `stage`: the zero point of
    /// the sums' codes, and the activation.
    pub const fn new(weights: [[i8; I]; O], bias: [i32; O], requantize: [Requantize; S], stage: A) -> Self {
        const {
            assert!(I > 0 && O > 0, "a dense layer needs at least one input and one output");
            assert!(S == O || S == 1, "a dense layer has one scale an output, or one for all");
        }
        let mut rescale = Rescale::new(bias, requantize, stage, ());
        let mut laid_out = [[0; I]; O];
        let (plain, space) = (weights.as_flattened(), laid_out.as_flattened_mut());
        rescale.short = int8::lay_out(rescale.plain(Weights { plain, laid_out: space }));
        DenseI8 { weights: Aligned(laid_out), rescale }
    }

    /// This layer, then `next`, whose input is this layer's output.
    #[must_use]
    pub const fn then<B: Layer<Input = [i8; O]> + Copy>(self, next: B) -> Chain<Self, B>
    where
        A: Copy,
    {
        Chain(self, next)
    }
}

impl<const I: usize, const O: usize, const S: usize, A: Stage> Layer for DenseI8<I, O, S, A> {
    type Item = i8;
    type Input = [i8; I];
    type Output = [i8; O];
    const SCRATCH: usize = room::<i8>(I) + room::<i8>(O);

    fn run<const WORDS: usize>(&self, scratch: &mut Scratch<i8, WORDS>, from: End) -> End {
        const { assert!(WORDS >= Self::SCRATCH, "the working memory is smaller than Layer::SCRATCH") };
        if let Some((x, y)) = scratch.split(from, I, O) {
            int8::affine(&self.rescale.affine(self.weights.0.as_flattened()), x, y);
            self.rescale.stage.apply(y);
        }
        from.opposite()
    }
}

/// The type of an int8 MLP by its widths, from input to output; one scale an output, or one a layer with
/// `; per layer`. Hidden layers end with a [`Clamp`], or with the [`Stage`] given, and the last one with a clamp.
///
/// ```
/// use microdistill::{MlpI8, quant::Table};
///
/// type Student = MlpI8![64, 32, 10];
/// type Smaller = MlpI8![64, 32, 10; per layer];
/// type Smooth = MlpI8![64, 32, 10; Table]; // or `; per layer, Table`
/// assert_eq!(Student::SCRATCH_BYTES, 64 + 32);
/// assert!(size_of::<Smaller>() < size_of::<Student>());
/// ```
#[macro_export]
macro_rules! MlpI8 {
    (@scales each $o:expr) => { $o };
    (@scales one $o:expr) => { 1 };
    (@layers $scales:ident $stage:ty; $i:expr, $o:expr) => {
        $crate::quant::DenseI8<{ $i }, { $o }, { $crate::MlpI8!(@scales $scales $o) }>
    };
    (@layers $scales:ident $stage:ty; $i:expr, $h:expr, $($rest:expr),+) => {
        $crate::Chain<
            $crate::quant::DenseI8<{ $i }, { $h }, { $crate::MlpI8!(@scales $scales $h) }, $stage>,
            $crate::MlpI8!(@layers $scales $stage; $h, $($rest),+),
        >
    };
    (@network $scales:ident $stage:ty; $($width:expr),+) => {
        $crate::Network<
            $crate::MlpI8!(@layers $scales $stage; $($width),+),
            { $crate::scratch::<i8>(&[$($width),+]) },
        >
    };
    ($($width:expr),+) => { $crate::MlpI8!(@network each $crate::quant::Clamp; $($width),+) };
    ($($width:expr),+; per layer) => { $crate::MlpI8!(@network one $crate::quant::Clamp; $($width),+) };
    ($($width:expr),+; per layer, $stage:ty) => { $crate::MlpI8!(@network one $stage; $($width),+) };
    ($($width:expr),+; $stage:ty) => { $crate::MlpI8!(@network each $stage; $($width),+) };
}
