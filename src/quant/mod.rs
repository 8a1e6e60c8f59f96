//! int8 networks with the arithmetic of TensorFlow Lite's 8-bit quantization specification.
//!
//! A real number is `(code − zero)·scale`. Activations are affine in [-128, 127]; weights are symmetric in
//! [-127, 127], with one scale for each output or one for the layer; a bias is an i32 of scale `s_in·s_w` (the input's
//! scale times the weights'), into which the input's zero point is folded: `bias − zero_in·Σ w`.
//!
//! Values of a regression may have a range of their own, which need not hold zero: [`DequantizeEach`].
//!
//! A [piecewise-linear](PiecewiseLinearI8) first layer has a table of such weights, and takes the codes of [`QuantizeKnots`].
//!
//! int4 networks are int8 networks whose weights are stored in half the bytes: see [`DenseI4`].
//!
//! Layers, tables and the softmax give the codes that TensorFlow Lite's reference kernels give.

mod dense;
mod edge;
mod exp;
mod int4;
mod piecewise;
mod rescale;
mod softmax;
mod stage;
mod table;

pub use crate::kernel::Requantize;
pub use dense::DenseI8;
pub use edge::{Decode, Dequantize, DequantizeEach, Quantize, quantize};
pub use exp::exp;
pub use int4::{DenseI4, GROUP};
pub use piecewise::{PiecewiseLinearI8, QuantizeKnots, quantize_knots};
pub use softmax::Softmax;
pub use stage::{Clamp, Stage};
pub use table::Table;
