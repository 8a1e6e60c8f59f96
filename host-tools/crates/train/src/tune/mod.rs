//! Choice of the length of a training and of the weight decay, by held-out rows.

mod budget;
mod cross_validation;
pub(crate) mod held_out;
mod length;

use nalgebra::DMatrix;
use serde::Serialize;

use crate::dataset::{Dataset, Fold, Target, folds};
use crate::error::Result;
use crate::metrics::{Regression, Scores, best_temperature, evaluate, nll};
use crate::model::Model;

pub use budget::{Plan, budget, work};
use cross_validation::mean;
pub use cross_validation::{cross_validate, first_sufficient};
pub use length::{FEWEST_ROWS, LengthChoice};

/// Default candidates. Weight decay is decoupled and relative to the learning rate (see
/// [`AdamRates`](microdistill::optimizer::AdamRates)).
pub const WEIGHT_DECAYS: [f32; 7] = [0.0, 0.125, 0.25, 0.5, 1.0, 2.0, 4.0];

/// Default number of folds. With groups there are at most as many folds as groups.
pub const FOLDS: usize = 7;

/// Cross-validation result of one candidate.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Trial {
    /// Weight decay that was tried.
    pub weight_decay: f32,
    /// Mean over the folds of the validation loss: the NLL or, in regression, the mean squared error; with several
    /// targets, the mean over the targets of MSE / variance. Infinite if a training diverged.
    ///
    /// The score is the likelihood and not the accuracy, because it penalizes a model that is confident and wrong,
    /// and because it has fewer ties.
    pub loss: f64,
    /// Validation loss of each fold. A classifier's logits are first divided by the best temperature, which is the
    /// same for all folds.
    ///
    /// On hard validation rows, such as those of other people, the plain likelihood favors a weight decay that makes
    /// the classifier unsure, at the cost of what it could learn. The confidence of a teacher does not matter,
    /// because distillation softens it; so the temperature is fitted before candidates are compared.
    pub tempered: Vec<f64>,
}

impl Trial {
    /// Mean of [`tempered`](Trial::tempered).
    pub fn tempered_mean(&self) -> f64 {
        mean(&self.tempered)
    }
}

/// Scales a weight-decay candidate to a training set of `rows` rows. A prior on the weights is worth a fixed number
/// of rows, so above 1000 rows its weight shrinks in proportion.
pub fn beside_rows(candidate: f32, rows: usize) -> f32 {
    const ROWS: usize = 1000;
    if rows <= ROWS { candidate } else { (f64::from(candidate) * ROWS as f64 / rows as f64) as f32 }
}

/// Cross-validation that chooses a weight decay, as `--weight-decay auto` does.
#[derive(Debug)]
pub struct Tuning {
    /// Plan that fits the budget.
    pub plan: Plan,
    /// True if the budget made the plan smaller than requested.
    pub reduced: bool,
    /// Rows selected by the plan.
    pub rows: Dataset,
    /// Folds of these rows.
    pub folds: Vec<Fold>,
    /// Number of rows of the whole training set, to which the choice is scaled.
    all_rows: usize,
}

/// Result of a cross-validation.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Choice {
    /// Weight decay for a training on all rows; 0 if every training diverged.
    pub weight_decay: f32,
    /// One trial per candidate, in order, with weight decays scaled to the rows of the plan.
    pub trials: Vec<Trial>,
}

impl Tuning {
    /// Plans the choice of a weight decay for trainings on all of `data`. The rows are divided into at most `count`
    /// folds, none of which splits a group. `work` is the cost per row in multiplications, from [`work`](work()).
    ///
    /// # Errors
    /// Fails if there are fewer than two folds, groups or rows.
    pub fn new(data: &Dataset, count: usize, work: usize, seed: u64) -> Result<Self> {
        let count = folds(data, count, seed)?.len();
        Tuning::by(Plan::new(data.rows(), count, work), data, count, seed)
    }

    /// Plans the choice like [`new`](Tuning::new), for trainings that take equally long on any number of rows, as
    /// those of a number of steps do. None if not even two candidates fit within `trainings` of them.
    ///
    /// # Errors
    /// Fails as `new` does.
    pub fn within(data: &Dataset, count: usize, trainings: f64, seed: u64) -> Result<Option<Self>> {
        let count = folds(data, count, seed)?.len();
        let plan = Plan::within(data.rows(), count, trainings);
        plan.map(|plan| Tuning::by(plan, data, count, seed)).transpose()
    }

    fn by(plan: Plan, data: &Dataset, count: usize, seed: u64) -> Result<Self> {
        let all = Plan { folds: count, candidates: WEIGHT_DECAYS.to_vec(), rows: data.rows() };
        let rows = plan.select(data, seed)?;
        let folds = folds(&rows, plan.folds, seed)?;
        Ok(Tuning { reduced: plan != all, plan, rows, folds, all_rows: data.rows() })
    }

    /// Number of trainings of [`choose`](Tuning::choose).
    pub fn trainings(&self) -> usize {
        self.folds.len() * self.plan.candidates.len()
    }

    /// Runs the [`trials`] of the plan's candidates and returns the first [`sufficient`] one. `fit` trains a model on
    /// the given rows with the given weight decay.
    ///
    /// # Errors
    /// Returns the first error of `fit`; a diverged training is a bad trial and no error.
    pub fn choose(&self, fit: impl Fn(&Dataset, f32) -> Result<Model> + Sync) -> Result<Choice> {
        let beside = |rows| self.plan.candidates.iter().map(move |&candidate| beside_rows(candidate, rows));
        let candidates: Vec<f32> = beside(self.rows.rows()).collect();
        let trials = trials(&self.rows, &self.folds, &candidates, fit)?;
        let best = sufficient(&trials).map_or(0.0, |trial| trial.weight_decay);
        let place = candidates.iter().position(|candidate| *candidate == best);
        let weight_decay = place.and_then(|place| beside(self.all_rows).nth(place)).unwrap_or(0.0);
        Ok(Choice { weight_decay, trials })
    }
}

/// Loss and outputs on the validation rows of a fold.
type Judged = (f64, DMatrix<f32>);

/// Trains with every candidate on every fold, in parallel, and returns one trial per candidate, in order.
///
/// `fit` receives the training rows and the candidate. The result does not depend on the number of threads.
///
/// # Errors
/// Returns the first error of `fit`; a diverged training is a bad trial and no error.
pub fn trials(
    data: &Dataset,
    folds: &[Fold],
    candidates: &[f32],
    fit: impl Fn(&Dataset, f32) -> Result<Model> + Sync,
) -> Result<Vec<Trial>> {
    let parts: Vec<_> =
        folds.iter().map(|fold| (data.select(&fold.train), data.select(&fold.validation))).collect();
    let variances = match &data.target {
        Target::Values(values) => values.map(f64::from).column_variance().as_slice().to_vec(),
        Target::Classes(_) | Target::Partial(_) | Target::Absent => Vec::new(),
    };
    let judged = cross_validate(candidates, &parts, |&decay, (train, validation)| {
        let model = fit(train, decay)?;
        Ok((loss(&evaluate(&model, validation)?, &variances), model.predict(validation)))
    })?;
    let trial = |(&weight_decay, judged): (&f32, Option<Vec<Judged>>)| {
        let Some(judged) = judged else {
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
    Ok(candidates.iter().zip(judged).map(trial).collect())
}

/// Loss of a candidate on a fold. Several targets count by their `variances` over all folds, so that a fold in which one
/// hardly varies has no more weight.
fn loss(scores: &Scores, variances: &[f64]) -> f64 {
    match scores {
        Scores::Regression(Regression { targets, .. }) if !targets.is_empty() => {
            let varying = targets.iter().zip(variances).filter(|(_, variance)| **variance > 0.0);
            let losses: Vec<f64> =
                varying.map(|(target, variance)| target.rmse * target.rmse / variance).collect();
            mean(&losses)
        }
        scores => scores.loss(),
    }
}

/// Returns the trial with the smallest loss, the first one on a tie. None if every training diverged.
pub fn best(trials: &[Trial]) -> Option<&Trial> {
    trials
        .iter()
        .filter(|trial| trial.loss.is_finite())
        .reduce(|best, next| if next.loss < best.loss { next } else { best })
}

/// Returns the first trial whose tempered losses are not worse than the best by more than one standard error of their
/// difference over the folds. Candidates are sorted, so this prefers a small weight decay unless a larger one is
/// clearly better.
pub fn sufficient(trials: &[Trial]) -> Option<&Trial> {
    let tempered: Vec<&[f64]> = trials.iter().map(|trial| trial.tempered.as_slice()).collect();
    trials.get(first_sufficient(&tempered)?)
}

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::dataset::Task;
    use crate::error::Error;
    use crate::hyperparameters::Length;
    use crate::teacher::{self, Settings};

    #[test]
    fn what_few_rows_choose_weighs_less_beside_all_of_them() {
        let rows = 3000;
        let data = Dataset {
            features: vec!["a".into()],
            x: DMatrix::from_fn(1, rows, |_, row| (row % 4) as f32),
            task: Task::Classification { target: "y".into(), labels: vec!["0".into(), "1".into()] },
            target: Target::Classes((0..rows).map(|row| row % 2).collect()),
            groups: None,
            hash: String::new(),
            origin: Vec::new(),
            target_origin: Vec::new(),
            left_out: Vec::new(),
            keys: None,
            options: crate::table::Options::default(),
            notes: Vec::new(),
        };
        let tuning = Tuning::new(&data, FOLDS, usize::MAX, 1).unwrap();
        assert_eq!((tuning.reduced, tuning.rows.rows(), tuning.trainings()), (true, 1000, 12));
        let trained = AtomicUsize::new(0);
        let choose = |only: f32| {
            tuning.choose(|rows, decay| {
                trained.fetch_add(rows.rows(), Ordering::Relaxed);
                if decay != only {
                    return Err(Error::Diverged { epoch: 1, rate: 0.0 });
                }
                let settings =
                    Settings { length: Length::Epochs(1), ..Settings::new(vec![1, 2, 2], rows.rows(), 1) };
                teacher::fit(rows, None, &settings, &mut |_| ControlFlow::Continue(()))
            })
        };
        let choice = choose(0.25).unwrap();
        assert_eq!((choice.weight_decay, choice.trials.len()), (beside_rows(0.25, rows), 4));
        assert_eq!(trained.into_inner(), 4 * 2 * 1000, "each row is trained on in two of three folds");
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
