//! The programs of the boards.

use clap::ValueEnum;

/// A program of a board.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Program {
    /// Self-test, then predict every row of --test
    Infer,
    /// Train a student from the teacher in flash
    Distill,
    /// The bundled example's story: adapt to new people and a changed sensor gain, and survive power cuts
    Adapt,
    /// Learn over the serial port from `board teach`
    Teach,
    /// Measure an inference and a training sample
    Bench,
    /// Measure training samples of three networks with SGD, momentum and Adam
    Learn,
    /// Compare the core's optimized kernels with the portable ones
    Kernels,
}

impl Program {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Program::Infer => "infer",
            Program::Distill => "distill",
            Program::Adapt => "adapt",
            Program::Teach => "teach",
            Program::Bench => "bench",
            Program::Learn => "learn",
            Program::Kernels => "kernels",
        }
    }
}
