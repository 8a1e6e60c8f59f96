//! Rows of weights times one input: inference by output.

use core::arch::naked_asm;

use super::{Single, add_products, clear_negative, lanes, multiple, reference};

/// [`reference::affine`]: of up to ten inputs, which stay in registers, two rows at a time, 2.3 instructions a product; of
/// more, four rows at a time, 2.4 instructions and 3.8 cycles.
#[inline(always)] // so that of all widths' kernels the one that a network needs remains
pub(crate) fn affine<T: Single>(w: &[T], b: &[T], x: &[T], y: &mut [T]) {
    activated::<T, false>(w, b, x, y);
}

/// [`reference::affine_rectified`].
#[inline(always)] // as above
pub(crate) fn affine_rectified<T: Single>(w: &[T], b: &[T], x: &[T], y: &mut [T]) {
    activated::<T, true>(w, b, x, y);
}

/// `RECTIFY`: numbers below zero are written as zero.
#[inline(always)] // as above
fn activated<T: Single, const RECTIFY: bool>(w: &[T], b: &[T], x: &[T], y: &mut [T]) {
    let (inputs, outputs) = (x.len(), y.len());
    if w.is_empty() || inputs.checked_mul(outputs) != Some(w.len()) || b.len() != outputs {
        let affine = if RECTIFY { reference::affine_rectified } else { reference::affine };
        return affine(w, b, x, y);
    }
    let (w, b, x, y) = (w.as_ptr(), b.as_ptr(), x.as_ptr(), y.as_mut_ptr());
    // SAFETY: as just checked, `w` has `inputs` times `outputs` numbers, and neither is 0; `b` and `y` have `outputs`, `x` has
    // `inputs`, which are as many, or leave as many of fours, as the kernel is for.
    unsafe {
        match inputs {
            1 => pairs::<T, 1, RECTIFY>(w, b, x, y, outputs),
            2 => pairs::<T, 2, RECTIFY>(w, b, x, y, outputs),
            3 => pairs::<T, 3, RECTIFY>(w, b, x, y, outputs),
            4 => pairs::<T, 4, RECTIFY>(w, b, x, y, outputs),
            5 => pairs::<T, 5, RECTIFY>(w, b, x, y, outputs),
            6 => pairs::<T, 6, RECTIFY>(w, b, x, y, outputs),
            7 => pairs::<T, 7, RECTIFY>(w, b, x, y, outputs),
            8 => pairs::<T, 8, RECTIFY>(w, b, x, y, outputs),
            9 => pairs::<T, 9, RECTIFY>(w, b, x, y, outputs),
            10 => pairs::<T, 10, RECTIFY>(w, b, x, y, outputs),
            _ => match inputs % 4 {
                0 => products::<T, 0, RECTIFY>(w, b, x, y, inputs, outputs),
                1 => products::<T, 1, RECTIFY>(w, b, x, y, inputs, outputs),
                2 => products::<T, 2, RECTIFY>(w, b, x, y, inputs, outputs),
                _ => products::<T, 3, RECTIFY>(w, b, x, y, inputs, outputs),
            },
        }
    }
}

/// Two rows of so few numbers that the input stays in registers.
///
/// | register | holds |
/// |---|---|
/// | r0, r1, r3 | weights, biases, `y`, moving |
/// | r2, r12 | `x`, then zero; rows left |
/// | s0–s9 | inputs |
/// | s10–s19, s20–s29 | weights of two rows, then products |
/// | s30, s31 | sums |
///
/// # Safety
/// `w` points to `WIDTH` times `outputs` numbers, `b` and `y` to `outputs`, which is not 0, `x` to `WIDTH`, 1 to 10.
#[unsafe(naked)]
unsafe extern "C" fn pairs<T: Single, const WIDTH: usize, const RECTIFY: bool>(
    w: *const T,
    b: *const T,
    x: *const T,
    y: *mut T,
    outputs: usize,
) {
    naked_asm!(
        // Naked functions do not know what the target has.
        ".fpu fpv4-sp-d16",
        "ldr r12, [sp]",
        "vpush {{s16-s31}}",
        multiple!("vldmia", "r2", "{width}", ""),
        "movs r2, #0",
        "subs r12, #2",
        "bmi 6f",
        "2:",
        "vldmia r1!, {{s30-s31}}",
        ".if {width} == 10", // both rows, which lie in a row of registers, too
        "vldmia r0!, {{s10-s29}}",
        ".else",
        multiple!("vldmia", "r0!", "{width}", "1"),
        multiple!("vldmia", "r0!", "{width}", "2"),
        ".endif",
        ".if {fused}",
        lanes!("{width}", "vfma.f32 s30, s1\\i, s\\i\nvfma.f32 s31, s2\\i, s\\i"),
        ".else",
        lanes!("{width}", "vmul.f32 s1\\i, s1\\i, s\\i\nvmul.f32 s2\\i, s2\\i, s\\i"),
        // Neither sum waits for itself.
        lanes!("{width}", "vadd.f32 s30, s30, s1\\i\nvadd.f32 s31, s31, s2\\i"),
        ".endif",
        ".if {rectify}",
        clear_negative!("s30", "r2"),
        clear_negative!("s31", "r2"),
        ".endif",
        "vstmia r3!, {{s30-s31}}",
        "subs r12, #2",
        "bpl 2b",
        // The last of an odd number.
        "6:",
        "adds r12, #1",
        "bne 9f",
        "vldr s30, [r1]",
        multiple!("vldmia", "r0", "{width}", "1"),
        add_products!("{width}", "s30", "s1\\i", "s\\i", "s1\\i"),
        ".if {rectify}",
        clear_negative!("s30", "r2"),
        ".endif",
        "vstr s30, [r3]",
        "9:",
        "vpop {{s16-s31}}",
        "bx lr",
        fused = const T::FUSED as usize,
        width = const WIDTH,
        rectify = const RECTIFY as usize,
    )
}

/// Adds products of weights and inputs to sums: all products, then all sums.
macro_rules! sums {
    ($($sum:literal $w:literal $x:literal),+) => {
        concat!(
            ".if {fused}\n",
            $("vfma.f32 ", $sum, ", ", $w, ", ", $x, "\n",)+
            ".else\n",
            $("vmul.f32 ", $w, ", ", $w, ", ", $x, "\n",)+
            $("vadd.f32 ", $sum, ", ", $sum, ", ", $w, "\n",)+
            ".endif\n"
        )
    };
}

/// Loads the numbers that fours leave of a row.
macro_rules! load_rest {
    ($address:literal, $first:literal, $second:literal, $third:literal) => {
        concat!(
            ".if {rest} == 1\nvldmia ",
            $address,
            ", {{",
            $first,
            "}}\n.elseif {rest} == 2\nvldmia ",
            $address,
            ", {{",
            $first,
            "-",
            $second,
            "}}\n.elseif {rest} == 3\nvldmia ",
            $address,
            ", {{",
            $first,
            "-",
            $third,
            "}}\n.endif\n"
        )
    };
}

/// Four rows of any length.
///
/// | register | holds |
/// |---|---|
/// | r0, r4–r6 | weights of four rows, moving |
/// | r1, r3 | biases, `y`, moving |
/// | r2, r7 | `x`, and where in it |
/// | r8, r9 | bytes of a row, fours of columns |
/// | r12, lr | rows left, columns to do, which are zero in the end |
/// | s0–s3 | sums |
/// | s4–s7 | inputs |
/// | s8–s23 | weights, four columns of four rows |
///
/// # Safety
/// `w` points to `inputs` times `outputs` numbers, `b` and `y` to `outputs`, `x` to `inputs`; neither is 0, and `REST` is
/// `inputs` modulo 4.
#[unsafe(naked)]
unsafe extern "C" fn products<T: Single, const REST: usize, const RECTIFY: bool>(
    w: *const T,
    b: *const T,
    x: *const T,
    y: *mut T,
    inputs: usize,
    outputs: usize,
) {
    naked_asm!(
        // Naked functions do not know what the target has.
        ".fpu fpv4-sp-d16",
        "push {{r4-r9, lr}}",
        "vpush {{s16-s23}}",
        "ldr r8, [sp, #60]",
        "ldr r12, [sp, #64]",
        "lsrs r9, r8, #2",
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
        sums!("s0" "s8" "s4", "s1" "s12" "s4", "s2" "s16" "s4", "s3" "s20" "s4"),
        sums!("s0" "s9" "s5", "s1" "s13" "s5", "s2" "s17" "s5", "s3" "s21" "s5"),
        sums!("s0" "s10" "s6", "s1" "s14" "s6", "s2" "s18" "s6", "s3" "s22" "s6"),
        sums!("s0" "s11" "s7", "s1" "s15" "s7", "s2" "s19" "s7", "s3" "s23" "s7"),
        "subs lr, #1",
        "bne 3b",
        "4:",
        load_rest!("r7", "s4", "s5", "s6"),
        load_rest!("r0!", "s8", "s9", "s10"),
        load_rest!("r4!", "s12", "s13", "s14"),
        load_rest!("r5!", "s16", "s17", "s18"),
        load_rest!("r6!", "s20", "s21", "s22"),
        ".if {rest} > 0",
        sums!("s0" "s8" "s4", "s1" "s12" "s4", "s2" "s16" "s4", "s3" "s20" "s4"),
        ".endif",
        ".if {rest} > 1",
        sums!("s0" "s9" "s5", "s1" "s13" "s5", "s2" "s17" "s5", "s3" "s21" "s5"),
        ".endif",
        ".if {rest} > 2",
        sums!("s0" "s10" "s6", "s1" "s14" "s6", "s2" "s18" "s6", "s3" "s22" "s6"),
        ".endif",
        ".if {rectify}",
        lanes!("4", clear_negative!("s\\i", "lr")),
        ".endif",
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
        sums!("s0" "s8" "s4", "s0" "s9" "s5", "s0" "s10" "s6", "s0" "s11" "s7"),
        "subs lr, #1",
        "bne 3b",
        "4:",
        load_rest!("r7", "s4", "s5", "s6"),
        load_rest!("r0!", "s8", "s9", "s10"),
        ".if {rest} == 1",
        sums!("s0" "s8" "s4"),
        ".elseif {rest} == 2",
        sums!("s0" "s8" "s4", "s0" "s9" "s5"),
        ".elseif {rest} == 3",
        sums!("s0" "s8" "s4", "s0" "s9" "s5", "s0" "s10" "s6"),
        ".endif",
        ".if {rectify}",
        clear_negative!("s0", "lr"),
        ".endif",
        "vstmia r3!, {{s0}}",
        "subs r12, #1",
        "bne 7b",
        "9:",
        "vpop {{s16-s23}}",
        "pop {{r4-r9, pc}}",
        fused = const T::FUSED as usize,
        rest = const REST,
        rectify = const RECTIFY as usize,
    )
}
