//! ReLU.

use core::arch::naked_asm;

use super::{Single, lanes, reference};

/// [`reference::rectify`].
#[inline]
pub(crate) fn rectify<T: Single>(y: &mut [T]) {
    let (fours, rest) = y.split_at_mut(y.len() & !3);
    if !fours.is_empty() {
        // SAFETY: these are as many fours, and one at least.
        unsafe { clear_negative(fours.as_mut_ptr(), fours.len() / 4) };
    }
    if !rest.is_empty() {
        reference::rectify(rest);
    }
}

/// Numbers below zero become zero: five instructions a number.
///
/// # Safety
/// `numbers` points to 4·`fours` numbers, `fours` is not 0.
#[unsafe(naked)]
unsafe extern "C" fn clear_negative<T: Single>(numbers: *mut T, fours: usize) {
    naked_asm!(
        // Naked functions do not know what the target has.
        ".fpu fpv4-sp-d16",
        "movs r2, #0",
        "vmov s4, r2",
        "2:",
        "vldmia r0, {{s0-s3}}",
        // NaN is not less, and minus zero is zero.
        lanes!("4", "vcmp.f32 s\\i, #0\nvmrs APSR_nzcv, fpscr\nit mi\nvmovmi.f32 s\\i, s4"),
        "vstmia r0!, {{s0-s3}}",
        "subs r1, #1",
        "bne 2b",
        "bx lr",
    )
}
