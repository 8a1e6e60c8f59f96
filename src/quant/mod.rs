//! int8 networks with the arithmetic of TensorFlow Lite's 8-bit quantization specification.
//!
//! A real number is `(code − zero)·scale`. Activations are affine in [-128, 127]; weights are symmetric in
//! [-127, 127], with one scale for each output or one for the layer; a bias is an i32 of scale `s_in·s_w`, into which
//! the input's zero point is folded: `bias − zero_in·Σ w`.

mod dense;
mod edge;
mod int4;
mod requantize;
mod stage;

pub use dense::DenseI8;
pub use edge::{Dequantize, Quantize, quantize};
pub use int4::{DenseI4, GROUP};
pub use requantize::Requantize;
pub use stage::{Clamp, Stage};
