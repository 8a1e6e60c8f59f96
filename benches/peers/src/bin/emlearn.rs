//! Inference by emlearn, compiled from C.
#![no_std]
#![no_main]
#![allow(unsafe_code)]

use cortex_m_rt::entry;
use microdistill_peers::measure;

include!(env!("ROWS"));

unsafe extern "C" {
    fn emlearn_class(x: *const f32) -> i32;
    fn emlearn_outputs(x: *const f32, y: *mut f32) -> i32;
}

#[entry]
fn main() -> ! {
    measure(&ROWS, class, outputs)
}

fn class(x: &[f32; INPUTS]) -> usize {
    // SAFETY: the function reads as many inputs as the network has.
    unsafe { emlearn_class(x.as_ptr()) as usize }
}

fn outputs(x: &[f32; INPUTS]) -> [f32; OUTPUTS] {
    let mut y = [f32::NAN; OUTPUTS];
    // SAFETY: the function reads as many inputs and writes as many outputs as the network has.
    unsafe { emlearn_outputs(x.as_ptr(), y.as_mut_ptr()) };
    y
}
