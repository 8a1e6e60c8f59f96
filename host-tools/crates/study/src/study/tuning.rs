//! Tuning: knobs are set by cross-validation on training rows.

use rayon::prelude::*;

use super::Watch;
use super::arms::{Arm, Knob};
use super::journal::{Entry, Journal};
use super::results::ArmKind;
use super::run::{Replicate, Task, key};
use super::training::Training;
use microdistill_train::dataset::Dataset;
use microdistill_train::error::Result;
use microdistill_train::metrics::evaluate;
use microdistill_train::model::Model;
use microdistill_train::tune::{cross_validate, first_sufficient};

impl Replicate<'_> {
    /// The seed whose folds make the choice. If all seeds have the same training rows, one choice serves all
    /// of them, for each group left out. If seeds draw their rows, each seed makes its own choice, because another seed may train on
    /// this seed's test rows.
    pub(super) fn chooser(&self) -> u64 {
        if self.problem.is_fixed(self.condition) { self.study.seeds[0] } else { self.seed() }
    }

    /// Returns true if that is the seed of this replicate.
    pub(super) fn chooses(&self) -> bool {
        self.chooser() == self.seed()
    }

    /// The chosen value of the task's knob, if it has one.
    pub(super) fn setting(&self, journal: &Journal, arm: &Arm, hidden: &[usize]) -> Option<(Knob, f32)> {
        let (knob, choice) = arm.knob.zip(journal.choice(&self.choice_key(arm, hidden)))?;
        Some((knob, *knob.candidates().get(choice)?))
    }

    /// Key of everything that determines a choice.
    fn choice_key(&self, arm: &Arm, hidden: &[usize]) -> String {
        key(&("choice", self.rows(), self.chooser(), arm.method, arm.knob, hidden, self.taught_by()))
    }

    /// The tasks whose knobs are not set yet.
    pub(super) fn undecided(&self, journal: &Journal) -> Vec<Task> {
        let undecided =
            |task: &Task| task.arm.knob.is_some() && self.setting(journal, &task.arm, &task.hidden).is_none();
        self.tasks().into_iter().filter(undecided).collect()
    }

    /// Sets all knobs that are not set yet, in parallel.
    pub(super) fn choose(&self, journal: &Journal, watch: &Watch<'_>) -> Result<()> {
        let (teacher, students): (Vec<Task>, Vec<Task>) =
            self.undecided(journal).into_iter().partition(|task| task.arm.method.kind == ArmKind::Teacher);
        if teacher.is_empty() && students.is_empty() {
            return Ok(());
        }
        let draw = self.draw()?;
        let parts: Vec<[Dataset; 2]> = draw.folds.iter().map(|fold| draw.parts(fold)).collect();
        let choose = |task: &Task, teachers: &[Model]| {
            let choice = best(self.training(&task.arm, &task.hidden, watch), &parts, teachers)?;
            journal.add(self.choice_key(&task.arm, &task.hidden), Entry::Choice(choice))
        };
        // Students of a fold have a teacher that has not seen the validation rows either.
        teacher.iter().try_for_each(|task| choose(task, &[]))?;
        let taught = students.iter().any(|task| task.arm.method.kind == ArmKind::Distilled);
        let teachers = parts.par_iter().filter(|_| taught);
        let teachers: Vec<Model> =
            teachers.map(|[train, _]| self.teacher(journal, train, 0, watch)).collect::<Result<_>>()?;
        students.par_iter().try_for_each(|task| choose(task, &teachers))
    }
}

/// Index of the first candidate that is as good as the best one: its likelihood on the held-out rows is
/// within the error of their difference. `teachers` has one teacher per fold, or none.
fn best(training: Training<'_>, parts: &[[Dataset; 2]], teachers: &[Model]) -> Result<usize> {
    let Some(knob) = training.arm.knob else { return Ok(0) };
    let folds: Vec<usize> = (0..parts.len()).collect();
    let losses = cross_validate(&knob.candidates(), &folds, |&value, &fold| {
        let [train, validation] = &parts[fold];
        let training = Training { value: Some(value), ..training };
        let teacher = teachers.get(fold).map_or(&[][..], std::slice::from_ref);
        let model = training.run(&training.rows(train)?, teacher, &mut |_| {})?;
        Ok(evaluate(&model, validation)?.loss())
    })?;
    let diverged = vec![f64::INFINITY; parts.len()];
    let losses: Vec<&[f64]> =
        losses.iter().map(|losses| losses.as_ref().unwrap_or(&diverged).as_slice()).collect();
    Ok(first_sufficient(&losses).unwrap_or_default())
}
