//! A dense layer in lanes: forward pass, gradients and Adam, in the order of the core's kernels.
//!
//! Sums start from the bias, or from zero, and follow the index; only independent sums are computed side by side. The core skips
//! products with a zero. Here they are added, which changes no number: a sum that starts from zero never is −0.

use fearless_simd::prelude::*;
use microdistill::kernel::AdamStep;

/// Samples, or sums, that are computed side by side: with the lanes' vectors they fill the registers.
pub(super) const BLOCK: usize = 8;

/// The numbers of one sample in consecutive blocks, the last one filled up; or one number of each sample of a block.
pub(super) type Block = [f32; BLOCK];

/// Parameters and their moments, in the order of the network.
pub(super) struct Tensor<S: Simd> {
    pub values: Vec<S::f32s>,
    first: Vec<S::f32s>,
    second: Vec<S::f32s>,
}

/// A dense layer.
pub(super) struct Layer<S: Simd> {
    pub inputs: usize,
    pub outputs: usize,
    pub weights: Tensor<S>,
    pub bias: Tensor<S>,
}

/// The factors of Adam for one tensor, per lane.
#[derive(Clone, Copy)]
pub(super) struct Step<S: Simd> {
    scale: S::f32s,
    beta1: S::f32s,
    beta2: S::f32s,
    epsilon: S::f32s,
    rate: S::f32s,
    keep: S::f32s,
}

/// The factors of weights and of biases.
#[derive(Clone, Copy)]
pub(super) struct Steps<S: Simd> {
    pub weights: Step<S>,
    pub bias: Step<S>,
}

impl<S: Simd> Step<S> {
    /// The factors of each lane.
    #[inline(always)]
    pub(super) fn new(simd: S, lanes: &[AdamStep<f32>]) -> Self {
        let each = |of: fn(&AdamStep<f32>) -> f32| S::f32s::from_fn(simd, |lane| of(&lanes[lane]));
        Step {
            scale: each(|step| step.scale),
            beta1: each(|step| step.beta1),
            beta2: each(|step| step.beta2),
            epsilon: each(|step| step.epsilon),
            rate: each(|step| step.rate),
            keep: each(|step| step.keep),
        }
    }
}

impl<S: Simd> Tensor<S> {
    pub(super) fn new(simd: S, values: Vec<S::f32s>) -> Self {
        let zero = vec![S::f32s::splat(simd, 0.0); values.len()];
        Tensor { values, first: zero.clone(), second: zero }
    }

    /// One step of Adam of the parameters from `start` on, by these sums of their gradients.
    #[inline(always)]
    fn adam(&mut self, start: usize, gradients: &[S::f32s], step: &Step<S>) {
        let end = start + gradients.len();
        let moments = self.first[start..end].iter_mut().zip(&mut self.second[start..end]);
        for ((p, (m, v)), &g) in self.values[start..end].iter_mut().zip(moments).zip(gradients) {
            let scaled = step.scale * g;
            *m = scaled + *m * step.beta1;
            *v = scaled * scaled + *v * step.beta2;
            *p = step.keep * *p + (*m / (v.sqrt() + step.epsilon)) * step.rate;
        }
    }
}

/// Calls `$body` for blocks of 8, 4, 2 and 1 of `$count`, with the constant `$N` and the index of the first.
macro_rules! in_blocks {
    ($count:expr, $start:ident, $N:ident => $body:expr) => {{
        let mut $start = 0;
        while $start + 8 <= $count {
            const $N: usize = 8;
            $body;
            $start += $N;
        }
        if $start + 4 <= $count {
            const $N: usize = 4;
            $body;
            $start += $N;
        }
        if $start + 2 <= $count {
            const $N: usize = 2;
            $body;
            $start += $N;
        }
        if $start < $count {
            const $N: usize = 1;
            $body;
        }
    }};
}

impl<S: Simd> Layer<S> {
    /// The first layer's forward pass: `x` has the inputs of each block of samples, one input of all of them after the other;
    /// `y` gets the outputs, sample by sample.
    #[inline(always)]
    pub(super) fn first_forward(&self, simd: S, x: &[Block], y: &mut [S::f32s]) {
        let blocks = x.chunks_exact(self.inputs).zip(y.chunks_exact_mut(BLOCK * self.outputs));
        for (x, y) in blocks {
            let rows = self.weights.values.chunks_exact(self.inputs);
            for (unit, (row, &bias)) in rows.zip(&self.bias.values).enumerate() {
                let mut sums = [bias; BLOCK];
                for (&w, x) in row.iter().zip(x) {
                    for (sum, &x) in sums.iter_mut().zip(x) {
                        *sum += w * S::f32s::splat(simd, x);
                    }
                }
                for (y, sum) in y.chunks_exact_mut(self.outputs).zip(sums) {
                    y[unit] = sum;
                }
            }
        }
    }

    /// The forward pass of another layer, whose weights are stored by input.
    #[inline(always)]
    pub(super) fn forward(&self, x: &[S::f32s], y: &mut [S::f32s]) {
        for (x, y) in x.chunks_exact(self.inputs).zip(y.chunks_exact_mut(self.outputs)) {
            in_blocks!(self.outputs, start, N => self.some_outputs::<N>(start, x, y));
        }
    }

    #[inline(always)]
    fn some_outputs<const N: usize>(&self, start: usize, x: &[S::f32s], y: &mut [S::f32s]) {
        let mut sums = first_of::<S, N>(&self.bias.values[start..]);
        for (&x, row) in x.iter().zip(self.weights.values.chunks_exact(self.outputs)) {
            for (sum, &w) in sums.iter_mut().zip(&row[start..start + N]) {
                *sum += x * w;
            }
        }
        y[start..start + N].copy_from_slice(&sums);
    }

    /// The gradient of the layer's inputs, `dx`, from that of its outputs, `dz`, by whole blocks of samples. The weights are
    /// stored by input.
    #[inline(always)]
    pub(super) fn input_gradient(&self, simd: S, dz: &[S::f32s], dx: &mut [S::f32s]) {
        let blocks = dz.chunks_exact(BLOCK * self.outputs).zip(dx.chunks_exact_mut(BLOCK * self.inputs));
        for (dz, dx) in blocks {
            for (input, row) in self.weights.values.chunks_exact(self.outputs).enumerate() {
                let mut sums = [S::f32s::splat(simd, 0.0); BLOCK];
                for (output, &w) in row.iter().enumerate() {
                    for (sum, dz) in sums.iter_mut().zip(dz.chunks_exact(self.outputs)) {
                        *sum += w * dz[output];
                    }
                }
                for (dx, sum) in dx.chunks_exact_mut(self.inputs).zip(sums) {
                    dx[input] = sum;
                }
            }
        }
    }

    /// The gradient of the first layer's parameters over the samples of `dz`, and its step. `x` has the inputs sample by sample.
    #[inline(always)]
    pub(super) fn first_update(&mut self, simd: S, x: &[Block], dz: &[S::f32s], steps: &Steps<S>) {
        let zero = S::f32s::splat(simd, 0.0);
        let blocks = self.inputs.div_ceil(BLOCK);
        for unit in 0..self.outputs {
            for block in 0..blocks {
                let mut sums = [zero; BLOCK];
                let x = x.chunks_exact(blocks);
                for (x, dz) in x.zip(dz.chunks_exact(self.outputs)) {
                    let dz = dz[unit];
                    for (sum, &x) in sums.iter_mut().zip(&x[block]) {
                        *sum += dz * S::f32s::splat(simd, x);
                    }
                }
                let start = BLOCK * block;
                let count = BLOCK.min(self.inputs - start);
                self.weights.adam(unit * self.inputs + start, &sums[..count], &steps.weights);
            }
        }
        self.update_bias(simd, dz, &steps.bias);
    }

    /// The gradient of another layer's parameters over the samples of `dz`, and its step.
    #[inline(always)]
    pub(super) fn update(&mut self, simd: S, x: &[S::f32s], dz: &[S::f32s], steps: &Steps<S>) {
        for input in 0..self.inputs {
            in_blocks!(self.outputs, start, N => {
                let sums = self.some_gradients::<N>(simd, (input, start), x, dz);
                self.weights.adam(input * self.outputs + start, &sums, &steps.weights);
            });
        }
        self.update_bias(simd, dz, &steps.bias);
    }

    #[inline(always)]
    fn some_gradients<const N: usize>(
        &self,
        simd: S,
        (input, start): (usize, usize),
        x: &[S::f32s],
        dz: &[S::f32s],
    ) -> [S::f32s; N] {
        let mut sums = [S::f32s::splat(simd, 0.0); N];
        for (x, dz) in x.chunks_exact(self.inputs).zip(dz.chunks_exact(self.outputs)) {
            let x = x[input];
            for (sum, &dz) in sums.iter_mut().zip(&dz[start..start + N]) {
                *sum += x * dz;
            }
        }
        sums
    }

    #[inline(always)]
    fn update_bias(&mut self, simd: S, dz: &[S::f32s], step: &Step<S>) {
        for output in 0..self.outputs {
            let mut sum = S::f32s::splat(simd, 0.0);
            for dz in dz.chunks_exact(self.outputs) {
                sum += dz[output];
            }
            self.bias.adam(output, &[sum], step);
        }
    }
}

#[inline(always)]
fn first_of<S: Simd, const N: usize>(values: &[S::f32s]) -> [S::f32s; N] {
    core::array::from_fn(|index| values[index])
}
