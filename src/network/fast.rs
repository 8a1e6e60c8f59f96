//! Activations by approximate exponentials. They are types of their own: the precise ones stay as they are.
//!
//! | instructions a number | precise | by [`Quartic`] | by `Micromath` |
//! |---|---|---|---|
//! | tanh | 93 | 44 | 141 |
//! | sigmoid | 70 | 43 | 138 |
//! | softmax | 76 | 54 | 152 |
//!
//! Counted on a Cortex-M4F in QEMU at `opt-level = "s"`, rustc 1.95. Of the losses, [`SoftCrossEntropy`](crate::loss::SoftCrossEntropy) has a fast kind.

use core::fmt::Debug;
use core::marker::PhantomData;

use crate::activation::{Activation, Sigmoid, Tanh};
use crate::loss::{Head, Softmax, maximum};
use crate::scalar::Scalar;

/// An approximation of eˣ, the same bits on every target; an `f64` goes through it as `f32`.
pub trait Exp: Copy + Debug + 'static {
    /// eˣ for x in [-87, 88].
    fn within(x: f32) -> f32;

    /// eˣ for x ≤ 0, as it is where the largest logit has been subtracted; 0 below −87 but of [`Libm`], NaN for NaN.
    #[inline]
    fn decay<T: Scalar>(x: T) -> T {
        let x = x.to_f32();
        T::from_f32(if x < -87.0 { 0.0 } else { Self::within(x) })
    }

    /// ln x for x in [1, 2²⁴], such as a sum of [`decay`](Exp::decay)s; of others, NaN among them, some number.
    fn ln<T: Scalar>(x: T) -> T {
        x.ln()
    }

    /// eˣ; 0 below −87 and infinity above 88 but of [`Libm`], NaN for NaN.
    fn exp<T: Scalar>(x: T) -> T {
        T::from_f32(match x.to_f32() {
            x if x > 88.0 => f32::INFINITY,
            x if x >= -87.0 => Self::within(x),
            x if x < -87.0 => 0.0,
            nan => nan,
        })
    }
}

/// The precise exponential, [`libm`]'s, for types that are generic in their exponential.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Libm;

impl Exp for Libm {
    fn within(x: f32) -> f32 {
        libm::expf(x)
    }
    fn decay<T: Scalar>(x: T) -> T {
        x.exp()
    }
    fn exp<T: Scalar>(x: T) -> T {
        x.exp()
    }
}

/// `2^n · 2^f` with `n + f = x·log₂e`: `n` becomes the exponent, `2^f` is a polynomial of degree 4. Within 10⁻⁵ of eˣ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quartic;

impl Exp for Quartic {
    #[inline]
    fn within(x: f32) -> f32 {
        // At 1.5·2²³ the step of an f32 is 1: adding rounds to the nearest integer.
        const ROUND: f32 = 12_582_912.0;
        let x = x * core::f32::consts::LOG2_E;
        let n = (x + ROUND) - ROUND;
        let f = x - n;
        // Smallest largest relative error for f in ±½ and 2⁰ = 1.
        let p = (((0.009_582_853 * f + 0.055_906_425) * f + 0.240_240_99) * f + 0.693_124_2) * f + 1.0;
        p * f32::from_bits(((n as i32 + 127) as u32) << 23)
    }
    /// Without a branch, so that what is the same for all classes stays in registers.
    #[inline]
    fn decay<T: Scalar>(x: T) -> T {
        let x = x.to_f32();
        let near = Self::within(x);
        T::from_f32(if x < -87.0 { 0.0 } else { near })
    }
    /// `n·ln 2 + ln m`, `x = 2^n·m`, `m` in [√½, √2): of `s = (m − 1) / (m + 1)` `ln m` is a series, and little but its first
    /// terms. Within 2·10⁻⁶.
    #[inline]
    fn ln<T: Scalar>(x: T) -> T {
        const ROOT_HALF: i32 = core::f32::consts::FRAC_1_SQRT_2.to_bits() as i32;
        let bits = x.to_f32().to_bits() as i32;
        let n = bits.wrapping_sub(ROOT_HALF) >> 23;
        let m = f32::from_bits(bits.wrapping_sub(n << 23) as u32);
        let s = (m - 1.0) / (m + 1.0);
        let square = s * s;
        let ln = ((0.407_831 * square + 0.666_666_7) * square + 2.0) * s;
        T::from_f32(n as f32 * core::f32::consts::LN_2 + ln)
    }
}

/// micromath's, within 3·10⁻³ of eˣ (feature `micromath`). Slower than [`Quartic`]: for firmware that has it anyway.
#[cfg(feature = "micromath")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Micromath;

#[cfg(feature = "micromath")]
impl Exp for Micromath {
    fn within(x: f32) -> f32 {
        micromath::F32(x).exp().0
    }
}

/// `y = tanh z`, within 2·10⁻⁶, or 1.2·10⁻³ by `Micromath`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FastTanh<E = Quartic>(PhantomData<E>);

/// `y = 1 / (1 + exp(−z))`, within 10⁻⁶, or 6·10⁻⁴ by `Micromath`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FastSigmoid<E = Quartic>(PhantomData<E>);

/// Softmax turns logits into probabilities, each within 2·10⁻⁶, or 10⁻³ by `Micromath`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FastSoftmax<E = Quartic>(PhantomData<E>);

impl<E: Exp> Activation for FastTanh<E> {
    /// The fingerprint of [`Tanh`], because its weights fit.
    const FINGERPRINT: u32 = Tanh::FINGERPRINT;

    /// `1 − 2 / (exp 2z + 1)`
    fn apply<T: Scalar>(z: T) -> T {
        T::ONE - T::TWO / (E::exp(z + z) + T::ONE)
    }
    /// The derivative of [`Tanh`].
    fn backward<T: Scalar>(y: T, dy: T) -> T {
        Tanh::backward(y, dy)
    }
    /// The fan of [`Tanh`].
    fn fan(inputs: usize, outputs: usize) -> usize {
        Tanh::fan(inputs, outputs)
    }
}

impl<E: Exp> Activation for FastSigmoid<E> {
    /// The fingerprint of [`Sigmoid`], because its weights fit.
    const FINGERPRINT: u32 = Sigmoid::FINGERPRINT;

    fn apply<T: Scalar>(z: T) -> T {
        T::ONE / (T::ONE + E::exp(-z))
    }
    /// The derivative of [`Sigmoid`].
    fn backward<T: Scalar>(y: T, dy: T) -> T {
        <Sigmoid as Activation>::backward(y, dy)
    }
    /// The fan of [`Sigmoid`].
    fn fan(inputs: usize, outputs: usize) -> usize {
        Sigmoid::fan(inputs, outputs)
    }
}

impl<E: Exp> Head for FastSoftmax<E> {
    fn apply<T: Scalar>(z: &mut [T]) {
        let top = maximum(z);
        let mut sum = T::ZERO;
        for z in z.iter_mut() {
            *z = E::decay(*z - top);
            sum += *z;
        }
        for z in z {
            *z /= sum;
        }
    }
    /// The derivative of [`Softmax`].
    fn backward<T: Scalar>(y: &[T], dy: &mut [T]) {
        Softmax::backward(y, dy);
    }
}
