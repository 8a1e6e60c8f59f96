//! Measurements of inference and training on boards, and of other [libraries](peers) for comparison.
//!
//! The `bench` program measures one inference and one training sample, `learn` the training of several networks. A run on
//! a [`counting`] board counts instructions. A second, traced run ([`executed`], [`executed_learning`]) yields cycles. The
//! results of both runs are [`measured`] and [`learned`].

mod inference;
mod networks;
pub mod peers;
mod training;

pub use crate::cycles::Executed;
pub use inference::{Measured, Work, counted, counting, executed, measured};
pub use networks::references;
pub use training::{Learning, executed_learning, learned};
