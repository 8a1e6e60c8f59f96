//! Rows times factors, added up: inference by input, and the input's gradient of weights that lie by output.

use core::arch::naked_asm;

use super::{Single, add_products, for_width, lanes, multiple, reference};

/// [`reference::affine_by_input`].
#[inline(always)] // so that of all widths' kernels the one that a network needs remains
pub(crate) fn affine_by_input<T: Single>(w: &[T], b: &[T], x: &[T], y: &mut [T]) {
    let (columns, rows) = (y.len(), x.len());
    if w.is_empty() || columns.checked_mul(rows) != Some(w.len()) || b.len() != columns {
        return reference::affine_by_input(w, b, x, y);
    }
    for (y, &b) in y.iter_mut().zip(b) {
        *y = b;
    }
    let (factors, to, from) = (x.as_ptr(), y.as_mut_ptr(), w.as_ptr());
    // SAFETY: as just checked, `w` has a row as long as `y` for each of `x`, and none is empty.
    unsafe { for_width!(columns, add_rows<T>, (factors, to, from, columns / 8, rows)) };
}

/// [`reference::affine_input_gradient`].
#[inline(always)] // as above
pub(crate) fn affine_input_gradient<T: Single>(w: &[T], dy: &[T], dx: &mut [T]) {
    let (columns, rows) = (dx.len(), dy.len());
    if w.is_empty() || columns.checked_mul(rows) != Some(w.len()) {
        return reference::affine_input_gradient(w, dy, dx);
    }
    let (factors, to, from) = (dy.as_ptr(), dx.as_mut_ptr(), w.as_ptr());
    // SAFETY: as just checked, `w` has a row as long as `dx` for each of `dy`, and none is empty.
    unsafe { for_width!(columns, add_rows<T>, (factors, to, from, columns / 8, rows)) };
}

/// For each of `rows` factors that is not zero, adds the factor times its row of `from` to `to`.
///
/// | register | holds |
/// |---|---|
/// | r0, r2 | factors, `from`, moving |
/// | r1, r9 | `to`, and where in it |
/// | r3, r8 | blocks in a row, those to do |
/// | r4, r5 | rows left, bytes of a row |
/// | s0–s9 | numbers of `to`: they stay, if one block is a row |
/// | s10–s19 | numbers of `from`, and products |
/// | s20 | the factor |
///
/// # Safety
/// `factors` points to `rows` numbers; `to` to 8·`blocks` + `REST` numbers, or `REST` if not `BLOCKS`, and `from`, which does
/// not overlap with it, to as many in each row. No number of rows or numbers is 0.
#[unsafe(naked)]
unsafe extern "C" fn add_rows<T: Single, const REST: usize, const BLOCKS: bool>(
    factors: *const T,
    to: *mut T,
    from: *const T,
    blocks: usize,
    rows: usize,
) {
    naked_asm!(
        // Naked functions do not know what the target has.
        ".fpu fpv4-sp-d16",
        "push {{r4-r9, lr}}",
        "vpush {{s16-s20}}",
        "ldr r4, [sp, #48]",
        ".if {blocks}",
        "lsl r5, r3, #5",
        "add r5, #4 * {rest}",
        ".else",
        multiple!("vldmia", "r1", "{rest}", ""),
        ".endif",
        "2:",
        "ldr r7, [r0], #4",
        "lsls r12, r7, #1", // minus zero is zero
        "beq 6f",
        "vmov s20, r7",
        ".if {blocks}",
        "mov r9, r1",
        "mov r8, r3",
        "3:",
        "vldmia r2!, {{s10-s17}}",
        "vldmia r9, {{s0-s7}}",
        add_products!("8", "s\\i", "s1\\i", "s20", "s1\\i"),
        "vstmia r9!, {{s0-s7}}",
        "subs r8, #1",
        "bne 3b",
        multiple!("vldmia", "r2!", "{rest}", "1"),
        multiple!("vldmia", "r9", "{rest}", ""),
        add_products!("{rest}", "s\\i", "s1\\i", "s20", "s1\\i"),
        multiple!("vstmia", "r9", "{rest}", ""),
        ".else",
        multiple!("vldmia", "r2!", "{rest}", "1"),
        add_products!("{rest}", "s\\i", "s1\\i", "s20", "s1\\i"),
        ".endif",
        "subs r4, #1",
        "bne 2b",
        "b 9f",
        // A row that is skipped.
        "6:",
        ".if {blocks}",
        "add r2, r5",
        ".else",
        "add r2, #4 * {rest}",
        ".endif",
        "subs r4, #1",
        "bne 2b",
        "9:",
        ".if {blocks} == 0",
        multiple!("vstmia", "r1", "{rest}", ""),
        ".endif",
        "vpop {{s16-s20}}",
        "pop {{r4-r9, pc}}",
        fused = const T::FUSED as usize,
        rest = const REST,
        blocks = const BLOCKS as usize,
    )
}
