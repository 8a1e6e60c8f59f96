//! Cycles of what an emulated core executes, modelled by the tables of its manual.

mod cost;
pub(crate) mod executed;
mod gdb;
mod thumb;
mod trace;

pub use executed::Executed;
