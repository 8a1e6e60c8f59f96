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

use nalgebra::DMatrix;
use rayon::prelude::*;

use crate::blend::Member;
use crate::dataset::Fold;
use crate::error::Result;

/// A way to learn from rows.
pub trait Learner: Sync {
    /// Trains on these rows.
    ///
    /// # Errors
    /// Fails if a training diverges or is interrupted.
    fn fit(&self, rows: &Rows<'_>, seed: u64) -> Result<Member>;

    /// Chooses hyperparameters for these rows, where they are not fixed, and predicts each fold by a training without it.
    /// The hyperparameters of that training do not depend on how well the fold is predicted either, so that a learner that
    /// chooses does not look better than it is.
    ///
    /// # Errors
    /// Fails if a training fails.
    fn examine(&self, rows: &Rows<'_>, folds: &[Fold], seed: u64, trained: Tick<'_>) -> Result<Examined>;
}

/// Called after each training of a fold.
pub type Tick<'a> = &'a (dyn Fn() + Sync);

/// How well a learner predicts rows that it has not seen.
pub struct Examined {
    /// The learner with the hyperparameters for a training on all rows.
    pub recipe: Recipe,
    /// Outputs for the held-out rows of each fold, shape (outputs × rows): logits or standardized values.
    pub outputs: Vec<DMatrix<f32>>,
}

/// Examines learners without a choice: `learner` is trained without each fold.
fn examine_fixed(
    learner: &dyn Learner,
    recipe: Recipe,
    rows: &Rows<'_>,
    folds: &[Fold],
    seed: u64,
    trained: Tick<'_>,
) -> Result<Examined> {
    let predict = |fold: &Fold| {
        let member = learner.fit(&rows.with(&fold.train), seed)?;
        trained();
        Ok(rows.predict(&member, &fold.validation))
    };
    let outputs = folds.par_iter().with_max_len(1).map(predict).collect::<Result<_>>()?;
    Ok(Examined { recipe, outputs })
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
