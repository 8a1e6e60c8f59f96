//! Gradients and steps of weights that lie by input.

use core::arch::naked_asm;
use core::ptr;

use super::{Single, for_width, lanes, multiple, reference};

/// [`reference::by_input_gradients`].
#[inline(always)] // so that of all widths' kernels the one that a network needs remains
pub(crate) fn by_input_gradients<T: Single, const ACTIVE: bool>(
    w: &[T],
    x: &[T],
    dy: &[T],
    dw: &mut [T],
    dx: &mut [T],
) {
    let (columns, rows) = (dy.len(), x.len());
    let fits = columns.checked_mul(rows) == Some(w.len()) && dw.len() == w.len() && dx.len() == rows;
    if w.is_empty() || !fits {
        return reference::by_input_gradients::<T, ACTIVE>(w, x, dy, dw, dx);
    }
    let (w, x, dy, dw, dx) = (w.as_ptr(), x.as_ptr(), dy.as_ptr(), dw.as_mut_ptr(), dx.as_mut_ptr());
    // SAFETY: as just checked, `w` and `dw` have a row as long as `dy` for each of `x`, `dx` is as long as `x`, and none is
    // empty.
    unsafe { for_width!(columns, gradients<T, ACTIVE, false>, (w, x, dy, dw, dx, rows, columns / 8)) };
}

/// [`reference::by_input_descend`].
#[inline(always)] // as above
pub(crate) fn by_input_descend<T: Single, const ACTIVE: bool>(w: &mut [T], x: &[T], dy: &[T], dx: &mut [T]) {
    let (columns, rows) = (dy.len(), x.len());
    if w.is_empty() || columns.checked_mul(rows) != Some(w.len()) || dx.len() != rows {
        return reference::by_input_descend::<T, ACTIVE>(w, x, dy, dx);
    }
    let (x, dy, w, dx) = (x.as_ptr(), dy.as_ptr(), w.as_mut_ptr(), dx.as_mut_ptr());
    // SAFETY: as just checked, `w` has a row as long as `dy` for each of `x`, `dx` is as long as `x`, and none is empty; in
    // place, the weights are read as what moves.
    unsafe {
        for_width!(columns, gradients<T, ACTIVE, true>, (ptr::null(), x, dy, w, dx, rows, columns / 8))
    };
}

/// `$count` columns of an input, whose `dy` is loaded: their part of the sum, then their gradients.
macro_rules! columns {
    ($count:literal) => {
        concat!(
            ".if {in_place}\n",
            multiple!("vldmia", "r3", $count, "1"),
            ".else\n",
            multiple!("vldmia", "r0!", $count, "1"),
            ".endif\n.if {fused}\n",
            lanes!($count, "vfma.f32 s31, s1\\i, s\\i"),
            ".else\n",
            lanes!($count, "vmul.f32 s2\\i, s1\\i, s\\i"),
            // The next product while the sum is on its way.
            lanes!($count, "vadd.f32 s31, s31, s2\\i\nvmul.f32 s2\\i, s\\i, s30"),
            ".endif\n.if {in_place} == 0\n",
            multiple!("vldmia", "r3", $count, "1"),
            ".endif\n.if {fused}\n",
            lanes!($count, "vfma.f32 s1\\i, s\\i, s30"),
            ".else\n",
            lanes!($count, "vadd.f32 s1\\i, s1\\i, s2\\i"),
            ".endif\n",
            multiple!("vstmia", "r3!", $count, "1"),
        )
    };
}

/// For each input: `dx`, the product of its row of weights and `dy`; then `x` times `dy` is added to its row of `dw`.
/// `IN_PLACE`: the weights are those in `dw`. `ACTIVE`: of an input that is zero only `dx` is written, zero.
///
/// | register | holds |
/// |---|---|
/// | r0, r1, r3, r4 | `w`, `x`, `dw`, `dx`, moving |
/// | r2, r9 | `dy`, and where in it |
/// | r5, r12 | inputs left, bytes of a row |
/// | r6, r8 | blocks in a row, those to do |
/// | s0–s9 | `dy`: they stay, if one block is a row |
/// | s10–s19 | weights, then gradients |
/// | s20–s29 | products |
/// | s30, s31 | the input, the sum |
///
/// # Safety
/// `x` and `dx` point to `rows` numbers; `dy` to 8·`blocks` + `REST`, or `REST` if not `BLOCKS`; `dw` and, if not `IN_PLACE`,
/// `w` to as many for each of `x`. None overlap, no number of rows or numbers is 0.
#[unsafe(naked)]
unsafe extern "C" fn gradients<
    T: Single,
    const REST: usize,
    const BLOCKS: bool,
    const ACTIVE: bool,
    const IN_PLACE: bool,
>(
    w: *const T,
    x: *const T,
    dy: *const T,
    dw: *mut T,
    dx: *mut T,
    rows: usize,
    blocks: usize,
) {
    naked_asm!(
        // Naked functions do not know what the target has.
        ".fpu fpv4-sp-d16",
        "push {{r4-r9, lr}}",
        "vpush {{s16-s31}}",
        "add r12, sp, #92",
        "ldm r12, {{r4-r6}}",
        "movs r7, #0",
        ".if {blocks}",
        "lsl r12, r6, #5",
        "add r12, #4 * {rest}",
        ".else",
        multiple!("vldmia", "r2", "{rest}", ""),
        ".endif",
        "2:",
        "ldr r8, [r1], #4",
        ".if {active}",
        "lsls lr, r8, #1", // minus zero is zero
        "beq 6f",
        ".endif",
        "vmov s30, r8",
        "vmov s31, r7",
        ".if {blocks}",
        "mov r9, r2",
        "mov r8, r6",
        "3:",
        "vldmia r9!, {{s0-s7}}",
        columns!("8"),
        "subs r8, #1",
        "bne 3b",
        multiple!("vldmia", "r9", "{rest}", ""),
        ".endif",
        columns!("{rest}"),
        "vstmia r4!, {{s31}}",
        "subs r5, #1",
        "bne 2b",
        "b 9f",
        // An input that is zero.
        "6:",
        ".if {blocks}",
        "add r3, r12",
        ".if {in_place} == 0",
        "add r0, r12",
        ".endif",
        ".else",
        "add r3, #4 * {rest}",
        ".if {in_place} == 0",
        "add r0, #4 * {rest}",
        ".endif",
        ".endif",
        "str r7, [r4], #4",
        "subs r5, #1",
        "bne 2b",
        "9:",
        "vpop {{s16-s31}}",
        "pop {{r4-r9, pc}}",
        fused = const T::FUSED as usize,
        rest = const REST,
        blocks = const BLOCKS as usize,
        active = const ACTIVE as usize,
        in_place = const IN_PLACE as usize,
    )
}
