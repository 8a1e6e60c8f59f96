//! The kernel of [`quads`](super::quads) for Cortex-M0 and M0+: 3.25 instructions a product, where a load for each would
//! take 3.6.
//!
//! | register | in the loop over columns | while codes are made |
//! |---|---|---|
//! | r0 | `x`, moving | sums, moving |
//! | r1 | weights, moving | `y`, moving |
//! | r2–r5 | four columns' weights | |
//! | r6, r7 | a product, an input | |
//! | r8–r11 | `S₀` to `S₃` | `−128·Σ x`, mantissas, exponents |
//! | r12 | end of `x`, or of its fours | end of the sums |
//!
//! A code is made as gemmlowp makes it. `⌊(v·m + 2³⁰) / 2³¹⌋` comes of halves, `v = 2¹⁶·vₕ + vₗ` with `vₗ` signed and
//! `m = 2¹⁶·mₕ + mₗ`: with `t = vₕ·mₗ + vₗ·mₕ + ⌊vₗ·mₗ / 2¹⁶⌋`, which is below 2³¹ as `|v| < 2³⁰`, it is
//! `2·vₕ·mₕ + ⌊(t + 2¹⁴) / 2¹⁵⌋`. Its rounding shift, halves away from zero, is `⌊(v − [v < 0]) / 2ⁿ + ½⌋`: ASRS leaves
//! the half in the carry flag and ADCS adds it along with the zero point. Where n = 0, ASRS keeps the carry of the
//! subtraction by ADDS, which is `[v < 0]`.
#![allow(unsafe_code)]

use core::arch::naked_asm;

use super::job::Job;

/// One column of four rows.
macro_rules! column {
    ($weights:literal, $offset:literal) => {
        concat!(
            "ldrb r7, [r0, #",
            $offset,
            "]
            lsrs r6, ",
            $weights,
            ", #24
            muls r6, r7, r6
            add r11, r6
            lsrs r6, ",
            $weights,
            ", #16
            muls r6, r7, r6
            add r10, r6
            lsrs r6, ",
            $weights,
            ", #8
            muls r6, r7, r6
            add r9, r6
            muls ",
            $weights,
            ", r7, ",
            $weights,
            "
            add r8, ",
            $weights,
            "
            "
        )
    };
}

/// # Safety
/// `x` and `y` hold as many codes as the job's `inputs` and `outputs` say.
#[unsafe(naked)]
pub(super) unsafe extern "C" fn kernel(job: *const Job<'_>, x: *const u8, y: *mut u8, outputs: usize) {
    naked_asm!(
        "push {{r4-r7, lr}}",
        "mov r4, r8",
        "mov r5, r9",
        "mov r6, r10",
        "mov r7, r11",
        "push {{r4-r7}}",
        // On the stack: four sums, zero point, step, the same in bytes of mantissas, mantissas, exponents, x, its end, the
        // end of its fours, y, bias, rows left, −128·Σ x, weights.
        "sub sp, #68",
        "str r1, [sp, #36]",
        "str r2, [sp, #48]",
        "str r3, [sp, #56]",
        "ldm r0!, {{r2-r5}}",
        "str r2, [sp, #28]",
        "str r3, [sp, #32]",
        "str r4, [sp, #20]",
        "lsls r4, r4, #2",
        "str r4, [sp, #24]",
        "str r5, [sp, #16]",
        "ldm r0!, {{r2-r4}}",
        "str r2, [sp, #64]",
        "str r3, [sp, #52]",
        "lsrs r5, r4, #2",
        "lsls r5, r5, #2",
        "adds r5, r5, r1",
        "str r5, [sp, #44]",
        "adds r4, r4, r1",
        "str r4, [sp, #40]",
        "movs r2, #0",
        "2:",
        "ldrb r3, [r1]",
        "adds r2, r2, r3",
        "adds r1, r1, #1",
        "cmp r1, r4",
        "bne 2b",
        "lsls r2, r2, #7",
        "rsbs r2, r2, #0",
        "str r2, [sp, #60]",
        // Four rows.
        "2:",
        "ldr r7, [sp, #56]",
        "subs r7, r7, #4",
        "bpl 3f",
        "b 7f", // too far for a conditional branch
        "3:",
        "str r7, [sp, #56]",
        "ldr r0, [sp, #36]",
        "ldr r1, [sp, #64]",
        "movs r6, #0",
        "mov r8, r6",
        "mov r9, r6",
        "mov r10, r6",
        "mov r11, r6",
        "ldr r6, [sp, #44]",
        "mov r12, r6",
        "cmp r0, r12",
        "beq 4f",
        "3:",
        "ldm r1!, {{r2-r5}}",
        column!("r2", "0"),
        column!("r3", "1"),
        column!("r4", "2"),
        column!("r5", "3"),
        "adds r0, r0, #4",
        "cmp r0, r12",
        "bne 3b",
        "4:",
        // The columns that four do not divide.
        "ldr r5, [sp, #40]",
        "b 5f",
        "4:",
        "ldm r1!, {{r2}}",
        column!("r2", "0"),
        "adds r0, r0, #1",
        "5:",
        "cmp r0, r5",
        "bne 4b",
        "str r1, [sp, #64]",
        // Sums of the rows, with their biases.
        "mov r2, r8",
        "mov r3, r9",
        "mov r4, r10",
        "mov r5, r11",
        "lsls r6, r3, #8",
        "subs r2, r2, r6",
        "lsls r6, r4, #8",
        "subs r3, r3, r6",
        "lsls r6, r5, #8",
        "subs r4, r4, r6",
        "ldr r1, [sp, #52]",
        "ldm r1!, {{r6, r7}}",
        "adds r2, r2, r6",
        "adds r3, r3, r7",
        "ldm r1!, {{r6, r7}}",
        "adds r4, r4, r6",
        "adds r5, r5, r7",
        "str r1, [sp, #52]",
        "mov r0, sp",
        "stm r0!, {{r2-r5}}",
        "mov r12, r0",
        "mov r0, sp",
        // Codes of the sums from r0 to r12.
        "5:",
        "ldr r1, [sp, #60]",
        "mov r8, r1",
        "ldr r1, [sp, #28]",
        "mov r9, r1",
        "ldr r1, [sp, #32]",
        "mov r10, r1",
        "ldr r1, [sp, #48]",
        "6:",
        "ldm r0!, {{r2}}",
        "add r2, r8",
        "mov r5, r9",
        "ldr r4, [r5]",
        "ldr r5, [sp, #24]",
        "add r9, r5",
        "mov r5, r10",
        "ldrb r3, [r5]",
        "ldr r5, [sp, #20]",
        "add r10, r5",
        "sxth r5, r2",
        "subs r2, r2, r5",
        "asrs r2, r2, #16",
        "uxth r6, r4",
        "lsrs r4, r4, #16",
        "movs r7, r5",
        "muls r7, r6, r7",
        "asrs r7, r7, #16",
        "muls r5, r4, r5",
        "muls r6, r2, r6",
        "muls r2, r4, r2",
        "adds r7, r7, r5",
        "adds r7, r7, r6",
        "lsls r2, r2, #1",
        "asrs r7, r7, #15",
        "adcs r2, r7",
        "asrs r5, r2, #31",
        "adds r2, r2, r5",
        "asrs r2, r3",
        "ldr r5, [sp, #16]",
        "adcs r2, r5",
        // Below 0 becomes 0, above 255 becomes 255.
        "lsrs r5, r2, #8",
        "beq 8f",
        "mvns r2, r2",
        "asrs r2, r2, #31",
        "8:",
        "strb r2, [r1]",
        "adds r1, r1, #1",
        "cmp r0, r12",
        "bne 6b",
        "str r1, [sp, #48]",
        "mov r1, r9",
        "str r1, [sp, #28]",
        "mov r1, r10",
        "str r1, [sp, #32]",
        "b 2b",
        // The rows that four do not divide, one by one; r5 leads from an input to its weight.
        "7:",
        "adds r7, r7, #3",
        "bmi 9f",
        "str r7, [sp, #56]",
        "ldr r0, [sp, #36]",
        "ldr r1, [sp, #64]",
        "subs r5, r1, r0",
        "ldr r6, [sp, #40]",
        "movs r2, #0",
        "3:",
        "ldrb r3, [r0]",
        "ldrb r4, [r5, r0]",
        "muls r3, r4, r3",
        "adds r2, r2, r3",
        "adds r0, r0, #1",
        "cmp r0, r6",
        "bne 3b",
        "adds r5, r5, r0",
        "str r5, [sp, #64]",
        "ldr r1, [sp, #52]",
        "ldm r1!, {{r6}}",
        "adds r2, r2, r6",
        "str r1, [sp, #52]",
        "add r0, sp, #12",
        "str r2, [r0]",
        "add r1, sp, #16",
        "mov r12, r1",
        "b 5b",
        "9:",
        "add sp, #68",
        "pop {{r4-r7}}",
        "mov r8, r4",
        "mov r9, r5",
        "mov r10, r6",
        "mov r11, r7",
        "pop {{r4-r7, pc}}",
    )
}
