//! The edges of an int8 network: real features in, real outputs out.

use crate::scaler::{Prepare, Scaler};

/// Raw features → i8 codes: [`Scaler`], then `round(x / scale) + zero`, clamped to [-128, 127].
///
/// Rounds halves away from zero, as TensorFlow Lite's `QUANTIZE` does. A [missing](crate::scaler) feature, NaN or ±∞,
/// becomes the zero point, which is the mean.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Quantize<const I: usize> {
    /// Standardizes raw features.
    pub scaler: Scaler<I>,
    /// Real size of one code, > 0.
    pub scale: f32,
    /// The code of zero, −128..=127.
    pub zero: i8,
}

impl<const I: usize> Quantize<I> {
    /// The standardized features that `codes` stand for: what an f32 network takes.
    #[must_use]
    pub fn decode(&self, codes: &[i8; I]) -> [f32; I] {
        Dequantize { scale: self.scale, zero: self.zero }.apply(codes)
    }
}

impl<const I: usize> Prepare<I> for Quantize<I> {
    type Output = [i8; I];

    fn apply(&self, raw: &[f32; I]) -> [i8; I] {
        self.scaler.codes(raw, |x| quantize(x, self.scale, self.zero))
    }

    fn missing(&self, raw: &[f32; I]) -> Option<usize> {
        self.scaler.missing(raw)
    }
}

/// `round(x / scale) + zero`, clamped to [-128, 127].
#[must_use]
pub fn quantize(x: f32, scale: f32, zero: i8) -> i8 {
    // The cast saturates and sends NaN to zero.
    let code = (libm::roundf(x / scale) as i32).saturating_add(i32::from(zero));
    code.clamp(-128, 127) as i8
}

/// Codes of a network's outputs → what they stand for: [`Dequantize`] or [`DequantizeEach`].
pub trait Decode<const O: usize> {
    /// The real numbers of `codes`.
    fn decode(&self, codes: &[i8; O]) -> [f32; O];
}

/// i8 codes → real outputs: `(code − zero)·scale`.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Dequantize {
    /// Real size of one code, > 0.
    pub scale: f32,
    /// The code of zero, −128..=127.
    pub zero: i8,
}

impl Dequantize {
    /// The real numbers of `codes`.
    #[must_use]
    pub fn apply<const N: usize>(&self, codes: &[i8; N]) -> [f32; N] {
        codes.map(|code| (i32::from(code) - i32::from(self.zero)) as f32 * self.scale)
    }

    /// The nearest codes of real `numbers`, as [`quantize`] has them.
    #[must_use]
    pub fn encode<const N: usize>(&self, numbers: &[f32; N]) -> [i8; N] {
        numbers.map(|number| quantize(number, self.scale, self.zero))
    }
}

impl<const O: usize> Decode<O> for Dequantize {
    fn decode(&self, codes: &[i8; O]) -> [f32; O] {
        self.apply(codes)
    }
}

/// i8 codes → values of a regression: `lowest + (code + 128)·scale`, where each output has a range of its own.
///
/// The range need not hold zero: an air pressure in pascals takes its 256 codes between the lowest and the highest of
/// the training rows. Nor does an output in millimetres share the steps of one in pascals. The network computes the codes
/// alone: `lowest` is not in its biases.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct DequantizeEach<const O: usize> {
    /// Value of the code −128, in the output's unit.
    pub lowest: [f32; O],
    /// Size of one code, in the output's unit, > 0.
    pub scale: [f32; O],
}

impl<const O: usize> DequantizeEach<O> {
    /// The values of `codes`.
    #[must_use]
    pub fn apply(&self, codes: &[i8; O]) -> [f32; O] {
        let mut values = self.lowest;
        for ((value, &scale), &code) in values.iter_mut().zip(&self.scale).zip(codes) {
            *value += (i32::from(code) - i32::from(i8::MIN)) as f32 * scale;
        }
        values
    }

    /// The nearest codes of `values`; −128 for NaN.
    #[must_use]
    pub fn encode(&self, values: &[f32; O]) -> [i8; O] {
        let mut codes = [0; O];
        for (((code, &value), &lowest), &scale) in
            codes.iter_mut().zip(values).zip(&self.lowest).zip(&self.scale)
        {
            *code = quantize(value - lowest, scale, i8::MIN);
        }
        codes
    }
}

impl<const O: usize> Decode<O> for DequantizeEach<O> {
    fn decode(&self, codes: &[i8; O]) -> [f32; O] {
        self.apply(codes)
    }
}
