//! Gradient descent with momentum.

use core::arch::naked_asm;

use super::{Single, add_products, by_eights, lanes, multiple, reference};
use crate::kernel::steps::MomentumStep;

/// [`reference::momentum`]: 8 instructions a parameter, 6 where nothing decays; fused, 5 and 4.
#[inline]
pub(crate) fn momentum<T: Single>(
    params: &mut [T],
    gradient: &mut [T],
    velocity: &mut [T],
    step: &MomentumStep<T>,
) {
    let count = params.len();
    if count == 0 || gradient.len() != count || velocity.len() != count {
        return reference::momentum(params, gradient, velocity, step);
    }
    let [p, g, u] = [params, gradient, velocity].map(<[T]>::as_mut_ptr);
    // SAFETY: as just checked, all have `count` numbers, which is not 0; `step` is four numbers in this order.
    unsafe { steps(p, g, u, step, count) };
}

/// Updates `$count` adjacent parameters and then clears their gradients with `$clear`.
macro_rules! step {
    ($count:literal, $clear:literal) => {
        concat!(
            multiple!("vldmia", "r1", $count, ""),
            $clear,
            "\n",
            lanes!($count, "vmul.f32 s\\i, s\\i, s28"),
            "cbz r5, 5f\n",
            multiple!("vldmia", "r0", $count, "1"),
            add_products!($count, "s\\i", "s1\\i", "s30", "s1\\i"),
            "5:\n",
            multiple!("vldmia", "r2", $count, "2"),
            add_products!($count, "s\\i", "s2\\i", "s29", "s2\\i"),
            multiple!("vstmia", "r2!", $count, ""),
            multiple!("vldmia", "r0", $count, "1"),
            add_products!($count, "s1\\i", "s\\i", "s31", "s\\i"),
            multiple!("vstmia", "r0!", $count, "1"),
        )
    };
}

/// Eight at a time, then one by one.
///
/// | register | holds |
/// |---|---|
/// | r0–r2 | parameters, gradient, velocity, moving |
/// | r3 | the factors |
/// | r4 | parameters left |
/// | r5 | zero, if nothing decays |
/// | r6–r12, lr | zeros |
/// | s0–s7 | gradient, then velocity |
/// | s10–s17 | parameters |
/// | s20–s27 | velocity as it was |
/// | s28–s31 | the factors |
///
/// # Safety
/// The first three point to `count` numbers each, which do not overlap; `count` is not 0.
#[unsafe(naked)]
unsafe extern "C" fn steps<T: Single>(
    params: *mut T,
    gradient: *mut T,
    velocity: *mut T,
    step: &MomentumStep<T>,
    count: usize,
) {
    naked_asm!(
        // Naked functions do not know what the target has.
        ".fpu fpv4-sp-d16",
        "push {{r4-r11, lr}}",
        "vpush {{s16-s31}}",
        "ldr r4, [sp, #100]",
        "vldmia r3, {{s28-s31}}",
        "vmov r5, s30",
        "lsls r5, r5, #1", // minus zero is zero
        by_eights!(step),
        "vpop {{s16-s31}}",
        "pop {{r4-r11, pc}}",
        fused = const T::FUSED as usize,
    )
}
