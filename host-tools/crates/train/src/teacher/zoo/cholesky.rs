//! Cholesky factors of large matrices, block by block, so that most of the work is matrix products.

use nalgebra::{DMatrix, DMatrixView};

/// Columns of a block.
const BLOCK: usize = 48;

/// Lower triangular factor `L` of a symmetric positive definite matrix `A = L·Lᵀ`.
pub(super) struct Cholesky {
    lower: DMatrix<f64>,
}

impl Cholesky {
    /// Factorizes a matrix, of which the lower triangle is read. None if it is not positive definite.
    pub(super) fn of(mut matrix: DMatrix<f64>) -> Option<Self> {
        let size = matrix.nrows();
        for first in (0..size).step_by(BLOCK) {
            let width = BLOCK.min(size - first);
            let mut panel = matrix.view_mut((first, first), (size - first, width));
            for column in 0..width {
                for before in 0..column {
                    let factor = panel[(column, before)];
                    for row in column..panel.nrows() {
                        panel[(row, column)] -= factor * panel[(row, before)];
                    }
                }
                let pivot = panel[(column, column)];
                if !(pivot > 0.0 && pivot.is_finite()) {
                    return None;
                }
                let root = pivot.sqrt();
                panel.view_mut((column, column), (size - first - column, 1)).apply(|value| *value /= root);
            }
            let panel = panel.into_owned();
            let next = first + width;
            for start in (next..size).step_by(BLOCK) {
                let columns = BLOCK.min(size - start);
                let right = panel.view((start - first, 0), (columns, width)).transpose();
                let left = panel.view((start - first, 0), (size - start, width));
                matrix.view_mut((start, start), (size - start, columns)).gemm(-1.0, &left, &right, 1.0);
            }
        }
        Some(Cholesky { lower: matrix })
    }

    /// Returns `X` with `L·X = B`.
    fn forward(&self, mut b: DMatrix<f64>) -> DMatrix<f64> {
        let (size, columns) = b.shape();
        for first in (0..size).step_by(BLOCK) {
            let width = BLOCK.min(size - first);
            let diagonal = self.lower.view((first, first), (width, width));
            solve_block(diagonal, &mut b, first);
            let solved = b.view((first, 0), (width, columns)).into_owned();
            let next = first + width;
            let below = self.lower.view((next, first), (size - next, width));
            b.view_mut((next, 0), (size - next, columns)).gemm(-1.0, &below, &solved, 1.0);
        }
        b
    }

    /// Returns `X` with `A·X = B`.
    pub(super) fn solve(&self, b: DMatrix<f64>) -> DMatrix<f64> {
        let mut x = self.forward(b);
        let size = x.nrows();
        // Column by column of `Lᵀ` from the right.
        for mut column in x.column_iter_mut() {
            for row in (0..size).rev() {
                let below = self.lower.view((row + 1, row), (size - row - 1, 1));
                let sum = below.dot(&column.rows(row + 1, size - row - 1));
                column[row] = (column[row] - sum) / self.lower[(row, row)];
            }
        }
        x
    }

    /// Returns the diagonal of `A⁻¹`.
    pub(super) fn inverse_diagonal(&self) -> Vec<f64> {
        let size = self.lower.nrows();
        // Columns of L⁻¹ from `first` on are zero above row `first`, so each block is a smaller system.
        let mut diagonal = vec![0.0; size];
        for first in (0..size).step_by(INVERSE_BLOCK) {
            let width = INVERSE_BLOCK.min(size - first);
            let rest = size - first;
            let part = Cholesky { lower: self.lower.view((first, first), (rest, rest)).into_owned() };
            let identity = DMatrix::from_fn(rest, width, |row, column| f64::from(u8::from(row == column)));
            let inverse = part.forward(identity);
            for (place, column) in diagonal[first..].iter_mut().zip(inverse.column_iter()) {
                *place = column.norm_squared();
            }
        }
        diagonal
    }
}

/// Columns of the inverse that are computed at once.
const INVERSE_BLOCK: usize = 4 * BLOCK;

/// Solves a small lower triangular system in place, for the rows of `b` from `first` on.
fn solve_block(lower: DMatrixView<'_, f64>, b: &mut DMatrix<f64>, first: usize) {
    let width = lower.nrows();
    for mut column in b.column_iter_mut() {
        for row in 0..width {
            let value = column[first + row] / lower[(row, row)];
            column[first + row] = value;
            for below in row + 1..width {
                column[first + below] -= lower[(below, row)] * value;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn solves_and_inverts_like_nalgebra() {
        for size in [1, 5, 48, 130, 250] {
            let random = DMatrix::from_fn(size, size, |r, c| ((r * 31 + c * 17) % 23) as f64 / 23.0 - 0.5);
            let matrix = &random * random.transpose() + DMatrix::identity(size, size);
            let b = DMatrix::from_fn(size, 3, |r, c| (r + 2 * c) as f64 / 10.0);
            let factor = Cholesky::of(matrix.clone()).unwrap();
            assert!((&matrix * factor.solve(b.clone()) - b).amax() < 1e-9, "{size}");
            let inverse = matrix.try_inverse().unwrap();
            for (found, expected) in factor.inverse_diagonal().iter().zip(inverse.diagonal().iter()) {
                assert!((found - expected).abs() < 1e-9, "{size}: {found} {expected}");
            }
        }
        assert!(Cholesky::of(DMatrix::from_element(60, 60, -1.0)).is_none());
    }
}
