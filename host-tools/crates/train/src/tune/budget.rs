//! Time budget of a cross-validation.

use super::WEIGHT_DECAYS;
use crate::dataset::{Dataset, split};
use crate::error::Result;

/// Weight decays to try when data set or network are large.
const FEW_WEIGHT_DECAYS: [f32; 4] = [0.0, 0.25, 1.0, 4.0];

/// Weight decays to try when a training is long.
const TWO_WEIGHT_DECAYS: [f32; 2] = [0.0, 1.0];

/// Extent of a cross-validation that fits the time budget.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Number of folds.
    pub folds: usize,
    /// Weight decays to try, before [`beside_rows`](super::beside_rows) scales them.
    pub candidates: Vec<f32>,
    /// Number of rows to use.
    pub rows: usize,
}

/// Budget in multiplications of forward passes, for all trainings together: some 20 seconds on two cores.
const BUDGET: f64 = 1e11;

impl Plan {
    /// Plans the cross-validation of `rows` rows in `folds` folds, where a training takes `work` multiplications per
    /// row. To stay within the budget, it first reduces the folds, then the candidates, then the rows.
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

    /// Plans the cross-validation of `rows` rows in at most `folds` folds within `trainings` trainings that take equally
    /// long, whatever the number of their rows. None if not even two candidates fit.
    pub fn within(rows: usize, folds: usize, trainings: f64) -> Option<Self> {
        let (all, few, two) = (&WEIGHT_DECAYS[..], &FEW_WEIGHT_DECAYS[..], &TWO_WEIGHT_DECAYS[..]);
        let plans = [(folds, all), (7, all), (5, all), (4, all), (3, all), (3, few), (3, two)];
        let plans = plans.map(|(count, candidates)| (count.min(folds), candidates));
        let (folds, candidates) =
            plans.into_iter().find(|(folds, candidates)| (folds * candidates.len()) as f64 <= trainings)?;
        Some(Plan { folds, candidates: candidates.to_vec(), rows })
    }

    /// Selects the planned number of rows, stratified by class, at random by `seed`.
    ///
    /// # Errors
    /// Fails if a class has too few rows to be divided.
    pub fn select(&self, data: &Dataset, seed: u64) -> Result<Dataset> {
        if self.rows >= data.rows() {
            return Ok(data.clone());
        }
        let share = self.rows as f64 / data.rows() as f64;
        // Rows are selected without regard to groups, so that each group keeps a part of its rows.
        let ungrouped = Dataset { groups: None, ..data.clone() };
        Ok(data.select(&split(&ungrouped, &[share, 1.0 - share], seed)?[0]))
    }
}

/// Returns the budget of all choices of a training on `rows` rows, the length and the weight decay, in multiplications of
/// forward passes: some 4 seconds on two cores for a few rows, and up to eight times as long for many.
pub fn budget(rows: usize) -> f64 {
    5e10 * (rows as f64 / 1000.0).clamp(1.0, 8.0)
}

/// Returns the training cost per row of a network of these widths, in multiplications of forward passes: those of its
/// layers, and 2000 that stand for all other work, times `epochs`.
pub fn work(widths: &[usize], epochs: usize) -> usize {
    weights(widths).saturating_add(2000).saturating_mul(epochs)
}

/// Cost of an update of all weights of a network of these widths, in the same unit: measured for Adam.
pub(super) fn update(widths: &[usize]) -> usize {
    weights(widths).saturating_mul(6)
}

fn weights(widths: &[usize]) -> usize {
    widths.windows(2).map(|pair| pair[0].saturating_mul(pair[1])).fold(0, usize::saturating_add)
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
    fn long_trainings_are_tuned_by_fewer_folds_then_candidates() {
        let plan = |folds, trainings| {
            Plan::within(100, folds, trainings).map(|plan| (plan.folds, plan.candidates.len()))
        };
        let counts = [1e9, 48.0, 34.0, 27.0, 20.0, 11.0, 5.0];
        assert_eq!(
            counts.map(|trainings| plan(7, trainings)),
            [Some((7, 7)), Some((5, 7)), Some((4, 7)), Some((3, 7)), Some((3, 4)), Some((3, 2)), None]
        );
        assert_eq!(
            [1e9, 13.0, 7.0, 3.0].map(|trainings| plan(2, trainings)),
            [Some((2, 7)), Some((2, 4)), Some((2, 2)), None]
        );
        assert_eq!(plan(10, 70.0), Some((10, 7)));
    }
}
