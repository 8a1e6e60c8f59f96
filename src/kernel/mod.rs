//! The loops: slices in, slices out, one copy in flash whatever networks are linked.
//!
//! This is the one place that chooses an implementation per target. The portable ones say what the others compute, to
//! the bit.

#[cfg(kernel_f32 = "fpv4")]
mod fpv4;
pub mod int16;
pub mod int4;
pub mod int8;
pub mod reference;

pub use reference::{affine_input_gradient, affine_parameter_gradient};

use crate::scalar::Scalar;

/// `y = w·x + b`: bias first, then inputs by index, one accumulator an output. `w`: shape (O, I), row-major; `x` (I);
/// `b`, `y` (O).
#[inline]
pub fn affine<T: Scalar>(w: &[T], b: &[T], x: &[T], y: &mut [T]) {
    T::affine(w, b, x, y);
}

/// [`affine`] for f32, by the target's kernel.
#[inline]
pub(crate) fn affine_f32(w: &[f32], b: &[f32], x: &[f32], y: &mut [f32]) {
    #[cfg(kernel_f32 = "fpv4")]
    fpv4::affine(w, b, x, y);
    #[cfg(not(kernel_f32 = "fpv4"))]
    reference::affine(w, b, x, y);
}
