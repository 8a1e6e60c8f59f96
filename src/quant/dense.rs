//! The int8 dense layer.

use crate::chain::Chain;
use crate::kernel;
use crate::layer::{End, Layer};
use crate::quant::{Clamp, Requantize};

/// `y = clamp(requantize(weights·x + bias))`, `I` inputs, `O` outputs, `S` scales: `O` for one an output, 1 for one a
/// layer.
///
/// Exported files build it by [`DenseI8::new`] from row-major weights, so that the layout inside can follow the
/// target's kernel without a new export.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DenseI8<const I: usize, const O: usize, const S: usize = O> {
    weights: [[i8; I]; O],
    bias: [i32; O],
    requantize: [Requantize; S],
    clamp: Clamp,
}

impl<const I: usize, const O: usize, const S: usize> DenseI8<I, O, S> {
    /// `weights`: shape (O, I), in [-127, 127]. `bias`: shape (O), of scale `s_in·s_w`, the input's zero point folded
    /// in. `requantize`: `s_in·s_w / s_out`, one an output or one for all.
    pub const fn new(
        weights: [[i8; I]; O],
        bias: [i32; O],
        requantize: [Requantize; S],
        clamp: Clamp,
    ) -> Self {
        const {
            assert!(I > 0 && O > 0, "a dense layer needs at least one input and one output");
            assert!(S == O || S == 1, "a dense layer has one scale an output, or one for all");
        }
        DenseI8 { weights, bias, requantize, clamp }
    }

    /// This layer, then `next`, whose input is this layer's output.
    pub const fn then<B: Layer<Input = [i8; O]> + Copy>(self, next: B) -> Chain<Self, B> {
        Chain(self, next)
    }
}

impl<const I: usize, const O: usize, const S: usize> Layer for DenseI8<I, O, S> {
    type Word = i8;
    type Input = [i8; I];
    type Output = [i8; O];
    const SCRATCH: usize = I + O;

    fn run<const N: usize>(&self, buffer: &mut [i8; N], from: End) -> End {
        const { assert!(N >= I + O, "the working memory is smaller than Layer::SCRATCH") };
        if let Some((x, y)) = from.split::<_, I, O>(buffer) {
            kernel::affine_i8(self.weights.as_flattened(), &self.bias, x, y, &self.requantize, self.clamp);
        }
        from.opposite()
    }
}

/// The type of an int8 MLP by its widths, from input to output; one scale an output, or one a layer with
/// `; per layer`.
///
/// ```
/// use microdistill::MlpI8;
///
/// type Student = MlpI8![64, 32, 10];
/// type Smaller = MlpI8![64, 32, 10; per layer];
/// assert_eq!(Student::SCRATCH_BYTES, 64 + 32);
/// assert!(size_of::<Smaller>() < size_of::<Student>());
/// ```
#[macro_export]
macro_rules! MlpI8 {
    (@layers ($($one:literal)?) $i:expr, $o:expr) => {
        $crate::quant::DenseI8<{ $i }, { $o } $(, $one)?>
    };
    (@layers ($($one:literal)?) $i:expr, $h:expr, $($rest:expr),+) => {
        $crate::Chain<
            $crate::quant::DenseI8<{ $i }, { $h } $(, $one)?>,
            $crate::MlpI8!(@layers ($($one)?) $h, $($rest),+),
        >
    };
    ($($width:expr),+) => {
        $crate::Network<$crate::MlpI8!(@layers () $($width),+), { $crate::scratch(&[$($width),+]) }>
    };
    ($($width:expr),+; per layer) => {
        $crate::Network<$crate::MlpI8!(@layers (1) $($width),+), { $crate::scratch(&[$($width),+]) }>
    };
}
