//! The step between logits and outputs.

use super::maximum;
use crate::activation::{Activation, Sigmoid};
use crate::scalar::Scalar;

/// Turns logits into the network's output.
pub trait Head {
    /// `f(z)`, in place.
    fn apply<T: Scalar>(z: &mut [T]);
    /// `∂L/∂z` from `y = f(z)` and `∂L/∂y`, in place.
    fn backward<T: Scalar>(y: &[T], dy: &mut [T]);
}

/// Logits are the output: regression.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Linear;

/// Logits minus their mean: what probabilities depend on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Centered;

/// Softmax turns logits into probabilities: classification.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Softmax;

impl Head for Linear {
    fn apply<T: Scalar>(_z: &mut [T]) {}
    fn backward<T: Scalar>(_y: &[T], _dy: &mut [T]) {}
}

impl Head for Centered {
    fn apply<T: Scalar>(z: &mut [T]) {
        center(z);
    }
    /// `dz_c = dy_c − mean(dy)`
    fn backward<T: Scalar>(_y: &[T], dy: &mut [T]) {
        center(dy);
    }
}

fn center<T: Scalar>(z: &mut [T]) {
    let mean = z.iter().fold(T::ZERO, |sum, &z| sum + z) / T::from_count(z.len());
    for z in z {
        *z -= mean;
    }
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

/// Independent probabilities, one a logit.
impl Head for Sigmoid {
    fn apply<T: Scalar>(z: &mut [T]) {
        for z in z {
            *z = <Sigmoid as Activation>::apply(*z);
        }
    }
    fn backward<T: Scalar>(y: &[T], dy: &mut [T]) {
        for (dy, &y) in dy.iter_mut().zip(y) {
            *dy = <Sigmoid as Activation>::backward(y, *dy);
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

/// `z ← ln softmax(z)`, in place, finite also where a probability underflows.
pub fn log_softmax<T: Scalar>(z: &mut [T]) {
    let top = maximum(z);
    let sum = z.iter().fold(T::ZERO, |sum, &z| sum + (z - top).exp());
    let log_sum = sum.ln();
    for z in z {
        *z = (*z - top) - log_sum;
    }
}
