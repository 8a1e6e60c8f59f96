//! The f32 kernel for Cortex-M4F, M7, M33 and M55: four rows at a time, 2.4 instructions and 3.8 cycles a product.
//!
//! | register | holds |
//! |---|---|
//! | r0, r4–r6 | weights of four rows, moving |
//! | r1, r3 | biases, `y`, moving |
//! | r2, r7 | `x`, and where in it |
//! | r8–r10 | bytes of a row, fours of columns, columns left |
//! | r12, lr | rows left, columns to do |
//! | s0–s3 | sums |
//! | s4–s7 | inputs |
//! | s8–s23 | weights, four columns of four rows |
//!
//! VMUL and VADD, each rounded, in the portable kernel's order: a sum of its own for each row, bias first. VFMA would
//! round once, and takes 3 cycles where the two take 2.
#![allow(unsafe_code)]

use core::arch::naked_asm;

/// `y = w·x + b`, to the bit as the portable kernel has it.
pub(crate) fn affine(w: &[f32], b: &[f32], x: &[f32], y: &mut [f32]) {
    let (inputs, outputs) = (x.len(), y.len());
    if w.is_empty() || inputs.checked_mul(outputs) != Some(w.len()) || b.len() != outputs {
        return super::reference::affine(w, b, x, y);
    }
    // SAFETY: as just checked, `w` has `inputs` times `outputs` numbers, and neither is 0; `b` and `y` have `outputs`, `x` has
    // `inputs`.
    unsafe { kernel(w.as_ptr(), b.as_ptr(), x.as_ptr(), y.as_mut_ptr(), inputs, outputs) };
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
unsafe extern "C" fn kernel(
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
