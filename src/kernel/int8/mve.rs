//! The kernel of [`rows`](super::rows) for Cortex-M55 and M85, by Helium: 10 instructions for 64 products.
//!
//! | register | in the loop over columns | while codes are made |
//! |---|---|---|
//! | r0 | `x`, moving | |
//! | r1, r3, r5, r7 | weights of four rows, moving | biases, mantissas, exponents |
//! | r2 | | rows left |
//! | r4, r6, r8, r10 | sums of four rows | |
//! | r9 | `y`, moving | `y`, moving |
//! | r11, r12 | inputs; weights | |
//! | q0, q1 | inputs, weights | sums, mantissas |
//! | q2, q3 | | exponents, a part of them |
//! | q4–q7 | 0, zero point, −128, 127 | the same |
//!
//! Codes are made by fours, as gemmlowp makes them: VQRDMULH is its doubling high multiply, and VRSHL its rounding shift,
//! but that halves of negative sums go the other way, which a subtraction of 1 from them turns.
#![allow(unsafe_code)]

use core::arch::naked_asm;

use super::job::Job;

/// # Safety
/// `x` and `y` hold as many codes as the job's `inputs` and `outputs` say.
#[unsafe(naked)]
pub(super) unsafe extern "C" fn kernel(job: *const Job<'_>, x: *const i8, y: *mut i8, outputs: usize) {
    naked_asm!(
        // Naked functions do not know what the target has.
        ".cpu cortex-m55",
        "push {{r4-r11, lr}}",
        "vpush {{d8-d15}}",
        // On the stack: biases, mantissas, exponents, step, x.
        "sub sp, #20",
        "str r1, [sp, #16]",
        "mov r9, r2",
        "mov r2, r3",
        "ldm r0, {{r3-r7, r8, r11}}", // mantissas, exponents, step, zero point, weights, biases, inputs
        "mov r12, r7",
        "str r8, [sp]",
        "strd r3, r4, [sp, #4]",
        "str r5, [sp, #12]",
        "movs r0, #0",
        "vdup.32 q4, r0",
        "vdup.32 q5, r6",
        "mvn r0, #127",
        "vdup.32 q6, r0",
        "movs r0, #127",
        "vdup.32 q7, r0",
        // One factor for all rows stays in q1 and q2.
        "ldr r0, [r3]",
        "vdup.32 q1, r0",
        "ldrsb r0, [r4]",
        "vdup.32 q2, r0",
        // Four rows, or those that are left: the missing ones are the first of them, again.
        "2:",
        "mov r1, r12",
        "add r3, r1, r11",
        "add r5, r3, r11",
        "add r7, r5, r11",
        "add r12, r7, r11",
        "cmp r2, #4",
        "bge 3f",
        "mov r7, r1",
        "cmp r2, #3",
        "it lt",
        "movlt r5, r1",
        "cmp r2, #2",
        "it lt",
        "movlt r3, r1",
        "3:",
        "ldr r0, [sp, #16]",
        "movs r4, #0",
        "movs r6, #0",
        "mov r8, r4",
        "mov r10, r4",
        "dlstp.8 lr, r11",
        "4:",
        "vldrb.u8 q0, [r0], #16",
        "vldrb.u8 q3, [r1], #16",
        "vmladava.s8 r4, q0, q3",
        "vldrb.u8 q3, [r3], #16",
        "vmladava.s8 r6, q0, q3",
        "vldrb.u8 q3, [r5], #16",
        "vmladava.s8 r8, q0, q3",
        "vldrb.u8 q3, [r7], #16",
        "vmladava.s8 r10, q0, q3",
        "letp lr, 4b",
        "vmov q0[2], q0[0], r4, r8",
        "vmov q0[3], q0[1], r6, r10",
        // Codes.
        "ldm sp, {{r1, r3, r5, r7}}",
        "vctp.32 r2",
        "vpst",
        "vldrwt.u32 q3, [r1], #16",
        "str r1, [sp]",
        "vadd.i32 q0, q0, q3",
        "cbz r7, 5f",
        "vpstt",
        "vldrwt.u32 q1, [r3], #16",
        "vldrbt.s32 q2, [r5], #4",
        "strd r3, r5, [sp, #4]",
        "5:",
        "vmax.s32 q3, q2, q4",
        "vqshl.s32 q0, q0, q3",
        "vqrdmulh.s32 q0, q0, q1",
        "vmin.s32 q3, q2, q4",
        "vand q3, q0, q3",
        "vshr.s32 q3, q3, #31",
        "vqadd.s32 q0, q0, q3",
        "vmin.s32 q3, q2, q4",
        "vrshl.s32 q0, q0, q3",
        "vqadd.s32 q0, q0, q5",
        "vmax.s32 q0, q0, q6",
        "vmin.s32 q0, q0, q7",
        "mov r0, r9",
        "add r9, #4",
        "vpst",
        "vstrbt.32 q0, [r0]",
        "subs r2, #4",
        "bgt 2b",
        "add sp, #20",
        "vpop {{d8-d15}}",
        "pop {{r4-r11, pc}}",
    )
}
