//! Losses and their gradients in the student's logits `z`; `v` are the teacher's logits, `C` the number of classes.
//!
//! | loss | value | gradient in `z` |
//! |---|---|---|
//! | [`OutputMse`] | `1/C Σ (f(v) − f(z))²` | through the output head `f` |
//! | [`LogitMse`] | `1/C Σ (v − z)²` | `2/C (z − v)` |
//! | [`CenteredLogitMse`] | the same of logits minus their mean | `2/C (z − mean(z) − v + mean(v))` |
//! | [`CrossEntropy`] | `−ln softmax(z)_y` | `softmax(z) − onehot(y)` |
//! | [`SmoothedCrossEntropy`] | `−Σ t·ln softmax(z)`, `t = (1−ε)·onehot(y) + ε/C` | `softmax(z) − t` |
//! | [`SoftLabels`] | `α·T²·KL(q‖p) + (1−α)·CE` | `α·T·(p − q) + (1−α)·(softmax(z) − onehot(y))` |
//! | [`DecoupledSoftLabels`] | `T²·(α·TCKD + β·NCKD) + (1−α)·CE` | `T·(α·(p_y − q_y)·s + β·(p̂ − q̂)) + (1−α)·(softmax(z) − onehot(y))`, `s = onehot(y) − p̂` |
//! | [`SoftCrossEntropy`] | `−Σ q·ln softmax(z)` | `softmax(z) − q` |
//! | [`BinaryCrossEntropy`] | `ln(1 + exp z) − y·z` | `σ(z) − y` |
//!
//! `KL(q‖p) = Σ q·ln(q/p)` has the teacher's `q` first, so that the student covers all that the teacher holds possible. Its
//! gradient is `1/T` times a difference of probabilities, which for large T shrink by another 1/T: T² gives both back.
//! Batches are averaged by whoever updates: [`Distiller`](crate::Distiller).

mod binary;
mod decoupled;
mod head;
mod label;
mod soft;
mod squared;

pub use binary::BinaryCrossEntropy;
pub use decoupled::DecoupledSoftLabels;
pub use head::{Centered, Head, Linear, Softmax, log_softmax, softmax};
pub use label::{CrossEntropy, SmoothedCrossEntropy, smooth};
pub use soft::{Soft, SoftCrossEntropy, SoftLabels};
pub use squared::{CenteredLogitMse, LogitMse, OutputMse};

use crate::scalar::Scalar;

/// A loss over one sample of a network whose outputs are a `Y`: an array, so that a teacher of another width does not
/// compile, or a slice where widths are known at run time.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a loss of outputs `{Y}` of `{T}`",
    label = "not a loss of these outputs",
    note = "`microdistill::loss` has the losses; a loss with numbers, as `SoftLabels`, has those of the student's type"
)]
pub trait Loss<T: Scalar, Y: ?Sized = [T]> {
    /// The target that the student is compared with.
    type Target<'a>: Copy
    where
        Y: 'a;

    /// Writes ∂L/∂z to `dz` and returns the loss.
    ///
    /// `z`, `dz` and `work` have one element a class; `work` is overwritten.
    fn gradient(&self, z: &[T], target: Self::Target<'_>, dz: &mut [T], work: &mut [T]) -> T;
}

/// The largest of `z`; NaN only if it comes first.
pub(crate) fn maximum<T: Scalar>(z: &[T]) -> T {
    let first = z.first().copied().unwrap_or(T::ZERO);
    z.iter().fold(first, |top, &z| if z > top { z } else { top })
}

fn copy<T: Copy>(to: &mut [T], from: &[T]) {
    for (to, &from) in to.iter_mut().zip(from) {
        *to = from;
    }
}
