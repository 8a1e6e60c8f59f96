//! Arguments of the kernels that move parameters.

/// The factors of [`adam`](super::Kernels::adam), one for all parameters of a tensor.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C)] // the kernels load it as six numbers
pub struct AdamStep<T> {
    /// Factor of the gradient: `(1 − β₁)` times the factor that turns a sum into the mean of the batch.
    pub scale: T,
    /// β₁, the decay factor of the first moment, in [0, 1).
    pub beta1: T,
    /// β₂, the decay factor of the second moment, in [0, 1).
    pub beta2: T,
    /// ε > 0, which is added to the root and keeps the divisor from zero.
    pub epsilon: T,
    /// Factor of the quotient: negative, because steps go against the gradient.
    pub rate: T,
    /// Factor of the parameter itself: 1, or slightly less with weight decay.
    pub keep: T,
}

/// The two moments of [`adam`](super::Kernels::adam), shape (N) each.
#[derive(Debug)]
pub struct Moments<'a, T> {
    /// m, the decaying mean of the gradients.
    pub first: &'a mut [T],
    /// v, the decaying mean of their squares.
    pub second: &'a mut [T],
}

/// The factors of [`momentum`](super::Kernels::momentum), one for all parameters of a tensor.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C)] // the kernels load it as four numbers
pub struct MomentumStep<T> {
    /// Factor of the gradient, which turns a sum into the mean of the batch.
    pub scale: T,
    /// Factor of the velocity, applied before the gradient is added, in [0, 1).
    pub momentum: T,
    /// Factor of the parameter in that sum, ≥ 0: it pulls the parameter towards zero.
    pub decay: T,
    /// Factor of the new velocity: negative, because steps go against the gradient.
    pub rate: T,
}
