//! Two classes by one logit: `σ(z)` is the probability of the class `true`.
//!
//! `z`, `dz` and `work` have one element each; further ones get no gradient.

use super::Loss;
use crate::activation::sigmoid;
use crate::scalar::Scalar;

/// Cross-entropy of one logit with a hard label: `ln(1 + exp z) − y·z`, gradient `σ(z) − y`.
///
/// The target is the class, `y` = 1 for `true`, 0 for `false`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct BinaryCrossEntropy;

impl<T: Scalar, Y: ?Sized> Loss<T, Y> for BinaryCrossEntropy {
    type Target<'a>
        = bool
    where
        Y: 'a;

    fn gradient(&self, z: &[T], label: bool, dz: &mut [T], _work: &mut [T]) -> T {
        let (loss, gradient) = cross_entropy(first(z), label);
        write(dz, gradient);
        loss
    }
}

/// Value and gradient of the cross-entropy of the logit `z`.
fn cross_entropy<T: Scalar>(z: T, label: bool) -> (T, T) {
    if label { (softplus(-z), sigmoid(z) - T::ONE) } else { (softplus(z), sigmoid(z)) }
}

/// `KL(q‖p) = q·(a − b) + ln(1 + exp b) − ln(1 + exp a)` of `q = σ(a)`, `p = σ(b)`.
///
/// The divergence is that of `−a` and `−b`, too: with `a` below zero the sums stay small.
pub(super) fn divergence<T: Scalar>(a: T, b: T) -> T {
    let (a, b) = if a > T::ZERO { (-a, -b) } else { (a, b) };
    sigmoid(a) * (a - b) + softplus(b) - softplus(a)
}

/// `ln(1 + exp z)`, by `exp(−|z|)`, which cannot overflow.
fn softplus<T: Scalar>(z: T) -> T {
    if z > T::ZERO { z + (T::ONE + (-z).exp()).ln() } else { (T::ONE + z.exp()).ln() }
}

fn first<T: Scalar>(z: &[T]) -> T {
    z.first().copied().unwrap_or(T::ZERO)
}

fn write<T: Scalar>(dz: &mut [T], gradient: T) {
    dz.fill(T::ZERO);
    if let Some(dz) = dz.first_mut() {
        *dz = gradient;
    }
}
