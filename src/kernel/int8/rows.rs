//! Row-major weights, codes as they are.

use super::{Affine, Plain, hold_each};
#[cfg(kernel_asm = "mve")]
use super::{job::Job, mve::kernel};

/// Storage of a code.
pub type Word = i8;
/// Words that rows of activations are rounded up to.
pub const UNIT: usize = 1;

/// A code as the kernel holds it.
pub const fn hold(code: i8) -> Word {
    code
}

/// [`hold`] for every code.
pub fn hold_all(codes: &[i8], words: &mut [Word]) {
    hold_each(codes, words, hold);
}

/// The code that is held.
pub const fn release(word: Word) -> i8 {
    word
}

/// Copies the weights; tells whether the short cuts are exact: there are none.
pub const fn lay_out(plain: Plain<'_>) -> bool {
    plain.weights.laid_out.copy_from_slice(plain.weights.plain);
    false
}

/// The kernel of this layout: in assembly where the target has it, portable otherwise.
#[inline(always)] // lengths are known where it is called
pub fn affine(layer: &Affine<'_>, x: &[Word], y: &mut [Word]) {
    #[cfg(kernel_asm = "mve")]
    if let Some(job) = Job::new(layer, x.len(), y.len(), layer.zero.into()) {
        // SAFETY: the job's lengths are those of `x` and `y`, and not 0.
        #[allow(unsafe_code)]
        return unsafe { kernel(&job, x.as_ptr(), y.as_mut_ptr(), y.len()) };
    }
    portable(layer, x, y);
}

/// Row by row: what every other kernel computes.
#[inline(never)]
pub fn portable(layer: &Affine<'_>, x: &[Word], y: &mut [Word]) {
    let rows = layer.weights.chunks_exact(x.len().max(1));
    let mut sums = rows.zip(layer.bias).map(|(row, &bias)| {
        row.iter().zip(x).fold(bias, |sum, (&w, &x)| sum.wrapping_add(i32::from(w) * i32::from(x)))
    });
    layer.outputs(y, hold, |q31| q31, |_| sums.next().unwrap_or_default());
}
