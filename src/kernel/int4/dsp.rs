//! The kernel of [`fours`](super::fours) for Cortex-M4, M7 and M33: 9 instructions for 8 products.
//!
//! | register | in the loop over columns | after a part of the columns |
//! |---|---|---|
//! | r0, r1 | `x`, weights, both moving | the same |
//! | r2–r5 | sums of halfwords, shifted by 0, 4, 8 and 12 bits | sums of rows |
//! | r6, r7 | two inputs, shifted weights | |
//! | r8–r11 | weights | sums of the parts before |
//! | r12, lr | masks of a halfword's upper 12 and 4 bits | |
//!
//! A part is the columns of a group, or 512. Codes are made as in the int8 kernel.
#![allow(unsafe_code)]

use core::arch::naked_asm;
use core::mem::offset_of;

use super::{Affine, Packed};
use crate::kernel::int8::dsp::{code, core};
use crate::quant::GROUP;

/// The arguments of the kernel, which reads them by these offsets.
#[repr(C)]
struct Job {
    multipliers: *const i32,
    shifts: *const i8,
    // From one row's factor to the next row's.
    step: usize,
    zero: i32,
    weights: *const u8,
    bias: *const i32,
    inputs: usize,
    group_scales: *const u8,
    // Of a row: 0 if there are none.
    groups: usize,
    // Bytes of `x`.
    part: usize,
}

/// The layer's outputs, by its short cuts; tells whether they are exact for it.
#[inline(always)] // lengths are known where it is called
pub(super) fn affine(layer: &Affine<'_>, x: &[i16], y: &mut [i16]) -> bool {
    let (inputs, outputs) = (x.len(), y.len());
    let Packed { bytes, group_scales } = layer.weights;
    let groups = if group_scales.is_empty() { 0 } else { inputs.div_ceil(GROUP) };
    let fits = inputs > 0
        && outputs > 0
        && inputs.div_ceil(2).checked_mul(outputs) == Some(bytes.len())
        && groups.checked_mul(outputs) == Some(group_scales.len())
        && [layer.bias.len(), layer.multipliers.len(), layer.shifts.len()] == [outputs; 3]
        && bytes.as_ptr().cast::<u32>().is_aligned()
        && x.as_ptr().cast::<u32>().is_aligned();
    if !(layer.short && fits) {
        return false;
    }
    let job = Job {
        multipliers: layer.multipliers.as_ptr(),
        shifts: layer.shifts.as_ptr(),
        step: 1,
        zero: layer.zero.into(),
        weights: bytes.as_ptr(),
        bias: layer.bias.as_ptr(),
        inputs,
        group_scales: group_scales.as_ptr(),
        groups,
        part: size_of::<i16>() * if groups > 0 { GROUP } else { 512 },
    };
    // SAFETY: the lengths are those that the kernel reads and writes, and weights and `x` are aligned, as just checked.
    unsafe { kernel(&job, x.as_ptr(), y.as_mut_ptr(), outputs) };
    true
}

/// Two columns of four rows, the inputs of which are in r6.
macro_rules! two_columns {
    ($weights:literal) => {
        concat!(
            "smlad r2, ",
            $weights,
            ", r6, r2
            and r7, r12, ",
            $weights,
            ", lsl #4
            smlad r3, r7, r6, r3
            sxtb16 ",
            $weights,
            ", ",
            $weights,
            "
            smlad r4, ",
            $weights,
            ", r6, r4
            and ",
            $weights,
            ", lr, ",
            $weights,
            ", lsl #12
            smlad r5, ",
            $weights,
            ", r6, r5
            "
        )
    };
}

/// The end of the part that begins with r0, in r8, and that of its eights of columns, in r7.
macro_rules! part {
    () => {
        "ldr r10, [sp]
        ldr r11, [sp, #8]
        ldr r8, [r10, #{part}]
        add r8, r0, r8
        cmp r8, r11
        it hi
        movhi r8, r11
        sub r7, r8, r0
        bic r7, r7, #15
        add r7, r0, r7
        mov lr, #0xf000f000
        "
    };
}

/// # Safety
/// `x` and `y` hold as many codes as the job's `inputs` and `outputs` say; `x` is aligned to 4 bytes.
#[unsafe(naked)]
unsafe extern "C" fn kernel(job: *const Job, x: *const i16, y: *mut i16, outputs: usize) {
    naked_asm!(
        core!(),
        "push {{r4-r11, lr}}",
        // On the stack: job, x, its end, y, rows left, index of the factor, bias, the rows' scales, four sums, end of the
        // part, end of its eights, the part's scales.
        "sub sp, #60",
        "strd r0, r1, [sp]",
        "ldr r4, [r0, #{inputs}]",
        "add r4, r1, r4, lsl #1",
        "strd r4, r2, [sp, #8]",
        "movs r5, #0",
        "strd r3, r5, [sp, #16]",
        "ldr r6, [r0, #{bias}]",
        "ldr r7, [r0, #{group_scales}]",
        "strd r6, r7, [sp, #24]",
        "ldr r1, [r0, #{weights}]",
        // Four rows.
        "2:",
        "ldr r12, [sp, #16]",
        "subs r12, #4",
        "bmi 77f",
        "str r12, [sp, #16]",
        "ldrd r6, r7, [sp, #24]",
        "str r7, [sp, #56]",
        "ldm r6!, {{r2-r5}}",
        "str r6, [sp, #24]",
        "add r7, sp, #32",
        "stm r7, {{r2-r5}}",
        "ldr r0, [sp, #4]",
        // A part.
        "3:",
        part!(),
        "strd r8, r7, [sp, #48]",
        "mvn r12, #0x000f000f",
        "movs r2, #0",
        "movs r3, #0",
        "movs r4, #0",
        "movs r5, #0",
        "cmp r0, r7",
        "beq 5f",
        "4:",
        "ldm r1!, {{r8-r11}}",
        "ldr r6, [r0], #4",
        two_columns!("r8"),
        "ldr r6, [r0], #4",
        two_columns!("r9"),
        "ldr r6, [r0], #4",
        two_columns!("r10"),
        "ldr r6, [r0], #4",
        two_columns!("r11"),
        "ldr r7, [sp, #52]",
        "cmp r0, r7",
        "bne 4b",
        "5:",
        // Columns that eight do not divide, by twos; beside the last odd one there is a weight of zero.
        "ldr r8, [sp, #48]",
        "6:",
        "sub r7, r8, r0",
        "cmp r7, #4",
        "blt 6f",
        "ldr r9, [r1], #4",
        "ldr r6, [r0], #4",
        two_columns!("r9"),
        "b 6b",
        "6:",
        "cmp r7, #2",
        "blt 6f",
        "ldr r9, [r1], #4",
        "ldrsh r6, [r0], #2",
        two_columns!("r9"),
        "6:",
        "asr r3, r3, #4",
        "asr r5, r5, #12",
        "sub r2, r2, r3",
        "asr r2, r2, #12",
        "sub r3, r3, r4",
        "asr r3, r3, #8",
        "sub r4, r4, r5",
        "asr r4, r4, #4",
        // Its scales.
        "ldr r10, [sp]",
        "ldr r11, [r10, #{groups}]",
        "cmp r11, #0",
        "beq 6f",
        "ldr r6, [sp, #56]",
        "ldrb r7, [r6]",
        "mul r2, r2, r7",
        "ldrb r7, [r6, r11]",
        "mul r3, r3, r7",
        "add r9, r6, r11, lsl #1",
        "ldrb r7, [r9]",
        "mul r4, r4, r7",
        "ldrb r7, [r9, r11]",
        "mul r5, r5, r7",
        "adds r6, #1",
        "str r6, [sp, #56]",
        "6:",
        "add r7, sp, #32",
        "ldm r7, {{r8-r11}}",
        "add r2, r2, r8",
        "add r3, r3, r9",
        "add r4, r4, r10",
        "add r5, r5, r11",
        "ldr r8, [sp, #8]",
        "cmp r0, r8",
        "itt ne",
        "stmne r7, {{r2-r5}}",
        "bne 3b",
        "ldr r0, [sp]",
        "ldr r11, [r0, #{groups}]",
        "ldr r6, [sp, #28]",
        "add r6, r6, r11, lsl #2",
        "str r6, [sp, #28]",
        "ldm r0, {{r6-r9}}",
        "ldr r10, [sp, #20]",
        "ldr lr, [sp, #12]",
        code!("r2"),
        code!("r3"),
        code!("r4"),
        "8:",
        code!("r5"),
        "str r10, [sp, #20]",
        "str lr, [sp, #12]",
        "b 2b",
        // The rows that four do not divide, one by one, in the register of the last one of four.
        "77:",
        "adds r12, #3",
        "bmi 99f",
        "str r12, [sp, #16]",
        "ldrd r6, r7, [sp, #24]",
        "str r7, [sp, #56]",
        "ldr r5, [r6], #4",
        "str r6, [sp, #24]",
        "ldr r0, [sp, #4]",
        "3:",
        part!(),
        "mov r11, r7",
        "movs r2, #0",
        "movs r4, #0",
        "cmp r0, r11",
        "beq 5f",
        "4:",
        "ldr r9, [r1], #4",
        "ldrd r6, r7, [r0], #8",
        "and r10, r9, lr",
        "smlad r2, r10, r6, r2",
        "and r10, lr, r9, lsl #4",
        "smlad r2, r10, r7, r2",
        "ldrd r6, r7, [r0], #8",
        "and r10, lr, r9, lsl #8",
        "smlad r2, r10, r6, r2",
        "and r10, lr, r9, lsl #12",
        "smlad r2, r10, r7, r2",
        "cmp r0, r11",
        "bne 4b",
        "5:",
        "cmp r0, r8",
        "beq 6f",
        "ldrsb r9, [r1], #1",
        "ldrsh r6, [r0], #2",
        "sbfx r10, r9, #0, #4",
        "mla r4, r10, r6, r4",
        "cmp r0, r8",
        "beq 6f",
        "asr r9, r9, #4",
        "ldrsh r6, [r0], #2",
        "mla r4, r9, r6, r4",
        "b 5b",
        "6:",
        "add r2, r4, r2, asr #12",
        "ldr r10, [sp]",
        "ldr r11, [r10, #{groups}]",
        "cmp r11, #0",
        "beq 5f",
        "ldr r6, [sp, #56]",
        "ldrb r7, [r6]",
        "mul r2, r2, r7",
        "5:",
        "ldr r6, [sp, #56]",
        "adds r6, #1",
        "str r6, [sp, #56]",
        "add r5, r5, r2",
        "ldr r7, [sp, #8]",
        "cmp r0, r7",
        "bne 3b",
        "ldr r6, [sp, #28]",
        "add r6, r6, r11",
        "str r6, [sp, #28]",
        "mov r0, r10",
        "ldm r0, {{r6-r9}}",
        "ldr r10, [sp, #20]",
        "ldr lr, [sp, #12]",
        "b 8b",
        "99:",
        "add sp, #60",
        "pop {{r4-r11, pc}}",
        bias = const offset_of!(Job, bias),
        weights = const offset_of!(Job, weights),
        inputs = const offset_of!(Job, inputs),
        group_scales = const offset_of!(Job, group_scales),
        groups = const offset_of!(Job, groups),
        part = const offset_of!(Job, part),
    )
}
