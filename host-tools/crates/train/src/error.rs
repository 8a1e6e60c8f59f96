//! Errors. Every message names the location (file, line, column or tensor) and the fix.

use std::path::{Path, PathBuf};

/// The library's errors. Every message names the file, line, column or tensor, and says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file system refused.
    #[error("{path}: {error}", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's error: part of the message, and so no `source`.
        error: std::io::Error,
    },
    /// A data file that cannot be used, with the line where it is known (1-based, the header is line 1).
    #[error("{path}{line}: {message}", path = path.display(), line = line.map_or(String::new(), |l| format!(":{l}")))]
    Data {
        /// The file.
        path: PathBuf,
        /// The line.
        line: Option<u64>,
        /// Description of the fault and of the fix.
        message: String,
    },
    /// A model file that cannot be used.
    #[error("{path}: {message}", path = path.display())]
    Model {
        /// The file.
        path: PathBuf,
        /// Description of the fault and of the fix.
        message: String,
    },
    /// A serial line to a board.
    #[error("{line}: {message}")]
    Line {
        /// The port or the board.
        line: String,
        /// Description of the fault and of the fix.
        message: String,
    },
    /// Settings or inputs that do not fit together.
    #[error("{0}")]
    Invalid(String),
    /// A training whose loss is no longer finite.
    #[error("training diverged in epoch {epoch}: the loss is not finite; lower the rate (now {rate})")]
    Diverged {
        /// From 1.
        epoch: usize,
        /// Adam's step size.
        rate: f32,
    },
    /// Ctrl-C.
    #[error("interrupted")]
    Interrupted,
}

/// Results of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An ensemble, of so many `members`, where one network is wanted.
    pub fn ensemble(members: usize) -> Self {
        Error::Invalid(format!(
            "the model is an ensemble of {members} networks, which no board runs: distill a student from it"
        ))
    }

    /// Wraps an input/output error with its file.
    pub fn io(path: impl AsRef<Path>) -> impl FnOnce(std::io::Error) -> Self {
        move |error| Error::Io { path: path.as_ref().to_path_buf(), error }
    }
}
