//! Losses and their gradients in the student's logits `z`; `v` are the teacher's logits, `C` the number of classes.
//!
//! | loss | value | gradient in `z` |
//! |---|---|---|
//! | [`OutputMse`] | `1/C Σ (f(v) − f(z))²` | through the output head `f` |
//! | [`CrossEntropy`] | `−ln softmax(z)_y` | `softmax(z) − onehot(y)` |
//! | [`SoftLabels`] | `α·T²·KL(q‖p) + (1−α)·CE` | `α·T·(p − q) + (1−α)·(softmax(z) − onehot(y))` |

use core::marker::PhantomData;

use crate::scalar::Scalar;

/// A loss over one sample.
pub trait Loss<T: Scalar> {
    /// What the student is held against.
    type Target<'a>: Copy;

    /// Writes ∂L/∂z to `dz` and returns the loss.
    ///
    /// `z`, `dz` and `work` have one element a class; `work` is overwritten.
    fn gradient(&self, z: &[T], target: Self::Target<'_>, dz: &mut [T], work: &mut [T]) -> T;
}

/// What turns logits into the network's output.
pub trait Head {
    /// `f(z)`, in place.
    fn apply<T: Scalar>(z: &mut [T]);
    /// `∂L/∂z` from `y = f(z)` and `∂L/∂y`, in place.
    fn backward<T: Scalar>(y: &[T], dy: &mut [T]);
}

/// Logits are the output: regression.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Linear;

/// Softmax turns logits into probabilities: classification.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Softmax;

impl Head for Linear {
    fn apply<T: Scalar>(_z: &mut [T]) {}
    fn backward<T: Scalar>(_y: &[T], _dy: &mut [T]) {}
}

impl Head for Softmax {
    fn apply<T: Scalar>(z: &mut [T]) {
        softmax(z, T::ONE);
    }
    /// `dz_c = y_c (dy_c − Σ y·dy)`
    fn backward<T: Scalar>(y: &[T], dy: &mut [T]) {
        let mean = y.iter().zip(dy.iter()).fold(T::ZERO, |sum, (&y, &dy)| sum + y * dy);
        for (dy, &y) in dy.iter_mut().zip(y) {
            *dy = y * (*dy - mean);
        }
    }
}

/// `z ← softmax(z / T)`, in place; `temperature` > 0. Returns `ln Σ exp((z − max z) / T)`.
pub fn softmax<T: Scalar>(z: &mut [T], temperature: T) -> T {
    let top = maximum(z);
    let mut sum = T::ZERO;
    for z in z.iter_mut() {
        *z = ((*z - top) / temperature).exp();
        sum += *z;
    }
    for z in z {
        *z /= sum;
    }
    sum.ln()
}

fn maximum<T: Scalar>(z: &[T]) -> T {
    let first = z.first().copied().unwrap_or(T::ZERO);
    z.iter().fold(first, |top, &z| if z > top { z } else { top })
}

/// Mean squared difference of outputs, the original form of distillation: `1/C Σ (f(v) − f(z))²` with the head `f`.
///
/// The target is the teacher's logits, one a class; for regression (head [`Linear`]) the teacher's or the measured values.
/// The gradient runs through the head: `∂L/∂f_c = 2/C (f(z) − f(v))_c`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutputMse<H = Softmax>(PhantomData<H>);

impl<H> OutputMse<H> {
    /// The loss for the head `H`.
    pub const fn new() -> Self {
        OutputMse(PhantomData)
    }
}

impl<T: Scalar, H: Head> Loss<T> for OutputMse<H> {
    type Target<'a> = &'a [T];

    fn gradient(&self, z: &[T], teacher: &[T], dz: &mut [T], work: &mut [T]) -> T {
        copy(work, z);
        H::apply(work);
        copy(dz, teacher);
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

/// Cross-entropy with a hard label: `−ln softmax(z)_y`.
///
/// The target is the class, in `0..C`; another number has no class to be compared with: loss and gradient are zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CrossEntropy;

impl<T: Scalar> Loss<T> for CrossEntropy {
    type Target<'a> = usize;

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

/// Soft labels (Hinton, Vinyals and Dean 2015): `α·T²·KL(q‖p) + (1−α)·CE(y, softmax(z))`,
/// `p = softmax(z/T)`, `q = softmax(v/T)`.
///
/// The factor T² keeps the gradient's size when T changes (section 2 there).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SoftLabels<T = f32> {
    /// T > 0: higher softens more.
    pub temperature: T,
    /// α in [0, 1]: the share of the teacher.
    pub alpha: T,
}

/// What [`SoftLabels`] holds a student against.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Soft<'a, T = f32> {
    /// The teacher's logits `v`, one a class.
    pub teacher: &'a [T],
    /// The class, if it is known. Without one the cross-entropy drops out and α stays as it is.
    pub label: Option<usize>,
}

impl SoftLabels {
    /// T = 2, α = 0.9: works untuned.
    pub const DEFAULT: SoftLabels = SoftLabels { temperature: 2.0, alpha: 0.9 };
}

impl<T: Scalar> Loss<T> for SoftLabels<T> {
    type Target<'a> = Soft<'a, T>;

    fn gradient(&self, z: &[T], target: Soft<'_, T>, dz: &mut [T], work: &mut [T]) -> T {
        let SoftLabels { temperature: t, alpha } = *self;
        copy(work, target.teacher);
        let log_sum_q = softmax(work, t);
        copy(dz, z);
        let log_sum_p = softmax(dz, t);
        // ln q − ln p from the logits, which stays finite where q or p underflow.
        let (top_z, top_v) = (maximum(z), maximum(target.teacher));
        let mut divergence = log_sum_p - log_sum_q;
        for ((&q, &v), &z) in work.iter().zip(target.teacher).zip(z) {
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

fn copy<T: Copy>(to: &mut [T], from: &[T]) {
    for (to, &from) in to.iter_mut().zip(from) {
        *to = from;
    }
}
