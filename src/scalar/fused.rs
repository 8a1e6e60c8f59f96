//! Sums of products that are rounded once.

use core::ops::{Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Sub, SubAssign};

use super::{Element, Scalar, sealed};

/// An `f32` whose sums of products are fused: `s + a·b` is rounded once, by VFMA where the core has it and by
/// [`libm::fmaf`] elsewhere, which gives the same bits. Those of `f32` are others.
///
/// On a Cortex-M4F learning takes a third fewer instructions and a fifth more cycles: VFMA takes three, and what waits for it
/// one more, where VMUL and VADD take one each. It is for cores whose VFMA is quick, such as Cortex-M7 and M33.
///
/// ```
/// use microdistill::activation::Relu;
/// use microdistill::scalar::Fused;
/// use microdistill::{Mlp, Params};
///
/// type Student = Mlp![2, 8, 3; Relu, Fused];
///
/// let student = <Mlp![2, 8, 3]>::ZERO; // exported, and never trained with fused sums
/// let mut fused = Student::ZERO;
/// fused.copy_from(&student);
/// assert_eq!(fused.predict(&[Fused(1.0), Fused(2.0)]), [Fused(0.0); 3]);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[repr(transparent)]
pub struct Fused(pub f32);

impl sealed::Sealed for Fused {}

macro_rules! operators {
    ($($operator:ident $call:ident $assign:ident $call_assign:ident),+) => {
        $(
            impl $operator for Fused {
                type Output = Fused;
                #[inline]
                fn $call(self, other: Fused) -> Fused {
                    Fused(self.0.$call(other.0))
                }
            }
            impl $assign for Fused {
                #[inline]
                fn $call_assign(&mut self, other: Fused) {
                    self.0.$call_assign(other.0);
                }
            }
        )+
    };
}

operators!(Add add AddAssign add_assign, Sub sub SubAssign sub_assign, Mul mul MulAssign mul_assign, Div div DivAssign div_assign);

impl Neg for Fused {
    type Output = Fused;
    #[inline]
    fn neg(self) -> Fused {
        Fused(-self.0)
    }
}

impl Element for Fused {
    const ZERO: Fused = Fused(0.0);

    type Held = Fused;
    const ZERO_HELD: Fused = Fused(0.0);
    const UNIT: usize = 1;

    #[inline]
    fn hold_all(numbers: &[Fused], words: &mut [Fused]) {
        for (word, &number) in words.iter_mut().zip(numbers) {
            *word = number;
        }
    }
    fn release(word: Fused) -> Fused {
        word
    }

    fn same_bits(self, other: Fused) -> bool {
        self.0.same_bits(other.0)
    }
}

impl Scalar for Fused {
    const ONE: Fused = Fused(1.0);
    const TWO: Fused = Fused(2.0);

    fn from_count(count: usize) -> Fused {
        Fused(f32::from_count(count))
    }
    fn unit_interval(bits: u32) -> Fused {
        Fused(f32::unit_interval(bits))
    }
    fn exp(self) -> Fused {
        Fused(self.0.exp())
    }
    fn ln(self) -> Fused {
        Fused(self.0.ln())
    }
    fn tanh(self) -> Fused {
        Fused(self.0.tanh())
    }
    fn sqrt(self) -> Fused {
        Fused(self.0.sqrt())
    }
    fn to_f32(self) -> f32 {
        self.0
    }
    fn from_f32(number: f32) -> Fused {
        Fused(number)
    }
    #[inline]
    fn finite_or_zero(self) -> Fused {
        Fused(self.0.finite_or_zero())
    }
    /// `self + a·b`, rounded once.
    fn plus_product(self, a: Fused, b: Fused) -> Fused {
        Fused(libm::fmaf(a.0, b.0, self.0))
    }
}
