//! The best student that a budget has room for.
//!
//! By successive halving (Jamieson and Talwalkar 2016, *Non-stochastic best arm identification and hyperparameter
//! optimization*): many candidates are trained for a short time, the best third of them for three times as long, and so on.
//! They are judged as they will run, in codes, on folds of the training rows that divide no group. Where it is known how the
//! teachers were trained, each fold has teachers of its own, which have not seen the rows that it judges by.

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
use microdistill_train::metrics::{Scores, best_temperature, evaluate, nll};
use microdistill_train::model::{Model, Task};
use microdistill_train::outputs::Answers;
use microdistill_train::progress::Progress;
use microdistill_train::quantize::quantize;
use microdistill_train::student::{Epoch, Taught, fit};
use microdistill_train::teacher::fit_like;

/// The problem of a search.
#[derive(Clone, Copy, Debug)]
pub struct Problem<'a> {
    /// Rows to learn from, which are also judged by, in turn. They have a target.
    pub data: &'a Dataset,
    /// Teachers of the students.
    pub teachers: Teachers<'a>,
    /// Budget of a student.
    pub budget: Budget,
}

/// Teachers of the students of a fold.
#[derive(Clone, Copy, Debug)]
pub enum Teachers<'a> {
    /// Whoever gave these answers for all rows. If it was trained on the rows that a fold judges by, it has seen their
    /// labels: scores are then too good, most for who imitates it closely, and only test rows tell how good a student is.
    Given(&'a Answers),
    /// Others than these, trained in the same way on the fold's training rows alone; each with what it counts.
    Like(&'a [(f64, Model)]),
}

/// The extent of a search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Candidates at the start.
    pub candidates: usize,
    /// Folds that each is judged on, at least 2.
    pub folds: usize,
    /// Seed of the draw and of every training.
    pub seed: u64,
}

/// Share and growth of a round: one candidate in `HALVING` goes on to the next, and trains `HALVING` times as
/// long.
const HALVING: usize = 3;

/// A candidate and how it did the last time that it was trained.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Trial {
    /// The candidate that was trained.
    #[serde(flatten)]
    pub candidate: Candidate,
    /// Its cost.
    #[serde(flatten)]
    pub cost: Cost,
    /// In which round that was, from 1.
    pub round: usize,
    /// Share of a whole training's epochs.
    pub share: f64,
    /// Mean over the folds, on rows left out: NLL at the best temperature, or the mean squared error; infinite where a
    /// training diverged, which JSON has as null.
    pub loss: f64,
    /// Mean accuracy, or R².
    pub score: f64,
    /// The student of the first fold.
    #[serde(skip)]
    model: Option<Model>,
}

/// The result of a search.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// Every candidate, the best first: the later round, then the smaller loss.
    pub trials: Vec<Trial>,
}

impl Found {
    /// The best.
    pub fn best(&self) -> &Trial {
        &self.trials[0]
    }

    /// Its student, of a part of the rows: for who cannot wait for another training.
    pub fn student(self) -> Option<Model> {
        self.trials.into_iter().next()?.model
    }

    /// The trials that no other beats in one of flash, RAM, instructions and loss without losing in
    /// another, by flash. Those of early rounds were trained for a shorter time, and seem worse than they are.
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

/// Searches. `trained` is called after each student's training, and a fold's teachers'; `flow` is asked in each whether to go
/// on, and on `Break` what was found so far is returned. The result does not depend on the number of threads.
///
/// # Errors
/// A budget that nothing fits in, rows without a target or too few to be divided, teachers whose training is not known or
/// diverges, a broken off search that has found nothing.
pub fn search(
    problem: Problem<'_>,
    plan: Plan,
    trained: &(dyn Fn() + Sync),
    flow: &(dyn Fn() -> ControlFlow<()> + Sync),
) -> Result<Found> {
    let Problem { data, teachers, budget } = problem;
    if data.target == Target::Absent {
        return Err(Error::Invalid("a search judges students by rows with a target: there are none".into()));
    }
    let widths = data.widths(&[]);
    let regression = matches!(data.task, Task::Regression { .. });
    let ends = Ends { inputs: widths[0], outputs: widths[1], regression };
    let mut entrants = candidate::draw(ends, &budget, plan.candidates, plan.seed)?;
    let part = |fold| {
        let part = Part::of(data, teachers, fold, flow)?;
        trained();
        Ok(part)
    };
    let folds = folds(data, plan.folds, plan.seed)?;
    let parts: Vec<Part> = folds.par_iter().map(part).collect::<Result<_>>()?;
    let rounds = rounds(entrants.len());
    let mut found: Vec<Trial> = Vec::new();
    for (round, &count) in rounds.iter().enumerate() {
        entrants.truncate(count);
        let share = (HALVING as f64).powi(round as i32 + 1 - rounds.len() as i32);
        let pairs: Vec<_> =
            entrants.iter().flat_map(|candidate| parts.iter().map(move |part| (candidate, part))).collect();
        let judged: Result<Vec<Option<Judged>>> = pairs
            .par_iter()
            .map(|(candidate, part)| {
                let judged = part.judge(candidate, share, plan.seed, flow)?;
                trained();
                Ok(judged)
            })
            .collect();
        let judged = judged?;
        let trials = entrants.iter().zip(judged.chunks(parts.len())).filter_map(|(candidate, judged)| {
            let judged: Vec<&Judged> = judged.iter().map(Option::as_ref).collect::<Option<_>>()?;
            let mean =
                |of: fn(&Judged) -> f64| judged.iter().map(|one| of(one)).sum::<f64>() / judged.len() as f64;
            Some(Trial {
                candidate: candidate.clone(),
                cost: candidate.cost(),
                round: round + 1,
                share,
                loss: mean(|one| one.loss),
                score: mean(|one| one.score),
                model: judged[0].model.clone(),
            })
        });
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
            Error::Invalid("every training diverged: look at the data".into())
        });
    }
    Ok(Found { trials: found })
}

/// A student's whole training and quantization.
///
/// # Errors
/// As of [`fit`] and [`quantize`].
pub fn train(
    candidate: &Candidate,
    rows: Taught<'_>,
    epochs: impl FnOnce(usize) -> usize,
    seed: u64,
    flow: &mut dyn FnMut(Progress<'_, Epoch>) -> ControlFlow<()>,
) -> Result<Model> {
    let mut settings = candidate.settings(rows.data.rows(), seed);
    settings.epochs = epochs(settings.epochs);
    quantize(&fit(rows, None, &settings, flow)?, &rows.data.x, candidate.precision())
}

/// A fold.
struct Part {
    train: Dataset,
    answers: Answers,
    validation: Dataset,
}

/// A student's result on a fold.
struct Judged {
    loss: f64,
    score: f64,
    model: Option<Model>,
}

impl Part {
    fn of(
        data: &Dataset,
        teachers: Teachers<'_>,
        fold: &Fold,
        flow: &(dyn Fn() -> ControlFlow<()> + Sync),
    ) -> Result<Self> {
        let train = data.select(&fold.train);
        let answers = match teachers {
            Teachers::Given(answers) => answers.select(&fold.train),
            Teachers::Like(teachers) => {
                let answer = |(weight, teacher): &(f64, Model)| {
                    Ok((*weight, fit_like(teacher, &train, &|_| flow())?.answers(&train)))
                };
                Answers::of(teachers.iter().map(answer).collect::<Result<Vec<_>>>()?)?
            }
        };
        Ok(Part { answers, validation: data.select(&fold.validation), train })
    }

    /// Nothing, if the training was broken off.
    fn judge(
        &self,
        candidate: &Candidate,
        share: f64,
        seed: u64,
        flow: &(dyn Fn() -> ControlFlow<()> + Sync),
    ) -> Result<Option<Judged>> {
        if flow().is_break() {
            return Ok(None);
        }
        let rows = Taught { data: &self.train, teacher: Some(&self.answers) };
        let epochs = |all: usize| ((all as f64 * share).round() as usize).max(1);
        let model = match train(candidate, rows, epochs, seed, &mut |_| flow()) {
            Ok(model) => model,
            // Worse than any other, and no reason to give up.
            Err(Error::Diverged { .. }) => {
                return Ok(Some(Judged { loss: f64::INFINITY, score: 0.0, model: None }));
            }
            Err(error) => return Err(error),
        };
        if flow().is_break() {
            return Ok(None);
        }
        let scores = evaluate(&model, &self.validation)?;
        let (loss, score) = match (&scores, &self.validation.target) {
            (Scores::Classification(scores), Target::Classes(labels)) => {
                let outputs = model.predict(&self.validation);
                (nll(&outputs, labels, best_temperature(&outputs, labels)), scores.accuracy)
            }
            _ => (scores.loss(), scores.headline()[1].1),
        };
        Ok(Some(Judged { loss, score, model: Some(model) }))
    }
}

#[cfg(test)]
mod tests;
