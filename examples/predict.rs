//! Inference: the exported int8 student names the exercise in a window of a smartwatch's motion, as firmware would.
//!
//! `cargo run --example predict`

use microdistill::{argmax, golden::Mismatch, softmax};

#[path = "models/watch_small/model.rs"]
mod model;

fn main() -> Result<(), Mismatch> {
    // This machine computes what the desktop that exported the file computed, to the bit.
    model::self_test()?;

    // A sensor would give these numbers.
    for window in model::GOLDEN {
        let mut outputs = model::predict(&window.raw);
        let class = argmax(&outputs);
        softmax(&mut outputs, 1.0);
        println!("{:4} {:3.0} %", model::LABELS[class], 100.0 * outputs[class]);
    }
    println!(
        "{} parameters in {} bytes; an inference works in {} bytes",
        model::PARAMETERS,
        model::FLASH_BYTES,
        model::SCRATCH_BYTES
    );
    Ok(())
}
