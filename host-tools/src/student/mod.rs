//! Students: trained sample by sample through the core's kernels, on hard labels or distilled from a teacher.

mod cooling;
mod distiller;
mod fit;
mod hint;
mod lessons;
mod objective;
mod order;
mod settings;
mod straight_through;
#[cfg(test)]
mod tests;
mod train;

pub use cooling::{Cooling, Curve};
pub use distiller::Distiller;
pub use fit::{Taught, fit, fit_with_hints};
pub use lessons::Lessons;
pub use objective::Recipe;
pub use order::Blend;
pub use settings::{Settings, WEIGHT_DECAY};
pub(crate) use train::train_watched;
pub use train::{Epoch, Trained, Validation, train};
