//! Numbers and errors on their way between Python and Rust.

use microdistill_train::error::Error;
use pyo3::exceptions::{PyKeyboardInterrupt, PyOSError, PyValueError};
use pyo3::prelude::*;

/// Numbers of bytes; what is left over is no number.
pub(crate) fn numbers(bytes: &[u8]) -> Vec<f64> {
    let number = |bytes: &[u8]| bytes.try_into().map(f64::from_ne_bytes).ok();
    bytes.chunks_exact(size_of::<f64>()).filter_map(number).collect()
}

/// Bytes of numbers.
pub(crate) fn bytes(numbers: impl IntoIterator<Item = f64>) -> Vec<u8> {
    numbers.into_iter().flat_map(f64::to_ne_bytes).collect()
}

/// The exception for an error of the library.
pub(crate) fn exception(error: Error) -> PyErr {
    match error {
        Error::Interrupted => PyKeyboardInterrupt::new_err("interrupted"),
        Error::Io { .. } => PyOSError::new_err(error.to_string()),
        _ => PyValueError::new_err(error.to_string()),
    }
}
