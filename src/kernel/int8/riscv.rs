//! The kernel of [`quads`](super::quads) for RISC-V with multiplication: 3.4 instructions a product.
//!
//! | register | in the loop over columns | while codes are made |
//! |---|---|---|
//! | a0, a1 | | step, the same in bytes of mantissas |
//! | a2, a3 | `y`, moving; rows left | the same |
//! | a4–a7 | `S₀` to `S₃` | sums |
//! | t0–t3 | four columns' weights | |
//! | t4, t5 | an input, a product | |
//! | t6 | `x`, moving | |
//! | s0–s2 | weights, moving; bias, moving; `x` | the same |
//! | s3, s4 | end of `x`, end of its fours | the same |
//! | s5, s6 | mantissas, exponents, moving | the same |
//! | s7, s8 | zero point; `−128·Σ x` | the same |
//!
//! A code is made as gemmlowp makes it: `⌊(2·v·m + 2³¹) / 2³²⌋`, then, where n > 0, `⌊(v − [v < 0]) / 2ⁿ + ½⌋`, which is
//! half of `⌊(v − [v < 0]) / 2ⁿ⁻¹⌋ + 1`.
#![allow(unsafe_code)]

use core::arch::naked_asm;

use super::job::Job;

/// One column of four rows.
macro_rules! column {
    ($weights:literal, $offset:literal) => {
        concat!(
            "lbu t4, ",
            $offset,
            "(t6)
            mul t5, ",
            $weights,
            ", t4
            add a4, a4, t5
            srli t5, ",
            $weights,
            ", 8
            mul t5, t5, t4
            add a5, a5, t5
            srli t5, ",
            $weights,
            ", 16
            mul t5, t5, t4
            add a6, a6, t5
            srli t5, ",
            $weights,
            ", 24
            mul t5, t5, t4
            add a7, a7, t5
            "
        )
    };
}

/// A sum becomes a code, between 0 and 255.
macro_rules! code {
    ($sum:literal) => {
        concat!(
            "lw t0, 0(s1)
            lw t1, 0(s5)
            lbu t2, 0(s6)
            addi s1, s1, 4
            add s5, s5, a1
            add s6, s6, a0
            add ",
            $sum,
            ", ",
            $sum,
            ", t0
            slli ",
            $sum,
            ", ",
            $sum,
            ", 1
            mul t3, ",
            $sum,
            ", t1
            mulh t4, ",
            $sum,
            ", t1
            srli t3, t3, 31
            add t4, t4, t3
            beqz t2, 33f
            srai t3, t4, 31
            addi t2, t2, -1
            add t4, t4, t3
            sra t4, t4, t2
            addi t4, t4, 1
            srai t4, t4, 1
            33:
            add t4, t4, s7
            srli t3, t4, 8
            beqz t3, 33f
            not t4, t4
            srai t4, t4, 31
            33:
            sb t4, 0(a2)
            addi a2, a2, 1
            "
        )
    };
}

/// # Safety
/// `x` and `y` hold as many codes as the job's `inputs` and `outputs` say.
#[unsafe(naked)]
pub(super) unsafe extern "C" fn kernel(job: *const Job<'_>, x: *const u8, y: *mut u8, outputs: usize) {
    naked_asm!(
        // Naked functions do not know what the target has.
        ".option push",
        ".option arch, +m",
        "addi sp, sp, -48",
        "sw s0, 0(sp)",
        "sw s1, 4(sp)",
        "sw s2, 8(sp)",
        "sw s3, 12(sp)",
        "sw s4, 16(sp)",
        "sw s5, 20(sp)",
        "sw s6, 24(sp)",
        "sw s7, 28(sp)",
        "sw s8, 32(sp)",
        "mv s2, a1",
        "lw s5, 0(a0)",
        "lw s6, 4(a0)",
        "lw t0, 8(a0)",
        "lw s7, 12(a0)",
        "lw s0, 16(a0)",
        "lw s1, 20(a0)",
        "lw s3, 24(a0)",
        "mv a0, t0",
        "slli a1, t0, 2",
        "andi s4, s3, -4",
        "add s3, s3, s2",
        "add s4, s4, s2",
        "mv t6, s2",
        "li s8, 0",
        "22:",
        "lbu t0, 0(t6)",
        "add s8, s8, t0",
        "addi t6, t6, 1",
        "bne t6, s3, 22b",
        "slli s8, s8, 7",
        "neg s8, s8",
        // Four rows.
        "22:",
        "addi a3, a3, -4",
        "bltz a3, 77f",
        "mv t6, s2",
        "li a4, 0",
        "li a5, 0",
        "li a6, 0",
        "li a7, 0",
        "beq t6, s4, 55f",
        "44:",
        "lw t0, 0(s0)",
        "lw t1, 4(s0)",
        "lw t2, 8(s0)",
        "lw t3, 12(s0)",
        column!("t0", "0"),
        column!("t1", "1"),
        column!("t2", "2"),
        column!("t3", "3"),
        "addi s0, s0, 16",
        "addi t6, t6, 4",
        "bne t6, s4, 44b",
        "j 55f",
        // The columns that four do not divide.
        "44:",
        "lw t0, 0(s0)",
        column!("t0", "0"),
        "addi s0, s0, 4",
        "addi t6, t6, 1",
        "55:",
        "bne t6, s3, 44b",
        // Sums of the rows.
        "slli t0, a5, 8",
        "slli t1, a6, 8",
        "slli t2, a7, 8",
        "sub a4, a4, t0",
        "sub a5, a5, t1",
        "sub a6, a6, t2",
        "add a4, a4, s8",
        "add a5, a5, s8",
        "add a6, a6, s8",
        "add a7, a7, s8",
        code!("a4"),
        code!("a5"),
        code!("a6"),
        "66:",
        code!("a7"),
        "j 22b",
        // The rows that four do not divide, one by one, in the register of the last one of four.
        "77:",
        "addi a3, a3, 3",
        "bltz a3, 99f",
        "mv t6, s2",
        "mv a7, s8",
        "44:",
        "lbu t0, 0(s0)",
        "lbu t1, 0(t6)",
        "addi s0, s0, 1",
        "addi t6, t6, 1",
        "mul t0, t0, t1",
        "add a7, a7, t0",
        "bne t6, s3, 44b",
        "j 66b",
        "99:",
        "lw s0, 0(sp)",
        "lw s1, 4(sp)",
        "lw s2, 8(sp)",
        "lw s3, 12(sp)",
        "lw s4, 16(sp)",
        "lw s5, 20(sp)",
        "lw s6, 24(sp)",
        "lw s7, 28(sp)",
        "lw s8, 32(sp)",
        "addi sp, sp, 48",
        "ret",
        ".option pop",
    )
}
