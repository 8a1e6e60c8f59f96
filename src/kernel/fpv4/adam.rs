//! Adam.

use core::arch::naked_asm;

use super::{Single, add_products, by_eights, lanes, multiple, reference};
use crate::kernel::steps::{AdamStep, Moments};

/// [`reference::adam`]: 12.5 instructions a parameter, three less if fused, one more where weights decay; more than half of the
/// cycles are square roots and divisions.
#[inline]
pub(crate) fn adam<T: Single>(
    params: &mut [T],
    gradient: &mut [T],
    Moments { first, second }: Moments<'_, T>,
    step: &AdamStep<T>,
) {
    let count = params.len();
    // One by one: arrays would be compared by `memcmp`.
    if count == 0 || gradient.len() != count || first.len() != count || second.len() != count {
        return reference::adam(params, gradient, Moments { first, second }, step);
    }
    let [p, g, m, v] = [params, gradient, first, second].map(<[T]>::as_mut_ptr);
    // SAFETY: as just checked, all have `count` numbers, which is not 0; `step` is six numbers in this order.
    unsafe { steps(p, g, m, v, step, count) };
}

/// Updates `$count` adjacent parameters and then clears their gradients with `$clear`.
macro_rules! step {
    ($count:literal, $clear:literal) => {
        concat!(
            multiple!("vldmia", "r1", $count, ""),
            $clear,
            "\n",
            multiple!("vldmia", "r2", $count, "1"),
            lanes!($count, "vmul.f32 s\\i, s\\i, s8"),
            lanes!($count, "vmul.f32 s2\\i, s\\i, s\\i"),
            add_products!($count, "s\\i", "s1\\i", "s9", "s1\\i"),
            multiple!("vstmia", "r2!", $count, ""),
            multiple!("vldmia", "r3", $count, "1"),
            add_products!($count, "s2\\i", "s1\\i", "s18", "s1\\i"),
            multiple!("vstmia", "r3!", $count, "2"),
            multiple!("vldmia", "r0", $count, "1"),
            lanes!($count, "vsqrt.f32 s2\\i, s2\\i"),
            lanes!($count, "vadd.f32 s2\\i, s2\\i, s19"),
            lanes!($count, "vdiv.f32 s\\i, s\\i, s2\\i"),
            "cbz r5, 5f\n",
            lanes!($count, "vmul.f32 s1\\i, s1\\i, s29"),
            "5:\n",
            add_products!($count, "s1\\i", "s\\i", "s28", "s\\i"),
            multiple!("vstmia", "r0!", $count, "1"),
        )
    };
}

/// Eight at a time, then one by one.
///
/// | register | holds |
/// |---|---|
/// | r0–r3 | parameters, gradient, moments, moving |
/// | r4 | parameters left |
/// | r5 | zero, if parameters are kept as they are: times 1 |
/// | r6–r12, lr | zeros |
/// | s0–s7 | gradient, then the first moment, then the step |
/// | s8, s9, s18, s19, s28, s29 | the factors |
/// | s10–s17 | what was loaded |
/// | s20–s27 | squares of the gradient, then the second moment, then the divisor |
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
        "push {{r4-r11, lr}}",
        "vpush {{s16-s29}}",
        "ldrd r12, r4, [sp, #92]",
        "vldmia r12!, {{s8-s9}}",
        "vldmia r12!, {{s18-s19}}",
        "vldmia r12, {{s28-s29}}",
        "vmov r5, s29",
        "eor r5, r5, #0x3f800000", // of 1
        by_eights!(step),
        "vpop {{s16-s29}}",
        "pop {{r4-r11, pc}}",
        fused = const T::FUSED as usize,
    )
}
