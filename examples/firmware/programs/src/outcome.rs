//! The end of a program.

/// The end of a program, as a board reports it: in QEMU, the exit code of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a board ends with it"]
pub enum Outcome {
    /// All is as it should be.
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
