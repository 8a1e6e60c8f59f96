//! Matrix product `C ← A·B + β·C`. It uses strides, so a transposed matrix costs nothing.

use microdistill::kernel::Kernels;
use nalgebra::DMatrix;

/// Scalar type that has a matrix product.
pub(crate) trait Real: Kernels + nalgebra::Scalar + Into<f64> {
    /// Computes `C ← A·B + β·C`. Panics if the shapes do not fit, which only a bug in this module can cause.
    fn gemm(a: Operand<'_, Self>, b: Operand<'_, Self>, beta: Self, c: &mut DMatrix<Self>, columns: usize);
}

/// Operand of a product: a matrix or its transpose.
#[derive(Clone, Copy)]
pub(crate) struct Operand<'a, T> {
    data: &'a [T],
    rows: usize,
    columns: usize,
    row_stride: usize,
    column_stride: usize,
}

impl<'a, T> Operand<'a, T> {
    /// Takes the first `columns` columns of `matrix`.
    pub(crate) fn first(matrix: &'a DMatrix<T>, columns: usize) -> Self {
        let rows = matrix.nrows();
        Operand {
            data: &matrix.as_slice()[..rows * columns],
            rows,
            columns,
            row_stride: 1,
            column_stride: rows,
        }
    }

    /// Takes all columns of `matrix`.
    pub(crate) fn all(matrix: &'a DMatrix<T>) -> Self {
        Operand::first(matrix, matrix.ncols())
    }

    pub(crate) fn transposed(self) -> Self {
        Operand {
            rows: self.columns,
            columns: self.rows,
            row_stride: self.column_stride,
            column_stride: self.row_stride,
            ..self
        }
    }
}

macro_rules! real {
    ($type:ty, $gemm:path) => {
        impl Real for $type {
            fn gemm(
                a: Operand<'_, $type>,
                b: Operand<'_, $type>,
                beta: $type,
                c: &mut DMatrix<$type>,
                columns: usize,
            ) {
                assert_eq!((a.rows, b.columns), (c.nrows(), columns), "shape of the product");
                assert!(a.columns == b.rows && columns <= c.ncols(), "inner size of the product");
                assert_eq!(a.data.len(), a.rows * a.columns);
                assert_eq!(b.data.len(), b.rows * b.columns);
                let rows = c.nrows() as isize;
                #[allow(unsafe_code, reason = "the matrix product takes pointers")]
                // SAFETY: `a` and `b` hold exactly rows × columns elements behind their strides, `c` has at least
                // `columns` columns of `rows` elements, and is borrowed exclusively.
                unsafe {
                    $gemm(
                        a.rows,
                        a.columns,
                        b.columns,
                        1.0,
                        a.data.as_ptr(),
                        a.row_stride as isize,
                        a.column_stride as isize,
                        b.data.as_ptr(),
                        b.row_stride as isize,
                        b.column_stride as isize,
                        beta,
                        c.as_mut_slice().as_mut_ptr(),
                        1,
                        rows,
                    );
                }
            }
        }
    };
}

real!(f32, matrixmultiply::sgemm);
real!(f64, matrixmultiply::dgemm);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equals_the_product_of_nalgebra() {
        let a = DMatrix::from_fn(5, 3, |r, c| (r * 3 + c) as f64 - 6.0);
        let b = DMatrix::from_fn(5, 4, |r, c| (r + 2 * c) as f64 / 4.0);
        let mut c = DMatrix::from_element(3, 4, 1.0);
        f64::gemm(Operand::all(&a).transposed(), Operand::first(&b, 3), 2.0, &mut c, 3);
        let expected = a.transpose() * b.columns(0, 3) + DMatrix::from_element(3, 3, 2.0);
        assert!((c.columns(0, 3) - expected).amax() < 1e-12);
        assert_eq!(c.column(3).as_slice(), [1.0; 3], "a column outside the product stays");

        let (a, b) = (a.map(|a| a as f32), b.map(|b| b as f32));
        let mut c = DMatrix::zeros(3, 4);
        f32::gemm(Operand::all(&a).transposed(), Operand::all(&b), 0.0, &mut c, 4);
        assert!((c - a.transpose() * b).amax() < 1e-4);
    }
}
