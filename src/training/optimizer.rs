//! Optimizers: the ways parameters move against a gradient.
//!
//! An optimizer's state starts all zero, so that a static of it lies in `.bss`. Rates are passed in at each step.

use crate::kernel::{AdamStep, Kernels, Moments, MomentumStep};
use crate::layer::{Params, Role};
use crate::scalar::{Element, Scalar};

/// The state of an optimizer for the parameters `P`.
pub trait Optimizer<P: Params> {
    /// The step size and the other settings of a step.
    type Rates: Copy;
    /// The state before the first step.
    const ZERO: Self;

    /// Moves `params` against `scale · gradient` and clears `gradient`.
    fn step(&mut self, params: &mut P, gradient: &mut P, scale: P::Scalar, rates: &Self::Rates);
}

/// Stochastic gradient descent with momentum; one velocity a parameter.
///
/// `g ← scale·g + decay·θ` (weights only), `u ← g + momentum·u`, `θ ← θ − rate·u`; see [`Kernels::momentum`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sgd<P> {
    velocity: P,
}

/// Rates of [`Sgd`].
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct SgdRates<T = f32> {
    /// Step size, > 0.
    pub rate: T,
    /// In [0, 1); zero is plain gradient descent.
    pub momentum: T,
    /// What a weight is multiplied by before it is added to its gradient, ≥ 0: the derivative of an L2 penalty of
    /// `½·weight_decay·θ²`. Biases do not decay.
    pub weight_decay: T,
}

impl<T: Kernels> SgdRates<T> {
    /// One tensor's step: moves `params`, updates `velocity`, clears `gradient`.
    pub fn step(&self, role: Role, params: &mut [T], gradient: &mut [T], velocity: &mut [T], scale: T) {
        let decay = decay(role, self.weight_decay);
        let step = MomentumStep { scale, momentum: self.momentum, decay, rate: -self.rate };
        T::momentum(params, gradient, velocity, &step);
    }
}

impl<P: Params> Optimizer<P> for Sgd<P> {
    type Rates = SgdRates<P::Scalar>;
    const ZERO: Self = Sgd { velocity: P::ZERO };

    fn step(&mut self, params: &mut P, gradient: &mut P, scale: P::Scalar, rates: &Self::Rates) {
        let tensors = params.tensors_mut().zip(gradient.tensors_mut()).zip(self.velocity.tensors_mut());
        for (((role, p), (_, g)), (_, u)) in tensors {
            rates.step(role, p, g, u, scale);
        }
    }
}

/// Adam (Kingma and Ba 2015) with decoupled weight decay (Loshchilov and Hutter 2019); two moments a parameter.
///
/// `m ← β₁m + (1−β₁)g`, `v ← β₂v + (1−β₂)g²`, `θ ← θ − rate·(m̂ / (√v̂ + ε) + decay·θ)` with `m̂ = m / (1−β₁ᵗ)`,
/// `v̂ = v / (1−β₂ᵗ)`; t counts steps from 1.
///
/// The corrections go into rate and ε, as in the paper's section 2, and what is kept for `v` is `(1−β₁)²/(1−β₂)·v`: it is made of
/// the same `(1−β₁)g` as `m`. That spares two divisions and three multiplications a parameter. The betas of a training stay as
/// they are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adam<P: Params> {
    first: P,
    second: P,
    corrections: Corrections<P::Scalar>,
}

/// The bias corrections `1 − β₁ᵗ` and `1 − β₂ᵗ`, kept as recurrences from zero.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Corrections<T> {
    first: T,
    second: T,
}

/// Rates of [`Adam`].
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct AdamRates<T = f32> {
    /// Step size, > 0.
    pub rate: T,
    /// Decay of the first moment, in [0, 1).
    pub beta1: T,
    /// Decay of the second moment, in [0, 1).
    pub beta2: T,
    /// Keeps the divisor from zero, > 0.
    pub epsilon: T,
    /// Decoupled decay, ≥ 0: each step takes `rate·weight_decay·θ` from a weight, whatever its gradient. Biases do not
    /// decay.
    pub weight_decay: T,
}

impl AdamRates {
    /// 10⁻³, the paper's β₁ = 0.9, β₂ = 0.999, ε = 10⁻⁸; no weight decay.
    pub const DEFAULT: AdamRates =
        AdamRates { rate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weight_decay: 0.0 };
}

impl<T: Scalar> Corrections<T> {
    /// Before the first step.
    pub const ZERO: Self = Corrections { first: T::ZERO, second: T::ZERO };

    /// Counts one step; to be called once a step, before those of the tensors.
    pub fn advance(&mut self, rates: &AdamRates<T>) {
        self.first = T::ONE - rates.beta1 * (T::ONE - self.first);
        self.second = T::ONE - rates.beta2 * (T::ONE - self.second);
    }
}

impl<T: Kernels> AdamRates<T> {
    /// The factors of one tensor's step, which are those of every tensor of the same role.
    #[inline]
    pub fn factors(&self, role: Role, corrections: &Corrections<T>, scale: T) -> AdamStep<T> {
        let fresh = T::ONE - self.beta1;
        // √v̂ is so many times the root of what is kept for v.
        let unit = ((T::ONE - self.beta2) / corrections.second).sqrt() / fresh;
        AdamStep {
            scale: fresh * scale,
            beta1: self.beta1,
            beta2: self.beta2,
            epsilon: self.epsilon / unit,
            rate: -(self.rate / (corrections.first * unit)),
            keep: T::ONE - self.rate * decay(role, self.weight_decay),
        }
    }

    /// One tensor's step: moves `params`, updates the moments, clears `gradient`.
    pub fn step(
        &self,
        role: Role,
        params: &mut [T],
        gradient: &mut [T],
        moments: Moments<'_, T>,
        corrections: &Corrections<T>,
        scale: T,
    ) {
        T::adam(params, gradient, moments, &self.factors(role, corrections, scale));
    }
}

impl<P: Params> Optimizer<P> for Adam<P> {
    type Rates = AdamRates<P::Scalar>;
    const ZERO: Self = Adam { first: P::ZERO, second: P::ZERO, corrections: Corrections::ZERO };

    fn step(&mut self, params: &mut P, gradient: &mut P, scale: P::Scalar, rates: &Self::Rates) {
        self.corrections.advance(rates);
        let moments = self.first.tensors_mut().zip(self.second.tensors_mut());
        for (((role, p), (_, g)), ((_, m), (_, v))) in
            params.tensors_mut().zip(gradient.tensors_mut()).zip(moments)
        {
            rates.step(role, p, g, Moments { first: m, second: v }, &self.corrections, scale);
        }
    }
}

fn decay<T: Element>(role: Role, weight_decay: T) -> T {
    match role {
        Role::Weights => weight_decay,
        Role::Bias => T::ZERO,
    }
}
