//! Cycles of the instructions that an emulated core executes, modelled with the tables of its manual.

mod cost;
pub(crate) mod executed;
mod gdb;
mod thumb;
mod trace;

pub use executed::Executed;
