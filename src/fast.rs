//! About three digits in less flash, by micromath's `exp` (feature `micromath`).
//!
//! Types beside the precise ones, which stay as they are. Losses and norms have no fast kind: micromath's logarithm
//! and square root are too coarse for them.

use crate::activation::{Activation, Sigmoid, Tanh};
use crate::loss::{Head, Softmax, maximum};
use crate::scalar::Scalar;

/// `y = tanh z`, within 1.2·10⁻³.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FastTanh;

/// `y = 1 / (1 + exp(−z))`, within 6·10⁻⁴.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FastSigmoid;

/// Softmax turns logits into probabilities, each within 10⁻³.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FastSoftmax;

impl Activation for FastTanh {
    /// `1 − 2 / (exp 2z + 1)`
    fn apply<T: Scalar>(z: T) -> T {
        T::ONE - T::TWO / ((z + z).fast_exp() + T::ONE)
    }
    /// As [`Tanh`].
    fn backward<T: Scalar>(y: T, dy: T) -> T {
        Tanh::backward(y, dy)
    }
    /// As [`Tanh`].
    fn fan(inputs: usize, outputs: usize) -> usize {
        Tanh::fan(inputs, outputs)
    }
}

impl Activation for FastSigmoid {
    fn apply<T: Scalar>(z: T) -> T {
        T::ONE / (T::ONE + (-z).fast_exp())
    }
    /// As [`Sigmoid`].
    fn backward<T: Scalar>(y: T, dy: T) -> T {
        <Sigmoid as Activation>::backward(y, dy)
    }
    /// As [`Sigmoid`].
    fn fan(inputs: usize, outputs: usize) -> usize {
        Sigmoid::fan(inputs, outputs)
    }
}

impl Head for FastSoftmax {
    fn apply<T: Scalar>(z: &mut [T]) {
        let top = maximum(z);
        let mut sum = T::ZERO;
        for z in z.iter_mut() {
            *z = (*z - top).fast_exp();
            sum += *z;
        }
        for z in z {
            *z /= sum;
        }
    }
    /// As [`Softmax`].
    fn backward<T: Scalar>(y: &[T], dy: &mut [T]) {
        Softmax::backward(y, dy);
    }
}
