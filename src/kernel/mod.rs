//! The loops: slices in, slices out, one copy in flash whatever networks are linked.
//!
//! This is the one place that chooses an implementation per target. So far every target runs the reference, which
//! is what the promise of equal bits is stated in.

mod reference;

pub use reference::{affine, affine_i8, affine_input_gradient, affine_parameter_gradient};
