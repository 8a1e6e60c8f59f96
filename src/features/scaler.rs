//! From raw features to what a network was trained on.

use crate::layer::Array;
use crate::scalar::{Element, Scalar};

/// The first step of every inference: raw features in, the network's input out.
pub trait Prepare<const I: usize> {
    /// The network's input.
    type Output: Array;

    /// Maps raw features, in the units of the data set, to the network's input.
    fn apply(&self, raw: &[f32; I]) -> Self::Output;
}

/// `(x − mean)·scale` for each feature, `scale = 1 / std`, rounded once where it was fitted.
///
/// Mean and standard deviation are those of the training rows.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Scaler<const I: usize> {
    /// In the feature's unit.
    pub mean: [f32; I],
    /// In one over the feature's unit; zero switches a feature off.
    pub scale: [f32; I],
}

impl<const I: usize> Scaler<I> {
    /// A scaler with these constants.
    pub const fn new(mean: [f32; I], scale: [f32; I]) -> Self {
        Scaler { mean, scale }
    }

    /// Applies `code` to each standardized feature. They are taken one by one, so that no array of them takes
    /// stack.
    #[inline]
    pub(crate) fn codes<T: Element>(&self, raw: &[f32; I], code: impl Fn(f32) -> T) -> [T; I] {
        let mut codes = [T::ZERO; I];
        for (((to, &x), &mean), &scale) in codes.iter_mut().zip(raw).zip(&self.mean).zip(&self.scale) {
            let mut x = [x];
            standardize(&mut x, &[mean], &[scale]);
            *to = code(x[0]);
        }
        codes
    }
}

impl<const I: usize> Prepare<I> for Scaler<I> {
    type Output = [f32; I];

    fn apply(&self, raw: &[f32; I]) -> [f32; I] {
        let mut x = *raw;
        standardize(&mut x, &self.mean, &self.scale);
        x
    }
}

/// `x ← (x − mean)·scale`, feature by feature.
pub fn standardize<T: Scalar>(x: &mut [T], mean: &[T], scale: &[T]) {
    for ((x, &mean), &scale) in x.iter_mut().zip(mean).zip(scale) {
        *x = (*x - mean) * scale;
    }
}
