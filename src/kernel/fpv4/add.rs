//! Sums of two vectors: gradients and steps of biases.

use core::arch::naked_asm;

use super::{Single, for_width, lanes, multiple, reference};

/// [`reference::add`].
#[inline(always)] // so that of all widths' kernels the one that a network needs remains
pub(crate) fn add<T: Single>(from: &[T], to: &mut [T]) {
    let count = to.len();
    if count == 0 || from.len() != count {
        return reference::add(from, to);
    }
    let (from, to) = (from.as_ptr(), to.as_mut_ptr());
    // SAFETY: as just checked, both have `count` numbers, which is not 0.
    unsafe { for_width!(count, sums<T>, (from, to, count / 8)) };
}

/// | register | holds |
/// |---|---|
/// | r0, r1 | `from`, `to`, moving |
/// | r2 | blocks to do |
/// | s0–s9 | numbers of `from` |
/// | s10–s19 | numbers of `to`, then sums |
///
/// # Safety
/// `from` and `to`, which do not overlap, point to 8·`blocks` + `REST` numbers, or `REST` if not `BLOCKS`, and not to none.
#[unsafe(naked)]
unsafe extern "C" fn sums<T: Single, const REST: usize, const BLOCKS: bool>(
    from: *const T,
    to: *mut T,
    blocks: usize,
) {
    naked_asm!(
        // Naked functions do not know what the target has.
        ".fpu fpv4-sp-d16",
        "vpush {{s16-s19}}",
        ".if {blocks}",
        "2:",
        "vldmia r0!, {{s0-s7}}",
        "vldmia r1, {{s10-s17}}",
        lanes!("8", "vadd.f32 s1\\i, s1\\i, s\\i"),
        "vstmia r1!, {{s10-s17}}",
        "subs r2, #1",
        "bne 2b",
        ".endif",
        multiple!("vldmia", "r0", "{rest}", ""),
        multiple!("vldmia", "r1", "{rest}", "1"),
        lanes!("{rest}", "vadd.f32 s1\\i, s1\\i, s\\i"),
        multiple!("vstmia", "r1", "{rest}", "1"),
        "vpop {{s16-s19}}",
        "bx lr",
        rest = const REST,
        blocks = const BLOCKS as usize,
    )
}
