//! Training on the device: losses, optimizers, learning rates, and the distillers that use them.

pub(crate) mod distiller;
pub mod finetune;
pub mod loss;
pub(crate) mod online;
pub mod optimizer;
pub mod schedule;
