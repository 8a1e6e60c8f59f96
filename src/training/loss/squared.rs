//! Squared differences.

use core::marker::PhantomData;

use super::{Centered, Head, Linear, Loss, Softmax, copy};
use crate::scalar::Scalar;

/// Mean squared difference of outputs, the original form of distillation: `1/C Σ (f(v) − f(z))²` with the head `f`.
///
/// The target is the teacher's logits, one a class; for regression (head [`Linear`]) the teacher's or the measured values.
/// The gradient runs through the head: `∂L/∂f_c = 2/C (f(z) − f(v))_c`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutputMse<H = Softmax>(PhantomData<H>);

/// Mean squared difference of logits (Ba and Caruana 2014, equation 1, over C): `1/C Σ (v − z)²`, gradient `2/C (z − v)`.
///
/// The target is the teacher's logits, one a class. Unlike [`SoftLabels`](super::SoftLabels) it holds the student to
/// the logits' mean too, which no probability depends on.
pub type LogitMse = OutputMse<Linear>;

/// [`LogitMse`] of logits minus their mean, which is all that probabilities depend on: a student need not learn the rest.
///
/// At high temperatures [`SoftLabels`](super::SoftLabels) with α = 1 are half of it (Hinton, Vinyals and Dean 2015, section 2.1).
pub type CenteredLogitMse = OutputMse<Centered>;

impl<H> OutputMse<H> {
    /// The loss for the head `H`.
    pub const fn new() -> Self {
        OutputMse(PhantomData)
    }
}

impl<T: Scalar, H: Head, Y: AsRef<[T]> + ?Sized> Loss<T, Y> for OutputMse<H> {
    type Target<'a>
        = &'a Y
    where
        Y: 'a;

    fn gradient(&self, z: &[T], teacher: &Y, dz: &mut [T], work: &mut [T]) -> T {
        copy(work, z);
        H::apply(work);
        copy(dz, teacher.as_ref());
        H::apply(dz);
        let classes = T::from_count(z.len());
        let mut loss = T::ZERO;
        for (dz, &y) in dz.iter_mut().zip(work.iter()) {
            let difference = y - *dz;
            loss += difference * difference;
            *dz = T::TWO * difference / classes;
        }
        H::backward(work, dz);
        loss / classes
    }
}
