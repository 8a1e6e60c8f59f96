//! The programs of every board, written once: [`infer`], [`distill`], [`adapt`], [`teach`], [`bench`], [`learn`] and
//! [`kernels`].
//!
//! A board calls one of them from a binary of a few lines and ends with its [`Outcome`]. Each prints the same text on
//! every board, including bits, so that a run can be compared with the desktop's line by line.
#![no_std]

#[cfg(feature = "std")]
extern crate std;

mod output;

mod adapt;
mod arrivals;
mod bench;
pub mod data;
mod distill;
mod edge;
mod infer;
mod kernels;
mod learn;
mod optimizer;
mod outcome;
mod storage;
mod teach;

pub use adapt::adapt;
pub use bench::{Meter, Tick, Watch, bench};
pub use distill::distill;
pub use infer::infer;
pub use kernels::kernels;
pub use learn::learn;
pub use outcome::Outcome;
pub use storage::{PlayedFlash, Storage};
pub use teach::teach;
