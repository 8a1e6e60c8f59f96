//! The desktop side of microdistill.
pub mod error;
pub mod network;
mod random;
pub mod student;
