//! Two rows in each halfword, for the DSP extension of Armv7E-M and Armv8-M, which multiplies two halfwords at once.
//!
//! A halfword holds `a + 256·b` of the rows `a` and `b` of one column. With `P = Σ (a + 256·b)·x` and `A = Σ a·x`, which
//! takes one more instruction to cut `a` out, `Σ b·x = (P − A) / 256`: exact while it is below 2²³.
//!
//! Rows are taken by fours: of each two columns first the halfwords of rows 0 and 1, then those of rows 2 and 3; a last
//! odd column has rows 0 to 3. Then come two rows, if two are left, column by column, then a last one as it is.

use super::{Affine, Plain, block, hold_each};
#[cfg(kernel_asm = "dsp")]
use super::{dsp, job::Job};
use crate::kernel::codes::q31;

/// Storage of a code: a halfword, so that a word holds the inputs of two columns.
pub type Word = i16;
/// Words that rows of activations are rounded up to: what is loaded at a time.
pub const UNIT: usize = 2;

/// A code as the kernel holds it.
pub const fn hold(code: i8) -> Word {
    code as Word
}

/// [`hold`] for every code.
#[inline]
pub fn hold_all(codes: &[i8], words: &mut [Word]) {
    #[cfg(kernel_asm = "dsp")]
    let (codes, words) = dsp::hold_fours(codes, words);
    hold_each(codes, words, hold);
}

/// The code that is held.
pub const fn release(word: Word) -> i8 {
    word as i8
}

/// Index of the weight of a row and column, in a block of `height` rows that begins with `first`.
const fn position(inputs: usize, first: usize, height: usize, row: usize, column: usize) -> usize {
    let row = row - first;
    let in_block = if height == 4 && column < inputs - inputs % 2 {
        8 * (column / 2) + 4 * (row / 2) + 2 * (column % 2) + row % 2
    } else {
        height * column + row
    };
    first * inputs + in_block
}

/// Lays the weights out; tells whether the short cuts are exact: every sum below 2²³, no weight −128, mantissas of full
/// length, shifts to the right.
///
/// If so, the bias of each row `b` becomes that of `P`, `bias a + 256·bias b`, and mantissas become Q32.
pub const fn lay_out(mut plain: Plain<'_>) -> bool {
    let (inputs, outputs) = (plain.inputs(), plain.bias.len());
    let mut short = plain.is_short(1 << 23);
    let mut row = 0;
    while row < outputs {
        let (first, height) = block(outputs, row, true);
        let odd = (row - first) % 2 == 1;
        let mut column = 0;
        while column < inputs {
            let weight = plain.weights.plain[row * inputs + column];
            short &= weight != -128;
            // A negative `a` borrows from `b`.
            let borrow = odd && plain.weights.plain[(row - 1) * inputs + column] < 0;
            let position = position(inputs, first, height, row, column);
            plain.weights.laid_out[position] = weight.wrapping_sub(borrow as i8);
            column += 1;
        }
        row += 1;
    }
    if !(short && plain.has_full_mantissas()) {
        return false;
    }
    plain.turn_shifts();
    plain.double_mantissas();
    row = 1;
    while row < outputs {
        let (first, _) = block(outputs, row, true);
        if (row - first) % 2 == 1 {
            plain.bias[row] = plain.bias[row - 1].wrapping_add(plain.bias[row] << 8);
        }
        row += 1;
    }
    true
}

/// The kernel of this layout: in assembly where the target has it and the short cuts are exact, portable otherwise.
#[inline(always)] // lengths are known where it is called
pub fn affine(layer: &Affine<'_>, x: &[Word], y: &mut [Word]) {
    #[cfg(kernel_asm = "dsp")]
    if layer.short
        && x.as_ptr().cast::<u32>().is_aligned()
        && let Some(job) = Job::new(layer, x.len(), y.len(), layer.zero.into())
    {
        // SAFETY: the job's lengths are those of `x` and `y`, and not 0; `x` is aligned.
        #[allow(unsafe_code)]
        return unsafe { dsp::kernel(&job, x.as_ptr(), y.as_mut_ptr(), y.len()) };
    }
    portable(layer, x, y);
}

/// Row by row.
#[inline(never)]
fn portable(layer: &Affine<'_>, x: &[Word], y: &mut [Word]) {
    let (inputs, outputs) = (x.len(), y.len());
    layer.outputs(y, hold, q31, |row| {
        let (first, height) = block(outputs, row, true);
        let odd = (row - first) % 2 == 1;
        let byte = |row, column| layer.byte(position(inputs, first, height, row, column));
        let bias = match layer.short && odd {
            true => layer.bias(row).wrapping_sub(layer.bias(row - 1)) >> 8,
            false => layer.bias(row),
        };
        x.iter().enumerate().fold(bias, |sum, (column, &x)| {
            let borrow = odd && byte(row - 1, column) < 0;
            let weight = byte(row, column).wrapping_add(borrow.into());
            sum.wrapping_add(i32::from(weight) * i32::from(x))
        })
    });
}
