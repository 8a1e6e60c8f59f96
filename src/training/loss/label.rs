//! Hard labels.

use super::{Loss, copy, maximum, softmax};
use crate::scalar::Scalar;

/// Cross-entropy with a hard label: `−ln softmax(z)_y`.
///
/// The target is the class, in `0..C`; another number has no class to be compared with: loss and gradient are zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct CrossEntropy;

impl<T: Scalar, Y: ?Sized> Loss<T, Y> for CrossEntropy {
    type Target<'a>
        = usize
    where
        Y: 'a;

    fn gradient(&self, z: &[T], label: usize, dz: &mut [T], _work: &mut [T]) -> T {
        let Some(&own) = z.get(label) else {
            dz.fill(T::ZERO);
            return T::ZERO;
        };
        copy(dz, z);
        let log_sum = softmax(dz, T::ONE);
        if let Some(dz) = dz.get_mut(label) {
            *dz -= T::ONE;
        }
        log_sum - (own - maximum(z))
    }
}

/// Cross-entropy with a smoothed label (Szegedy et al. 2016, section 7): `−Σ t_c·ln softmax(z)_c`,
/// `t = (1−ε)·onehot(y) + ε/C`.
///
/// The target is the class, as for [`CrossEntropy`], which this is for ε = 0.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct SmoothedCrossEntropy<T = f32> {
    /// ε in [0, 1]: the share of the label that is spread over all classes.
    pub smoothing: T,
}

impl<T: Scalar, Y: ?Sized> Loss<T, Y> for SmoothedCrossEntropy<T> {
    type Target<'a>
        = usize
    where
        Y: 'a;

    fn gradient(&self, z: &[T], label: usize, dz: &mut [T], work: &mut [T]) -> T {
        let loss = Loss::<T, Y>::gradient(&CrossEntropy, z, label, dz, work);
        loss + smooth(self.smoothing, z, label, dz)
    }
}

/// Turns the gradient `dz` of a cross-entropy with the hard `label` into the one with the label smoothed by `smoothing`, ε, and
/// returns what that adds to the loss: `ε·(z_y − mean(z))`.
///
/// `z`, `dz`: shape (C). A label outside of `0..C` changes nothing. For a loss in which the label has a share, ε is that share
/// of the smoothing.
pub fn smooth<T: Scalar>(smoothing: T, z: &[T], label: usize, dz: &mut [T]) -> T {
    let (Some(&own), Some(own_gradient)) = (z.get(label), dz.get_mut(label)) else { return T::ZERO };
    *own_gradient += smoothing;
    let classes = T::from_count(z.len());
    let others = smoothing / classes;
    dz.iter_mut().for_each(|dz| *dz -= others);
    let mut sum = T::ZERO;
    z.iter().for_each(|&z| sum += z);
    smoothing * (own - sum / classes)
}
