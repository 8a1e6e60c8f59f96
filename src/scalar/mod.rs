//! The number types: `f32` on devices, or [`Fused`], `f64` where a test wants a reference, `i8` and `i16` for what is only
//! stored.

use core::fmt::Debug;
use core::ops::{Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Sub, SubAssign};

#[cfg(doc)]
use crate::kernel;
use crate::kernel::{AdamStep, MomentumStep, f32_kernels, int8, reference};

mod sealed {
    pub trait Sealed {}
    impl Sealed for i8 {}
    impl Sealed for i16 {}
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
    /// `self + a·b`, rounded twice: the product, then the sum.
    fn plus_product(self, a: Self, b: Self) -> Self {
        self + a * b
    }
    /// [`kernel::affine`] for numbers of this type.
    fn affine(w: &[Self], b: &[Self], x: &[Self], y: &mut [Self]);
    /// [`kernel::affine_rectified`] for numbers of this type.
    fn affine_rectified(w: &[Self], b: &[Self], x: &[Self], y: &mut [Self]);
    /// [`kernel::affine_input_gradient`] for numbers of this type.
    fn affine_input_gradient(w: &[Self], dy: &[Self], dx: &mut [Self]);
    /// [`kernel::affine_parameter_gradient`] for numbers of this type.
    fn affine_parameter_gradient(x: &[Self], dy: &[Self], dw: &mut [Self], db: &mut [Self]);
    /// [`kernel::affine_by_input`] for numbers of this type.
    fn affine_by_input(w: &[Self], b: &[Self], x: &[Self], y: &mut [Self]);
    /// [`kernel::by_input_gradients`] for numbers of this type.
    fn by_input_gradients<const ACTIVE: bool>(
        w: &[Self],
        x: &[Self],
        dy: &[Self],
        dw: &mut [Self],
        dx: &mut [Self],
    );
    /// [`kernel::by_input_descend`] for numbers of this type.
    fn by_input_descend<const ACTIVE: bool>(w: &mut [Self], x: &[Self], dy: &[Self], dx: &mut [Self]);
    /// [`kernel::add_outer`] for numbers of this type.
    fn add_outer(x: &[Self], y: &[Self], to: &mut [Self]);
    /// [`kernel::add`] for numbers of this type.
    fn add_all(from: &[Self], to: &mut [Self]);
    /// [`kernel::rectify`] for numbers of this type.
    fn rectify(y: &mut [Self]);
    /// [`kernel::adam`] for numbers of this type.
    fn adam(
        params: &mut [Self],
        gradient: &mut [Self],
        moments: (&mut [Self], &mut [Self]),
        step: &AdamStep<Self>,
    );
    /// [`kernel::momentum`] for numbers of this type.
    fn momentum(params: &mut [Self], gradient: &mut [Self], velocity: &mut [Self], step: &MomentumStep<Self>);
}

impl Element for i8 {
    const ZERO: i8 = 0;

    type Held = int8::Word;
    const ZERO_HELD: int8::Word = int8::hold(0);
    const UNIT: usize = int8::UNIT;

    #[inline]
    fn hold_all(codes: &[i8], words: &mut [int8::Word]) {
        int8::hold_all(codes, words);
    }
    fn release(word: int8::Word) -> i8 {
        int8::release(word)
    }

    fn same_bits(self, other: i8) -> bool {
        self == other
    }
}

impl Element for i16 {
    const ZERO: i16 = 0;

    type Held = i16;
    const ZERO_HELD: i16 = 0;
    const UNIT: usize = 1;

    fn hold_all(codes: &[i16], words: &mut [i16]) {
        for (word, &code) in words.iter_mut().zip(codes) {
            *word = code;
        }
    }
    fn release(word: i16) -> i16 {
        word
    }

    fn same_bits(self, other: i16) -> bool {
        self == other
    }
}

/// The methods of [`Scalar`] that are kernels.
macro_rules! kernels {
    ($type:ty, $kernels:ident) => {
        #[inline]
        fn affine(w: &[$type], b: &[$type], x: &[$type], y: &mut [$type]) {
            $kernels::affine(w, b, x, y);
        }
        #[inline]
        fn affine_rectified(w: &[$type], b: &[$type], x: &[$type], y: &mut [$type]) {
            $kernels::affine_rectified(w, b, x, y);
        }
        #[inline]
        fn affine_input_gradient(w: &[$type], dy: &[$type], dx: &mut [$type]) {
            $kernels::affine_input_gradient(w, dy, dx);
        }
        #[inline]
        fn affine_parameter_gradient(x: &[$type], dy: &[$type], dw: &mut [$type], db: &mut [$type]) {
            $kernels::affine_parameter_gradient(x, dy, dw, db);
        }
        #[inline]
        fn affine_by_input(w: &[$type], b: &[$type], x: &[$type], y: &mut [$type]) {
            $kernels::affine_by_input(w, b, x, y);
        }
        #[inline]
        fn by_input_gradients<const ACTIVE: bool>(
            w: &[$type],
            x: &[$type],
            dy: &[$type],
            dw: &mut [$type],
            dx: &mut [$type],
        ) {
            $kernels::by_input_gradients::<$type, ACTIVE>(w, x, dy, dw, dx);
        }
        #[inline]
        fn by_input_descend<const ACTIVE: bool>(
            w: &mut [$type],
            x: &[$type],
            dy: &[$type],
            dx: &mut [$type],
        ) {
            $kernels::by_input_descend::<$type, ACTIVE>(w, x, dy, dx);
        }
        #[inline]
        fn add_outer(x: &[$type], y: &[$type], to: &mut [$type]) {
            $kernels::add_outer(x, y, to);
        }
        #[inline]
        fn add_all(from: &[$type], to: &mut [$type]) {
            $kernels::add(from, to);
        }
        #[inline]
        fn rectify(y: &mut [$type]) {
            $kernels::rectify(y);
        }
        #[inline]
        fn adam(
            params: &mut [$type],
            gradient: &mut [$type],
            moments: (&mut [$type], &mut [$type]),
            step: &AdamStep<$type>,
        ) {
            $kernels::adam(params, gradient, moments, step);
        }
        #[inline]
        fn momentum(
            params: &mut [$type],
            gradient: &mut [$type],
            velocity: &mut [$type],
            step: &MomentumStep<$type>,
        ) {
            $kernels::momentum(params, gradient, velocity, step);
        }
    };
}

macro_rules! scalar {
    ($type:ty: $exp:ident, $ln:ident, $tanh:ident, $sqrt:ident; $kernels:ident) => {
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
            kernels!($type, $kernels);
        }
    };
}

mod fused; // behind the macro that it uses
pub use fused::Fused;

scalar!(f32: expf, logf, tanhf, sqrtf; f32_kernels);
scalar!(f64: exp, log, tanh, sqrt; reference);
