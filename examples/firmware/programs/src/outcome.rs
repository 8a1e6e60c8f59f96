//! Outcome of a program.

/// Outcome of a program, which a board reports when it ends: in QEMU, as the exit code of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a board reports it at the end"]
pub enum Outcome {
    /// Everything is as it should be.
    Passed,
    /// A failure, which has been printed.
    Failed,
}

#[cfg(feature = "std")]
impl std::process::Termination for Outcome {
    fn report(self) -> std::process::ExitCode {
        match self {
            Outcome::Passed => std::process::ExitCode::SUCCESS,
            Outcome::Failed => std::process::ExitCode::FAILURE,
        }
    }
}
