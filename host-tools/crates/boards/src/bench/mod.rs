//! Measurements of inference and training on boards, and of other libraries for comparison.

mod inference;
mod networks;
pub mod peers;
mod training;

pub use inference::{Measured, Work, counted, counting, executed, measured};
pub use networks::references;
pub use training::{Learning, executed_learning, learned};
