//! Measurements on the desktop.

fn main() -> microdistill_programs::Outcome {
    microdistill_programs::bench(Some(microdistill_host::Clock::new()))
}
