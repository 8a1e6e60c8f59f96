//! The kernels of the desktop.

fn main() -> microdistill_programs::Outcome {
    microdistill_programs::kernels::<{ 1 << 16 }, { 1 << 14 }>()
}
