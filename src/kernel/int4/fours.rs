//! Four rows in each halfword, for the DSP extension of Armv7E-M and Armv8-M.
//!
//! A halfword holds `4096·a + 256·b + 16·c + d` of the rows `a` to `d` of one column. Shifted to the left by 4, 8 and 12 bits
//! it loses the first rows one by one, so that from four sums of such halfwords times `x`, each exact while rows are taken
//! in parts of at most 512 columns, come the four rows' sums.
//!
//! Of rows that four do not divide each lies alone: eight columns a word, two of them in each fourth of a halfword, and what
//! is left of a row two in a byte.

use super::{Affine, Packed, Plain, Weights, pack, unpack};
use crate::kernel::codes::q31;
use crate::kernel::int8::pairs::hold;
use crate::quant::GROUP;

/// Lays the weights out; tells whether the short cuts are exact: every sum below 2³⁰, mantissas of full length, shifts to the
/// right.
///
/// If so, mantissas become Q32.
pub const fn lay_out(mut plain: Plain<'_>) -> bool {
    let Weights { plain: codes, laid_out, group_scales } = &mut plain.weights;
    let outputs = plain.bias.len();
    let (inputs, groups) = (codes.len() / outputs, group_scales.len() / outputs);
    let mut short = true;
    let mut row = 0;
    while row < outputs {
        let mut bound = plain.bias[row].unsigned_abs() as u64;
        let mut column = 0;
        while column < inputs {
            let code = codes[row * inputs + column];
            let scale = if groups > 0 { group_scales[row * groups + column / GROUP] } else { 1 };
            bound += 128 * scale as u64 * code.unsigned_abs() as u64;
            short &= code >= -7 && code <= 7;
            if row < outputs - outputs % 4 {
                let place = halfword(inputs, row, column);
                let old = i16::from_le_bytes([laid_out[place], laid_out[place + 1]]);
                // Rows come from the first to the last, so that each borrows from those before it.
                let new = old.wrapping_add((code as i16) << (12 - 4 * (row % 4)));
                [laid_out[place], laid_out[place + 1]] = new.to_le_bytes();
            } else {
                let (byte, first) = alone(inputs, row, column);
                let [low, high] = unpack(laid_out[byte]);
                laid_out[byte] = if first { pack(code, high) } else { pack(low, code) };
            }
            column += 1;
        }
        short &= bound < 1 << 30;
        row += 1;
    }
    if !(short && plain.has_full_mantissas() && plain.shifts_right()) {
        return false;
    }
    plain.turn_shifts();
    plain.double_mantissas();
    true
}

/// Index of the first halfword of a row of four and a column.
const fn halfword(inputs: usize, row: usize, column: usize) -> usize {
    row / 4 * 4 * inputs.div_ceil(2) + 2 * column
}

/// The byte of a row that lies alone, and whether its column is in the low half.
const fn alone(inputs: usize, row: usize, column: usize) -> (usize, bool) {
    let row = row * inputs.div_ceil(2);
    if column < inputs - inputs % 8 {
        // From the top of the halfwords downwards: columns 0 and 1 to 6 and 7.
        let (word, pair, half) = (column / 8, column % 8 / 2, column % 2);
        (row + 4 * word + 2 * half + (3 - pair) / 2, pair % 2 == 1)
    } else {
        (row + column / 2, column.is_multiple_of(2))
    }
}

/// The kernel of this layout: in assembly where the target has it and the short cuts are exact, portable otherwise.
#[inline(always)] // lengths are known where it is called
pub fn affine(layer: &Affine<'_>, x: &[i16], y: &mut [i16]) {
    #[cfg(kernel_asm = "dsp")]
    if super::dsp::affine(layer, x, y) {
        return;
    }
    portable(layer, x, y);
}

/// Row by row.
#[inline(never)]
fn portable(layer: &Affine<'_>, x: &[i16], y: &mut [i16]) {
    let (inputs, outputs) = (x.len(), y.len());
    let Packed { bytes, group_scales } = layer.weights;
    let groups = if group_scales.is_empty() { 0 } else { inputs.div_ceil(GROUP) };
    let byte = |place: usize| bytes.get(place).copied().unwrap_or_default();
    let code = |row: usize, column: usize| {
        if row < outputs - outputs % 4 {
            let place = halfword(inputs, row, column);
            // The rows before it are shifted out, those behind are less than a half of it.
            let shifted = i16::from_le_bytes([byte(place), byte(place + 1)]) << (4 * (row % 4));
            i32::from(shifted.wrapping_add(1 << 11) >> 12)
        } else {
            let (place, first) = alone(inputs, row, column);
            let [low, high] = unpack(byte(place));
            i32::from(if first { low } else { high })
        }
    };
    let scale = |row: usize, column: usize| match groups {
        0 => 1,
        _ => group_scales.get(row * groups + column / GROUP).copied().unwrap_or_default(),
    };
    layer.outputs(y, hold, q31, |row| {
        x.iter().enumerate().fold(layer.bias(row), |sum, (column, &x)| {
            sum.wrapping_add(i32::from(scale(row, column)) * code(row, column) * i32::from(x))
        })
    });
}
