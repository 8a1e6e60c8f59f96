//! int16 activations: for regression, whose outputs need more steps than 255.

use crate::kernel::int16::{Affine, affine};
use crate::layer::Layer;
use crate::network::chain::Chain;
use crate::network::scratch::{End, Scratch, room};
use crate::quant::Requantize;
use crate::scaler::{Prepare, Scaler};

/// `y = clamp(requantize(weights·x + bias))` with weights of 8 bits and activations of 16: `I` inputs, `O` outputs, `S`
/// scales: `O` for one an output, 1 for one a layer.
///
/// TensorFlow Lite's 16x8 scheme, to the bit: activations are symmetric, so that a real number is `code·scale`; sums and
/// biases have 64 bits.
///
/// The command line does not reach it: `quantize` and `export` make int8 and int4 networks alone, and model files hold no
/// codes of 16 bits. It is for networks whose weights, biases and factors come from elsewhere, such as a 16x8 model of
/// TensorFlow Lite, and are given to [`DenseI16::new`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DenseI16<const I: usize, const O: usize, const S: usize = O> {
    weights: [[i8; I]; O],
    bias: [i64; O],
    multipliers: [i32; S],
    shifts: [i8; S],
    clamp: ClampI16,
}

/// Cuts codes to a range, which is also how ReLU happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct ClampI16 {
    /// Lowest code: 0 for ReLU, −32768 otherwise.
    pub lowest: i16,
    /// Highest code.
    pub highest: i16,
}

impl<const I: usize, const O: usize, const S: usize> DenseI16<I, O, S> {
    /// `weights`: shape (O, I), in [-127, 127]. `bias`: shape (O), of scale `s_in·s_w`; with the products, sums must stay
    /// within ±2⁴⁷. `requantize`: `s_in·s_w / s_out`, one an output or one for all, as [`Requantize::apply_i64`] takes it.
    pub const fn new(
        weights: [[i8; I]; O],
        bias: [i64; O],
        requantize: [Requantize; S],
        clamp: ClampI16,
    ) -> Self {
        const {
            assert!(I > 0 && O > 0, "a dense layer needs at least one input and one output");
            assert!(S == O || S == 1, "a dense layer has one scale an output, or one for all");
        }
        let (multipliers, shifts) = Requantize::apart(&requantize);
        DenseI16 { weights, bias, multipliers, shifts, clamp }
    }

    /// This layer, then `next`, whose input is this layer's output.
    pub const fn then<B: Layer<Input = [i16; O]> + Copy>(self, next: B) -> Chain<Self, B> {
        Chain(self, next)
    }
}

impl<const I: usize, const O: usize, const S: usize> Layer for DenseI16<I, O, S> {
    type Item = i16;
    type Input = [i16; I];
    type Output = [i16; O];
    const SCRATCH: usize = room::<i16>(I) + room::<i16>(O);

    fn run<const WORDS: usize>(&self, scratch: &mut Scratch<i16, WORDS>, from: End) -> End {
        const { assert!(WORDS >= Self::SCRATCH, "the working memory is smaller than Layer::SCRATCH") };
        if let Some((x, y)) = scratch.split(from, I, O) {
            let layer = Affine {
                weights: self.weights.as_flattened(),
                bias: &self.bias,
                multipliers: &self.multipliers,
                shifts: &self.shifts,
                lowest: self.clamp.lowest,
                highest: self.clamp.highest,
            };
            affine(&layer, x, y);
        }
        from.opposite()
    }
}

/// Raw features → i16 codes: [`Scaler`], then `round(x / scale)`, cut to [-32768, 32767].
///
/// Rounds halves away from zero, as TensorFlow Lite's `QUANTIZE` does. NaN becomes zero.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct QuantizeI16<const I: usize> {
    /// Standardizes raw features.
    pub scaler: Scaler<I>,
    /// Real size of one code, > 0.
    pub scale: f32,
}

impl<const I: usize> Prepare<I> for QuantizeI16<I> {
    type Output = [i16; I];

    fn apply(&self, raw: &[f32; I]) -> [i16; I] {
        // The cast saturates and sends NaN to zero.
        self.scaler.codes(raw, |x| libm::roundf(x / self.scale) as i16)
    }
}

/// i16 codes → real outputs: `code·scale`.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct DequantizeI16 {
    /// Real size of one code, > 0.
    pub scale: f32,
}

impl DequantizeI16 {
    /// The real numbers of `codes`.
    pub fn apply<const N: usize>(&self, codes: &[i16; N]) -> [f32; N] {
        codes.map(|code| f32::from(code) * self.scale)
    }
}

/// The type of a network of [`DenseI16`] by its widths, from input to output; one scale an output.
///
/// ```
/// use microdistill::MlpI16;
///
/// type Student = MlpI16![8, 16, 1];
/// assert_eq!(Student::SCRATCH_BYTES, (8 + 16) * 2);
/// ```
#[macro_export]
macro_rules! MlpI16 {
    (@layers $i:expr, $o:expr) => { $crate::quant::DenseI16<{ $i }, { $o }> };
    (@layers $i:expr, $h:expr, $($rest:expr),+) => {
        $crate::Chain<$crate::quant::DenseI16<{ $i }, { $h }>, $crate::MlpI16!(@layers $h, $($rest),+)>
    };
    ($($width:expr),+) => {
        $crate::Network<$crate::MlpI16!(@layers $($width),+), { $crate::scratch::<i16>(&[$($width),+]) }>
    };
}
