//! The int8 piecewise-linear layer: `y = requantize(b + Σ ((steps − f)·table[r] + f·table[r + 1])) + zero`, cut to
//! [-128, 127].
//!
//! A code says between which two rows of its input a value lies, `r` and `r + 1`, and how many of the `steps` between them
//! it is above the lower one, `f`. The table is row-major, and outputs are taken by fours, so that each code is taken apart
//! once for four of them. Sums wrap in 32 bits, and their order does not matter.

use super::{Word, hold, release};
use crate::kernel::codes;

/// The table of a layer of I inputs and O outputs.
#[derive(Clone, Copy, Debug)]
pub struct Table<'a> {
    /// Shape (R, O), row-major.
    pub rows: &'a [i8],
    /// Index of the row at each input's first code, shape (I).
    pub starts: &'a [u16],
    /// Codes from one row to the next, at least 1.
    pub steps: u8,
}

/// A layer's parameters.
pub type Piecewise<'a> = codes::Affine<'a, Table<'a>>;

/// Outputs whose sums are computed together.
const BLOCK: usize = 4;

/// Every output of the layer; `x`: shape (I), `y`: shape (O).
#[inline(never)]
pub fn piecewise_linear(layer: &Piecewise<'_>, x: &[Word], y: &mut [Word]) {
    let width = y.len();
    let mut sums = [0; BLOCK];
    layer.outputs(
        y,
        hold,
        |q31| q31,
        |output| {
            let place = output % BLOCK;
            if place == 0 {
                sums = layer.weights.sums(layer.bias, x, output, width);
            }
            sums.get(place).copied().unwrap_or_default()
        },
    );
}

impl Table<'_> {
    /// The sums of the outputs from `first` on.
    fn sums(&self, bias: &[i32], x: &[Word], first: usize, width: usize) -> [i32; BLOCK] {
        let mut sums = [0; BLOCK];
        for (sum, &bias) in sums.iter_mut().zip(bias.iter().skip(first)) {
            *sum = bias;
        }
        let steps = u32::from(self.steps.max(1));
        // Gives the quotients of all codes exactly.
        let reciprocal = (1 << 16) / steps + 1;
        for (&word, &start) in x.iter().zip(self.starts) {
            let code = u32::from(release(word) as u8 ^ 0x80);
            let piece = (code * reciprocal) >> 16;
            let above = (code - piece * steps) as i32;
            let below = steps as i32 - above;
            let low = (usize::from(start) + piece as usize) * width;
            let rows = self.rows.get(low + first..low + width).unwrap_or_default();
            // There is no row above the last one, and no step.
            let next = self.rows.get(low + width + first..low + 2 * width).unwrap_or(rows);
            add(rows, next, [below, above], &mut sums);
        }
        sums
    }
}

/// `sums += shares[0]·low + shares[1]·high`
#[inline(always)]
fn add(low: &[i8], high: &[i8], shares: [i32; 2], sums: &mut [i32; BLOCK]) {
    let [below, above] = shares;
    let sum = |low: i8, high: i8| i32::from(low) * below + i32::from(high) * above;
    // A whole block without counting.
    if let (Some(low), Some(high)) = (low.first_chunk::<BLOCK>(), high.first_chunk::<BLOCK>()) {
        for ((total, &low), &high) in sums.iter_mut().zip(low).zip(high) {
            *total = total.wrapping_add(sum(low, high));
        }
        return;
    }
    for ((total, &low), &high) in sums.iter_mut().zip(low).zip(high) {
        *total = total.wrapping_add(sum(low, high));
    }
}
