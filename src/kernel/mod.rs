//! The loops: slices in, slices out, one copy in flash whatever networks are linked.
//!
//! This is the one place that chooses an implementation per target. The portable ones say what the others compute, to
//! the bit.

pub mod int4;
pub mod int8;
mod reference;

pub use reference::{affine, affine_input_gradient, affine_parameter_gradient};
