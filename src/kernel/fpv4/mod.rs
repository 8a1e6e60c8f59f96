//! The f32 kernels for Cortex-M4F, M7, M33 and M55.
//!
//! VMUL and VADD, each rounded, in the portable kernels' order; VFMA for [`Fused`]. Lanes are s0–s9,
//! s10–s19 and s20–s29: a row of up to ten numbers is one block of its own width, a longer one is blocks of eight and a rest.
#![allow(unsafe_code)]

mod adam;
mod add;
mod inputs;
mod momentum;
mod outer;
mod products;
mod rectify;
mod rows;

use super::kernels::Kernels;
use super::reference;
use super::steps::{AdamStep, Moments, MomentumStep};
use crate::scalar::{Fused, Scalar};

/// Numbers that are an `f32` in memory.
pub(crate) trait Single: Scalar {
    /// True if a product and its sum are rounded once.
    const FUSED: bool;
}

impl Single for f32 {
    const FUSED: bool = false;
}

impl Single for Fused {
    const FUSED: bool = true;
}

impl<T: Single> Kernels for T {
    #[inline]
    fn affine(w: &[T], b: &[T], x: &[T], y: &mut [T]) {
        products::affine(w, b, x, y);
    }
    #[inline]
    fn affine_rectified(w: &[T], b: &[T], x: &[T], y: &mut [T]) {
        products::affine_rectified(w, b, x, y);
    }
    #[inline]
    fn affine_input_gradient(w: &[T], dy: &[T], dx: &mut [T]) {
        rows::affine_input_gradient(w, dy, dx);
    }
    #[inline]
    fn affine_parameter_gradient(x: &[T], dy: &[T], dw: &mut [T], db: &mut [T]) {
        outer::affine_parameter_gradient(x, dy, dw, db);
    }
    #[inline]
    fn affine_by_input(w: &[T], b: &[T], x: &[T], y: &mut [T]) {
        rows::affine_by_input(w, b, x, y);
    }
    #[inline]
    fn by_input_gradients<const ACTIVE: bool>(w: &[T], x: &[T], dy: &[T], dw: &mut [T], dx: &mut [T]) {
        inputs::by_input_gradients::<T, ACTIVE>(w, x, dy, dw, dx);
    }
    #[inline]
    fn by_input_descend<const ACTIVE: bool>(w: &mut [T], x: &[T], dy: &[T], dx: &mut [T]) {
        inputs::by_input_descend::<T, ACTIVE>(w, x, dy, dx);
    }
    #[inline]
    fn add_outer(x: &[T], y: &[T], to: &mut [T]) {
        outer::add_outer(x, y, to);
    }
    #[inline]
    fn add_all(from: &[T], to: &mut [T]) {
        add::add(from, to);
    }
    #[inline]
    fn rectify(y: &mut [T]) {
        rectify::rectify(y);
    }
    #[inline]
    fn adam(params: &mut [T], gradient: &mut [T], moments: Moments<'_, T>, step: &AdamStep<T>) {
        adam::adam(params, gradient, moments, step);
    }
    #[inline]
    fn momentum(params: &mut [T], gradient: &mut [T], velocity: &mut [T], step: &MomentumStep<T>) {
        momentum::momentum(params, gradient, velocity, step);
    }
}

/// Calls a kernel for rows of so many numbers, at least one: `$kernel::<T, REST, BLOCKS, …>`, where `REST` is how many numbers
/// the last block has, and `BLOCKS` whether there are others, of eight. Where the compiler knows the width, one remains.
macro_rules! for_width {
    ($width:expr, $kernel:ident<$type:ty $(, $generic:tt)*>, $arguments:tt) => {
        match $width {
            1 => $kernel::<$type, 1, false $(, $generic)*> $arguments,
            2 => $kernel::<$type, 2, false $(, $generic)*> $arguments,
            3 => $kernel::<$type, 3, false $(, $generic)*> $arguments,
            4 => $kernel::<$type, 4, false $(, $generic)*> $arguments,
            5 => $kernel::<$type, 5, false $(, $generic)*> $arguments,
            6 => $kernel::<$type, 6, false $(, $generic)*> $arguments,
            7 => $kernel::<$type, 7, false $(, $generic)*> $arguments,
            8 => $kernel::<$type, 8, false $(, $generic)*> $arguments,
            9 => $kernel::<$type, 9, false $(, $generic)*> $arguments,
            10 => $kernel::<$type, 10, false $(, $generic)*> $arguments,
            width => match width % 8 {
                0 => $kernel::<$type, 0, true $(, $generic)*> $arguments,
                1 => $kernel::<$type, 1, true $(, $generic)*> $arguments,
                2 => $kernel::<$type, 2, true $(, $generic)*> $arguments,
                3 => $kernel::<$type, 3, true $(, $generic)*> $arguments,
                4 => $kernel::<$type, 4, true $(, $generic)*> $arguments,
                5 => $kernel::<$type, 5, true $(, $generic)*> $arguments,
                6 => $kernel::<$type, 6, true $(, $generic)*> $arguments,
                _ => $kernel::<$type, 7, true $(, $generic)*> $arguments,
            },
        }
    };
}
use for_width;

/// A line for each of `$count` lanes, which it names `\i`.
macro_rules! lanes {
    ($count:literal, $line:expr) => {
        concat!(".irp i, 0,1,2,3,4,5,6,7,8,9\n.if \\i < ", $count, "\n", $line, "\n.endif\n.endr\n")
    };
}
use lanes;

/// `$sum += $a·$b` in each of `$count` lanes, which are named as in `lanes!`: all products, which go to `$product`, then all
/// sums, so that none waits; or fused.
macro_rules! add_products {
    ($count:literal, $sum:literal, $a:literal, $b:literal, $product:literal) => {
        concat!(
            ".if {fused}\n",
            lanes!($count, concat!("vfma.f32 ", $sum, ", ", $a, ", ", $b)),
            ".else\n",
            lanes!($count, concat!("vmul.f32 ", $product, ", ", $a, ", ", $b)),
            lanes!($count, concat!("vadd.f32 ", $sum, ", ", $sum, ", ", $product)),
            ".endif\n"
        )
    };
}
use add_products;

/// `vldmia` or `vstmia` of `$count` lanes from `$bank`, which is "", "1" or "2": s0, s10 or s20. Nothing for no lanes.
macro_rules! multiple {
    ($operation:literal, $address:literal, $count:literal, $bank:literal) => {
        concat!(
            ".irp i, 0,1,2,3,4,5,6,7,8,9\n.if \\i == ",
            $count,
            " - 1\n",
            $operation,
            " ",
            $address,
            ", {{s",
            $bank,
            "0-s",
            $bank,
            "\\i}}\n.endif\n.endr\n"
        )
    };
}
use multiple;

/// Clears a number that is below zero, by a core register that is zero: NaN is not below, and minus zero neither.
macro_rules! clear_negative {
    ($number:literal, $zero:literal) => {
        concat!(
            "vcmp.f32 ",
            $number,
            ", #0\nvmrs APSR_nzcv, fpscr\nit mi\nvmovmi ",
            $number,
            ", ",
            $zero,
            "\n"
        )
    };
}
use clear_negative;

/// An optimizer's `$step` of all parameters, eight at a time, then one by one: r4 says how many. Their gradients, from r1 on,
/// are cleared by r6–r12 and lr, which become zeros.
macro_rules! by_eights {
    ($step:ident) => {
        concat!(
            ".irp zero, r6,r7,r8,r9,r10,r11,r12,lr\nmov \\zero, #0\n.endr
            subs r4, #8
            bmi 3f
            2:
            ",
            $step!("8", "stmia r1!, {{r6-r12, lr}}"),
            "subs r4, #8
            bpl 2b
            3:
            adds r4, #8
            beq 9f
            4:
            ",
            $step!("1", "str r6, [r1], #4"),
            "subs r4, #1
            bne 4b
            9:
            "
        )
    };
}
use by_eights;
