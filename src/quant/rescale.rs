//! The parts that the int8 and the int4 dense layers share.

use crate::kernel::codes::{Affine, Plain};
use crate::quant::{Requantize, Stage};

/// Turns the sums of a layer into codes, whatever holds its weights: `O` outputs, `S` scales, the stage `A`.
///
/// `G`: bytes that go with the weights. Beside the shifts they need no padding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rescale<const O: usize, const S: usize, A, G = ()> {
    bias: [i32; O],
    multipliers: [i32; S],
    shifts: [i8; S],
    pub(super) bytes: G,
    pub(super) short: bool,
    pub(super) stage: A,
}

impl<const O: usize, const S: usize, A, G> Rescale<O, S, A, G> {
    /// Creates the rescaling of a layer whose weights are not laid out yet.
    pub(super) const fn new(bias: [i32; O], requantize: [Requantize; S], stage: A, bytes: G) -> Self {
        let (multipliers, shifts) = Requantize::apart(&requantize);
        Rescale { bias, multipliers, shifts, bytes, short: false, stage }
    }

    /// The arguments of a layout's `lay_out`, with these weights.
    pub(super) const fn plain<W>(&mut self, weights: W) -> Plain<'_, W> {
        let Rescale { bias, multipliers, shifts, .. } = self;
        Plain { weights, bias, multipliers, shifts }
    }
}

impl<const O: usize, const S: usize, A: Stage, G> Rescale<O, S, A, G> {
    /// The arguments of the layout's kernel, with these weights.
    pub(super) fn affine<W>(&self, weights: W) -> Affine<'_, W> {
        let Rescale { bias, multipliers, shifts, short, stage, .. } = self;
        Affine { weights, bias, multipliers, shifts, short: *short, zero: stage.zero() }
    }
}
