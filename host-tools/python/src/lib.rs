//! The Rust side of the Python package: trainings and models. Matrices of numbers cross the border as bytes of f64, row by row.

mod border;
mod fit;
mod student;
mod supervise;

use pyo3::prelude::*;

/// Distillation for microcontrollers.
#[pymodule]
mod _microdistill {
    #[pymodule_export]
    use crate::fit::fit;
    #[pymodule_export]
    use crate::student::Student;
}
