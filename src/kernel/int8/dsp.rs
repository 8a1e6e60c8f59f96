//! The kernel of [`pairs`](super::pairs) for Cortex-M4, M7 and M33: 15 instructions for 16 products.
//!
//! | register | in the loops over columns | while codes are made |
//! |---|---|---|
//! | r0 | `x`, moving | |
//! | r1 | weights, moving | weights |
//! | r2, r3 | `A` and `P` of rows 0 and 1 | their sums |
//! | r4, r5 | `A` and `P` of rows 2 and 3 | their sums |
//! | r6, r7 | inputs | mantissas, exponents |
//! | r8–r11 | weights | 0 or 1 a row, zero point, index of the factor, mantissa |
//! | r12 | columns left | exponent |
//! | lr | `y`, moving | `y`, moving |
//!
//! A code is made as gemmlowp makes it, in six instructions. SMMLAR with the mantissa in Q32, `m' = 2m − 2³²`, gives
//! `v + ⌊(v·m' + 2³¹) / 2³²⌋ = ⌊(2·v·m + 2³¹) / 2³²⌋`, its doubling high multiply. Its rounding shift, halves away from
//! zero, is `⌊(v − [v < 0]) / 2ⁿ + ½⌋`: the subtraction by ADDS, then ASRS leaves the half in the carry flag and ADC adds
//! it along with the zero point. Where n = 0, ASRS keeps the carry of ADDS, which is `[v < 0]`.
#![allow(unsafe_code)]

use core::arch::naked_asm;
use core::mem::offset_of;

use super::job::Job;

/// Holds codes, four at a time, and gives back those that are left.
#[inline(always)]
pub(super) fn hold_fours<'a>(codes: &'a [i8], words: &'a mut [i16]) -> (&'a [i8], &'a mut [i16]) {
    let (fours, rest) = codes.as_chunks::<4>();
    if fours.is_empty() || words.len() < 4 * fours.len() || !words.as_ptr().cast::<u32>().is_aligned() {
        return (codes, words);
    }
    // SAFETY: both have that many fours, at least one; `words` is aligned to 4 bytes.
    unsafe { widen(fours.as_ptr(), words.as_mut_ptr(), fours.len()) };
    (rest, words.get_mut(4 * fours.len()..).unwrap_or_default())
}

// Naked functions do not know what the target has.
#[cfg(not(kernel_armv8m))]
macro_rules! core {
    () => {
        ".cpu cortex-m4"
    };
}
#[cfg(kernel_armv8m)]
macro_rules! core {
    () => {
        ".cpu cortex-m33"
    };
}

/// Four columns of rows 0 to 3: 2 loads and 12 for 16 products.
macro_rules! four_columns {
    () => {
        "ldrd r6, r7, [r0], #8
        ldm r1!, {{r8-r11}}
        smlad r3, r8, r6, r3
        sxtb16 r8, r8
        smlad r5, r9, r6, r5
        sxtb16 r9, r9
        smlad r2, r8, r6, r2
        smlad r4, r9, r6, r4
        smlad r3, r10, r7, r3
        sxtb16 r10, r10
        smlad r5, r11, r7, r5
        sxtb16 r11, r11
        smlad r2, r10, r7, r2
        smlad r4, r11, r7, r4
        "
    };
}

/// The factors' places, and the index that moves along them.
macro_rules! factors {
    () => {
        "ldr r0, [sp]
        ldm r0, {{r6-r9}}
        ldr r10, [sp, #8]
        "
    };
}

/// A sum becomes a code.
macro_rules! code {
    ($sum:literal) => {
        concat!(
            "ldr r11, [r6, r10, lsl #2]
            ldrb r12, [r7, r10]
            add r10, r10, r8
            smmlar ",
            $sum,
            ", ",
            $sum,
            ", r11, ",
            $sum,
            "
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
            ", r12
            adc ",
            $sum,
            ", ",
            $sum,
            ", r9
            ssat ",
            $sum,
            ", #8, ",
            $sum,
            "
            strh ",
            $sum,
            ", [lr], #2
            "
        )
    };
}

pub(crate) use {code, core};

/// # Safety
/// `codes` and `words` have `count` times 4 elements, not 0; `words` is aligned to 4 bytes.
#[unsafe(naked)]
unsafe extern "C" fn widen(codes: *const [i8; 4], words: *mut i16, count: usize) {
    naked_asm!(
        core!(),
        "push {{r4, lr}}",
        "2:",
        "ldr r3, [r0], #4",
        "sxtb16 r12, r3",
        "sxtb16 r3, r3, ror #8",
        "pkhbt r4, r12, r3, lsl #16",
        "pkhtb lr, r3, r12, asr #16",
        "strd r4, lr, [r1], #8",
        "subs r2, #1",
        "bne 2b",
        "pop {{r4, pc}}",
    )
}

/// # Safety
/// `x` and `y` hold as many codes as the job's `inputs` and `outputs` say; `x` is aligned to 4 bytes.
#[unsafe(naked)]
pub(super) unsafe extern "C" fn kernel(job: *const Job<'_>, x: *const i16, y: *mut i16, outputs: usize) {
    naked_asm!(
        core!(),
        "push {{r4-r11, lr}}",
        "sub sp, #20",
        // On the stack: job, x, index of the factor, bias, rows left.
        "strd r0, r1, [sp]",
        "movs r4, #0",
        "ldr r5, [r0, #{bias}]",
        "strd r4, r5, [sp, #8]",
        "mov r12, r3",
        "mov lr, r2",
        "ldr r1, [r0, #{weights}]",
        // Four rows.
        "2:",
        "subs r12, #4",
        "bmi 7f",
        "str r12, [sp, #16]",
        "ldrd r12, r0, [sp]",
        "ldr r6, [sp, #12]",
        "ldr r12, [r12, #{inputs}]",
        "ldm r6!, {{r2-r5}}",
        "str r6, [sp, #12]",
        "subs r12, #8",
        "bmi 4f",
        "3:",
        four_columns!(),
        four_columns!(),
        "subs r12, #8",
        "bpl 3b",
        "4:",
        // The columns that eight do not divide: carry, sign and what is left say whether to take 4, 2 and 1.
        "lsls r12, r12, #30",
        "bcc 5f",
        four_columns!(),
        "5:",
        "bpl 5f",
        "ldr r6, [r0], #4",
        "ldrd r8, r9, [r1], #8",
        "smlad r3, r8, r6, r3",
        "sxtb16 r8, r8",
        "smlad r5, r9, r6, r5",
        "sxtb16 r9, r9",
        "smlad r2, r8, r6, r2",
        "smlad r4, r9, r6, r4",
        "5:",
        "lsls r12, r12, #1",
        "bpl 5f",
        "ldrsh r6, [r0]",
        "ldr r8, [r1], #4",
        "smlabb r3, r8, r6, r3",
        "smlatb r5, r8, r6, r5",
        "sxtb16 r8, r8",
        "smlabb r2, r8, r6, r2",
        "smlatb r4, r8, r6, r4",
        "5:",
        factors!(),
        "sub r3, r3, r2",
        "asr r3, r3, #8",
        "sub r5, r5, r4",
        "asr r5, r5, #8",
        code!("r2"),
        code!("r3"),
        "6:",
        code!("r4"),
        "8:",
        code!("r5"),
        "ldr r12, [sp, #16]",
        "str r10, [sp, #8]",
        "b 2b",
        // The rows that four do not divide: two, and one, in the registers of the last ones of four.
        "7:",
        "adds r12, #4",
        "beq 9f",
        "ldr r0, [sp]",
        "ldr r6, [sp, #12]",
        "ldr r3, [r0, #{inputs}]",
        "ldr r0, [sp, #4]",
        "subs r12, #2",
        "bmi 7f",
        "str r12, [sp, #16]",
        "ldrd r4, r5, [r6], #8",
        "str r6, [sp, #12]",
        "subs r3, #4",
        "bmi 4f",
        "3:",
        "ldrd r6, r7, [r0], #8",
        "ldrd r8, r9, [r1], #8",
        "smlad r5, r8, r6, r5",
        "sxtb16 r8, r8",
        "smlad r5, r9, r7, r5",
        "sxtb16 r9, r9",
        "smlad r4, r8, r6, r4",
        "smlad r4, r9, r7, r4",
        "subs r3, #4",
        "bpl 3b",
        "4:",
        "lsls r3, r3, #31",
        "bcc 5f",
        "ldr r6, [r0], #4",
        "ldr r8, [r1], #4",
        "smlad r5, r8, r6, r5",
        "sxtb16 r8, r8",
        "smlad r4, r8, r6, r4",
        "5:",
        "bpl 5f",
        "ldrsh r6, [r0]",
        "ldrsh r8, [r1], #2",
        "smlabb r5, r8, r6, r5",
        "sxtb r8, r8",
        "smlabb r4, r8, r6, r4",
        "5:",
        factors!(),
        "sub r5, r5, r4",
        "asr r5, r5, #8",
        "b 6b",
        "7:",
        "movs r12, #0",
        "str r12, [sp, #16]",
        "ldr r5, [r6]",
        "3:",
        "ldrsb r8, [r1], #1",
        "ldrsh r6, [r0], #2",
        "smlabb r5, r8, r6, r5",
        "subs r3, #1",
        "bne 3b",
        factors!(),
        "b 8b",
        "9:",
        "add sp, #20",
        "pop {{r4-r11, pc}}",
        bias = const offset_of!(Job, bias),
        weights = const offset_of!(Job, weights),
        inputs = const offset_of!(Job, inputs),
    )
}
