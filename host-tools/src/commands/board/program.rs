//! The programs that boards have.

use clap::ValueEnum;

/// A program that boards have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Program {
    /// Self-test, then every row of --test
    Infer,
    /// Learn from the teacher in flash
    Distill,
    /// Adapt to other people and another gain, and keep it through power cuts: the bundled example's story
    Adapt,
    /// Be taught over the serial port, by `board teach`
    Teach,
    /// Measure an inference, and a sample learned
    Bench,
    /// Measure samples learned: by descent, with momentum and by Adam, of three networks
    Learn,
    /// Compare the core's kernels with the portable ones
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
