//! The f32 kernels for Cortex-M4F, M7, M33 and M55.
//!
//! VMUL and VADD, each rounded, in the portable kernels' order. VFMA would round once, and takes 3 cycles where the two take
//! 2.
#![allow(unsafe_code)]

use core::arch::naked_asm;

use super::reference;

/// [`reference::affine`]: four rows at a time, 2.4 instructions and 3.8 cycles a product.
///
/// | register | holds |
/// |---|---|
/// | r0, r4–r6 | weights of four rows, moving |
/// | r1, r3 | biases, `y`, moving |
/// | r2, r7 | `x`, and where in it |
/// | r8–r10 | bytes of a row, fours of columns, columns left |
/// | r12, lr | rows left, columns to do |
/// | s0–s3 | sums |
/// | s4–s7 | inputs |
/// | s8–s23 | weights, four columns of four rows |
pub(crate) fn affine(w: &[f32], b: &[f32], x: &[f32], y: &mut [f32]) {
    let (inputs, outputs) = (x.len(), y.len());
    if w.is_empty() || inputs.checked_mul(outputs) != Some(w.len()) || b.len() != outputs {
        return reference::affine(w, b, x, y);
    }
    // SAFETY: as just checked, `w` has `inputs` times `outputs` numbers, and neither is 0; `b` and `y` have `outputs`, `x` has
    // `inputs`.
    unsafe { products(w.as_ptr(), b.as_ptr(), x.as_ptr(), y.as_mut_ptr(), inputs, outputs) };
}

/// One column of four rows: products, then sums.
macro_rules! column {
    ($x:literal, $w0:literal, $w1:literal, $w2:literal, $w3:literal) => {
        concat!(
            "vmul.f32 ",
            $w0,
            ", ",
            $w0,
            ", ",
            $x,
            "
            vmul.f32 ",
            $w1,
            ", ",
            $w1,
            ", ",
            $x,
            "
            vmul.f32 ",
            $w2,
            ", ",
            $w2,
            ", ",
            $x,
            "
            vmul.f32 ",
            $w3,
            ", ",
            $w3,
            ", ",
            $x,
            "
            vadd.f32 s0, s0, ",
            $w0,
            "
            vadd.f32 s1, s1, ",
            $w1,
            "
            vadd.f32 s2, s2, ",
            $w2,
            "
            vadd.f32 s3, s3, ",
            $w3,
            "
            "
        )
    };
}

/// # Safety
/// `w` points to `inputs` times `outputs` numbers, `b` and `y` to `outputs`, `x` to `inputs`; neither is 0.
#[unsafe(naked)]
unsafe extern "C" fn products(
    w: *const f32,
    b: *const f32,
    x: *const f32,
    y: *mut f32,
    inputs: usize,
    outputs: usize,
) {
    naked_asm!(
        // Naked functions do not know what the target has.
        ".fpu fpv4-sp-d16",
        "push {{r4-r10, lr}}",
        "vpush {{s16-s23}}",
        "ldr r8, [sp, #64]",
        "ldr r12, [sp, #68]",
        "lsrs r9, r8, #2",
        "and r10, r8, #3",
        "lsl r8, r8, #2",
        // Four rows.
        "2:",
        "subs r12, #4",
        "bmi 6f",
        "vldmia r1!, {{s0-s3}}",
        "add r4, r0, r8",
        "add r5, r4, r8",
        "add r6, r5, r8",
        "mov r7, r2",
        "movs lr, r9",
        "beq 4f",
        "3:",
        "vldmia r7!, {{s4-s7}}",
        "vldmia r0!, {{s8-s11}}",
        "vldmia r4!, {{s12-s15}}",
        "vldmia r5!, {{s16-s19}}",
        "vldmia r6!, {{s20-s23}}",
        column!("s4", "s8", "s12", "s16", "s20"),
        column!("s5", "s9", "s13", "s17", "s21"),
        column!("s6", "s10", "s14", "s18", "s22"),
        column!("s7", "s11", "s15", "s19", "s23"),
        "subs lr, #1",
        "bne 3b",
        "4:",
        "movs lr, r10",
        "beq 5f",
        "3:",
        "vldmia r7!, {{s4}}",
        "vldmia r0!, {{s8}}",
        "vldmia r4!, {{s12}}",
        "vldmia r5!, {{s16}}",
        "vldmia r6!, {{s20}}",
        column!("s4", "s8", "s12", "s16", "s20"),
        "subs lr, #1",
        "bne 3b",
        "5:",
        "vstmia r3!, {{s0-s3}}",
        "mov r0, r6",
        "b 2b",
        // The rows that four do not divide, one by one.
        "6:",
        "adds r12, #4",
        "beq 9f",
        "7:",
        "vldmia r1!, {{s0}}",
        "mov r7, r2",
        "movs lr, r9",
        "beq 4f",
        "3:",
        "vldmia r7!, {{s4-s7}}",
        "vldmia r0!, {{s8-s11}}",
        "vmul.f32 s8, s8, s4",
        "vmul.f32 s9, s9, s5",
        "vmul.f32 s10, s10, s6",
        "vadd.f32 s0, s0, s8",
        "vmul.f32 s11, s11, s7",
        "vadd.f32 s0, s0, s9",
        "vadd.f32 s0, s0, s10",
        "vadd.f32 s0, s0, s11",
        "subs lr, #1",
        "bne 3b",
        "4:",
        "movs lr, r10",
        "beq 5f",
        "3:",
        "vldmia r7!, {{s4}}",
        "vldmia r0!, {{s8}}",
        "vmul.f32 s8, s8, s4",
        "vadd.f32 s0, s0, s8",
        "subs lr, #1",
        "bne 3b",
        "5:",
        "vstmia r3!, {{s0}}",
        "subs r12, #1",
        "bne 7b",
        "9:",
        "vpop {{s16-s23}}",
        "pop {{r4-r10, pc}}",
    )
}

/// [`reference::affine_input_gradient`].
pub(crate) fn affine_input_gradient(w: &[f32], dy: &[f32], dx: &mut [f32]) {
    if dx.is_empty() || dy.is_empty() || dx.len().checked_mul(dy.len()) != Some(w.len()) {
        return reference::affine_input_gradient(w, dy, dx);
    }
    // SAFETY: as just checked, `w` has a row as long as `dx` for each of `dy`, and none is empty.
    unsafe { add_rows(dy.as_ptr(), dx.as_mut_ptr(), w.as_ptr(), dx.len(), dy.len(), 0, size_of_val(dx)) };
}

/// [`reference::affine_parameter_gradient`].
pub(crate) fn affine_parameter_gradient(x: &[f32], dy: &[f32], dw: &mut [f32], db: &mut [f32]) {
    if x.is_empty()
        || dy.is_empty()
        || x.len().checked_mul(dy.len()) != Some(dw.len())
        || db.len() != dy.len()
    {
        return reference::affine_parameter_gradient(x, dy, dw, db);
    }
    for (db, &dy) in db.iter_mut().zip(dy).filter(|(_, dy)| **dy != 0.0) {
        *db += dy;
    }
    // SAFETY: as just checked, `dw` has a row as long as `x` for each of `dy`, and none is empty.
    unsafe { add_rows(dy.as_ptr(), dw.as_mut_ptr(), x.as_ptr(), x.len(), dy.len(), size_of_val(x), 0) };
}

/// For each of `rows` factors that is not zero, adds the factor times `columns` numbers of `from` to those of `to`; after each
/// row, `to` and `from` move by so many bytes. 2.7 instructions a number.
///
/// # Safety
/// `factors` points to `rows` numbers; `to` and `from`, which do not overlap, to `columns` numbers in each row. None is 0.
#[unsafe(naked)]
unsafe extern "C" fn add_rows(
    factors: *const f32,
    to: *mut f32,
    from: *const f32,
    columns: usize,
    rows: usize,
    to_step: usize,
    from_step: usize,
) {
    naked_asm!(
        // Naked functions do not know what the target has.
        ".fpu fpv4-sp-d16",
        "push {{r4-r9, lr}}",
        "add r12, sp, #28",
        "ldm r12, {{r4-r6}}",
        "2:",
        "ldr r7, [r0], #4",
        "lsls r12, r7, #1", // minus zero is zero
        "beq 6f",
        "vmov s0, r7",
        "mov r8, r1",
        "mov r9, r2",
        "subs r7, r3, #8",
        "bmi 4f",
        "3:",
        "vldmia r9!, {{s1-s8}}",
        "vldmia r8, {{s9-s15}}",
        "vmul.f32 s1, s0, s1",
        "vmul.f32 s2, s0, s2",
        "vmul.f32 s3, s0, s3",
        "vmul.f32 s4, s0, s4",
        "vmul.f32 s5, s0, s5",
        "vmul.f32 s6, s0, s6",
        "vmul.f32 s7, s0, s7",
        "vmul.f32 s8, s0, s8",
        "vadd.f32 s1, s9, s1",
        "vldr s9, [r8, #28]",
        "vadd.f32 s2, s10, s2",
        "vadd.f32 s3, s11, s3",
        "vadd.f32 s4, s12, s4",
        "vadd.f32 s5, s13, s5",
        "vadd.f32 s6, s14, s6",
        "vadd.f32 s7, s15, s7",
        "vadd.f32 s8, s9, s8",
        "vstmia r8!, {{s1-s8}}",
        "subs r7, #8",
        "bpl 3b",
        "4:",
        // Columns that eight do not divide: carry, sign and what is left say whether to take 4, 2 and 1.
        "lsls r7, r7, #30",
        "bcc 5f",
        "vldmia r9!, {{s1-s4}}",
        "vldmia r8, {{s9-s12}}",
        "vmul.f32 s1, s0, s1",
        "vmul.f32 s2, s0, s2",
        "vmul.f32 s3, s0, s3",
        "vmul.f32 s4, s0, s4",
        "vadd.f32 s1, s9, s1",
        "vadd.f32 s2, s10, s2",
        "vadd.f32 s3, s11, s3",
        "vadd.f32 s4, s12, s4",
        "vstmia r8!, {{s1-s4}}",
        "5:",
        "bpl 5f",
        "vldmia r9!, {{s1-s2}}",
        "vldmia r8, {{s9-s10}}",
        "vmul.f32 s1, s0, s1",
        "vmul.f32 s2, s0, s2",
        "vadd.f32 s1, s9, s1",
        "vadd.f32 s2, s10, s2",
        "vstmia r8!, {{s1-s2}}",
        "5:",
        "lsls r7, r7, #1",
        "bpl 6f",
        "vldr s1, [r9]",
        "vldr s9, [r8]",
        "vmul.f32 s1, s0, s1",
        "vadd.f32 s1, s9, s1",
        "vstr s1, [r8]",
        "6:",
        "add r1, r1, r5",
        "add r2, r2, r6",
        "subs r4, #1",
        "bne 2b",
        "pop {{r4-r9, pc}}",
    )
}
