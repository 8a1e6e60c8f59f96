//! Distillation by the recipe: what the student learns from, its inputs and its weight decay, chosen on held-out rows.

use anyhow::{Result, bail};
use microdistill_train::class_weights::ClassWeights;
use microdistill_train::dataset::Dataset;
use microdistill_train::distill::{Choice, Lesson, Plan, Problem, Scope, Student, Trial, best, fit};
use microdistill_train::effort::Effort;
use microdistill_train::model::{Model, Task};
use microdistill_train::number::{percent, significant};
use microdistill_train::student::Inputs;
use microdistill_train::tune::FOLDS;

use super::teachers::Teachers;
use super::{Distill, TrainingSet};
use crate::context::Context;
use crate::interrupt;
use crate::table::{Table, table};

impl Distill {
    /// Effort of the choice of a recipe; none if flags name the recipe.
    pub(super) fn effort(&self, context: &Context) -> Result<Option<Effort>> {
        let given = self
            .recipe
            .given()
            .or_else(|| self.training.given())
            .or_else(|| self.further.given())
            .or_else(|| self.precision.precision().map(|_| "--bits"));
        match (given, self.effort) {
            (None, effort) => Ok(Some(effort.unwrap_or_default().into())),
            (Some(flag), _) if self.inputs.is_some() && self.inputs().is_none() => bail!(
                "{flag} is part of a recipe of your own, but --inputs auto is for a recipe that is chosen: name the inputs, or \
                 leave {flag} out"
            ),
            (Some(flag), None) if !self.always_distill => {
                context.console.note(format_args!(
                    "{flag} is given, so the recipe is that of the flags: without such flags it is chosen on held-out rows"
                ));
                Ok(None)
            }
            (Some(flag), _) => bail!(
                "{flag} is part of a recipe of your own, but --effort and --always-distill are for a recipe that is chosen: \
                 leave one of them out"
            ),
        }
    }

    /// Chooses the recipe and trains the student.
    pub(super) fn by_recipe(
        &self,
        context: &Context,
        effort: Effort,
        teachers: &Teachers,
        set: &TrainingSet,
    ) -> Result<(Model, Choice)> {
        let widths = self.widths();
        let student = Student {
            hidden: widths[1..widths.len() - 1].to_vec(),
            activation: self.activation.into(),
            steps: 0,
            class_weights: ClassWeights::None,
            seed: context.seed,
        };
        let scope = Scope {
            effort,
            inputs: self.inputs(),
            asks_teacher: teachers.answer_for_any_rows(),
            may_ignore_teacher: !self.always_distill,
        };
        let mut plan = Plan::new(&set.rows, &student.hidden, scope);
        if self.training.folds != FOLDS {
            plan.folds = self.training.folds;
        }
        let weighted = teachers.models();
        let ask = |rows: &Dataset| teachers.teacher_outputs(rows, &[]);
        let problem = Problem {
            rows: &set.rows,
            teachers: teachers.of_recipe(context, set, &weighted, &ask),
            student: &student,
        };
        let spinner = context.console.spinner("recipe");
        let found = fit(problem, &plan, &interrupt::flow, &|stage| spinner.set_message(stage.to_owned()));
        spinner.finish_and_clear();
        let found = found?;
        tell(context, &found.choice, &set.rows.task)?;
        Ok((found.model, found.choice))
    }
}

/// Prints the best candidate of each lesson and form of the inputs, and what was chosen.
fn tell(context: &Context, choice: &Choice, task: &Task) -> Result<()> {
    let Choice { chosen, held_out, trials } = choice;
    let Some(taken) = trials.iter().find(|trial| trial.candidate == *chosen) else {
        context.console.note(format_args!("recipe: {chosen}; nothing was compared"));
        return Ok(());
    };
    context.console.table(&compared(trials, task))?;
    let is_distilled = |trial: &&Trial| trial.candidate.lesson.is_distilled();
    let other = best(trials.iter().filter(|trial| is_distilled(trial) != chosen.lesson.is_distilled()));
    let loss = |trial: &Trial| trial.loss.map_or("none".into(), |loss| significant(loss, 3));
    let beside = match other {
        None => String::new(),
        Some(other) if chosen.lesson.is_distilled() => format!(", and {} without the teacher", loss(other)),
        Some(other) => format!(
            ", and {} with it: the teacher does not help here; --always-distill distills all the same",
            loss(other)
        ),
    };
    let how = if chosen.lesson.is_distilled() { "" } else { " without the teacher" };
    context.console.note(format_args!(
        "recipe: {chosen}, whose loss on {held_out} held-out rows is {}{how}{beside}",
        loss(taken)
    ));
    let plain = best(trials.iter().filter(|trial| trial.candidate.inputs == Inputs::Standardized));
    if let Some(plain) = plain.filter(|_| chosen.inputs != Inputs::Standardized) {
        context.console.note(format_args!(
            "piecewise-linear inputs take more flash. Standardized ones have a held-out loss of {}: --inputs standardized",
            loss(plain)
        ));
    }
    Ok(())
}

/// The best trial of each lesson and form of the inputs, in the order of `trials`.
fn compared(trials: &[Trial], task: &Task) -> Table {
    let classes = matches!(task, Task::Classification { .. });
    let [loss, score] =
        if classes { ["held-out nll", "accuracy"] } else { ["held-out mse / variance", "r2"] };
    let mut table = table(["learns from", "inputs", "weight decay", loss, "from the teacher", score]);
    let mut shown: Vec<(Lesson, Inputs)> = Vec::new();
    for Trial { candidate, .. } in trials {
        let key = (candidate.lesson, candidate.inputs);
        if shown.contains(&key) {
            continue;
        }
        shown.push(key);
        let alike = trials.iter().filter(|trial| (trial.candidate.lesson, trial.candidate.inputs) == key);
        let Some(Trial { candidate, loss, distance, score, .. }) = best(alike) else { continue };
        table.add_row([
            candidate.lesson.name().to_owned(),
            candidate.inputs.to_string(),
            candidate.weight_decay.to_string(),
            loss.map_or("diverged".into(), |loss| significant(loss, 3)),
            distance.map_or("diverged".into(), |distance| significant(distance, 3)),
            if classes { percent(*score, 1) } else { significant(*score, 3) },
        ]);
    }
    table
}
