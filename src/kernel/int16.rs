//! The dense layer of int16 activations and int8 weights: `y = requantize(w·x + b)`, cut to a range.

use super::Requantize;

/// A layer's parameters; O outputs, I inputs.
#[derive(Clone, Copy, Debug)]
pub struct Affine<'a> {
    /// Shape (O, I), row-major, in [-127, 127].
    pub weights: &'a [i8],
    /// Shape (O).
    pub bias: &'a [i64],
    /// Mantissas of the requantization, Q31, `O` of them or one for all.
    pub multipliers: &'a [i32],
    /// Its exponents, −31..=7, positive = left, as many.
    pub shifts: &'a [i8],
    /// Lowest output: 0 for ReLU.
    pub lowest: i16,
    /// Highest output.
    pub highest: i16,
}

/// Products whose sum is exact in 32 bits: each is within 128·32768.
const EXACT: usize = 511;

/// The portable kernel, for every target: sums wrap in 64 bits, which no layer reaches.
#[inline(never)]
pub fn affine(layer: &Affine<'_>, x: &[i16], y: &mut [i16]) {
    let rows = layer.weights.chunks_exact(x.len().max(1)).zip(layer.bias);
    let factors = layer.multipliers.iter().zip(layer.shifts).cycle();
    for (((row, &bias), (&multiplier, &shift)), y) in rows.zip(factors).zip(y) {
        let parts = row.chunks(EXACT).zip(x.chunks(EXACT));
        let sum = parts.fold(bias, |sum, (row, x)| sum.wrapping_add(dot(row, x).into()));
        let value = Requantize::new(multiplier, shift).apply_i64(sum);
        // `clamp` would panic where the range is empty.
        *y = value.min(layer.highest.into()).max(layer.lowest.into()) as i16;
    }
}

/// `Σ w·x` of at most [`EXACT`] products: most of the work is in 32 bits, where small cores are fast.
fn dot(weights: &[i8], x: &[i16]) -> i32 {
    weights.iter().zip(x).fold(0, |sum, (&w, &x)| sum + i32::from(w) * i32::from(x))
}
