//! Cross-validation: every candidate on every fold, and the rule that chooses among candidates.

use rayon::prelude::*;

use crate::error::{Error, Result};

/// Runs every candidate on every fold, in parallel. Returns the results of each candidate, in order, one per fold; none
/// for a candidate of which a training diverged: it is worse than any other, but no reason to stop.
///
/// The result does not depend on the number of threads.
///
/// # Errors
/// Returns the first error of `run` other than [`Error::Diverged`].
pub fn cross_validate<C: Sync, F: Sync, R: Send>(
    candidates: &[C],
    folds: &[F],
    run: impl Fn(&C, &F) -> Result<R> + Sync,
) -> Result<Vec<Option<Vec<R>>>> {
    let pairs: Vec<(&C, &F)> =
        candidates.iter().flat_map(|candidate| folds.iter().map(move |fold| (candidate, fold))).collect();
    let run = |&(candidate, fold): &(&C, &F)| match run(candidate, fold) {
        Ok(result) => Ok(Some(result)),
        Err(Error::Diverged { .. }) => Ok(None),
        Err(error) => Err(error),
    };
    let mut results = pairs.par_iter().map(run).collect::<Result<Vec<_>>>()?.into_iter();
    Ok(candidates.iter().map(|_| results.by_ref().take(folds.len()).collect::<Vec<_>>()).map(whole).collect())
}

/// All results, or none if one is missing.
fn whole<R>(results: Vec<Option<R>>) -> Option<Vec<R>> {
    results.into_iter().collect()
}

/// Returns the index of the first candidate that is not worse than the best by more than one standard error of their
/// difference over the folds: the one-standard-error rule of Breiman et al. (1984), on paired differences. `losses`
/// holds the losses of each candidate, one per fold. None if there are no candidates, or if every training diverged.
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

pub(super) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_training_that_diverges_costs_its_candidate_all_folds() {
        let run = |&candidate: &i32, &fold: &i32| match (candidate, fold) {
            (2, 1) => Err(Error::Diverged { epoch: 1, rate: 0.0 }),
            (candidate, fold) => Ok(10 * candidate + fold),
        };
        let results = cross_validate(&[1, 2, 3], &[0, 1], run).unwrap();
        assert_eq!(results, [Some(vec![10, 11]), None, Some(vec![30, 31])]);
    }

    #[test]
    fn other_errors_end_it() {
        let run = |_: &i32, _: &i32| Err::<(), _>(Error::Interrupted);
        assert!(matches!(cross_validate(&[1], &[0], run), Err(Error::Interrupted)));
    }
}
