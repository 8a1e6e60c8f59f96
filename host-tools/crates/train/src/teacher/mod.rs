//! Teachers: trained batch by batch with matrix products, in `f32` on the desktop.
//!
//! Fast, and outside the promise of equal bits: the matrix kernels choose CPU features at run time, so a training
//! repeats bit for bit on one kind of CPU only. What it gives is an ordinary [`Network`](crate::network::Network).

mod fit;
#[cfg(test)]
mod tests;
mod train;

pub use fit::{fit, fit_ensemble, fit_like};

pub use train::{Epoch, Examples, Settings, Target, Trained, train};
