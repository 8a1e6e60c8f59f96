//! Kernel machine with a Gaussian kernel.

use microdistill::scalar::Scalar;
use nalgebra::DMatrix;

use crate::network::batched::{Operand, Real};

/// Kernel machine: output k of a row x is `offset_k + Σ_i coefficients_ki · exp(−gamma·|x − landmark_i|²)`.
#[derive(Clone, Debug, PartialEq)]
pub struct Kernel {
    /// Standardized rows, shape (inputs × landmarks).
    pub landmarks: DMatrix<f32>,
    /// Coefficients, shape (outputs × landmarks).
    pub coefficients: DMatrix<f32>,
    /// Offset of each output.
    pub offset: Vec<f32>,
    /// Reciprocal of the squared width of the kernel.
    pub gamma: f32,
}

impl Kernel {
    /// Returns the number of stored numbers.
    pub fn parameters(&self) -> usize {
        self.landmarks.len() + self.coefficients.len() + self.offset.len() + 1
    }

    /// Computes the outputs for standardized rows, shape (inputs × rows).
    pub(super) fn predict(&self, x: &DMatrix<f32>) -> DMatrix<f32> {
        let similar = gaussian(&squared_distances(&self.landmarks, x), self.gamma);
        let offset = |output: usize, _| self.offset[output];
        let mut outputs = DMatrix::from_fn(self.offset.len(), x.ncols(), offset);
        let columns = x.ncols();
        f32::gemm(Operand::all(&self.coefficients), Operand::all(&similar), 1.0, &mut outputs, columns);
        outputs
    }

    /// Checks shapes and numbers for this number of features. An error names the tensor without its prefix.
    pub(crate) fn check(&self, features: usize) -> Result<(), String> {
        let (inputs, landmarks) = self.landmarks.shape();
        if inputs != features || landmarks == 0 {
            return Err(format!(
                "kernel.landmarks has {landmarks} rows of {inputs} values, but the model has {features} features"
            ));
        }
        let (shape, outputs) = (self.coefficients.shape(), self.offset.len());
        if shape != (outputs, landmarks) {
            return Err(format!(
                "kernel.coefficients has the shape ({}, {}), but there are {landmarks} landmarks and {outputs} outputs",
                shape.1, shape.0
            ));
        }
        if !(self.gamma.is_finite() && self.gamma >= 0.0) {
            return Err(format!("kernel.gamma holds {}: it must be at least 0", self.gamma));
        }
        Ok(())
    }
}

/// Returns the squared distances of all columns of `a` and `b`, shape (columns of a × columns of b).
pub(crate) fn squared_distances(a: &DMatrix<f32>, b: &DMatrix<f32>) -> DMatrix<f32> {
    let norms = |m: &DMatrix<f32>| m.column_iter().map(|x| x.norm_squared()).collect::<Vec<f32>>();
    let (a_norms, b_norms) = (norms(a), norms(b));
    let mut products = DMatrix::zeros(a.ncols(), b.ncols());
    f32::gemm(Operand::all(a).transposed(), Operand::all(b), 0.0, &mut products, b.ncols());
    for (mut column, b_norm) in products.column_iter_mut().zip(b_norms) {
        for (product, a_norm) in column.iter_mut().zip(&a_norms) {
            *product = (a_norm + b_norm - 2.0 * *product).max(0.0);
        }
    }
    products
}

/// Returns `exp(−gamma·d)` for every squared distance d.
pub(crate) fn gaussian(distances: &DMatrix<f32>, gamma: f32) -> DMatrix<f32> {
    distances.map(|distance| Scalar::exp(-gamma * distance))
}
