//! Networks whose shape is known only at run time, in f32 and int8, and the batched trainer of teachers.

pub(crate) mod batched;
mod curve;
mod dense;
pub(crate) mod dropout;
mod f32;
pub mod int8;
pub mod precision;

pub use curve::Curve;
pub use dense::Dense;
pub use f32::*;
