//! The desktop side of microdistill.

pub mod error;
pub mod export;
pub mod file;
pub mod model;
pub mod network;
mod random;
mod schedule;
pub mod student;
pub mod teacher;
