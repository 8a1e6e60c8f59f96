//! Outer products, added: gradients and steps of weights that lie by output.

use core::arch::naked_asm;
use core::ptr;

use super::{Single, add_products, for_width, lanes, multiple, reference};

/// [`reference::affine_parameter_gradient`].
#[inline(always)] // so that of all widths' kernels the one that a network needs remains
pub(crate) fn affine_parameter_gradient<T: Single>(x: &[T], dy: &[T], dw: &mut [T], db: &mut [T]) {
    let (columns, rows) = (x.len(), dy.len());
    if dw.is_empty() || columns.checked_mul(rows) != Some(dw.len()) || db.len() != rows {
        return reference::affine_parameter_gradient(x, dy, dw, db);
    }
    let (factors, to, from, sums) = (dy.as_ptr(), dw.as_mut_ptr(), x.as_ptr(), db.as_mut_ptr());
    // SAFETY: as just checked, `dw` has a row as long as `x` for each of `dy`, none is empty, and `db` is as long as `dy`.
    unsafe { for_width!(columns, outer<T, true>, (factors, to, from, columns / 8, rows, sums)) };
}

/// [`reference::add_outer`].
#[inline(always)] // as above
pub(crate) fn add_outer<T: Single>(x: &[T], y: &[T], to: &mut [T]) {
    let (columns, rows) = (y.len(), x.len());
    if to.is_empty() || columns.checked_mul(rows) != Some(to.len()) {
        return reference::add_outer(x, y, to);
    }
    let (factors, to, from, sums) = (x.as_ptr(), to.as_mut_ptr(), y.as_ptr(), ptr::null_mut());
    // SAFETY: as just checked, `to` has a row as long as `y` for each of `x`, and none is empty; without `SUMS` no sums are
    // touched.
    unsafe { for_width!(columns, outer<T, false>, (factors, to, from, columns / 8, rows, sums)) };
}

/// For each of `rows` factors that is not zero, adds the factor times the row `from` to its row of `to`, and if `SUMS`, itself
/// to its one of `sums`.
///
/// | register | holds |
/// |---|---|
/// | r0, r1, r6 | factors, `to`, sums, moving |
/// | r2, r9 | `from`, and where in it |
/// | r3, r8 | blocks in a row, those to do |
/// | r4, r5 | rows left, bytes of a row |
/// | s0–s9 | numbers of `to` |
/// | s10–s19 | numbers of `from`: they stay, if one block is a row |
/// | s20–s29 | products |
/// | s30 | the factor |
///
/// # Safety
/// `factors` points to `rows` numbers, `sums`, too; `from` to 8·`blocks` + `REST` numbers, or `REST` if not `BLOCKS`, and
/// `to`, which does not overlap with it, to as many in each row. No number of rows or numbers is 0.
#[unsafe(naked)]
unsafe extern "C" fn outer<T: Single, const REST: usize, const BLOCKS: bool, const SUMS: bool>(
    factors: *const T,
    to: *mut T,
    from: *const T,
    blocks: usize,
    rows: usize,
    sums: *mut T,
) {
    naked_asm!(
        // Naked functions do not know what the target has.
        ".fpu fpv4-sp-d16",
        "push {{r4-r9, lr}}",
        "vpush {{s16-s31}}",
        "ldr r4, [sp, #92]",
        ".if {sums}",
        "ldr r6, [sp, #96]",
        ".endif",
        ".if {blocks}",
        "lsl r5, r3, #5",
        "add r5, #4 * {rest}",
        ".else",
        multiple!("vldmia", "r2", "{rest}", "1"),
        ".endif",
        "2:",
        "ldr r7, [r0], #4",
        "lsls r12, r7, #1", // minus zero is zero
        "beq 6f",
        "vmov s30, r7",
        ".if {sums}",
        "vldr s31, [r6]",
        "vadd.f32 s31, s31, s30",
        "vstmia r6!, {{s31}}",
        ".endif",
        ".if {blocks}",
        "mov r9, r2",
        "mov r8, r3",
        "3:",
        "vldmia r9!, {{s10-s17}}",
        "vldmia r1, {{s0-s7}}",
        add_products!("8", "s\\i", "s1\\i", "s30", "s1\\i"),
        "vstmia r1!, {{s0-s7}}",
        "subs r8, #1",
        "bne 3b",
        multiple!("vldmia", "r9", "{rest}", "1"),
        ".endif",
        multiple!("vldmia", "r1", "{rest}", ""),
        add_products!("{rest}", "s\\i", "s1\\i", "s30", "s2\\i"),
        multiple!("vstmia", "r1!", "{rest}", ""),
        "subs r4, #1",
        "bne 2b",
        "b 9f",
        // A row that is skipped.
        "6:",
        ".if {blocks}",
        "add r1, r5",
        ".else",
        "add r1, #4 * {rest}",
        ".endif",
        ".if {sums}",
        "add r6, #4",
        ".endif",
        "subs r4, #1",
        "bne 2b",
        "9:",
        "vpop {{s16-s31}}",
        "pop {{r4-r9, pc}}",
        fused = const T::FUSED as usize,
        rest = const REST,
        blocks = const BLOCKS as usize,
        sums = const SUMS as usize,
    )
}
