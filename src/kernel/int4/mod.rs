//! The int4 dense layer: `y = requantize(w·x + b) + zero`, cut to [-128, 127], with int8 activations.
//!
//! Weights are two in a byte, which halves them; by groups of [`GROUP`](crate::quant::GROUP) inputs, `w = scale·code`. A
//! group's scale is a small whole number, so that `Σ w·x = Σ_groups scale·Σ code·x` is exact, and the products are
//! weights that an int8 layer could hold: this is what that layer computes, in half the flash.
//!
//! [`fours`], for Cortex-M with the DSP extension, holds four rows in each halfword; elsewhere rows lie one after the
//! other. Activations are held as for [`int8`](super::int8).

#[cfg(kernel_asm = "dsp")]
mod dsp;
pub mod fours;
pub mod rows;

#[cfg(kernel_asm = "dsp")]
pub use fours::{affine, lay_out};
#[cfg(not(kernel_asm = "dsp"))]
pub use rows::{affine, lay_out};

/// A layer's parameters, as a layout's `lay_out` leaves them; O outputs, I inputs.
#[derive(Clone, Copy, Debug)]
pub struct Affine<'a> {
    /// Shape (O, ⌈I/2⌉), at a multiple of 4 bytes.
    pub weights: &'a [u8],
    /// Shape (O, ⌈I/32⌉), or empty: all are 1 then.
    pub group_scales: &'a [u8],
    /// Shape (O), the input's zero point folded in.
    pub bias: &'a [i32],
    /// Mantissas of the requantization, shape (O): Q31, or what the short cuts take.
    pub multipliers: &'a [i32],
    /// Its exponents, shape (O): −31..=30, positive = left, or right for the short cuts.
    pub shifts: &'a [i8],
    /// Whether the layout's short cuts are exact for every input, and parameters are what they take.
    pub short: bool,
    /// The code of zero in the output.
    pub zero: i8,
}

/// A layer's parameters on the way to a layout.
#[derive(Debug)]
pub struct Plain<'a> {
    /// Codes in [-7, 7], shape (O, I), row-major.
    pub codes: &'a [i8],
    /// Shape (O, ⌈I/2⌉); becomes the layout.
    pub laid_out: &'a mut [u8],
    /// Shape (O, ⌈I/32⌉), or empty.
    pub group_scales: &'a [u8],
    /// Shape (O).
    pub bias: &'a [i32],
    /// Mantissas of the requantization, Q31, shape (O); changed to what the short cuts take.
    pub multipliers: &'a mut [i32],
    /// Its exponents, positive = left, shape (O); changed, too.
    pub shifts: &'a mut [i8],
}

/// A byte of two weights in [-8, 7], the first in its low half: the order of TensorFlow Lite.
pub const fn pack(first: i8, second: i8) -> u8 {
    first as u8 & 0xF | (second as u8) << 4
}

/// The two weights of a byte.
const fn unpack(byte: u8) -> [i8; 2] {
    [(byte << 4) as i8 >> 4, byte as i8 >> 4]
}
