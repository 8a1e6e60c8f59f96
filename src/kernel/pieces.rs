//! The loops of a piecewise-linear layer, made of the other kernels: each input names a place between two neighbouring
//! rows of a table, and takes a share of each.
//!
//! Shapes: `table`, `gradient` (R, O), row-major; `b`, `y`, `dy` (O); `x`, `dx` (I).

use core::ops::Range;

use super::Kernels;
use crate::scalar::Scalar;

/// `y = b + Σ ((1 − f)·table[r] + f·table[r + 1])`: bias first, then inputs by index, and of each the lower row first. `r` is
/// the whole part of an input and `f` the rest; a row whose share is zero is skipped.
#[inline(never)]
pub fn forward<T: Kernels>(table: &[T], b: &[T], x: &[T], y: &mut [T]) {
    for (y, &b) in y.iter_mut().zip(b) {
        *y = b;
    }
    for &x in x {
        let (rows, shares) = place(x, table.len(), y.len());
        if let Some(rows) = table.get(rows) {
            T::affine_input_gradient(rows, &shares, y);
        }
    }
}

/// The table's gradient: each row that an input is between gets its share of `dy`.
#[inline(never)]
pub fn table_gradient<T: Kernels>(x: &[T], dy: &[T], gradient: &mut [T]) {
    for &x in x {
        let (rows, shares) = place(x, gradient.len(), dy.len());
        if let Some(rows) = gradient.get_mut(rows) {
            T::add_outer(&shares, dy, rows);
        }
    }
}

/// The input's gradient: the slope `Σ dy·(table[r + 1] − table[r])`, to the right of a knot.
#[inline(never)]
pub fn input_gradient<T: Kernels>(table: &[T], x: &[T], dy: &[T], dx: &mut [T]) {
    for (&x, dx) in x.iter().zip(dx) {
        let (rows, _) = place(x, table.len(), dy.len());
        let mut ends = [T::ZERO; 2];
        if let Some(rows) = table.get(rows) {
            T::affine(rows, &[T::ZERO; 2], dy, &mut ends);
        }
        let [low, high] = ends;
        *dx = high - low;
    }
}

/// The range of two neighbouring rows of `width` numbers in a table of `length` numbers, and the share that an input takes of each.
/// An input outside the table is cut to its first or last row, and NaN counts as the first.
fn place<T: Scalar>(x: T, length: usize, width: usize) -> (Range<usize>, [T; 2]) {
    let last_but_one = (length / width.max(1)).saturating_sub(2);
    // The cast saturates and sends NaN to zero. Only f64 can be rounded up here, and then by less than its share.
    let row = (x.to_f32() as usize).min(last_but_one);
    let above = x - T::from_count(row);
    let share = if above > T::ONE {
        T::ONE
    } else if above > T::ZERO {
        above
    } else {
        T::ZERO
    };
    (row * width..(row + 2) * width, [T::ONE - share, share])
}
