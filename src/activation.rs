//! Element-wise activations, zero-sized types.
//!
//! Each gradient is a function of the *output*, so that a tape keeps outputs only.

use crate::scalar::Scalar;

/// `y = f(z)`, element by element.
pub trait Activation: Copy + core::fmt::Debug + 'static {
    /// `f(z)`
    fn apply<T: Scalar>(z: T) -> T;
    /// `dy · f′(z)`, from `y = f(z)`.
    fn backward<T: Scalar>(y: T, dy: T) -> T;
    /// What the variance of initial weights is divided by: `fan`, for weights uniform in ±√(6 / fan).
    fn fan(inputs: usize, outputs: usize) -> usize;
}

/// `y = z`, for logits and regression values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity;

/// `y = max(z, 0)`; NaN passes through, and −0 stays −0, on every target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Relu;

/// `y = tanh z`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tanh;

impl Activation for Identity {
    fn apply<T: Scalar>(z: T) -> T {
        z
    }
    fn backward<T: Scalar>(_y: T, dy: T) -> T {
        dy
    }
    /// Glorot and Bengio 2010, equation 16.
    fn fan(inputs: usize, outputs: usize) -> usize {
        inputs + outputs
    }
}

impl Activation for Relu {
    // Not `max`: its result for −0 and NaN differs between targets.
    fn apply<T: Scalar>(z: T) -> T {
        if z < T::ZERO { T::ZERO } else { z }
    }
    fn backward<T: Scalar>(y: T, dy: T) -> T {
        if y > T::ZERO { dy } else { T::ZERO }
    }
    /// He et al. 2015, equation 10: half the units are off.
    fn fan(inputs: usize, _outputs: usize) -> usize {
        inputs
    }
}

impl Activation for Tanh {
    fn apply<T: Scalar>(z: T) -> T {
        z.tanh()
    }
    fn backward<T: Scalar>(y: T, dy: T) -> T {
        dy * (T::ONE - y * y)
    }
    /// Glorot and Bengio 2010, equation 16.
    fn fan(inputs: usize, outputs: usize) -> usize {
        inputs + outputs
    }
}
