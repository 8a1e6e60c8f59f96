//! ReLU.

use core::arch::naked_asm;

use super::{Single, clear_negative, lanes, reference};

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
        "2:",
        "vldmia r0, {{s0-s3}}",
        lanes!("4", clear_negative!("s\\i", "r2")),
        "vstmia r0!, {{s0-s3}}",
        "subs r1, #1",
        "bne 2b",
        "bx lr",
    )
}
