//! The loops: slices in, slices out, one copy in flash whatever networks are linked.
//!
//! This is the one place that chooses an implementation per target. The portable ones say what the others compute, to
//! the bit.

pub mod codes;
#[cfg(kernel_f32 = "fpv4")]
pub(crate) mod fpv4;
pub mod int16;
pub mod int4;
pub mod int8;
pub mod reference;
mod requantize;

use crate::scalar::Scalar;

pub use requantize::Requantize;

/// Name of the f32 kernels chosen for the target: `"fpv4"` or `"portable"`.
///
/// [`int8::NAME`] and [`int4::NAME`] are those of the other kernels. A program can check at compile time that its target
/// has the kernel it was sized for, or print the name next to its timings.
pub const NAME_F32: &str = env!("KERNEL_F32");

/// Weights, or an input, at a multiple of 4 bytes: kernels load words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(align(4))]
pub struct Aligned<T>(pub T);

/// `y = w·x + b`: bias first, then inputs by index, one accumulator an output. `w`: shape (O, I), row-major; `x` (I);
/// `b`, `y` (O).
#[inline]
pub fn affine<T: Scalar>(w: &[T], b: &[T], x: &[T], y: &mut [T]) {
    T::affine(w, b, x, y);
}

/// [`affine`], then [`rectify`].
#[inline]
pub fn affine_rectified<T: Scalar>(w: &[T], b: &[T], x: &[T], y: &mut [T]) {
    T::affine_rectified(w, b, x, y);
}

/// `dx += wᵀ·dy`, row by row; a row whose `dy` is zero, as below a ReLU that is off, is skipped. Shapes as of [`affine`].
#[inline]
pub fn affine_input_gradient<T: Scalar>(w: &[T], dy: &[T], dx: &mut [T]) {
    T::affine_input_gradient(w, dy, dx);
}

/// `dw += dy ⊗ x`, `db += dy`; a row whose `dy` is zero is skipped. Shapes as of [`affine`].
#[inline]
pub fn affine_parameter_gradient<T: Scalar>(x: &[T], dy: &[T], dw: &mut [T], db: &mut [T]) {
    T::affine_parameter_gradient(x, dy, dw, db);
}

/// [`affine`] with weights of shape (I, O), row-major; an input that is zero, as behind a ReLU that is off, is skipped.
#[inline]
pub fn affine_by_input<T: Scalar>(w: &[T], b: &[T], x: &[T], y: &mut [T]) {
    T::affine_by_input(w, b, x, y);
}

/// `dx = wᵀ·dy`, from zero and by index, and `dw += dy ⊗ x`; `w` and `dw`: shape (I, O), row-major.
/// `ACTIVE`: of an input that is zero `dx` is zero, and all else is skipped.
#[inline]
pub fn by_input_gradients<T: Scalar, const ACTIVE: bool>(
    w: &[T],
    x: &[T],
    dy: &[T],
    dw: &mut [T],
    dx: &mut [T],
) {
    T::by_input_gradients::<ACTIVE>(w, x, dy, dw, dx);
}

/// [`by_input_gradients`] whose `dw` is `w` itself: `dx` is by the weights as they were.
#[inline]
pub fn by_input_descend<T: Scalar, const ACTIVE: bool>(w: &mut [T], x: &[T], dy: &[T], dx: &mut [T]) {
    T::by_input_descend::<ACTIVE>(w, x, dy, dx);
}

/// `to += x ⊗ y`; a row whose `x` is zero is skipped. `to`: shape (X, Y), row-major.
#[inline]
pub fn add_outer<T: Scalar>(x: &[T], y: &[T], to: &mut [T]) {
    T::add_outer(x, y, to);
}

/// `to += from`; both: shape (N).
#[inline]
pub fn add<T: Scalar>(from: &[T], to: &mut [T]) {
    T::add_all(from, to);
}

/// `y ← max(y, 0)`; NaN passes through, and −0 stays −0. `y`: shape (N).
#[inline]
pub fn rectify<T: Scalar>(y: &mut [T]) {
    T::rectify(y);
}

/// The factors of [`adam`], one for all parameters of a tensor.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C)] // the kernels load it as six numbers
pub struct AdamStep<T> {
    /// Factor of the gradient: `(1 − β₁)` times the factor that turns a sum into the mean of the batch.
    pub scale: T,
    /// β₁, what the first moment is multiplied by, in [0, 1).
    pub beta1: T,
    /// β₂, what the second moment is multiplied by, in [0, 1).
    pub beta2: T,
    /// ε > 0, which is added to the root and keeps the divisor from zero.
    pub epsilon: T,
    /// Factor of the quotient: negative, because steps go against the gradient.
    pub rate: T,
    /// Factor of the parameter itself: 1, or slightly less with weight decay.
    pub keep: T,
}

/// `g ← scale·g`, `m ← g + β₁m`, `v ← g² + β₂v`, `θ ← keep·θ + rate·m / (√v + ε)`, then `g ← 0`. `params` are θ, `moments` m
/// and v; all: shape (N).
#[inline]
pub fn adam<T: Scalar>(
    params: &mut [T],
    gradient: &mut [T],
    moments: (&mut [T], &mut [T]),
    step: &AdamStep<T>,
) {
    T::adam(params, gradient, moments, step);
}

/// The factors of [`momentum`], one for all parameters of a tensor.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C)] // the kernels load it as four numbers
pub struct MomentumStep<T> {
    /// Factor of the gradient, which turns a sum into the mean of the batch.
    pub scale: T,
    /// Factor of the velocity, applied before the gradient is added, in [0, 1).
    pub momentum: T,
    /// Factor of the parameter in that sum, ≥ 0: it pulls the parameter towards zero.
    pub decay: T,
    /// Factor of the new velocity: negative, because steps go against the gradient.
    pub rate: T,
}

/// `u ← scale·g + decay·θ + momentum·u`, `θ ← θ + rate·u`, then `g ← 0`; a decay of zero adds nothing. `params` are θ,
/// `velocity` is u; all: shape (N).
#[inline]
pub fn momentum<T: Scalar>(params: &mut [T], gradient: &mut [T], velocity: &mut [T], step: &MomentumStep<T>) {
    T::momentum(params, gradient, velocity, step);
}

/// The kernels of f32.
#[cfg(kernel_f32 = "fpv4")]
pub(crate) use fpv4 as f32_kernels;
#[cfg(not(kernel_f32 = "fpv4"))]
pub(crate) use reference as f32_kernels;
