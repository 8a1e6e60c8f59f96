//! The kernel of [`quads`](super::quads) for Cortex-M3, and Cortex-M33 without DSP: 2.2 instructions a product.
//!
//! | register | in the loop over columns | while codes are made |
//! |---|---|---|
//! | r0 | `x`, moving | mantissa, exponent |
//! | r1 | weights, moving | weights |
//! | r2–r5 | `S₀` to `S₃` | sums |
//! | r6–r9 | four columns' weights | mantissas, exponents, 0 or 1 a row, zero point |
//! | r10, r11 | a shifted word, an input | index of the factor, low half of a product |
//! | r12 | end of `x`, or of its fours | |
//! | lr | `y`, moving | `y`, moving |
//!
//! A code is made as gemmlowp makes it: `⌊(2·v·m + 2³¹) / 2³²⌋`, then `⌊(v − [v < 0]) / 2ⁿ + ½⌋`: ASRS leaves the half in
//! the carry flag and ADC adds it along with the zero point. Where n = 0, ASRS keeps the carry of the subtraction by
//! ADDS, which is `[v < 0]`.
#![allow(unsafe_code)]

use core::arch::naked_asm;

use super::job::Job;

/// One column of four rows.
macro_rules! column {
    ($weights:literal) => {
        concat!(
            "ldrb r11, [r0], #1
            mla r2, ",
            $weights,
            ", r11, r2
            lsr r10, ",
            $weights,
            ", #8
            mla r3, r10, r11, r3
            lsr r10, ",
            $weights,
            ", #16
            mla r4, r10, r11, r4
            lsr r10, ",
            $weights,
            ", #24
            mla r5, r10, r11, r5
            "
        )
    };
}

/// The factors' places, and the index that moves along them.
macro_rules! factors {
    () => {
        "ldr r0, [sp, #24]
        ldm r0, {{r6-r9}}
        ldr r10, [sp, #20]
        "
    };
}

/// A sum becomes a code.
macro_rules! code {
    ($sum:literal) => {
        concat!(
            "ldr r0, [r6, r10, lsl #2]
            lsl ",
            $sum,
            ", ",
            $sum,
            ", #1
            smull r11, ",
            $sum,
            ", ",
            $sum,
            ", r0
            ldrb r0, [r7, r10]
            add r10, r10, r8
            adds r11, r11, #0x80000000
            adc ",
            $sum,
            ", ",
            $sum,
            ", #0
            adds ",
            $sum,
            ", ",
            $sum,
            ", ",
            $sum,
            ", asr #31
            asrs ",
            $sum,
            ", ",
            $sum,
            ", r0
            adc ",
            $sum,
            ", ",
            $sum,
            ", r9
            usat ",
            $sum,
            ", #8, ",
            $sum,
            "
            strb ",
            $sum,
            ", [lr], #1
            "
        )
    };
}

/// # Safety
/// `x` and `y` hold as many codes as the job's `inputs` and `outputs` say.
#[unsafe(naked)]
pub(super) unsafe extern "C" fn kernel(job: *const Job<'_>, x: *const u8, y: *mut u8, outputs: usize) {
    naked_asm!(
        "push {{r4-r11, lr}}",
        // On the stack: what the offset of the inputs adds to S₀ to S₃, end of the fours of x, index of the factor, job, x,
        // its end, bias, rows left.
        "sub sp, #44",
        "mov lr, r2",
        "str r3, [sp, #40]",
        "str r0, [sp, #24]",
        "str r1, [sp, #28]",
        "add r6, r0, #16",
        "ldm r6, {{r6-r8}}", // weights, bias, inputs
        "str r7, [sp, #36]",
        "bic r9, r8, #3",
        "add r9, r9, r1",
        "str r9, [sp, #16]",
        "add r8, r8, r1",
        "str r8, [sp, #32]",
        "movs r5, #0",
        "str r5, [sp, #20]",
        "2:",
        "ldrb r2, [r1], #1",
        "add r5, r5, r2",
        "cmp r1, r8",
        "bne 2b",
        "mov r1, r6",
        "lsl r5, r5, #7",
        "rsb r5, r5, #0",
        "add r4, r5, r5, lsl #8",
        "add r3, r5, r4, lsl #8",
        "add r2, r5, r3, lsl #8",
        "stm sp, {{r2-r5}}",
        // Four rows.
        "2:",
        "ldr r12, [sp, #40]",
        "subs r12, #4",
        "bmi 7f",
        "str r12, [sp, #40]",
        "ldm sp, {{r2-r5, r12}}",
        "ldr r0, [sp, #28]",
        "cmp r0, r12",
        "beq 4f",
        "3:",
        "ldm r1!, {{r6-r9}}",
        column!("r6"),
        column!("r7"),
        column!("r8"),
        column!("r9"),
        "cmp r0, r12",
        "bne 3b",
        "4:",
        // The columns that four do not divide.
        "ldr r12, [sp, #32]",
        "b 5f",
        "4:",
        "ldr r6, [r1], #4",
        column!("r6"),
        "5:",
        "cmp r0, r12",
        "bne 4b",
        // Sums of the rows, with their biases.
        "ldr r0, [sp, #36]",
        "sub r2, r2, r3, lsl #8",
        "sub r3, r3, r4, lsl #8",
        "sub r4, r4, r5, lsl #8",
        "ldm r0!, {{r6-r9}}",
        "str r0, [sp, #36]",
        "add r2, r2, r6",
        "add r3, r3, r7",
        "add r4, r4, r8",
        "add r5, r5, r9",
        factors!(),
        code!("r2"),
        code!("r3"),
        code!("r4"),
        "6:",
        code!("r5"),
        "str r10, [sp, #20]",
        "b 2b",
        // The rows that four do not divide, one by one, in the register of the last one of four.
        "7:",
        "adds r12, #3",
        "bmi 9f",
        "str r12, [sp, #40]",
        "ldr r5, [sp, #12]",
        "ldr r0, [sp, #28]",
        "ldr r12, [sp, #32]",
        "3:",
        "ldrb r6, [r1], #1",
        "ldrb r7, [r0], #1",
        "mla r5, r6, r7, r5",
        "cmp r0, r12",
        "bne 3b",
        "ldr r0, [sp, #36]",
        "ldr r6, [r0], #4",
        "str r0, [sp, #36]",
        "add r5, r5, r6",
        factors!(),
        "b 6b",
        "9:",
        "add sp, #44",
        "pop {{r4-r11, pc}}",
    )
}
