//! Soft labels, taken apart.

use super::binary::divergence;
use super::{CrossEntropy, Loss, Soft, SoftLabels, copy};
use crate::activation::sigmoid;
use crate::scalar::Scalar;

/// Decoupled soft labels (Zhao et al. 2022, equation 8): `T²·(α·TCKD + β·NCKD) + (1−α)·CE(y, softmax(z))`.
///
/// `TCKD = KL(b(q)‖b(p))` is of the label's class `y` against all others together, `b(p) = (p_y, 1 − p_y)`;
/// `NCKD = KL(q̂‖p̂)` of the others among themselves, `p̂_c = p_c / (1 − p_y)`; `p` and `q` are those of [`SoftLabels`].
/// There the second counts `α·(1 − q_y)`, and so the less, the surer the teacher is; here β, whatever the row.
///
/// With two classes there is one other, NCKD is 0, and nothing is left to be decoupled. The paper's weights α′, β′ beside a
/// cross-entropy that counts 1 are α = α′/(1 + α′) and β = β′/(1 + α′), the loss divided by 1 + α′.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct DecoupledSoftLabels<T = f32> {
    /// T > 0: higher softens more.
    pub temperature: T,
    /// α in [0, 1]: the share of the teacher in what the label's class gets.
    pub alpha: T,
    /// β ≥ 0: what the teacher's other classes count.
    pub beta: T,
}

impl DecoupledSoftLabels {
    /// T = 4, α = ½, β = 4: the paper's 1 and 8 beside a cross-entropy of 1, as it has them for CIFAR-100.
    pub const DEFAULT: DecoupledSoftLabels = DecoupledSoftLabels { temperature: 4.0, alpha: 0.5, beta: 4.0 };
}

/// Without a label, or without a class beside it, nothing can be decoupled: [`SoftLabels`] with the same T and α.
impl<T: Scalar, Y: AsRef<[T]> + ?Sized> Loss<T, Y> for DecoupledSoftLabels<T> {
    type Target<'a>
        = Soft<'a, Y>
    where
        Y: 'a;

    fn gradient(&self, z: &[T], target: Soft<'_, Y>, dz: &mut [T], work: &mut [T]) -> T {
        let DecoupledSoftLabels { temperature: t, alpha, beta } = *self;
        let Some(label) = target.label.filter(|&label| label < z.len() && z.len() > 1) else {
            let whole = SoftLabels { temperature: t, alpha };
            return whole.gradient(z, Soft { label: None, ..target }, dz, work);
        };
        let v = target.teacher.as_ref();
        copy(work, v);
        let teacher = Others::softmax(work, label, t);
        copy(dz, z);
        let student = Others::softmax(dz, label, t);
        let mut non_target = student.log_sum - teacher.log_sum;
        for (class, ((&q, &v), &z)) in work.iter().zip(v).zip(z).enumerate() {
            if class != label {
                non_target += q * (((v - teacher.top) - (z - student.top)) / t);
            }
        }
        let soft = t * t * (alpha * divergence(teacher.odds, student.odds) + beta * non_target);
        let own = alpha * t * (sigmoid(student.odds) - sigmoid(teacher.odds));
        for (class, (dz, &q)) in dz.iter_mut().zip(work.iter()).enumerate() {
            // The label's own element is zero in both.
            *dz = if class == label { own } else { beta * t * (*dz - q) - own * *dz };
        }
        let share = T::ONE - alpha;
        let hard = Loss::<T, Y>::gradient(&CrossEntropy, z, label, work, &mut []);
        for (dz, &hard) in dz.iter_mut().zip(work.iter()) {
            *dz += share * hard;
        }
        soft + share * hard
    }
}

/// The classes beside the label's.
struct Others<T> {
    /// The largest of their logits.
    top: T,
    /// `ln Σ exp((z_c − top)/T)`
    log_sum: T,
    /// The label's logit against all of theirs: `z_y/T − ln Σ exp(z_c/T)`, so that `p_y` is its sigmoid.
    odds: T,
}

impl<T: Scalar> Others<T> {
    /// `z_c ← exp(z_c/T) / Σ exp(z_c/T)` over all classes but the label's, whose element becomes zero.
    fn softmax(z: &mut [T], label: usize, temperature: T) -> Self {
        let own = z.get(label).copied().unwrap_or(T::ZERO);
        let others = z.iter().enumerate().filter(|(class, _)| *class != label);
        let top = others.map(|(_, &z)| z).reduce(|top, z| if z > top { z } else { top }).unwrap_or(own);
        let mut sum = T::ZERO;
        for (class, z) in z.iter_mut().enumerate() {
            *z = if class == label { T::ZERO } else { ((*z - top) / temperature).exp() };
            sum += *z;
        }
        for z in z {
            *z /= sum;
        }
        let log_sum = sum.ln();
        Others { top, log_sum, odds: (own - top) / temperature - log_sum }
    }
}
