//! Four rows in each word, for cores that multiply words only.
//!
//! A word `W` holds the unsigned bytes `u = w + 128` of four rows of one column. With `S₀ = Σ W·x`, `S₁ = Σ (W >> 8)·x`,
//! `S₂ = Σ (W >> 16)·x` and `S₃ = Σ (W >> 24)·x`, all modulo 2³², `Σ u₃·x = S₃` and `Σ uₖ·x = Sₖ − 256·Sₖ₊₁`: one load
//! serves four multiplications. Codes are held unsigned as well, plus 128, as the cheapest load of a byte leaves them.
//! What the offsets add is taken away once a layer, `128·Σ x`, and once a row, in the bias.
//!
//! Rows that four do not divide follow one by one, unsigned as well.

#[cfg(kernel_asm = "armv6m")]
use super::armv6m::kernel;
#[cfg(kernel_asm = "armv7m")]
use super::armv7m::kernel;
#[cfg(kernel_int8 = "quads")]
use super::job::Job;
#[cfg(kernel_asm = "riscv")]
use super::riscv::kernel;
use super::{Affine, Plain, block, hold_each};

/// Storage of a code: the code plus 128.
pub type Word = u8;
/// Words that rows of activations are rounded up to.
pub const UNIT: usize = 1;

/// A code as the kernel holds it.
pub const fn hold(code: i8) -> Word {
    code as u8 ^ 0x80
}

/// [`hold`] for every code.
pub fn hold_all(codes: &[i8], words: &mut [Word]) {
    hold_each(codes, words, hold);
}

/// The code that is held.
pub const fn release(word: Word) -> i8 {
    (word ^ 0x80) as i8
}

/// Index of the weight of a row and column.
const fn position(inputs: usize, outputs: usize, row: usize, column: usize) -> usize {
    let (first, height) = block(outputs, row, false);
    first * inputs + height * column + row - first
}

/// Lays the weights out; tells whether the short cuts are exact: every sum below 2³⁰, shifts to the right.
///
/// The bias of a row becomes `bias − 128·Σ w`.
pub const fn lay_out(mut plain: Plain<'_>) -> bool {
    let (inputs, outputs) = (plain.inputs(), plain.bias.len());
    let short = plain.is_short(1 << 30);
    let mut row = 0;
    while row < outputs {
        let mut column = 0;
        while column < inputs {
            let weight = plain.weights.plain[row * inputs + column];
            plain.weights.laid_out[position(inputs, outputs, row, column)] = weight ^ -0x80;
            plain.bias[row] = plain.bias[row].wrapping_sub(128 * weight as i32);
            column += 1;
        }
        row += 1;
    }
    if short {
        plain.turn_shifts();
    }
    short
}

/// The kernel of this layout: in assembly where the target has it and the short cuts are exact, portable otherwise.
#[inline(always)] // lengths are known where it is called
pub fn affine(layer: &Affine<'_>, x: &[Word], y: &mut [Word]) {
    #[cfg(kernel_int8 = "quads")]
    if layer.short
        && let Some(job) = Job::new(layer, x.len(), y.len(), i32::from(layer.zero) + 128)
    {
        // SAFETY: the job's lengths are those of `x` and `y`, and not 0.
        #[allow(unsafe_code)]
        return unsafe { kernel(&job, x.as_ptr(), y.as_mut_ptr(), y.len()) };
    }
    portable(layer, x, y);
}

/// Row by row.
#[inline(never)]
fn portable(layer: &Affine<'_>, x: &[Word], y: &mut [Word]) {
    let (inputs, outputs) = (x.len(), y.len());
    layer.outputs(
        y,
        hold,
        |q31| q31,
        |row| {
            x.iter().enumerate().fold(layer.bias(row), |sum, (column, &x)| {
                let weight = layer.byte(position(inputs, outputs, row, column)) ^ -0x80;
                sum.wrapping_add(i32::from(weight) * i32::from(x))
            })
        },
    );
}
