//! The desktop side of microdistill.
pub mod error;
pub mod network;
