//! Choice of the length of a training by held-out rows.

use rayon::prelude::*;

use super::budget::update;
use super::cross_validation::{cross_validate, mean};
use super::held_out::{Confidence, constant_loss, losses};
use crate::dataset::{Dataset, Fold, folds};
use crate::error::Result;
use crate::hyperparameters::{Basis, ChosenLength, Hyperparameters, Length, LengthTrial};
use crate::model::Model;

/// Fewest rows of which some are held out. Parts of fewer rows say nothing about the length of a training.
pub const FEWEST_ROWS: usize = 12;

/// Number of steps of the shortest training.
const FIRST: usize = 500;

/// Number of steps below which no training ends the choice, because a loss may stand still before it falls. Too few rows
/// to choose are trained on for at least as long.
const EARLIEST_END: usize = 2000;

/// Savings that are worth twice the time: a share of the loss, and a share of the loss of the best constant outputs.
const WORTH: [f64; 2] = [0.01, 2e-4];

/// Choice of the length of a training. Trainings of 500 steps, 1000, 2000 and so on are judged on held-out rows. Up to the
/// usual length, a training is taken unless its loss is worse than that of a shorter one by more than its noise; beyond, only
/// if it is better by more than that. All rows can then be trained on for as many steps.
///
/// Each of them is a whole training, with a learning rate that falls to zero, and not the beginning of a longer one.
#[derive(Clone, Debug)]
pub struct LengthChoice {
    folds: Vec<Fold>,
    /// Numbers of steps to try, in ascending order. One is no choice.
    rungs: Vec<usize>,
    /// Number of steps that a training takes if the held-out rows cannot tell.
    usual: usize,
    basis: Basis,
}

impl LengthChoice {
    /// Plans the choice for trainings on `data` with `settings`, whose length is the usual one. An epoch visits
    /// `samples` samples: the rows, and further rows that a student learns from. `fold` names the rows to judge by; without
    /// it, rows are held out at random by the seed of the settings, without dividing a group. `work` is the cost per sample, and `budget` that of all trainings of the choice, both as in
    /// [`work`](super::work()).
    pub fn new(
        data: &Dataset,
        samples: usize,
        settings: &Hyperparameters,
        fold: Option<Fold>,
        work: usize,
        budget: f64,
    ) -> Self {
        let usual = settings.steps(samples);
        let none = |steps, basis| LengthChoice { folds: Vec::new(), rungs: vec![steps], usual, basis };
        let folds = match fold {
            Some(fold) => vec![fold],
            None => rounds(data, settings.seed),
        };
        if folds.is_empty() {
            return none(usual.max(EARLIEST_END), Basis::TooFew);
        }
        let step = work * settings.batch.min(samples) + update(&settings.widths);
        let step = (step * folds.len()) as f64;
        let first = FIRST.max(settings.steps_per_epoch(samples));
        let mut rungs = vec![first];
        while let Some(&last) = rungs.last()
            && (rungs.iter().sum::<usize>() + 2 * last) as f64 * step <= budget
        {
            rungs.push(2 * last);
        }
        if rungs.len() < 2 {
            return none(usual, Basis::TooLarge);
        }
        let basis = Basis::HeldOut(folds.iter().map(|fold| fold.validation.len()).sum());
        LengthChoice { folds, rungs, usual, basis }
    }

    /// Number of steps of all trainings of [`choose`](LengthChoice::choose) together, if the longest of them is reached.
    pub fn most_steps(&self) -> usize {
        self.folds.len() * self.rungs.iter().sum::<usize>()
    }

    /// Trains for one planned length after the other until a longer training is no better, and returns the best length.
    /// `data` holds the targets of all rows. `prepare` prepares the rows of the given indices, on which `fit` then trains for
    /// the given length.
    ///
    /// # Errors
    /// Fails if a held-out row has no target, and with the first error of `prepare` or `fit`. A training that diverged is a bad trial
    /// and no error.
    pub fn choose<P: Send + Sync>(
        &self,
        data: &Dataset,
        prepare: impl Fn(&[usize]) -> Result<P> + Sync,
        fit: impl Fn(&P, Length) -> Result<Model> + Sync,
    ) -> Result<ChosenLength> {
        let judged: Vec<Dataset> = self.folds.iter().map(|fold| data.select(&fold.validation)).collect();
        let mut ladder = Ladder { worth: WORTH[1] * constant_loss(&judged)?, best: None, trials: Vec::new() };
        let prepared = self.folds.par_iter().map(|fold| prepare(&fold.train)).collect::<Result<Vec<_>>>()?;
        let rounds: Vec<(P, &Dataset)> = prepared.into_iter().zip(&judged).collect();
        let longest = self.rungs.last().copied().unwrap_or(EARLIEST_END);
        for &steps in &self.rungs {
            if rounds.is_empty() {
                break;
            }
            let outputs = cross_validate(&[steps], &rounds, |&steps, (prepared, judged)| {
                Ok(fit(prepared, Length::Steps(steps))?.predict(judged))
            })?;
            let outputs = outputs.into_iter().next().flatten();
            let losses =
                outputs.map(|outputs| losses(&outputs, &judged, Confidence::Corrected)).transpose()?;
            if !ladder.climb(steps, losses, steps <= self.usual) && steps >= EARLIEST_END {
                break;
            }
        }
        let steps = ladder.best.map_or(self.rungs[0], |(steps, _)| steps);
        let limited = self.rungs.len() > 1 && steps == longest;
        Ok(ChosenLength { steps, basis: self.basis, trials: ladder.trials, limited })
    }
}

/// Rounds in which rows are held out: a quarter of up to a thousand rows, four times; a sixth of more, twice; a sixth of many,
/// once. None if there are too few rows or groups.
fn rounds(data: &Dataset, seed: u64) -> Vec<Fold> {
    let (parts, rounds) = match data.rows() {
        ..FEWEST_ROWS => return Vec::new(),
        FEWEST_ROWS..=1000 => (4, 4),
        1001..20_000 => (6, 2),
        _ => (6, 1),
    };
    let folds = folds(data, parts, seed).unwrap_or_default();
    folds.into_iter().take(rounds).collect()
}

/// Trainings of growing length, and the best so far.
struct Ladder {
    /// Least improvement of the mean loss that is worth a longer training.
    worth: f64,
    /// Steps of the best training, and its loss on each held-out row.
    best: Option<(usize, Vec<f64>)>,
    trials: Vec<LengthTrial>,
}

impl Ladder {
    /// Adds a training with its `losses` on the held-out rows, none if it diverged. Returns true if it replaces the best one:
    /// a `usual` one if it is not worse by more than one standard error of the paired differences, any other if it is better by
    /// more than that and worth its time.
    fn climb(&mut self, steps: usize, losses: Option<Vec<f64>>, usual: bool) -> bool {
        let losses = losses.filter(|losses| mean(losses).is_finite());
        self.trials.push(LengthTrial { steps, loss: losses.as_deref().map(mean) });
        let Some(losses) = losses else { return false };
        let improves = self.best.as_ref().is_none_or(|(_, best)| {
            let saved: Vec<f64> = best.iter().zip(&losses).map(|(before, after)| before - after).collect();
            let middle = mean(&saved);
            let rows = saved.len() as f64;
            let variance =
                saved.iter().map(|saved| (saved - middle).powi(2)).sum::<f64>() / (rows - 1.0).max(1.0);
            let noise = (variance / rows).sqrt();
            if usual { middle >= -noise } else { middle > noise.max(self.worth).max(WORTH[0] * mean(best)) }
        });
        if improves {
            self.best = Some((steps, losses));
        }
        improves
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::Target;
    use nalgebra::DMatrix;

    /// Climbs trainings whose losses on each of 100 rows are these plus or minus `noise`, and returns the best.
    fn best(losses: &[Option<f64>], noise: f64, usual: usize) -> usize {
        let mut ladder = Ladder { worth: 0.001, best: None, trials: Vec::new() };
        for (index, loss) in losses.iter().enumerate() {
            let sign = |row: usize| if (row + index).is_multiple_of(2) { 1.0 } else { -1.0 };
            let rows = loss.map(|loss| (0..100).map(|row| loss + noise * sign(row)).collect());
            ladder.climb(index + 1, rows, index < usual);
        }
        ladder.best.map_or(0, |(steps, _)| steps)
    }

    #[test]
    fn a_longer_training_has_to_show_what_it_is_good_for() {
        let longer = |losses: &[Option<f64>], noise| best(losses, noise, 0);
        assert_eq!(longer(&[Some(3.0), Some(2.0), Some(1.0)], 0.1), 3);
        assert_eq!(longer(&[Some(3.0), Some(2.0), Some(1.9)], 1.0), 2, "within the noise");
        assert_eq!(longer(&[Some(2.0), Some(1.995)], 0.0), 1, "less than a hundredth");
        assert_eq!(longer(&[Some(0.001), Some(0.0005)], 0.0), 1, "less than what is worth it");
        assert_eq!(longer(&[Some(2.0), None, Some(1.0)], 0.0), 3, "a training that diverged is passed over");
        assert_eq!(longer(&[None, Some(f64::NAN)], 0.0), 0);
    }

    #[test]
    fn the_usual_length_has_to_be_worse_than_a_shorter_one() {
        let losses = [Some(2.0), Some(2.05), Some(2.1), Some(2.1)];
        assert_eq!(best(&losses, 1.0, 3), 3);
        assert_eq!(best(&losses, 0.0, 3), 1);
    }

    fn line(rows: usize) -> Dataset {
        Dataset {
            features: vec!["x".into()],
            x: DMatrix::from_fn(1, rows, |_, row| row as f32),
            task: crate::dataset::Task::Regression { targets: vec!["y".into()] },
            target: Target::Values(DMatrix::from_fn(1, rows, |_, row| 3.0 * row as f32 + 2.0)),
            groups: None,
            hash: String::new(),
            origin: Vec::new(),
            target_origin: Vec::new(),
            left_out: Vec::new(),
            keys: None,
            options: crate::table::Options::default(),
            notes: Vec::new(),
        }
    }

    #[test]
    fn the_plan_depends_on_rows_and_budget() {
        let plan = |rows, budget| {
            let settings = Hyperparameters::new(vec![1, 8, 1], rows, 1);
            let choice = LengthChoice::new(&line(rows), rows, &settings, None, 1, budget);
            (choice.folds.len(), choice.rungs, choice.basis)
        };
        assert_eq!(plan(11, 1e9), (0, vec![2000], Basis::TooFew));
        // The samples of a batch, and the update of 16 weights.
        let [few, many] = [12.0 + 96.0, 32.0 + 96.0];
        assert_eq!(plan(12, few * 4.0 * 3500.0), (4, vec![500, 1000, 2000], Basis::HeldOut(12)));
        assert_eq!(plan(1200, many * 2.0 * 3499.0), (2, vec![500, 1000], Basis::HeldOut(400)));
        assert_eq!(plan(32_000, many * 3000.0), (1, vec![1000, 2000], Basis::HeldOut(5334)));
        assert_eq!(plan(32_000, many * 2999.0), (0, vec![62_000], Basis::TooLarge));
    }
}
