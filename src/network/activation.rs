//! Element-wise activations, zero-sized types.
//!
//! Each gradient is a function of the *output*, so that a tape keeps outputs only.

use crate::fingerprint;
use crate::kernel::Kernels;
use crate::scalar::Scalar;

/// `y = f(z)`, element by element.
pub trait Activation: Copy + core::fmt::Debug + 'static {
    /// Identifies the activation in a network's [`fingerprint`].
    const FINGERPRINT: u32;
    /// True if f′ is 1 where `y` is not zero, and 0 where it is zero, as for [`Relu`]. Then the layer behind
    /// computes the
    /// gradient of its input only where that is not zero, and this activation has nothing more to do.
    const GATE: bool = false;

    /// `f(z)`
    fn apply<T: Scalar>(z: T) -> T;
    /// `f(z)` of all, in place.
    fn apply_all<T: Kernels>(z: &mut [T]) {
        for z in z {
            *z = Self::apply(*z);
        }
    }
    /// `f(w·x + b)`, shapes as of [`Kernels::affine`].
    fn affine<T: Kernels>(w: &[T], b: &[T], x: &[T], y: &mut [T]) {
        T::affine(w, b, x, y);
        Self::apply_all(y);
    }
    /// `dy · f′(z)`, from `y = f(z)`.
    fn backward<T: Scalar>(y: T, dy: T) -> T;
    /// The fan of a layer, by which initial weights are scaled: they are uniform in ±√(6 / fan), a variance of 2 / fan.
    fn fan(inputs: usize, outputs: usize) -> usize;
}

/// `y = z`, for logits and regression values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity;

/// `y = max(z, 0)`; NaN passes through, and −0 stays −0, on every target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Relu;

/// `y = min(max(z, 0), 6)`, which many networks made for int8 have; NaN passes through, and −0 stays −0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Relu6;

/// `y = z` above zero, else `NUM/DEN · z` (Maas, Hannun and Ng 2013); a slope in [0, 1], of terms up to 1000.
///
/// ```compile_fail,E0080
/// use microdistill::activation::{Activation, LeakyRelu};
///
/// LeakyRelu::<3, 2>::apply(-1.0f32);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeakyRelu<const NUM: usize = 1, const DEN: usize = 100>;

/// `y = tanh z`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tanh;

/// `y = 1 / (1 + exp(−z))`; as a [`Head`](crate::loss::Head) it turns one logit, or several independent ones, into
/// probabilities.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sigmoid;

impl Activation for Identity {
    const FINGERPRINT: u32 = fingerprint::activation("identity");

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
    const FINGERPRINT: u32 = fingerprint::activation("relu");
    const GATE: bool = true;

    // Not `max`: its result for −0 and NaN differs between targets.
    fn apply<T: Scalar>(z: T) -> T {
        if z < T::ZERO { T::ZERO } else { z }
    }
    #[inline]
    fn apply_all<T: Kernels>(z: &mut [T]) {
        T::rectify(z);
    }
    #[inline]
    fn affine<T: Kernels>(w: &[T], b: &[T], x: &[T], y: &mut [T]) {
        T::affine_rectified(w, b, x, y);
    }
    fn backward<T: Scalar>(y: T, dy: T) -> T {
        if y == T::ZERO { T::ZERO } else { dy }
    }
    /// He et al. 2015, equation 10: half the units are off.
    fn fan(inputs: usize, _outputs: usize) -> usize {
        inputs
    }
}

impl Activation for Relu6 {
    const FINGERPRINT: u32 = fingerprint::activation("relu6");

    fn apply<T: Scalar>(z: T) -> T {
        let y = Relu::apply(z);
        if y > T::from_count(6) { T::from_count(6) } else { y }
    }
    fn backward<T: Scalar>(y: T, dy: T) -> T {
        if y > T::ZERO && y < T::from_count(6) { dy } else { T::ZERO }
    }
    /// The fan of [`Relu`].
    fn fan(inputs: usize, outputs: usize) -> usize {
        Relu::fan(inputs, outputs)
    }
}

impl<const NUM: usize, const DEN: usize> LeakyRelu<NUM, DEN> {
    fn slope<T: Scalar>() -> T {
        const { assert!(0 < DEN && DEN <= 1000 && NUM <= DEN, "a slope is in [0, 1], of terms up to 1000") };
        T::from_count(NUM) / T::from_count(DEN)
    }
}

impl<const NUM: usize, const DEN: usize> Activation for LeakyRelu<NUM, DEN> {
    const FINGERPRINT: u32 =
        fingerprint::with(fingerprint::with(fingerprint::activation("leaky-relu"), NUM as u32), DEN as u32);

    fn apply<T: Scalar>(z: T) -> T {
        if z < T::ZERO { Self::slope::<T>() * z } else { z }
    }
    fn backward<T: Scalar>(y: T, dy: T) -> T {
        if y > T::ZERO { dy } else { Self::slope::<T>() * dy }
    }
    /// He et al. 2015, equation 14: `inputs · (1 + slope²)`, rounded down.
    fn fan(inputs: usize, _outputs: usize) -> usize {
        let (inputs, num, den) = (inputs as u64, NUM as u64, DEN as u64);
        (inputs + inputs * (num * num) / (den * den).max(1)) as usize
    }
}

impl Activation for Tanh {
    const FINGERPRINT: u32 = fingerprint::activation("tanh");

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

impl Activation for Sigmoid {
    const FINGERPRINT: u32 = fingerprint::activation("sigmoid");

    fn apply<T: Scalar>(z: T) -> T {
        sigmoid(z)
    }
    fn backward<T: Scalar>(y: T, dy: T) -> T {
        dy * (y * (T::ONE - y))
    }
    /// Glorot and Bengio 2010, equation 16.
    fn fan(inputs: usize, outputs: usize) -> usize {
        inputs + outputs
    }
}

/// `1 / (1 + exp(−z))`, by `e = exp(−|z|)`, which cannot overflow.
pub fn sigmoid<T: Scalar>(z: T) -> T {
    if z < T::ZERO {
        let e = z.exp();
        e / (T::ONE + e)
    } else {
        T::ONE / (T::ONE + (-z).exp())
    }
}
