//! The portable kernels: the order of operations they show is the order every other kernel keeps.
//!
//! Shapes: `w`, `dw` (O, I) row-major, or (I, O) where a kernel goes by input; `x`, `dx` (I); `b`, `db`, `y`, `dy` (O).
//!
//! A slice of another length than its shape says is cut to the shortest: nothing panics. The typed layers cannot
//! pass such slices.
//!
//! None is inlined, so that each exists once in flash for all layers of all networks.

use super::steps::{AdamStep, Moments, MomentumStep};
use crate::scalar::Scalar;

/// `y = w·x + b`: bias first, then inputs by index, one accumulator an output.
#[inline(never)]
pub fn affine<T: Scalar>(w: &[T], b: &[T], x: &[T], y: &mut [T]) {
    for ((row, &b), y) in rows(w, x.len()).zip(b).zip(y) {
        *y = dot(b, row, x);
    }
}

/// [`affine`], then [`rectify`].
#[inline] // two calls
pub fn affine_rectified<T: Scalar>(w: &[T], b: &[T], x: &[T], y: &mut [T]) {
    affine(w, b, x, y);
    rectify(y);
}

/// `dx += wᵀ·dy`, row by row; a row whose `dy` is zero, as below a ReLU that is off, is skipped.
#[inline(never)]
pub fn affine_input_gradient<T: Scalar>(w: &[T], dy: &[T], dx: &mut [T]) {
    for (row, &dy) in rows(w, dx.len()).zip(dy).filter(|(_, dy)| **dy != T::ZERO) {
        add_product(dy, row, dx);
    }
}

/// `dw += dy ⊗ x`, `db += dy`; a row whose `dy` is zero is skipped.
#[inline(never)]
pub fn affine_parameter_gradient<T: Scalar>(x: &[T], dy: &[T], dw: &mut [T], db: &mut [T]) {
    let rows = dw.chunks_exact_mut(x.len().max(1));
    for ((row, db), &dy) in rows.zip(db).zip(dy).filter(|(_, dy)| **dy != T::ZERO) {
        *db += dy;
        add_product(dy, x, row);
    }
}

/// `y = w·x + b`, `w` by input: bias first, then inputs by index; one that is zero, as behind a ReLU that is off, is
/// skipped.
#[inline(never)]
pub fn affine_by_input<T: Scalar>(w: &[T], b: &[T], x: &[T], y: &mut [T]) {
    for (y, &b) in y.iter_mut().zip(b) {
        *y = b;
    }
    for (row, &x) in rows(w, y.len()).zip(x).filter(|(_, x)| **x != T::ZERO) {
        add_product(x, row, y);
    }
}

/// `dx = wᵀ·dy`, then `dw += dy ⊗ x`, both by input; `ACTIVE`: of an input that is zero `dx` is zero, and all else is
/// skipped.
#[inline(never)]
pub fn by_input_gradients<T: Scalar, const ACTIVE: bool>(
    w: &[T],
    x: &[T],
    dy: &[T],
    dw: &mut [T],
    dx: &mut [T],
) {
    let rows = rows(w, dy.len()).zip(dw.chunks_exact_mut(dy.len().max(1)));
    for (((w, dw), &x), dx) in rows.zip(x).zip(dx) {
        if ACTIVE && x == T::ZERO {
            *dx = T::ZERO;
            continue;
        }
        *dx = dot(T::ZERO, w, dy);
        add_product(x, dy, dw);
    }
}

/// [`by_input_gradients`] whose `dw` is `w` itself: `dx` is by the weights as they were.
#[inline(never)]
pub fn by_input_descend<T: Scalar, const ACTIVE: bool>(w: &mut [T], x: &[T], dy: &[T], dx: &mut [T]) {
    for ((w, &x), dx) in w.chunks_exact_mut(dy.len().max(1)).zip(x).zip(dx) {
        if ACTIVE && x == T::ZERO {
            *dx = T::ZERO;
            continue;
        }
        *dx = dot(T::ZERO, w, dy);
        add_product(x, dy, w);
    }
}

/// `to += x ⊗ y`, shape of `to` (x, y); a row whose `x` is zero is skipped.
#[inline(never)]
pub fn add_outer<T: Scalar>(x: &[T], y: &[T], to: &mut [T]) {
    let rows = to.chunks_exact_mut(y.len().max(1));
    for (row, &x) in rows.zip(x).filter(|(_, x)| **x != T::ZERO) {
        add_product(x, y, row);
    }
}

/// `to += from`
#[inline(never)]
pub fn add<T: Scalar>(from: &[T], to: &mut [T]) {
    for (to, &from) in to.iter_mut().zip(from) {
        *to += from;
    }
}

/// `y ← max(y, 0)`; NaN passes through, and −0 stays −0.
#[inline(never)]
pub fn rectify<T: Scalar>(y: &mut [T]) {
    // Not `max`: its result for −0 and NaN differs between targets.
    for y in y.iter_mut().filter(|y| **y < T::ZERO) {
        *y = T::ZERO;
    }
}

/// `g ← scale·g`, `m ← g + β₁m`, `v ← g² + β₂v`, `θ ← keep·θ + rate·m / (√v + ε)`, then `g ← 0`.
#[inline(never)]
pub fn adam<T: Scalar>(
    params: &mut [T],
    gradient: &mut [T],
    Moments { first, second }: Moments<'_, T>,
    step: &AdamStep<T>,
) {
    for (((p, g), m), v) in params.iter_mut().zip(gradient).zip(first).zip(second) {
        let scaled = step.scale * *g;
        *m = scaled.plus_product(*m, step.beta1);
        *v = (scaled * scaled).plus_product(*v, step.beta2);
        *p = (step.keep * *p).plus_product(*m / (v.sqrt() + step.epsilon), step.rate);
        *g = T::ZERO;
    }
}

/// `u ← scale·g + decay·θ + momentum·u`, `θ ← θ + rate·u`, then `g ← 0`; a decay of zero adds nothing.
#[inline(never)]
pub fn momentum<T: Scalar>(params: &mut [T], gradient: &mut [T], velocity: &mut [T], step: &MomentumStep<T>) {
    // Two loops: in one, a core without an FPU would compare for each parameter.
    if step.decay == T::ZERO {
        push(params, gradient, velocity, step, |g, _| step.scale * g);
    } else {
        push(params, gradient, velocity, step, |g, p| (step.scale * g).plus_product(p, step.decay));
    }
}

/// `u ← force(g, θ) + momentum·u`, `θ ← θ + rate·u`, then `g ← 0`.
fn push<T: Scalar>(
    params: &mut [T],
    gradient: &mut [T],
    velocity: &mut [T],
    step: &MomentumStep<T>,
    force: impl Fn(T, T) -> T,
) {
    for ((p, g), u) in params.iter_mut().zip(gradient).zip(velocity) {
        *u = force(*g, *p).plus_product(*u, step.momentum);
        *p = p.plus_product(*u, step.rate);
        *g = T::ZERO;
    }
}

/// `start + a·b`, by index.
fn dot<T: Scalar>(start: T, a: &[T], b: &[T]) -> T {
    a.iter().zip(b).fold(start, |sum, (&a, &b)| sum.plus_product(a, b))
}

/// `to += factor·from`
fn add_product<T: Scalar>(factor: T, from: &[T], to: &mut [T]) {
    for (to, &from) in to.iter_mut().zip(from) {
        *to = to.plus_product(factor, from);
    }
}

fn rows<T>(w: &[T], inputs: usize) -> core::slice::ChunksExact<'_, T> {
    w.chunks_exact(inputs.max(1))
}
