//! From raw features to what a network was trained on, and the rule for missing values.
//!
//! **A feature that is not finite is missing, and becomes the mean of the training rows**: after standardization, zero.
//! NaN and ±∞ are not finite, nor is a number whose standardized value is beyond the range of its type. The rule is the same
//! for f32, int8 and int4 networks, in inference and in learning, on devices and on the desktop, to the bit: a network never
//! sees a number that is not finite.
//!
//! | Cortex-M4F, `opt-level = "s"` | instructions per feature | of these for the rule |
//! |---|---|---|
//! | [`Scaler`] | 17 to 22 | 5 to 10 |
//! | [`Quantize`](crate::quant::Quantize) | 44 | 6 |
//!
//! The rule itself is 5 instructions. The larger figures include a copy of the row, which depends on what the compiler inlines.
//!
//! [`Strict`] refuses such rows instead.

use crate::layer::Array;
use crate::scalar::{Element, Scalar};

/// The first step of every inference: raw features in, the network's input out.
pub trait Prepare<const I: usize> {
    /// The network's input.
    type Output: Array;

    /// Maps raw features, in the units of the data set, to the network's input. Missing features become the mean, by the
    /// [rule](self) of the crate.
    fn apply(&self, raw: &[f32; I]) -> Self::Output;

    /// Index of the first missing feature.
    fn missing(&self, raw: &[f32; I]) -> Option<usize> {
        raw.iter().position(|x| !x.is_finite())
    }
}

/// `(x − mean)·scale` for each feature, `scale = 1 / std`, rounded once where it was fitted; zero for a
/// [missing](self) feature.
///
/// Mean and standard deviation are those of the training rows.
///
/// ```
/// use microdistill::{Prepare, Scaler};
///
/// let scaler = Scaler::new([20.0, 1000.0], [0.5, 0.1]);
/// assert_eq!(scaler.apply(&[24.0, f32::NAN]), scaler.apply(&[24.0, 1000.0]));
/// ```
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
            *to = code(relative(x, mean, scale).finite_or_zero());
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

    fn missing(&self, raw: &[f32; I]) -> Option<usize> {
        missing(raw, &self.mean, &self.scale)
    }
}

/// `x ← (x − mean)·scale`, feature by feature; zero for a [missing](self) one.
pub fn standardize<T: Scalar>(x: &mut [T], mean: &[T], scale: &[T]) {
    for ((x, &mean), &scale) in x.iter_mut().zip(mean).zip(scale) {
        *x = relative(*x, mean, scale).finite_or_zero();
    }
}

/// Index of the first [missing](self) feature of `raw`.
pub fn missing(raw: &[f32], mean: &[f32], scale: &[f32]) -> Option<usize> {
    let mut features = raw.iter().zip(mean).zip(scale);
    features.position(|((&x, &mean), &scale)| !relative(x, mean, scale).is_finite())
}

#[inline]
fn relative<T: Scalar>(x: T, mean: T, scale: T) -> T {
    (x - mean) * scale
}

/// A [`Scaler`] or a [`Quantize`](crate::quant::Quantize) that refuses rows with missing features instead of taking
/// the mean for them. It takes about as long again as the one it wraps.
///
/// ```
/// use microdistill::scaler::{Missing, Strict};
/// use microdistill::{Prepare, Scaler};
///
/// static INPUT: Scaler<2> = Scaler::new([20.0, 1000.0], [0.5, 0.1]);
///
/// assert_eq!(Strict(&INPUT).apply(&[24.0, 1010.0]), Ok([2.0, 1.0]));
/// assert_eq!(Strict(&INPUT).apply(&[24.0, f32::NAN]), Err(Missing { feature: 1 }));
/// assert_eq!(INPUT.apply(&[24.0, f32::NAN]), [2.0, 0.0]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Strict<'a, P>(pub &'a P);

impl<P> Strict<'_, P> {
    /// The network's input for a row without missing features.
    ///
    /// # Errors
    /// Fails if a feature is [missing](self).
    pub fn apply<const I: usize>(&self, raw: &[f32; I]) -> Result<P::Output, Missing>
    where
        P: Prepare<I>,
    {
        match self.0.missing(raw) {
            Some(feature) => Err(Missing { feature }),
            None => Ok(self.0.apply(raw)),
        }
    }
}

/// A feature that is not finite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Missing {
    /// Index of the first one in the row, from 0.
    pub feature: usize,
}

impl core::fmt::Display for Missing {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "feature {} is missing: its value is not a finite number", self.feature)
    }
}

impl core::error::Error for Missing {}
