//! Inference by microflow, which reads the network's TensorFlow Lite file.
#![no_std]
#![no_main]

use cortex_m_rt::entry;
use microdistill::argmax;
use microdistill_peers::measure;
use nalgebra::SMatrix;

include!(env!("ROWS"));
include!(env!("MICROFLOW"));

#[entry]
fn main() -> ! {
    measure(&ROWS, |x| argmax(&predict(x)), predict)
}

fn predict(x: &[i8; INPUTS]) -> [f32; OUTPUTS] {
    let y = Network::predict_quantized(SMatrix::<i8, 1, INPUTS>::from_fn(|_, input| x[input]));
    core::array::from_fn(|output| y[output])
}
