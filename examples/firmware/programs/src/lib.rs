//! The programs of every board, written once: [`infer`], [`distill`], [`adapt`], [`teach`], [`bench`],
//! [`learn`] and
//! [`kernels`].
//!
//! A board calls one of them from a program of a few lines and ends with its [`Outcome`]. Both print the same text on
//! every board, bits included, so that a run here is compared with the desktop's line by line.
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
