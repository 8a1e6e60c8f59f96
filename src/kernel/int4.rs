//! The int4 dense layer: `y = requantize(w·x + b) + zero`, cut to [-128, 127], with int8 activations.
//!
//! Weights are two in a byte, which halves them; by groups of [`GROUP`] inputs, `w = scale·code`. A group's scale is a
//! small whole number, so that `Σ w·x = Σ_groups scale·Σ code·x` is exact, and the products are weights that an int8 layer
//! could hold: this is what that layer computes, in half the flash.

use crate::kernel::int8::{Word, hold, release};
use crate::quant::{GROUP, Requantize};

/// A layer's parameters; O outputs, I inputs.
#[derive(Clone, Copy, Debug)]
pub struct Affine<'a> {
    /// Shape (O, ⌈I/2⌉): see [`pack`].
    pub weights: &'a [u8],
    /// Shape (O, ⌈I/32⌉), or empty: all are 1 then.
    pub group_scales: &'a [u8],
    /// Shape (O), the input's zero point folded in.
    pub bias: &'a [i32],
    /// Mantissas of the requantization, Q31, shape (O).
    pub multipliers: &'a [i32],
    /// Its exponents, −31..=30, positive = left, shape (O).
    pub shifts: &'a [i8],
    /// The code of zero in the output.
    pub zero: i8,
}

/// A byte of two weights in [-8, 7], the first in its low half: the order of TensorFlow Lite.
pub const fn pack(first: i8, second: i8) -> u8 {
    first as u8 & 0xF | (second as u8) << 4
}

/// The portable kernel, for every target: sums wrap in 32 bits.
#[inline(never)]
pub fn affine(layer: &Affine<'_>, x: &[Word], y: &mut [Word]) {
    let (group, groups) = match layer.group_scales {
        [] => (x.len().max(1), 1),
        _ => (GROUP, x.len().div_ceil(GROUP)),
    };
    let mut scales = layer.group_scales.iter().map(|&scale| i32::from(scale)).chain(core::iter::repeat(1));
    let rows = layer.weights.chunks_exact(x.len().div_ceil(2).max(1)).zip(layer.bias);
    let factors = layer.multipliers.iter().zip(layer.shifts);
    for (((row, &bias), (&multiplier, &shift)), y) in rows.zip(factors).zip(y) {
        let parts = row.chunks(group.div_ceil(2)).zip(x.chunks(group)).zip(scales.by_ref().take(groups));
        let sum =
            parts.fold(bias, |sum, ((bytes, x), scale)| sum.wrapping_add(scale.wrapping_mul(dot(bytes, x))));
        *y = hold(Requantize::new(multiplier, shift).code(sum, layer.zero));
    }
}

/// `Σ w·x` of packed weights.
fn dot(weights: &[u8], x: &[Word]) -> i32 {
    let first = |byte: u8| i32::from((byte << 4) as i8 >> 4);
    let second = |byte: u8| i32::from(byte as i8 >> 4);
    let (pairs, last) = x.as_chunks::<2>();
    let mut bytes = weights.iter().copied();
    let sum = pairs.iter().zip(bytes.by_ref()).fold(0i32, |sum, (&[a, b], byte)| {
        sum.wrapping_add(first(byte) * i32::from(release(a)) + second(byte) * i32::from(release(b)))
    });
    let odd = last.iter().zip(bytes).map(|(&x, byte)| first(byte) * i32::from(release(x)));
    odd.fold(sum, i32::wrapping_add)
}
