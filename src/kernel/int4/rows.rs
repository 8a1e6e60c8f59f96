//! Rows of weights, one after the other; each begins with a byte of its own.

use super::{Affine, Packed, Plain, Weights, pack, unpack};
use crate::kernel::int8::{Word, hold, release};
use crate::quant::GROUP;

/// Packs the weights; tells whether the short cuts are exact: there are none.
pub const fn lay_out(plain: Plain<'_>) -> bool {
    let Weights { plain: codes, laid_out, .. } = plain.weights;
    let outputs = plain.bias.len();
    let (inputs, bytes) = (codes.len() / outputs, laid_out.len() / outputs);
    let mut row = 0;
    while row < outputs {
        let mut column = 0;
        while column < inputs {
            let at = row * inputs + column;
            let second = if column + 1 < inputs { codes[at + 1] } else { 0 };
            laid_out[row * bytes + column / 2] = pack(codes[at], second);
            column += 2;
        }
        row += 1;
    }
    false
}

/// The portable kernel: sums wrap in 32 bits.
#[inline(never)]
pub fn affine(layer: &Affine<'_>, x: &[Word], y: &mut [Word]) {
    let Packed { bytes, group_scales } = layer.weights;
    let (group, groups) = match group_scales {
        [] => (x.len().max(1), 1),
        _ => (GROUP, x.len().div_ceil(GROUP)),
    };
    let mut scales = group_scales.iter().map(|&scale| i32::from(scale)).chain(core::iter::repeat(1));
    let rows = bytes.chunks_exact(x.len().div_ceil(2).max(1)).zip(layer.bias);
    let mut sums = rows.map(|(row, &bias)| {
        let parts = row.chunks(group.div_ceil(2)).zip(x.chunks(group)).zip(scales.by_ref().take(groups));
        parts.fold(bias, |sum, ((bytes, x), scale)| sum.wrapping_add(scale.wrapping_mul(dot(bytes, x))))
    });
    layer.outputs(y, hold, |q31| q31, |_| sums.next().unwrap_or_default());
}

/// `Σ w·x` of packed weights.
fn dot(weights: &[u8], x: &[Word]) -> i32 {
    let (pairs, last) = x.as_chunks::<2>();
    let mut bytes = weights.iter().map(|&byte| unpack(byte).map(i32::from));
    let sum = pairs.iter().zip(bytes.by_ref()).fold(0i32, |sum, (&[a, b], [first, second])| {
        sum.wrapping_add(first * i32::from(release(a)) + second * i32::from(release(b)))
    });
    let odd = last.iter().zip(bytes).map(|(&x, [first, _])| first * i32::from(release(x)));
    odd.fold(sum, i32::wrapping_add)
}
