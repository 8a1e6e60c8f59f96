//! The weight decay that cross-validation likes best.

use nalgebra::DMatrix;
use rayon::prelude::*;
use serde::Serialize;

use crate::dataset::{Dataset, Fold, Target, split};
use crate::error::{Error, Result};
use crate::metrics::{best_temperature, evaluate, nll};
use crate::model::Model;

/// What is tried, unless asked otherwise: decoupled, relative to the rate (see
/// [`AdamRates`](microdistill::optimizer::AdamRates)).
pub const WEIGHT_DECAYS: [f32; 7] = [0.0, 0.125, 0.25, 0.5, 1.0, 2.0, 4.0];

/// What is tried where rows and parameters are many.
const FEW_WEIGHT_DECAYS: [f32; 4] = [0.0, 0.25, 1.0, 4.0];

/// One candidate and how it did.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Trial {
    /// The candidate.
    pub weight_decay: f32,
    /// Mean over the folds of the loss on rows left out: NLL, or the mean squared error; infinite where a training
    /// diverged.
    ///
    /// The likelihood, not the accuracy: it notices a model that is sure and wrong, and it has fewer ties.
    pub loss: f64,
    /// The losses of each fold, of a classifier with its logits divided by the best temperature, one for all folds.
    ///
    /// Where rows left out are hard, as those of other people are, the plain likelihood asks for a weight decay that
    /// makes the classifier unsure, and it forgets what it could know. How sure a teacher is does not matter:
    /// distillation softens it.
    pub tempered: Vec<f64>,
}

impl Trial {
    /// Mean of [`tempered`](Trial::tempered).
    pub fn tempered_mean(&self) -> f64 {
        mean(&self.tempered)
    }
}

/// What a candidate becomes beside `rows` rows: a prior of the weights is worth a number of rows, so that beside more of
/// them it weighs less.
pub fn beside_rows(candidate: f32, rows: usize) -> f32 {
    const ROWS: usize = 1000;
    if rows <= ROWS { candidate } else { (f64::from(candidate) * ROWS as f64 / rows as f64) as f32 }
}

/// How much of a cross-validation is worth its time.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Number of folds.
    pub folds: usize,
    /// Candidates, as [`beside_rows`] takes them.
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

/// Loss and outputs on the rows left out; none if the training diverged.
type Judged = Option<(f64, DMatrix<f32>)>;

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
    let judge = |&(decay, (train, validation)): &(f32, &(Dataset, Dataset))| match fit(train, decay) {
        Ok(model) => Ok(Some((evaluate(&model, validation)?.loss(), model.predict(validation)))),
        // Worse than any other, and no reason to give up.
        Err(Error::Diverged { .. }) => Ok(None),
        Err(error) => Err(error),
    };
    let judged: Vec<Judged> = pairs.par_iter().map(judge).collect::<Result<_>>()?;
    let trial = |(&weight_decay, judged): (&f32, &[Judged])| {
        let Some(judged) = judged.iter().map(Option::as_ref).collect::<Option<Vec<_>>>() else {
            return Trial { weight_decay, loss: f64::INFINITY, tempered: vec![f64::INFINITY; folds.len()] };
        };
        let losses: Vec<f64> = judged.iter().map(|(loss, _)| *loss).collect();
        let loss = mean(&losses);
        let labels = parts.iter().map(|(_, validation)| match &validation.target {
            Target::Classes(classes) => Some(classes.as_slice()),
            Target::Partial(_) | Target::Values(_) | Target::Absent => None,
        });
        let Some(labels) = labels.collect::<Option<Vec<&[usize]>>>() else {
            return Trial { weight_decay, loss, tempered: losses };
        };
        let columns: Vec<_> = judged.iter().flat_map(|(_, outputs)| outputs.column_iter()).collect();
        let temperature = best_temperature(&DMatrix::from_columns(&columns), &labels.concat());
        let folds = judged.iter().zip(&labels);
        let tempered = folds.map(|((_, outputs), labels)| nll(outputs, labels, temperature)).collect();
        Trial { weight_decay, loss, tempered }
    };
    Ok(candidates.iter().zip(judged.chunks(folds.len())).map(trial).collect())
}

/// The trial with the smallest loss; of equal ones the first. None if every training diverged.
pub fn best(trials: &[Trial]) -> Option<&Trial> {
    trials
        .iter()
        .filter(|trial| trial.loss.is_finite())
        .reduce(|best, next| if next.loss < best.loss { next } else { best })
}

/// The first trial, of the smallest weight decay, that is not worse than the best by more than a standard error of their
/// difference over the folds, at the best temperature: a weight decay has to show what it is good for.
pub fn sufficient(trials: &[Trial]) -> Option<&Trial> {
    let tempered: Vec<&[f64]> = trials.iter().map(|trial| trial.tempered.as_slice()).collect();
    trials.get(first_sufficient(&tempered)?)
}

/// Of candidates with these losses in each fold, the index of the first that is not worse than the best by more than a
/// standard error of their difference over the folds: the one-standard-error rule of Breiman et al. (1984), paired. None
/// if there are no candidates, or every training diverged.
pub fn first_sufficient(losses: &[&[f64]]) -> Option<usize> {
    let best = losses.iter().reduce(|best, next| if mean(next) < mean(best) { next } else { best })?;
    losses.iter().position(|losses| {
        let worse: Vec<f64> = losses.iter().zip(*best).map(|(a, b)| a - b).collect();
        let folds = worse.len() as f64;
        let middle = mean(&worse);
        let variance =
            worse.iter().map(|worse| (worse - middle).powi(2)).sum::<f64>() / (folds - 1.0).max(1.0);
        middle <= (variance / folds).sqrt()
    })
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
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
    }

    #[test]
    fn a_weight_decay_has_to_show_what_it_is_good_for() {
        let trial = |weight_decay, loss, tempered: [f64; 3]| Trial {
            weight_decay,
            loss,
            tempered: tempered.to_vec(),
        };
        let clear = [trial(0.0, 1.0, [3.0, 2.0, 1.0]), trial(1.0, 2.0, [2.0, 1.1, 0.1])];
        assert_eq!((best(&clear), sufficient(&clear)), (Some(&clear[0]), Some(&clear[1])));
        let doubtful = [trial(0.0, 2.0, [3.0, 2.0, 1.0]), trial(1.0, 1.0, [2.0, 2.5, 0.9])];
        assert_eq!((best(&doubtful), sufficient(&doubtful)), (Some(&doubtful[1]), Some(&doubtful[0])));
        let diverged = [f64::INFINITY; 3];
        assert_eq!(first_sufficient(&[&diverged, &[2.0, 1.0, 2.0]]), Some(1));
        assert_eq!((first_sufficient(&[&diverged]), first_sufficient(&[])), (None, None));
    }
}
