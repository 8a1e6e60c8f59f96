//! Weights and activations as matrices of nalgebra (feature `nalgebra`): no copy, no heap.
//!
//! ```
//! use microdistill::Dense;
//! use microdistill::activation::Identity;
//! use microdistill::view::column;
//!
//! let layer = Dense::<3, 2, Identity>::new([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], [0.5, -0.5]);
//! let x = [1.0, 0.0, -1.0];
//! let y = layer.weights_view().tr_mul(&column(&x)) + layer.bias_view();
//! assert_eq!(y.as_slice(), [-1.5, -2.5]);
//! ```
//!
//! nalgebra is column-major: (O, I) row-major weights are its (I × O) matrix, the transpose. A view with strided rows
//! would be the matrix itself, but the products of nalgebra 0.35 run beyond the end of such views. Weights that lie
//! [`ByInput`] are the matrix itself: `weights_view() * column(&x)`.
//!
//! Places of a mutable view never alias. nalgebra checks that all the same, so that firmware with mutable views of several
//! shapes links the check and its panics.

use nalgebra::{Const, MatrixView, MatrixViewMut, Scalar, VectorView};

use crate::dense::Dense;
use crate::layout::{ByInput, ByOutput};

/// An array as a column vector, shape (N × 1).
pub fn column<T: Scalar, const N: usize>(x: &[T; N]) -> VectorView<'_, T, Const<N>> {
    VectorView::from_slice_generic(x, Const, Const)
}

impl<const I: usize, const O: usize, A, T: Scalar + Copy> Dense<I, O, A, T, ByOutput> {
    /// The transpose of the weights, shape (I × O): `weights·x` is `weights_view().tr_mul(&x)`.
    pub fn weights_view(&self) -> MatrixView<'_, T, Const<I>, Const<O>> {
        MatrixView::from_slice_generic(self.weights(), Const, Const)
    }

    /// The transpose of the weights to be changed, shape (I × O).
    pub fn weights_view_mut(&mut self) -> MatrixViewMut<'_, T, Const<I>, Const<O>> {
        MatrixViewMut::from_slice_generic(self.weights_mut(), Const, Const)
    }
}

impl<const I: usize, const O: usize, A, T: Scalar + Copy> Dense<I, O, A, T, ByInput> {
    /// The weights, shape (O × I): `weights·x` is `weights_view() * x`.
    pub fn weights_view(&self) -> MatrixView<'_, T, Const<O>, Const<I>> {
        MatrixView::from_slice_generic(self.weights(), Const, Const)
    }

    /// The weights to be changed, shape (O × I).
    pub fn weights_view_mut(&mut self) -> MatrixViewMut<'_, T, Const<O>, Const<I>> {
        MatrixViewMut::from_slice_generic(self.weights_mut(), Const, Const)
    }
}

impl<const I: usize, const O: usize, A, T: Scalar, L> Dense<I, O, A, T, L> {
    /// The bias as a column vector, shape (O × 1).
    pub fn bias_view(&self) -> VectorView<'_, T, Const<O>> {
        column(&self.bias)
    }
}
