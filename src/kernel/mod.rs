//! The loops: slices in, slices out, one copy in flash whatever networks are linked.
//!
//! This is the one place that chooses an implementation per target. The portable ones say what the others compute, to
//! the bit.

pub mod codes;
#[cfg(kernel_f32 = "fpv4")]
mod fpv4;
pub mod int4;
pub mod int8;
mod kernels;
pub mod pieces;
pub mod reference;
mod requantize;
mod steps;

pub use kernels::Kernels;
pub use requantize::Requantize;
pub use steps::{AdamStep, Moments, MomentumStep};

/// Name of the f32 kernels chosen for the target: `"fpv4"` or `"portable"`.
///
/// [`int8::NAME`] and [`int4::NAME`] are those of the other kernels. A program can check at compile time that its target
/// has the kernel it was sized for, or print the name next to its timings.
pub const NAME_F32: &str = env!("KERNEL_F32");

/// Weights, or an input, at a multiple of 4 bytes: kernels load words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(align(4))]
pub struct Aligned<T>(pub T);

impl Kernels for f64 {}
#[cfg(not(kernel_f32 = "fpv4"))]
impl Kernels for f32 {}
#[cfg(not(kernel_f32 = "fpv4"))]
impl Kernels for crate::scalar::Fused {}
