//! Errors. Every message names the location (file, line, column or tensor) and the fix.

use std::path::{Path, PathBuf};

/// The library's errors. Every message names the file, line, column or tensor, and says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Error of the file system.
    #[error("{path}: {error}", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's error. It is part of the message, so it is not also a `source`.
        error: std::io::Error,
    },
    /// Unusable data file, with the line of the fault if it is known. Lines count from 1, the header.
    #[error("{path}{line}: {message}", path = path.display(), line = line.map_or(String::new(), |l| format!(":{l}")))]
    Data {
        /// The file.
        path: PathBuf,
        /// The line.
        line: Option<u64>,
        /// Description of the fault and of the fix.
        message: String,
    },
    /// Unusable model file.
    #[error("{path}: {message}", path = path.display())]
    Model {
        /// The file.
        path: PathBuf,
        /// Description of the fault and of the fix.
        message: String,
    },
    /// Failure of the serial line to a board.
    #[error("{line}: {message}")]
    Line {
        /// The port or the board.
        line: String,
        /// Description of the fault and of the fix.
        message: String,
    },
    /// Settings or inputs that are out of range or do not fit together.
    #[error("{0}")]
    Invalid(String),
    /// Training whose loss is no longer finite.
    #[error("training diverged in epoch {epoch}: the loss is not finite; lower the rate (now {rate})")]
    Diverged {
        /// Epoch of the divergence, from 1.
        epoch: usize,
        /// Learning rate.
        rate: f32,
    },
    /// The user pressed Ctrl-C.
    #[error("interrupted")]
    Interrupted,
}

/// Result with an error of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// Creates the error for an ensemble of `members` networks where a single network is needed.
    pub fn ensemble(members: usize) -> Self {
        Error::Invalid(format!(
            "the model is an ensemble of {members} networks, which no board runs: distill a student from it"
        ))
    }

    /// Creates the error for a blend of `members` models where a single network is needed.
    pub fn blend(members: usize) -> Self {
        Error::Invalid(format!(
            "the model is a blend of {members} models, such as trees, which no board runs: distill a student from it"
        ))
    }

    /// Wraps an input/output error with its file.
    pub fn io(path: impl AsRef<Path>) -> impl FnOnce(std::io::Error) -> Self {
        move |error| Error::Io { path: path.as_ref().to_path_buf(), error }
    }
}
