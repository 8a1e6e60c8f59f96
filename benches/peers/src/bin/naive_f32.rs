//! Inference in f32 by a naive loop.
#![no_std]
#![no_main]

use cortex_m_rt::entry;
use microdistill::argmax;
use microdistill_peers::measure;

/// Weights: shape (outputs, inputs), row-major.
struct Layer {
    weights: &'static [f32],
    bias: &'static [f32],
    relu: bool,
}

include!(env!("ROWS"));
include!(env!("PLAIN"));

#[entry]
fn main() -> ! {
    measure(&ROWS, |x| argmax(&predict(x)), predict)
}

fn predict(x: &[f32; INPUTS]) -> [f32; OUTPUTS] {
    let (mut x_and_y, mut length) = ([[0.0; WIDEST]; 2], INPUTS);
    x_and_y[0][..INPUTS].copy_from_slice(x);
    for layer in &LAYERS {
        let [x, y] = &mut x_and_y;
        dense(layer, &x[..length], y);
        length = layer.bias.len();
        x_and_y.swap(0, 1);
    }
    core::array::from_fn(|output| x_and_y[0][output])
}

fn dense(layer: &Layer, x: &[f32], y: &mut [f32]) {
    for ((weights, &bias), y) in layer.weights.chunks_exact(x.len()).zip(layer.bias).zip(y) {
        let mut sum = bias;
        for (weight, x) in weights.iter().zip(x) {
            sum += weight * x;
        }
        *y = if layer.relu && sum < 0.0 { 0.0 } else { sum };
    }
}
