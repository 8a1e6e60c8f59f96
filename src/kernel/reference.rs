//! The portable kernels: the order of operations they show is the order every other kernel keeps.
//!
//! Shapes: `w`, `dw` (O, I) row-major; `x`, `dx` (I); `b`, `db`, `y`, `dy` (O).
//!
//! A slice of another length than its shape says is cut to the shortest: nothing panics. The typed layers cannot
//! pass such slices.
//!
//! None is inlined, so that each exists once in flash for all layers of all networks.

use crate::scalar::Scalar;

/// `y = w·x + b`: bias first, then inputs by index, one accumulator an output.
#[inline(never)]
pub fn affine<T: Scalar>(w: &[T], b: &[T], x: &[T], y: &mut [T]) {
    for ((row, &b), y) in rows(w, x.len()).zip(b).zip(y) {
        *y = row.iter().zip(x).fold(b, |sum, (&w, &x)| sum + w * x);
    }
}

/// `dx += wᵀ·dy`, row by row; a row whose `dy` is zero, as below a ReLU that is off, is skipped.
#[inline(never)]
pub fn affine_input_gradient<T: Scalar>(w: &[T], dy: &[T], dx: &mut [T]) {
    for (row, &dy) in rows(w, dx.len()).zip(dy).filter(|(_, dy)| **dy != T::ZERO) {
        for (dx, &w) in dx.iter_mut().zip(row) {
            *dx += dy * w;
        }
    }
}

/// `dw += dy ⊗ x`, `db += dy`; a row whose `dy` is zero is skipped.
#[inline(never)]
pub fn affine_parameter_gradient<T: Scalar>(x: &[T], dy: &[T], dw: &mut [T], db: &mut [T]) {
    let rows = dw.chunks_exact_mut(x.len().max(1));
    for ((row, db), &dy) in rows.zip(db).zip(dy).filter(|(_, dy)| **dy != T::ZERO) {
        *db += dy;
        for (dw, &x) in row.iter_mut().zip(x) {
            *dw += dy * x;
        }
    }
}

fn rows<T>(w: &[T], inputs: usize) -> core::slice::ChunksExact<'_, T> {
    w.chunks_exact(inputs.max(1))
}
