//! Adam.

use core::arch::naked_asm;

use super::{Single, lanes, reference};
use crate::kernel::AdamStep;

/// [`reference::adam`]: 14.5 instructions a parameter, 11.5 if fused; more than half of the cycles are square roots and
/// divisions.
#[inline]
pub(crate) fn adam<T: Single>(
    params: &mut [T],
    gradient: &mut [T],
    (first, second): (&mut [T], &mut [T]),
    step: &AdamStep<T>,
) {
    let count = params.len();
    if count == 0 || [gradient.len(), first.len(), second.len()] != [count; 3] {
        return reference::adam(params, gradient, (first, second), step);
    }
    let [p, g, m, v] = [params, gradient, first, second].map(<[T]>::as_mut_ptr);
    // SAFETY: as just checked, all have `count` numbers, which is not 0; `step` is six numbers in this order.
    unsafe { steps(p, g, m, v, step, count) };
}

/// Of `$count` parameters beside each other, by the registers that these and as many zeros are loaded to.
macro_rules! step {
    ($count:literal, $gradient:literal, $loaded:literal, $squares:literal, $zeros:literal) => {
        concat!(
            "vldmia r1, ",
            $gradient,
            "\n",
            "vstmia r1!, ",
            $zeros,
            "\n",
            "vldmia r2, ",
            $loaded,
            "\n",
            lanes!($count, "vmul.f32 s\\i, s\\i, s4"),
            lanes!($count, "vmul.f32 s2\\i, s\\i, s\\i"),
            ".if {fused}\n",
            lanes!($count, "vfma.f32 s\\i, s1\\i, s5"),
            ".else\n",
            lanes!($count, "vmul.f32 s1\\i, s1\\i, s5"),
            lanes!($count, "vadd.f32 s\\i, s\\i, s1\\i"),
            ".endif\n",
            "vstmia r2!, ",
            $gradient,
            "\n",
            "vldmia r3, ",
            $loaded,
            "\n",
            ".if {fused}\n",
            lanes!($count, "vfma.f32 s2\\i, s1\\i, s6"),
            ".else\n",
            lanes!($count, "vmul.f32 s1\\i, s1\\i, s6"),
            lanes!($count, "vadd.f32 s2\\i, s2\\i, s1\\i"),
            ".endif\n",
            "vstmia r3!, ",
            $squares,
            "\n",
            "vldmia r0, ",
            $loaded,
            "\n",
            lanes!($count, "vsqrt.f32 s2\\i, s2\\i"),
            lanes!($count, "vadd.f32 s2\\i, s2\\i, s7"),
            lanes!($count, "vdiv.f32 s\\i, s\\i, s2\\i"),
            lanes!($count, "vmul.f32 s1\\i, s1\\i, s9"),
            ".if {fused}\n",
            lanes!($count, "vfma.f32 s1\\i, s\\i, s8"),
            ".else\n",
            lanes!($count, "vmul.f32 s\\i, s\\i, s8"),
            lanes!($count, "vadd.f32 s1\\i, s1\\i, s\\i"),
            ".endif\n",
            "vstmia r0!, ",
            $loaded,
            "\n",
        )
    };
}

/// Four at a time, then one by one.
///
/// | register | holds |
/// |---|---|
/// | r0–r3 | parameters, gradient, moments, moving |
/// | r4 | parameters left |
/// | s0–s3 | gradient, then the first moment, then the step |
/// | s4–s9 | the factors |
/// | s10–s13 | what was loaded |
/// | s14–s17 | zeros |
/// | s20–s23 | squares of the gradient, then the second moment, then the divisor |
///
/// # Safety
/// The first four point to `count` numbers each, which do not overlap; `count` is not 0.
#[unsafe(naked)]
unsafe extern "C" fn steps<T: Single>(
    params: *mut T,
    gradient: *mut T,
    first: *mut T,
    second: *mut T,
    step: &AdamStep<T>,
    count: usize,
) {
    naked_asm!(
        // Naked functions do not know what the target has.
        ".fpu fpv4-sp-d16",
        "push {{r4, lr}}",
        "vpush {{s16-s23}}",
        "ldrd r12, r4, [sp, #40]",
        "vldmia r12, {{s4-s9}}",
        "movs r12, #0",
        "vmov s14, r12",
        "vmov s15, r12",
        "vmov s16, r12",
        "vmov s17, r12",
        "2:",
        "subs r4, #4",
        "bmi 3f",
        step!("4", "{{s0-s3}}", "{{s10-s13}}", "{{s20-s23}}", "{{s14-s17}}"),
        "b 2b",
        "3:",
        "adds r4, #4",
        "beq 9f",
        "4:",
        step!("1", "{{s0}}", "{{s10}}", "{{s20}}", "{{s14}}"),
        "subs r4, #1",
        "bne 4b",
        "9:",
        "vpop {{s16-s23}}",
        "pop {{r4, pc}}",
        fused = const T::FUSED as usize,
    )
}
