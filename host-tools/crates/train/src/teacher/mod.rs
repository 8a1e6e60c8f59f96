//! Training of teachers: large networks, trained batch by batch with matrix products in `f32` on the desktop.
//!
//! Teachers are outside the promise of equal bits, because the matrix kernels choose CPU features at run time: a
//! training repeats bit for bit only on one kind of CPU. The result is an ordinary
//! [`Network`](crate::network::Network).

mod fit;
mod settings;
#[cfg(test)]
mod tests;
mod train;
pub mod zoo;

pub use fit::{fit, fit_ensemble, fit_like};

pub use crate::hyperparameters::Hyperparameters as Settings;
pub use train::{Epoch, Examples, Target, Trained, train};
