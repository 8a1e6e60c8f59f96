//! A teacher's probabilities as labels.

use core::marker::PhantomData;

use super::{Loss, copy, maximum, softmax};
use crate::fast::{Exp, Libm};
use crate::scalar::Scalar;

/// Soft labels (Hinton, Vinyals and Dean 2015): `α·T²·KL(q‖p) + (1−α)·CE(y, softmax(z))`,
/// `p = softmax(z/T)`, `q = softmax(v/T)`.
///
/// The factor T² keeps the gradient's size when T changes (section 2 there).
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct SoftLabels<T = f32> {
    /// T > 0: higher softens more.
    pub temperature: T,
    /// α in [0, 1]: the weight of the teacher's term; the label's has 1 − α.
    pub alpha: T,
}

/// The target of [`SoftLabels`].
#[derive(Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Soft<'a, Y: ?Sized = [f32]> {
    /// The teacher's logits `v`, one a class: `[T; C]` beside a typed network, `[T]` at run time.
    pub teacher: &'a Y,
    /// The class, if it is known. Without it the cross-entropy is left out, and the teacher's term keeps its weight α.
    pub label: Option<usize>,
}

// Not derived: a reference is copied, whatever it leads to.
impl<Y: ?Sized> Clone for Soft<'_, Y> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<Y: ?Sized> Copy for Soft<'_, Y> {}

impl SoftLabels {
    /// T = 2, α = 0.9: works untuned.
    pub const DEFAULT: SoftLabels = SoftLabels { temperature: 2.0, alpha: 0.9 };
}

impl<T: Scalar, Y: AsRef<[T]> + ?Sized> Loss<T, Y> for SoftLabels<T> {
    type Target<'a>
        = Soft<'a, Y>
    where
        Y: 'a;

    fn gradient(&self, z: &[T], target: Soft<'_, Y>, dz: &mut [T], work: &mut [T]) -> T {
        let SoftLabels { temperature: t, alpha } = *self;
        let teacher = target.teacher.as_ref();
        copy(work, teacher);
        let log_sum_q = softmax(work, t);
        copy(dz, z);
        let log_sum_p = softmax(dz, t);
        // ln q − ln p from the logits, which stays finite where q or p underflow.
        let (top_z, top_v) = (maximum(z), maximum(teacher));
        let mut divergence = log_sum_p - log_sum_q;
        for ((&q, &v), &z) in work.iter().zip(teacher).zip(z) {
            divergence += q * (((v - top_v) - (z - top_z)) / t);
        }
        for (dz, &q) in dz.iter_mut().zip(work.iter()) {
            *dz = alpha * t * (*dz - q);
        }
        let soft = alpha * t * t * divergence;

        let hard_share = T::ONE - alpha;
        let Some((label, &own)) = target.label.and_then(|label| Some((label, z.get(label)?))) else {
            return soft;
        };
        copy(work, z);
        let log_sum = softmax(work, T::ONE);
        if let Some(work) = work.get_mut(label) {
            *work -= T::ONE;
        }
        for (dz, &hard) in dz.iter_mut().zip(work.iter()) {
            *dz += hard_share * hard;
        }
        soft + hard_share * (log_sum - (own - top_z))
    }
}

/// Cross-entropy with probabilities, such as those of a teacher, stored with the sample: `−Σ q_c·ln softmax(z)_c`, the target
/// `q` adding up to 1.
///
/// [`SoftLabels`] at T = 1, α = 1, but for the teacher's own entropy, which is no matter of the student, and much less work:
/// one softmax instead of two. By [`Quartic`](crate::fast::Quartic) it is less still.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SoftCrossEntropy<E = Libm>(PhantomData<E>);

impl<E> SoftCrossEntropy<E> {
    /// The loss.
    pub const NEW: Self = SoftCrossEntropy(PhantomData);
}

impl<E: Exp, T: Scalar, Y: AsRef<[T]> + ?Sized> Loss<T, Y> for SoftCrossEntropy<E> {
    type Target<'a>
        = &'a Y
    where
        Y: 'a;

    #[inline]
    fn gradient(&self, z: &[T], target: &Y, dz: &mut [T], _work: &mut [T]) -> T {
        let top = maximum(z);
        let (mut sum, mut likelihood) = (T::ZERO, T::ZERO);
        for ((dz, &z), &q) in dz.iter_mut().zip(z).zip(target.as_ref()) {
            let below = z - top;
            likelihood += q * below;
            *dz = E::decay(below);
            sum += *dz;
        }
        let share = T::ONE / sum;
        for (dz, &q) in dz.iter_mut().zip(target.as_ref()) {
            *dz = *dz * share - q;
        }
        E::ln(sum) - likelihood
    }
}
