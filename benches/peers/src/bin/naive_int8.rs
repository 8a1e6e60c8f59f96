//! Inference in int8 by a naive loop: TensorFlow Lite's arithmetic with zero points in the loop.
#![no_std]
#![no_main]

use cortex_m_rt::entry;
use microdistill::argmax;
use microdistill::quant::{Dequantize, Requantize};
use microdistill_peers::measure;

/// Weights: shape (outputs, inputs), row-major.
struct Layer {
    weights: &'static [i8],
    bias: &'static [i32],
    zero: i8,
    requantize: Requantize,
    output_zero: i32,
    lowest: i32,
    highest: i32,
}

include!(env!("ROWS"));
include!(env!("PLAIN"));

#[entry]
fn main() -> ! {
    measure(&ROWS, |x| argmax(&predict(x)), |x| DECODE.apply(&predict(x)))
}

fn predict(x: &[i8; INPUTS]) -> [i8; OUTPUTS] {
    let (mut x_and_y, mut length) = ([[0; WIDEST]; 2], INPUTS);
    x_and_y[0][..INPUTS].copy_from_slice(x);
    for layer in &LAYERS {
        let [x, y] = &mut x_and_y;
        dense(layer, &x[..length], y);
        length = layer.bias.len();
        x_and_y.swap(0, 1);
    }
    core::array::from_fn(|output| x_and_y[0][output])
}

fn dense(layer: &Layer, x: &[i8], y: &mut [i8]) {
    let zero = i32::from(layer.zero);
    for ((weights, &bias), y) in layer.weights.chunks_exact(x.len()).zip(layer.bias).zip(y) {
        let mut sum = bias;
        for (&weight, &x) in weights.iter().zip(x) {
            sum += i32::from(weight) * (i32::from(x) - zero);
        }
        let code = layer.requantize.apply(sum) + layer.output_zero;
        *y = code.clamp(layer.lowest, layer.highest) as i8;
    }
}
