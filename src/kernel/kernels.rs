//! The trait of the floating-point kernels.

use super::reference;
use super::steps::{AdamStep, Moments, MomentumStep};
use crate::scalar::Scalar;

/// The loops of inference and training for one number type: slices in, slices out.
///
/// The default of each method is the [portable kernel](mod@reference). A target with an assembly kernel for the type overrides it
/// and gives the same bits.
pub trait Kernels: Scalar {
    /// `y = w·x + b`: bias first, then inputs by index, one accumulator an output. `w`: shape (O, I), row-major; `x` (I);
    /// `b`, `y` (O).
    #[inline]
    fn affine(w: &[Self], b: &[Self], x: &[Self], y: &mut [Self]) {
        reference::affine(w, b, x, y);
    }

    /// [`affine`](Kernels::affine), then [`rectify`](Kernels::rectify).
    #[inline]
    fn affine_rectified(w: &[Self], b: &[Self], x: &[Self], y: &mut [Self]) {
        reference::affine_rectified(w, b, x, y);
    }

    /// `dx += wᵀ·dy`, row by row; a row whose `dy` is zero, as below a ReLU that is off, is skipped. Same shapes as
    /// [`affine`](Kernels::affine).
    #[inline]
    fn affine_input_gradient(w: &[Self], dy: &[Self], dx: &mut [Self]) {
        reference::affine_input_gradient(w, dy, dx);
    }

    /// `dw += dy ⊗ x`, `db += dy`; a row whose `dy` is zero is skipped. Same shapes as [`affine`](Kernels::affine).
    #[inline]
    fn affine_parameter_gradient(x: &[Self], dy: &[Self], dw: &mut [Self], db: &mut [Self]) {
        reference::affine_parameter_gradient(x, dy, dw, db);
    }

    /// [`affine`](Kernels::affine) with weights of shape (I, O), row-major; an input that is zero, as behind a ReLU that is
    /// off, is skipped.
    #[inline]
    fn affine_by_input(w: &[Self], b: &[Self], x: &[Self], y: &mut [Self]) {
        reference::affine_by_input(w, b, x, y);
    }

    /// `dx = wᵀ·dy`, from zero and by index, and `dw += dy ⊗ x`; `w` and `dw`: shape (I, O), row-major.
    /// With `ACTIVE`, an input that is zero gets a `dx` of zero and is otherwise skipped.
    #[inline]
    fn by_input_gradients<const ACTIVE: bool>(
        w: &[Self],
        x: &[Self],
        dy: &[Self],
        dw: &mut [Self],
        dx: &mut [Self],
    ) {
        reference::by_input_gradients::<Self, ACTIVE>(w, x, dy, dw, dx);
    }

    /// [`by_input_gradients`](Kernels::by_input_gradients) whose `dw` is `w` itself: `dx` uses the weights before the update.
    #[inline]
    fn by_input_descend<const ACTIVE: bool>(w: &mut [Self], x: &[Self], dy: &[Self], dx: &mut [Self]) {
        reference::by_input_descend::<Self, ACTIVE>(w, x, dy, dx);
    }

    /// `to += x ⊗ y`; a row whose `x` is zero is skipped. `to`: shape (X, Y), row-major.
    #[inline]
    fn add_outer(x: &[Self], y: &[Self], to: &mut [Self]) {
        reference::add_outer(x, y, to);
    }

    /// `to += from`; both: shape (N).
    #[inline]
    fn add_all(from: &[Self], to: &mut [Self]) {
        reference::add(from, to);
    }

    /// `y ← max(y, 0)`; NaN passes through, and −0 stays −0. `y`: shape (N).
    #[inline]
    fn rectify(y: &mut [Self]) {
        reference::rectify(y);
    }

    /// `g ← scale·g`, `m ← g + β₁m`, `v ← g² + β₂v`, `θ ← keep·θ + rate·m / (√v + ε)`, then `g ← 0`. `params` are θ, `moments` m
    /// and v; all: shape (N).
    #[inline]
    fn adam(params: &mut [Self], gradient: &mut [Self], moments: Moments<'_, Self>, step: &AdamStep<Self>) {
        reference::adam(params, gradient, moments, step);
    }

    /// `u ← scale·g + decay·θ + momentum·u`, `θ ← θ + rate·u`, then `g ← 0`; a decay of zero adds nothing. `params` are θ,
    /// `velocity` is u; all: shape (N).
    #[inline]
    fn momentum(
        params: &mut [Self],
        gradient: &mut [Self],
        velocity: &mut [Self],
        step: &MomentumStep<Self>,
    ) {
        reference::momentum(params, gradient, velocity, step);
    }
}
