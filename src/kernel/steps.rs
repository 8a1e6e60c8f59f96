//! Arguments of the kernels that move parameters.

#[cfg(doc)]
use super::Kernels;

/// The factors of [`adam`](Kernels::adam), one for all parameters of a tensor.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C)] // the kernels load it as six numbers
pub struct AdamStep<T> {
    /// What the gradient is multiplied by: `(1 − β₁)` times the factor that makes a sum the batch's mean.
    pub scale: T,
    /// β₁, what the first moment is multiplied by, in [0, 1).
    pub beta1: T,
    /// β₂, what the second moment is multiplied by, in [0, 1).
    pub beta2: T,
    /// ε > 0, which is added to the root and keeps the divisor from zero.
    pub epsilon: T,
    /// What the quotient is multiplied by: less than zero, as steps go against the gradient.
    pub rate: T,
    /// What the parameter itself is multiplied by: 1, or a little less where weights decay.
    pub keep: T,
}

/// The two moments of [`adam`](Kernels::adam), shape (N) each.
#[derive(Debug)]
pub struct Moments<'a, T> {
    /// m, the decaying mean of the gradients.
    pub first: &'a mut [T],
    /// v, the decaying mean of their squares.
    pub second: &'a mut [T],
}

/// The factors of [`momentum`](Kernels::momentum), one for all parameters of a tensor.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C)] // the kernels load it as four numbers
pub struct MomentumStep<T> {
    /// What the gradient is multiplied by: the factor that makes a sum the batch's mean.
    pub scale: T,
    /// What the velocity is multiplied by before the gradient is added to it, in [0, 1).
    pub momentum: T,
    /// What the parameter is multiplied by in that sum, ≥ 0: it pulls the parameter towards zero.
    pub decay: T,
    /// What the new velocity is multiplied by: less than zero, as steps go against the gradient.
    pub rate: T,
}
