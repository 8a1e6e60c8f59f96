//! The weight decay that cross-validation likes best.

use rayon::prelude::*;
use serde::Serialize;

use crate::dataset::{Dataset, Fold};
use crate::error::{Error, Result};
use crate::metrics::evaluate;
use crate::model::Model;

/// What is tried, unless asked otherwise: decoupled, relative to the rate (see
/// [`AdamRates`](microdistill::optimizer::AdamRates)).
pub const WEIGHT_DECAYS: [f32; 8] = [0.0, 0.01, 0.1, 0.3, 0.5, 1.0, 2.0, 4.0];

/// One candidate and how it did.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Trial {
    /// The candidate.
    pub weight_decay: f32,
    /// Mean over the folds of the loss on rows left out: NLL, or the mean squared error.
    ///
    /// The likelihood, not the accuracy: it notices a model that is sure and wrong, and it has fewer ties.
    pub loss: f64,
}

/// Trains on every fold with every candidate, in parallel, and returns one trial for each candidate, in order.
///
/// `fit` gets the rows to train on and the candidate. The result does not depend on the number of threads.
///
/// # Errors
/// The first of `fit`'s.
pub fn trials(
    data: &Dataset,
    folds: &[Fold],
    candidates: &[f32],
    fit: impl Fn(&Dataset, f32) -> Result<Model> + Sync,
) -> Result<Vec<Trial>> {
    let parts: Vec<_> =
        folds.iter().map(|fold| (data.select(&fold.train), data.select(&fold.validation))).collect();
    let pairs: Vec<_> =
        candidates.iter().flat_map(|&decay| parts.iter().map(move |part| (decay, part))).collect();
    let loss = |&(decay, (train, validation)): &(f32, &(Dataset, Dataset))| {
        match fit(train, decay) {
            Ok(model) => Ok(evaluate(&model, validation)?.loss()),
            // Worse than any other, and no reason to give up.
            Err(Error::Diverged { .. }) => Ok(f64::INFINITY),
            Err(error) => Err(error),
        }
    };
    let losses: Vec<f64> = pairs.par_iter().map(loss).collect::<Result<_>>()?;
    let mean = |losses: &[f64]| losses.iter().sum::<f64>() / losses.len() as f64;
    let trials = candidates.iter().zip(losses.chunks(folds.len()));
    Ok(trials.map(|(&weight_decay, losses)| Trial { weight_decay, loss: mean(losses) }).collect())
}

/// The trial with the smallest loss; of equal ones the first. None if every training diverged.
pub fn best(trials: &[Trial]) -> Option<Trial> {
    trials
        .iter()
        .copied()
        .filter(|trial| trial.loss.is_finite())
        .reduce(|best, next| if next.loss < best.loss { next } else { best })
}
