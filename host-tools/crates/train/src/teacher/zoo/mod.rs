//! A zoo of learners, and the blend of what they learned.
//!
//! Every learner is trained on folds of the rows. Its predictions for the rows that it has not seen give its loss, its
//! temperature and, by greedy selection, its weight in the blend (Caruana et al. 2004). The members with a weight are then
//! trained again on all rows.

mod bins;
mod boosting;
mod cholesky;
mod fit;
mod forest;
mod grow;
mod kernel_ridge;
mod linear;
mod perceptrons;
mod rows;
mod selection;
mod settings;
#[cfg(test)]
mod tests;

pub use crate::blend::{Boosting, Chance, Forest, KernelRidge, Linear, Perceptrons, Recipe};
pub(crate) use fit::fit_like;
pub use fit::{Fitted, Step, fit};
pub use rows::Rows;
pub use settings::{Settings, Species};

pub use crate::effort::Effort;

use crate::blend::Member;
use crate::dataset::Fold;
use crate::error::Result;

/// A way to learn from rows.
pub trait Learner: Sync {
    /// Chooses hyperparameters for these rows, where they are not fixed.
    ///
    /// # Errors
    /// Fails if a training fails.
    fn choose(&self, rows: &Rows<'_>, folds: &[Fold], seed: u64) -> Result<Recipe>;

    /// Trains on these rows.
    ///
    /// # Errors
    /// Fails if a training diverges or is interrupted.
    fn fit(&self, rows: &Rows<'_>, seed: u64) -> Result<Member>;
}

impl Recipe {
    /// Returns the learner.
    pub fn learner(&self) -> &dyn Learner {
        match self {
            Recipe::Boosting(learner) => learner,
            Recipe::Forest(learner) => learner,
            Recipe::Kernel(learner) => learner,
            Recipe::Linear(learner) => learner,
            Recipe::Perceptrons(learner) => learner,
        }
    }
}
