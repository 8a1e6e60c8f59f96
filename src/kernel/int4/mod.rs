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

use super::codes;

/// Name of the int4 kernel chosen for the target: `"dsp"` or `"portable"`.
pub const NAME: &str = env!("KERNEL_INT4");

/// A layer's parameters, as a layout's `lay_out` leaves them.
pub type Affine<'a> = codes::Affine<'a, Packed<'a>>;

/// A layer's parameters on the way to a layout.
pub type Plain<'a> = codes::Plain<'a, Weights<'a>>;

/// Weights in a layout; O outputs, I inputs.
#[derive(Clone, Copy, Debug)]
pub struct Packed<'a> {
    /// Shape (O, ⌈I/2⌉), at a multiple of 4 bytes.
    pub bytes: &'a [u8],
    /// Shape (O, ⌈I/32⌉), or empty: all are 1 then.
    pub group_scales: &'a [u8],
}

/// Weights on the way to a layout.
#[derive(Debug)]
pub struct Weights<'a> {
    /// In [-7, 7], shape (O, I), row-major.
    pub plain: &'a [i8],
    /// Shape (O, ⌈I/2⌉); becomes the layout.
    pub laid_out: &'a mut [u8],
    /// Shape (O, ⌈I/32⌉), or empty: all are 1 then.
    pub group_scales: &'a [u8],
}

/// A byte of two weights in [-8, 7], the first in its low half: the order of TensorFlow Lite.
pub const fn pack(first: i8, second: i8) -> u8 {
    first as u8 & 0xF | (second as u8) << 4
}

/// The two weights of a byte.
const fn unpack(byte: u8) -> [i8; 2] {
    [(byte << 4) as i8 >> 4, byte as i8 >> 4]
}
