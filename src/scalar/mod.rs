//! The number types: `f32` on devices, or [`Fused`], `f64` where a test wants a reference, `i8` for the codes of quantized
//! networks.

use core::fmt::Debug;
use core::ops::{Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Sub, SubAssign};

mod fused;
pub use fused::Fused;

pub(crate) mod sealed {
    pub trait Sealed {}
    impl Sealed for i8 {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
}

/// A number that inputs, outputs and what is between them are made of.
pub trait Element: sealed::Sealed + Copy + PartialOrd + Debug + 'static {
    /// Zero, so that arrays of it exist in `const`.
    const ZERO: Self;

    /// Its representation in working memory: the kernel's choice.
    type Held: Copy + Debug + 'static;
    /// Initial content of buffers, so that they exist in `const`.
    const ZERO_HELD: Self::Held;
    /// Rows in working memory are rounded up to a multiple of so many words.
    const UNIT: usize;

    /// Writes `numbers` to `words`, as the kernel holds them; the shorter one says how many.
    fn hold_all(numbers: &[Self], words: &mut [Self::Held]);
    /// The number of a word.
    fn release(word: Self::Held) -> Self;

    /// Equal to the bit, except that any NaN equals any NaN: processors disagree about a NaN's payload.
    fn same_bits(self, other: Self) -> bool;
}

/// The numbers of training: IEEE 754 binary floating point with equal bits on every target.
///
/// `+ − × ÷` and `sqrt` round correctly everywhere; `exp`, `ln` and `tanh` are those of [`libm`], which is made of
/// such operations in a fixed order. Only [`Fused`] fuses a multiplication with an addition.
pub trait Scalar:
    Element<Held = Self>
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + AddAssign
    + SubAssign
    + MulAssign
    + DivAssign
{
    /// One.
    const ONE: Self;
    /// Two.
    const TWO: Self;

    /// A count as a number, rounded to nearest.
    fn from_count(count: usize) -> Self;
    /// 32 random bits as a number in [0, 1): multiples of 2⁻²⁴, so that `f32` holds them exactly.
    fn unit_interval(bits: u32) -> Self;
    /// eˣ
    fn exp(self) -> Self;
    /// The natural logarithm.
    fn ln(self) -> Self;
    /// The hyperbolic tangent.
    fn tanh(self) -> Self;
    /// The square root.
    fn sqrt(self) -> Self;
    /// The nearest `f32`.
    fn to_f32(self) -> f32;
    /// This `f32`, exactly.
    fn from_f32(number: f32) -> Self;
    /// This number, or zero for NaN and ±∞.
    fn finite_or_zero(self) -> Self;
    /// `self + a·b`, rounded twice: the product, then the sum.
    fn plus_product(self, a: Self, b: Self) -> Self {
        self + a * b
    }
}

macro_rules! scalar {
    ($type:ty: $exp:ident, $ln:ident, $tanh:ident, $sqrt:ident) => {
        impl Element for $type {
            const ZERO: $type = 0.0;

            type Held = $type;
            const ZERO_HELD: $type = 0.0;
            const UNIT: usize = 1;

            #[inline]
            fn hold_all(numbers: &[$type], words: &mut [$type]) {
                for (word, &number) in words.iter_mut().zip(numbers) {
                    *word = number;
                }
            }
            fn release(word: $type) -> $type {
                word
            }

            fn same_bits(self, other: $type) -> bool {
                self.to_bits() == other.to_bits() || (self.is_nan() && other.is_nan())
            }
        }

        impl Scalar for $type {
            const ONE: $type = 1.0;
            const TWO: $type = 2.0;

            fn from_count(count: usize) -> $type {
                count as $type
            }
            fn unit_interval(bits: u32) -> $type {
                (bits >> 8) as $type / (1u32 << 24) as $type
            }
            fn exp(self) -> $type {
                libm::$exp(self)
            }
            fn ln(self) -> $type {
                libm::$ln(self)
            }
            fn tanh(self) -> $type {
                libm::$tanh(self)
            }
            fn sqrt(self) -> $type {
                libm::$sqrt(self)
            }
            fn to_f32(self) -> f32 {
                self as f32
            }
            fn from_f32(number: f32) -> $type {
                number.into()
            }
            #[inline]
            fn finite_or_zero(self) -> $type {
                // By bits, without the sign: that takes fewer instructions than a comparison of floats.
                let bits = self.to_bits();
                <$type>::from_bits(if bits << 1 < <$type>::INFINITY.to_bits() << 1 { bits } else { 0 })
            }
        }
    };
}

scalar!(f32: expf, logf, tanhf, sqrtf);
scalar!(f64: exp, log, tanh, sqrt);
