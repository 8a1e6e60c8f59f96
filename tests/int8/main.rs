//! int8 arithmetic against the definitions of TensorFlow Lite and gemmlowp, in integers that cannot overflow.

mod edges;
mod layers;
mod layouts;
mod reference;
mod requantize;
