//! The first program of the README. A test keeps the two equal.
//!
//! `cargo run --example readme_infer`

use microdistill::argmax;

#[path = "models/watch_small/model.rs"]
mod model; // written by `microdistill export`

// The compiler enforces a budget: the file knows what the network costs on this target.
const _: () = assert!(model::FLASH_BYTES <= 2048 && model::SCRATCH_BYTES <= 128);

fn main() {
    // This machine computes what the desktop computed, to the bit.
    assert!(model::self_test().is_ok());
    let window = model::GOLDEN[0].raw; // 30 features, which a sensor would give
    let outputs = model::predict(&window);
    let exercise = model::LABELS[argmax(&outputs)];
    assert_eq!(exercise, "PEN");
}
