//! The weight decay that cross-validation likes best.

use nalgebra::DMatrix;
use rayon::prelude::*;
use serde::Serialize;

use crate::dataset::{Dataset, Fold, Target, split};
use crate::error::Result;
use crate::metrics::{evaluate, tempered_nll};
use crate::model::Model;

/// What is tried, unless asked otherwise: decoupled, relative to the rate (see
/// [`AdamRates`](microdistill::optimizer::AdamRates)).
pub const WEIGHT_DECAYS: [f32; 7] = [0.0, 0.125, 0.25, 0.5, 1.0, 2.0, 4.0];

/// What is tried where rows and parameters are many.
const FEW_WEIGHT_DECAYS: [f32; 4] = [0.0, 0.25, 1.0, 4.0];

/// One candidate and how it did.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Trial {
    /// The candidate.
    pub weight_decay: f32,
    /// Mean over the folds of the loss on rows left out: NLL, or the mean squared error.
    ///
    /// The likelihood, not the accuracy: it notices a model that is sure and wrong, and it has fewer ties.
    pub loss: f64,
    /// The same of a classifier whose logits are divided by the best temperature, one for all rows left out.
    ///
    /// Where rows left out are hard, as those of other people are, the plain likelihood asks for a weight decay that
    /// makes the classifier unsure, and it forgets what it could know. How sure a teacher is does not matter:
    /// distillation softens it.
    pub tempered: f64,
}

/// How much of a cross-validation is worth its time.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Number of folds.
    pub folds: usize,
    /// Candidates.
    pub candidates: Vec<f32>,
    /// Number of rows.
    pub rows: usize,
}

/// Multiplications in a forward pass, for all trainings together: some 20 seconds of two cores.
const BUDGET: f64 = 1e11;

impl Plan {
    /// For `rows` rows in `folds` folds, where a training takes `work` multiplications a row: first there are fewer
    /// folds, then fewer candidates, then fewer rows.
    pub fn new(rows: usize, folds: usize, work: usize) -> Self {
        let one = rows as f64 * work as f64;
        let all = Plan { folds, candidates: WEIGHT_DECAYS.to_vec(), rows };
        let fewest = folds.min(3);
        let affordable = 1.0 + BUDGET / (WEIGHT_DECAYS.len() as f64 * one);
        if affordable >= fewest as f64 {
            return Plan { folds: folds.min(affordable as usize), ..all };
        }
        let trainings = (FEW_WEIGHT_DECAYS.len() * fewest.saturating_sub(1).max(1)) as f64;
        let rows = rows.min((BUDGET / (trainings * work.max(1) as f64)) as usize).max(1000).min(rows);
        Plan { folds: fewest, candidates: FEW_WEIGHT_DECAYS.to_vec(), rows }
    }

    /// As many of the rows as planned, by class and seed.
    ///
    /// # Errors
    /// Classes too small to be divided.
    pub fn select(&self, data: &Dataset, seed: u64) -> Result<Dataset> {
        if self.rows >= data.rows() {
            return Ok(data.clone());
        }
        let share = self.rows as f64 / data.rows() as f64;
        // Of each group there are fewer rows then, but still of all groups.
        let ungrouped = Dataset { groups: None, ..data.clone() };
        Ok(data.select(&split(&ungrouped, &[share, 1.0 - share], seed)?[0]))
    }
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
    let judge = |&(decay, (train, validation)): &(f32, &(Dataset, Dataset))| {
        let model = fit(train, decay)?;
        Ok((evaluate(&model, validation)?.loss(), model.predict(validation)))
    };
    let judged: Vec<(f64, DMatrix<f32>)> = pairs.par_iter().map(judge).collect::<Result<_>>()?;
    let trial = |(&weight_decay, judged): (&f32, &[(f64, DMatrix<f32>)])| {
        let loss = judged.iter().map(|(loss, _)| loss).sum::<f64>() / judged.len() as f64;
        let mut labels = Vec::new();
        for (_, validation) in &parts {
            match &validation.target {
                Target::Classes(classes) => labels.extend(classes),
                Target::Values(_) | Target::Absent => return Trial { weight_decay, loss, tempered: loss },
            }
        }
        let columns: Vec<_> = judged.iter().flat_map(|(_, outputs)| outputs.column_iter()).collect();
        let tempered = tempered_nll(&DMatrix::from_columns(&columns), &labels);
        Trial { weight_decay, loss, tempered }
    };
    Ok(candidates.iter().zip(judged.chunks(folds.len())).map(trial).collect())
}

/// The trial with the smallest loss; of equal ones the first.
pub fn best(trials: &[Trial]) -> Option<Trial> {
    smallest(trials, |trial| trial.loss)
}

/// The trial with the smallest loss at the best temperature; of equal ones the first.
pub fn best_tempered(trials: &[Trial]) -> Option<Trial> {
    smallest(trials, |trial| trial.tempered)
}

fn smallest(trials: &[Trial], loss: impl Fn(&Trial) -> f64) -> Option<Trial> {
    trials.iter().copied().reduce(|best, next| if loss(&next) < loss(&best) { next } else { best })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_data_are_tuned_by_fewer_folds_then_candidates_then_rows() {
        let plan = |rows, work| {
            let Plan { folds, candidates, rows } = Plan::new(rows, 7, work);
            (folds, candidates.len(), rows)
        };
        assert_eq!(plan(785, 2_138_300), (7, 7, 785));
        assert_eq!(plan(1347, 2_600_000), (5, 7, 1347));
        assert_eq!(plan(4000, 2_600_000), (3, 4, 4000));
        assert_eq!(plan(1_000_000, 2_600_000), (3, 4, 4807));
        assert_eq!(plan(5000, usize::MAX), (3, 4, 1000));
        assert_eq!(Plan::new(10, 2, 1).folds, 2);
        let trial = |loss, tempered| Trial { weight_decay: 0.0, loss, tempered };
        let trials = [trial(2.0, 1.0), trial(1.0, 2.0)];
        assert_eq!((best(&trials), best_tempered(&trials)), (Some(trials[1]), Some(trials[0])));
    }
}
