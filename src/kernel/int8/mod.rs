//! The int8 dense layer: `y = requantize(w·x + b) + zero`, cut to [-128, 127].
//!
//! Three layouts of the weights, each with the word that it wants activations held in:
//!
//! | module | layout | a code is held in | for |
//! |---|---|---|---|
//! | [`rows`] | row-major | `i8` | desktops, Cortex-M with MVE |
//! | [`pairs`] | two rows in each halfword | `i16` | Cortex-M with the DSP extension |
//! | [`quads`] | four rows in each word | `u8`, plus 128 | Cortex-M without it, RISC-V |
//!
//! All have a portable kernel; a target that `build.rs` knows has one in assembly, too. Whatever the layout, it takes
//! the bytes that the weights take, is made when the program is compiled, and gives the same codes: sums wrap in 32 bits,
//! and their order does not matter.

#[cfg(kernel_asm = "armv6m")]
mod armv6m;
#[cfg(kernel_asm = "armv7m")]
mod armv7m;
#[cfg(kernel_asm = "dsp")]
pub(crate) mod dsp;
#[cfg(any(
    kernel_asm = "armv6m",
    kernel_asm = "armv7m",
    kernel_asm = "dsp",
    kernel_asm = "mve",
    kernel_asm = "riscv"
))]
mod job;
#[cfg(kernel_asm = "mve")]
mod mve;
pub mod pairs;
pub mod pieces;
pub mod quads;
#[cfg(kernel_asm = "riscv")]
mod riscv;
pub mod rows;

#[cfg(kernel_int8 = "pairs")]
pub use pairs::{UNIT, Word, affine, hold, hold_all, lay_out, release};
#[cfg(kernel_int8 = "quads")]
pub use quads::{UNIT, Word, affine, hold, hold_all, lay_out, release};
#[cfg(kernel_int8 = "rows")]
pub use rows::{UNIT, Word, affine, hold, hold_all, lay_out, release};

use super::codes;
use crate::scalar::Element;

/// Name of the int8 kernel chosen for the target: `"mve"`, `"dsp"`, `"armv7m"`, `"armv6m"`, `"riscv"` or `"portable"`.
pub const NAME: &str = env!("KERNEL_INT8");

/// A layer's parameters, as a layout's `lay_out` leaves them; the weights: `O·I` of them, at a multiple of 4 bytes.
pub type Affine<'a> = codes::Affine<'a, &'a [i8]>;

/// A layer's parameters on the way to a layout.
pub type Plain<'a> = codes::Plain<'a, Weights<'a>>;

/// Weights on the way to a layout.
#[derive(Debug)]
pub struct Weights<'a> {
    /// Shape (O, I), row-major.
    pub plain: &'a [i8],
    /// Buffer of the same size, which receives the layout.
    pub laid_out: &'a mut [i8],
}

impl Element for i8 {
    const ZERO: i8 = 0;

    type Held = Word;
    const ZERO_HELD: Word = hold(0);
    const UNIT: usize = UNIT;

    #[inline]
    fn hold_all(codes: &[i8], words: &mut [Word]) {
        hold_all(codes, words);
    }
    fn release(word: Word) -> i8 {
        release(word)
    }

    fn same_bits(self, other: i8) -> bool {
        self == other
    }
}

impl Plain<'_> {
    /// Number of inputs per row.
    const fn inputs(&self) -> usize {
        self.weights.plain.len() / self.bias.len()
    }

    /// Returns true if every sum is below `limit` for every input, `max |b| + 128·Σ|w|` over the rows, and no
    /// shift goes to the left.
    const fn is_short(&self, limit: u64) -> bool {
        let inputs = self.inputs();
        let mut row = 0;
        while row < self.bias.len() {
            let mut bound = self.bias[row].unsigned_abs() as u64;
            let mut column = 0;
            while column < inputs {
                bound += 128 * self.weights.plain[row * inputs + column].unsigned_abs() as u64;
                column += 1;
            }
            if bound >= limit {
                return false;
            }
            row += 1;
        }
        self.shifts_right()
    }
}

/// The first row of the block in which `row` lies, and the block's height: rows are taken by fours, and those that are
/// left over by twos, if `twos`, and singly.
const fn block(outputs: usize, row: usize, twos: bool) -> (usize, usize) {
    let left = outputs % 4;
    let fours = outputs - left;
    if row < fours {
        (row - row % 4, 4)
    } else if twos && left >= 2 && row - fours < 2 {
        (fours, 2)
    } else {
        (row, 1)
    }
}

/// Every code as `hold` has it.
#[inline(always)]
fn hold_each<W>(codes: &[i8], words: &mut [W], hold: impl Fn(i8) -> W) {
    for (word, &code) in words.iter_mut().zip(codes) {
        *word = hold(code);
    }
}

impl Affine<'_> {
    /// The byte at a position of the layout.
    fn byte(&self, position: usize) -> i8 {
        self.weights.get(position).copied().unwrap_or_default()
    }
}
