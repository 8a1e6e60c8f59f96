//! Distillation by the recipe: the choice, and the student that is trained by it.

use std::ops::ControlFlow;

use rayon::prelude::*;
use serde::Serialize;

use super::candidate::Candidate;
use super::choice::{Exam, Trial, best, trials};
use super::material::{Material, Teaching, numbers};
use super::plan::Plan;
use super::school::Student;
use crate::dataset::{Dataset, Fold, Target, folds, split};
use crate::error::{Error, Result};
use crate::model::{Model, Recipe};
use crate::outputs::TeacherOutputs;
use crate::teacher::fit_like;
use crate::tune::FEWEST_ROWS;

/// Teachers of a student, with their weights.
#[derive(Clone, Copy)]
pub enum Teachers<'a> {
    /// Models that are trained again, without the held-out rows of each fold, to choose.
    Like(&'a [(f64, Model)]),
    /// Models that cannot be trained again. If they have seen the held-out rows, these look better for distillation than new
    /// rows will.
    Fixed(&'a [(f64, Model)]),
    /// Stored outputs for the rows, with the same limit.
    Stored(&'a TeacherOutputs),
    /// A function that answers for any rows, such as a model of another program, with the same limit.
    Function(&'a (dyn Fn(&Dataset) -> Result<TeacherOutputs> + Sync)),
}

impl std::fmt::Debug for Teachers<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Teachers::Like(models) => f.debug_tuple("Like").field(models).finish(),
            Teachers::Fixed(models) => f.debug_tuple("Fixed").field(models).finish(),
            Teachers::Stored(outputs) => f.debug_tuple("Stored").field(outputs).finish(),
            Teachers::Function(_) => f.debug_tuple("Function").finish_non_exhaustive(),
        }
    }
}

/// What is distilled.
#[derive(Clone, Copy, Debug)]
pub struct Problem<'a> {
    /// Training rows.
    pub rows: &'a Dataset,
    /// Teachers of the student.
    pub teachers: Teachers<'a>,
    /// What all candidates have in common. Their numbers of steps are those of the plan.
    pub student: &'a Student,
}

/// A distilled student, and how its recipe was chosen.
#[derive(Clone, Debug)]
pub struct Distilled {
    /// The student.
    pub model: Model,
    /// The choice. The model's metadata hold its outcome.
    pub choice: Choice,
}

/// Choice of a candidate.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Choice {
    /// The chosen candidate.
    pub chosen: Candidate,
    /// Number of held-out rows that the candidates were compared on; 0 if nothing was chosen.
    pub held_out: usize,
    /// Result of each candidate, the smallest loss first.
    pub trials: Vec<Trial>,
}

/// Largest number of rows that a choice is made on. Of more, so many are drawn.
const MOST_ROWS: usize = 20_000;

/// Seed of the synthetic rows relative to that of the student.
const SYNTHETIC: u64 = 7;

/// Chooses a candidate and trains the student. `flow` is called often; on `Break` the work ends. `stage` is called with a
/// description when the next stage begins.
///
/// # Errors
/// Fails if a training fails, if all diverge, and with [`Error::Interrupted`].
pub fn fit(
    problem: Problem<'_>,
    plan: &Plan,
    flow: &(dyn Fn() -> ControlFlow<()> + Sync),
    stage: &(dyn Fn(&str) + Sync),
) -> Result<Distilled> {
    let choice = choose(problem, plan, flow, stage)?;
    stage("student");
    let Problem { rows, teachers, student } = problem;
    let material = match teachers {
        Teachers::Like(models) | Teachers::Fixed(models) => material(models, rows, student.seed)?,
        Teachers::Stored(outputs) => Material::new(rows, Teaching::Stored(outputs), student.seed)?,
        Teachers::Function(answer) => taught(answer, rows, student.seed)?,
    };
    let student = Student { steps: plan.steps, ..student.clone() };
    let trained = student.train(&material, &[choice.chosen], flow)?.pop().flatten();
    let Some(mut model) = trained else {
        return Err(Error::Invalid("the training diverged: check the data for extreme values".into()));
    };
    let loss =
        choice.trials.iter().find(|trial| trial.candidate == choice.chosen).and_then(|trial| trial.loss);
    model.metadata.recipe =
        Some(Recipe { chosen: choice.chosen.to_string(), held_out: choice.held_out, loss });
    Ok(Distilled { model, choice })
}

/// Chooses among the candidates of the plan.
///
/// # Errors
/// Fails as [`fit`] does.
pub fn choose(
    problem: Problem<'_>,
    plan: &Plan,
    flow: &(dyn Fn() -> ControlFlow<()> + Sync),
    stage: &(dyn Fn(&str) + Sync),
) -> Result<Choice> {
    let unchosen = || Choice { chosen: plan.candidates[0], held_out: 0, trials: Vec::new() };
    // Teachers of folds, and their exams, need rows with a target.
    if plan.exams == 0 || plan.candidates.len() == 1 || labelled(problem.rows).rows() < FEWEST_ROWS {
        return Ok(unchosen());
    }
    stage("teachers of the folds");
    let exams = exams(problem, plan, flow)?;
    let held_out: usize = exams.iter().map(|exam| exam.held_out.rows()).sum();
    if held_out == 0 {
        return Ok(unchosen());
    }
    stage("candidates");
    let student = Student { steps: plan.trial_steps, ..problem.student.clone() };
    let mut trials = trials(&student, &exams, &plan.candidates, flow)?;
    let loss = |trial: &Trial| trial.loss.unwrap_or(f64::INFINITY);
    // A stable sort: of equals, the first candidate wins.
    trials.sort_by(|a, b| loss(a).total_cmp(&loss(b)));
    match best(&trials).map(|trial| trial.candidate) {
        Some(chosen) => Ok(Choice { chosen, held_out, trials }),
        None => Err(Error::Invalid("every training diverged: check the data for extreme values".into())),
    }
}

/// The held-out rows of the plan, and what students learn that have not seen them.
///
/// # Errors
/// Fails as [`fit`] does.
pub fn exams(
    problem: Problem<'_>,
    plan: &Plan,
    flow: &(dyn Fn() -> ControlFlow<()> + Sync),
) -> Result<Vec<Exam>> {
    let Problem { rows, teachers, student } = problem;
    let drawn = match rows.rows() {
        ..=MOST_ROWS => (0..rows.rows()).collect(),
        all => {
            let share = MOST_ROWS as f64 / all as f64;
            split(rows, &[share, 1.0 - share], student.seed)?.swap_remove(0)
        }
    };
    let drawn_rows = rows.select(&drawn);
    let Ok(folds) = folds(&drawn_rows, plan.folds, student.seed) else { return Ok(Vec::new()) };
    let exam = |fold: &Fold| {
        let train = drawn_rows.select(&fold.train);
        let validation: Vec<usize> =
            fold.validation.iter().copied().filter(|&row| has_target(&drawn_rows, row)).collect();
        let held_out = labelled(&drawn_rows.select(&validation));
        let taught_by = |models: &[(f64, Model)]| {
            Ok((material(models, &train, student.seed)?, answers(models, &held_out)?))
        };
        let (material, teacher) = match teachers {
            Teachers::Fixed(models) => taught_by(models),
            Teachers::Function(answer) => {
                taught(answer, &train, student.seed).and_then(|material| Ok((material, answer(&held_out)?)))
            }
            Teachers::Like(models) => {
                let like =
                    |(weight, model): &(f64, Model)| Ok((*weight, fit_like(model, &labelled(&train), flow)?));
                taught_by(&models.iter().map(like).collect::<Result<Vec<_>>>()?)
            }
            Teachers::Stored(outputs) => {
                let of =
                    |rows: &[usize]| outputs.select(&rows.iter().map(|&row| drawn[row]).collect::<Vec<_>>());
                let material = Material::new(&train, Teaching::Stored(&of(&fold.train)), student.seed);
                material.map(|material| (material, of(&validation)))
            }
        }?;
        Ok(Exam { material, teacher: numbers(&teacher, &held_out.task), held_out })
    };
    let exams: Vec<Exam> = folds.par_iter().take(plan.exams).map(exam).collect::<Result<_>>()?;
    if flow().is_break() {
        return Err(Error::Interrupted);
    }
    Ok(exams.into_iter().filter(|exam| exam.held_out.rows() > 0).collect())
}

fn material(models: &[(f64, Model)], rows: &Dataset, seed: u64) -> Result<Material> {
    taught(&|rows| answers(models, rows), rows, seed)
}

fn taught(
    answer: &(dyn Fn(&Dataset) -> Result<TeacherOutputs> + Sync),
    rows: &Dataset,
    seed: u64,
) -> Result<Material> {
    Material::new(rows, Teaching::Ask(answer), seed.wrapping_add(SYNTHETIC))
}

fn answers(models: &[(f64, Model)], rows: &Dataset) -> Result<TeacherOutputs> {
    TeacherOutputs::of(models.iter().map(|(weight, model)| (*weight, model.teacher_outputs(rows))))
}

fn has_target(rows: &Dataset, row: usize) -> bool {
    match &rows.target {
        Target::Classes(_) | Target::Values(_) => true,
        Target::Absent => false,
        Target::Partial(labels) => labels[row].is_some(),
    }
}

/// The rows with a target.
fn labelled(rows: &Dataset) -> Dataset {
    let known: Vec<usize> = (0..rows.rows()).filter(|&row| has_target(rows, row)).collect();
    let selected = rows.select(&known);
    match &selected.target {
        Target::Partial(labels) => {
            let classes = labels.iter().copied().flatten().collect();
            Dataset { target: Target::Classes(classes), ..selected }
        }
        Target::Classes(_) | Target::Values(_) | Target::Absent => selected,
    }
}
