//! Inference as in firmware: the exported int8 student recognizes the exercise in a window of smartwatch motion.
//!
//! `cargo run --example predict`

use microdistill::{argmax, golden::Mismatch, softmax};

#[path = "models/watch_small/model.rs"]
mod model;

fn main() -> Result<(), Mismatch> {
    // This machine computes the same bits as the desktop that exported the file.
    model::self_test()?;

    // These numbers would come from a sensor.
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
