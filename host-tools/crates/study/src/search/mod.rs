//! Search for the best student within a budget.
//!
//! The search uses successive halving (Jamieson and Talwalkar 2016, *Non-stochastic best arm identification
//! and hyperparameter optimization*): many candidates are trained for a short time, the best third of them
//! for three times as long, and so on. Candidates are judged quantized, as they will run, on folds of the
//! training rows that never split a group. If it is known how the teachers were trained, each fold has
//! teachers of its own, which have not seen its validation rows.

mod candidate;
mod cost;

use std::ops::ControlFlow;

use rayon::prelude::*;
use serde::Serialize;

use candidate::Ends;
pub use candidate::{Candidate, Softening};
pub use cost::{Budget, Cost};

use microdistill_train::dataset::{Dataset, Fold, Target, folds};
use microdistill_train::error::{Error, Result};
use microdistill_train::hyperparameters::Length;
use microdistill_train::metrics::{Scores, best_temperature, evaluate, nll};
use microdistill_train::model::{Model, Task};
use microdistill_train::outputs::TeacherOutputs;
use microdistill_train::progress::Progress;
use microdistill_train::quantize::quantize;
use microdistill_train::student::{Epoch, Taught, fit};
use microdistill_train::teacher::fit_like;
use microdistill_train::tune::cross_validate;

/// The problem of a search.
#[derive(Clone, Copy, Debug)]
pub struct Problem<'a> {
    /// Training rows with a target. Each row is also held out once, to judge candidates.
    pub data: &'a Dataset,
    /// Teachers of the students.
    pub teachers: Teachers<'a>,
    /// Budget for the cost of a student.
    pub budget: Budget,
}

/// Teachers of the students of a fold.
#[derive(Clone, Copy, Debug)]
pub enum Teachers<'a> {
    /// Outputs of the given teachers for all rows. Teachers trained on the validation rows of a fold have
    /// seen their labels. Scores are then too good, above all for students that imitate the teachers closely,
    /// and only test rows show how good a student is.
    Given(&'a TeacherOutputs),
    /// Teachers trained like these, but only on the training rows of the fold. Each has its weight.
    Like(&'a [(f64, Model)]),
}

/// The extent of a search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Number of candidates at the start.
    pub candidates: usize,
    /// Number of folds in which candidates are judged, at least 2.
    pub folds: usize,
    /// Seed of the draw of candidates and of every training.
    pub seed: u64,
}

/// Reduction per round: one candidate in `HALVING` enters the next round, where it trains `HALVING` times as
/// long.
const HALVING: usize = 3;

/// A candidate and the result of its last training.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Trial {
    /// The candidate that was trained.
    #[serde(flatten)]
    pub candidate: Candidate,
    /// Its cost.
    #[serde(flatten)]
    pub cost: Cost,
    /// Round of that training, from 1.
    pub round: usize,
    /// Share of the epochs of a full training.
    pub share: f64,
    /// Mean loss on held-out rows over the folds: NLL at the best temperature, or the mean squared error.
    /// Infinite if a training diverged; JSON has null then.
    pub loss: f64,
    /// Mean accuracy or R² on held-out rows.
    pub score: f64,
    /// The student of the first fold.
    #[serde(skip)]
    model: Option<Model>,
}

/// The result of a search.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// All candidates, the best first: sorted by round, latest first, then by loss.
    pub trials: Vec<Trial>,
}

impl Found {
    /// The best trial.
    pub fn best(&self) -> &Trial {
        &self.trials[0]
    }

    /// The student of the best trial, trained on the first fold, for callers that skip the final training on
    /// all rows.
    pub fn student(self) -> Option<Model> {
        self.trials.into_iter().next()?.model
    }

    /// The Pareto front of flash, RAM, instructions and loss, sorted by flash. Trials of early rounds were
    /// trained for a shorter time, so they look worse than they are.
    pub fn front(&self) -> Vec<&Trial> {
        let mut front: Vec<&Trial> = Vec::new();
        for trial in &self.trials {
            if trial.loss.is_finite() && !self.trials.iter().any(|other| other.dominates(trial)) {
                front.push(trial);
            }
        }
        front.sort_by_key(|trial| (trial.cost.flash, trial.cost.ram));
        front
    }
}

impl Trial {
    fn dominates(&self, other: &Self) -> bool {
        let numbers = |&Trial { cost, loss, .. }: &Trial| {
            [cost.flash as f64, cost.ram as f64, cost.instructions as f64, loss]
        };
        let (ours, theirs) = (numbers(self), numbers(other));
        ours != theirs && ours.iter().zip(theirs).all(|(&ours, theirs)| ours <= theirs)
    }
}

/// Number of candidates in each round.
pub fn rounds(candidates: usize) -> Vec<usize> {
    let next = |&count: &usize| (count >= HALVING).then_some(count / HALVING);
    std::iter::successors(Some(candidates.max(1)), next).collect()
}

/// Runs the search. `trained` is called after each training of a student and after the teachers of a fold are
/// trained. `flow` is called during each training; once it returns `Break`, the search ends and returns the
/// results so far. The result does not depend on the number of threads.
///
/// # Errors
/// Returns an error if no student fits the budget, rows have no target or are too few for the folds, the
/// training of the teachers is unknown or diverges, or the search was interrupted before its first result.
pub fn search(
    problem: Problem<'_>,
    plan: Plan,
    trained: &(dyn Fn() + Sync),
    flow: &(dyn Fn() -> ControlFlow<()> + Sync),
) -> Result<Found> {
    let Problem { data, teachers, budget } = problem;
    if data.target == Target::Absent {
        return Err(Error::Invalid(
            "a search needs rows with a target to judge students: add the target column".into(),
        ));
    }
    let widths = data.widths(&[]);
    let regression = matches!(data.task, Task::Regression { .. });
    let ends = Ends { inputs: widths[0], outputs: widths[1], regression };
    let mut entrants = candidate::draw(ends, &budget, plan.candidates, plan.seed)?;
    let part = |fold| {
        let part = FoldRows::of(data, teachers, fold, flow)?;
        trained();
        Ok(part)
    };
    let folds = folds(data, plan.folds, plan.seed)?;
    let parts: Vec<FoldRows> = folds.par_iter().map(part).collect::<Result<_>>()?;
    let rounds = rounds(entrants.len());
    let mut found: Vec<Trial> = Vec::new();
    for (round, &count) in rounds.iter().enumerate() {
        entrants.truncate(count);
        let share = (HALVING as f64).powi(round as i32 + 1 - rounds.len() as i32);
        let judged = cross_validate(&entrants, &parts, |candidate, part: &FoldRows| {
            let judged = part.judge(candidate, share, plan.seed, flow);
            trained();
            judged
        })?;
        let judged = entrants.iter().zip(judged);
        let trials = judged.filter_map(|(candidate, judged)| trial(candidate, judged, round + 1, share));
        let trials: Vec<Trial> = trials.collect();
        found.retain(|before| !trials.iter().any(|trial| trial.candidate == before.candidate));
        found.extend(trials);
        found.sort_by(|a, b| b.round.cmp(&a.round).then(a.loss.total_cmp(&b.loss)));
        if flow().is_break() {
            break;
        }
        entrants = found.iter().map(|trial| trial.candidate.clone()).collect();
    }
    if found.first().is_none_or(|best| best.model.is_none()) {
        return Err(if flow().is_break() {
            Error::Interrupted
        } else {
            Error::Invalid("every training diverged: check the data for extreme values".into())
        });
    }
    Ok(Found { trials: found })
}

/// Sums up a candidate over the folds. `judged` is none if a training diverged. Returns none if one was interrupted.
fn trial(
    candidate: &Candidate,
    judged: Option<Vec<Option<FoldScore>>>,
    round: usize,
    share: f64,
) -> Option<Trial> {
    let judged = judged.map(|judged| judged.into_iter().collect::<Option<Vec<FoldScore>>>());
    let (loss, score, model) = match judged {
        None => (f64::INFINITY, 0.0, None),
        Some(judged) => {
            let judged = judged?;
            let mean = |of: fn(&FoldScore) -> f64| judged.iter().map(of).sum::<f64>() / judged.len() as f64;
            let (loss, score) = (mean(|one| one.loss), mean(|one| one.score));
            (loss, score, judged.into_iter().next().map(|first| first.model))
        }
    };
    Some(Trial { candidate: candidate.clone(), cost: candidate.cost(), round, share, loss, score, model })
}

/// Trains a student for all epochs and quantizes it.
///
/// # Errors
/// Returns the same errors as [`fit`] and [`quantize`].
pub fn train(
    candidate: &Candidate,
    rows: Taught<'_>,
    epochs: impl FnOnce(usize) -> usize,
    seed: u64,
    flow: &mut dyn FnMut(Progress<'_, Epoch>) -> ControlFlow<()>,
) -> Result<Model> {
    let mut settings = candidate.settings(rows.data.rows(), seed);
    settings.training.length = Length::Epochs(epochs(settings.training.epochs(rows.data.rows())));
    quantize(&fit(rows, None, &settings, flow)?, &rows.data.x, candidate.precision())
}

/// The rows of a fold, with the outputs of its teachers.
struct FoldRows {
    train: Dataset,
    teacher_outputs: TeacherOutputs,
    validation: Dataset,
}

/// The result of a student on a fold.
struct FoldScore {
    loss: f64,
    score: f64,
    model: Model,
}

impl FoldRows {
    fn of(
        data: &Dataset,
        teachers: Teachers<'_>,
        fold: &Fold,
        flow: &(dyn Fn() -> ControlFlow<()> + Sync),
    ) -> Result<Self> {
        let train = data.select(&fold.train);
        let teacher_outputs = match teachers {
            Teachers::Given(teacher_outputs) => teacher_outputs.select(&fold.train),
            Teachers::Like(teachers) => {
                let answer = |(weight, teacher): &(f64, Model)| {
                    Ok((*weight, fit_like(teacher, &train, &|| flow())?.teacher_outputs(&train)))
                };
                TeacherOutputs::of(teachers.iter().map(answer).collect::<Result<Vec<_>>>()?)?
            }
        };
        Ok(FoldRows { teacher_outputs, validation: data.select(&fold.validation), train })
    }

    /// Trains and scores a candidate; `None` if the training was interrupted.
    fn judge(
        &self,
        candidate: &Candidate,
        share: f64,
        seed: u64,
        flow: &(dyn Fn() -> ControlFlow<()> + Sync),
    ) -> Result<Option<FoldScore>> {
        if flow().is_break() {
            return Ok(None);
        }
        let rows = Taught { data: &self.train, teacher: Some(&self.teacher_outputs) };
        let epochs = |all: usize| ((all as f64 * share).round() as usize).max(1);
        let model = train(candidate, rows, epochs, seed, &mut |_| flow())?;
        if flow().is_break() {
            return Ok(None);
        }
        let scores = evaluate(&model, &self.validation)?;
        let (loss, score) = match (&scores, &self.validation.target) {
            (Scores::Classification(scores), Target::Classes(labels)) => {
                let outputs = model.predict(&self.validation);
                (nll(&outputs, labels, best_temperature(&outputs, labels)), scores.accuracy)
            }
            (Scores::Regression(of), _) => (scores.loss(), of.r2),
            (Scores::Classification(of), _) => (of.nll, of.accuracy),
        };
        Ok(Some(FoldScore { loss, score, model }))
    }
}

#[cfg(test)]
mod tests;
