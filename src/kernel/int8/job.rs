//! The arguments of the kernels in assembly.

use core::marker::PhantomData;

use super::Affine;

/// A layer as the kernels read it: in this order, by words.
#[repr(C)]
pub(super) struct Job<'a> {
    multipliers: *const i32,
    // As many as there are multipliers; right shifts for short cuts.
    shifts: *const i8,
    // From one row's factor to the next row's: 0 if there is one for all.
    step: usize,
    // As it is held.
    zero: i32,
    pub(super) weights: *const i8,
    pub(super) bias: *const i32,
    pub(super) inputs: usize,
    layer: PhantomData<&'a ()>,
}

impl<'a> Job<'a> {
    /// A layer of so many inputs and outputs, whose zero point is held as `zero`.
    ///
    /// `None` if it has other lengths, or its weights do not lie at a multiple of 4 bytes.
    #[inline(always)] // lengths are known where it is called
    pub(super) fn new(layer: &Affine<'a>, inputs: usize, outputs: usize, zero: i32) -> Option<Self> {
        let factors = layer.multipliers.len();
        let fits = inputs.checked_mul(outputs) == Some(layer.weights.len())
            && layer.bias.len() == outputs
            && layer.shifts.len() == factors
            && (factors == outputs || factors == 1)
            && !layer.weights.is_empty()
            && layer.weights.as_ptr().cast::<u32>().is_aligned();
        fits.then_some(Job {
            multipliers: layer.multipliers.as_ptr(),
            shifts: layer.shifts.as_ptr(),
            step: usize::from(factors != 1),
            zero,
            weights: layer.weights.as_ptr(),
            bias: layer.bias.as_ptr(),
            inputs,
            layer: PhantomData,
        })
    }
}
