//! Students: trained sample by sample through the core's kernels, on hard labels or distilled from a teacher.

mod distiller;
mod fit;
mod straight_through;
mod train;

pub use distiller::Distiller;
pub use fit::fit;
pub use train::{Epoch, Lessons, Recipe, Settings, WEIGHT_DECAY, train};
