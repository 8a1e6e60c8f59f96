//! Probabilities by micromath's exponential, for firmware that computes its features with micromath anyway.
//!
//! Such firmware has an exponential in flash already, and saves that of libm (460 bytes on a Cortex-M4F). It is less accurate and
//! takes twice as long: see the table in `microdistill::fast`. The classes are the same, because softmax keeps the order.
//!
//! `cargo run --example shared_exp --features micromath`

use microdistill::fast::{FastSoftmax, Micromath};
use microdistill::loss::{Head, Softmax};
use microdistill::{Prepare, argmax};

#[path = "models/watch_small/student.rs"]
mod student;
#[path = "models/watch_small/test.rs"]
mod test;

fn main() {
    let mut error = 0f32;
    for raw in &test::ROWS {
        let logits = student::STUDENT.predict(&student::INPUT.apply(raw));
        let (mut precise, mut shared) = (logits, logits);
        Softmax::apply(&mut precise);
        FastSoftmax::<Micromath>::apply(&mut shared);
        assert_eq!(argmax(&shared), argmax(&logits));
        error = precise.iter().zip(&shared).map(|(p, q)| (p - q).abs()).fold(error, f32::max);
    }
    println!(
        "{} windows: every class is the same, probabilities differ by {error:.5} at most",
        test::ROWS.len()
    );
    assert!(error < 1e-3);
}
