//! Training of students: small networks, trained sample by sample through the kernels of the core crate, on hard
//! labels or on the outputs of a teacher.

mod annealing;
mod distiller;
mod fit;
mod hint;
mod lanes;
mod recipe;
mod sampler;
mod samples;
mod settings;
mod straight_through;
#[cfg(test)]
mod tests;
mod train;

pub use annealing::{Annealing, Curve};
pub use distiller::Distiller;
pub use fit::{Taught, fit, fit_with_hints};
pub use lanes::{Lane, train_lanes};
pub use recipe::Recipe;
pub use sampler::Blend;
pub use samples::Samples;
pub use settings::{Inputs, Settings, WEIGHT_DECAY};

pub use train::{Epoch, Trained, Validation, train};
