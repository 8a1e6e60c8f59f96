//! Adaptation on the desktop.

fn main() -> microdistill_programs::Outcome {
    microdistill_programs::adapt()
}
