//! int8 arithmetic against the definitions of TensorFlow Lite and gemmlowp, written in integers that cannot overflow.

#[path = "../oracle/cases.rs"]
mod cases;
mod edges;
mod layers;
mod layouts;
mod oracle;
mod reference;
mod requantize;
mod tables;
