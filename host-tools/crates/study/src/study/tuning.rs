//! Tuning: knobs are set, and candidates chosen, on held-out training rows.

use rayon::prelude::*;

use super::Watch;
use super::arms::{Arm, Way};
use super::journal::{Entry, Journal};
use super::results::ArmKind;
use super::run::{Replicate, Task, key};
use super::training::{Setting, Training, student};
use microdistill_train::dataset::Dataset;
use microdistill_train::distill::{
    Candidate, Lesson, Plan, Problem, Scope, Teachers, Trial, best as best_trial, exams, trials,
};
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

    /// What was chosen for the task; [`Setting::Fixed`] if there is nothing to choose, or if it is not chosen yet.
    pub(super) fn setting(&self, journal: &Journal, arm: &Arm, hidden: &[usize]) -> Setting {
        let key = self.choice_key(arm, hidden);
        match (arm.method.way, arm.knob) {
            (Way::Recipe(_), _) => journal.candidate(&key).map_or(Setting::Fixed, Setting::Candidate),
            (_, Some(knob)) => {
                let value = journal.choice(&key).and_then(|choice| knob.candidates().get(choice).copied());
                value.map_or(Setting::Fixed, Setting::Value)
            }
            (_, None) => Setting::Fixed,
        }
    }

    /// Key of everything that determines a choice. The recipe chooses for the main widths; other widths share its choice.
    fn choice_key(&self, arm: &Arm, hidden: &[usize]) -> String {
        let hidden = if arm.is_recipe() { &self.study.hidden } else { hidden };
        key(&("choice", self.rows(), self.chooser(), arm.method, arm.knob, hidden, self.taught_by()))
    }

    /// The tasks for which nothing is chosen yet, and that have something to choose. Those of the recipe are named once.
    pub(super) fn undecided(&self, journal: &Journal) -> Vec<Task> {
        let undecided = |task: &Task| {
            let chooses =
                task.arm.knob.is_some() || (task.arm.is_recipe() && task.hidden == self.study.hidden);
            chooses && self.setting(journal, &task.arm, &task.hidden) == Setting::Fixed
        };
        self.tasks().into_iter().filter(undecided).collect()
    }

    /// Makes all choices that are not made yet, in parallel.
    pub(super) fn choose(&self, journal: &Journal, watch: &Watch<'_>) -> Result<()> {
        let undecided = self.undecided(journal);
        if undecided.is_empty() {
            return Ok(());
        }
        let draw = self.draw()?;
        let parts: Vec<[Dataset; 2]> = draw.folds.iter().map(|fold| draw.parts(fold)).collect();
        let choose = |task: &Task, teachers: &[Model]| {
            let choice = best(self.training(&task.arm, &task.hidden, watch), &parts, teachers)?;
            journal.add(self.choice_key(&task.arm, &task.hidden), Entry::Choice(choice))
        };
        let (recipes, knobs): (Vec<Task>, Vec<Task>) =
            undecided.into_iter().partition(|task| task.arm.is_recipe());
        let (teacher, students): (Vec<Task>, Vec<Task>) =
            knobs.into_iter().partition(|task| task.arm.method.kind == ArmKind::Teacher);
        // Students of a fold have a teacher that has not seen the validation rows either.
        teacher.iter().try_for_each(|task| choose(task, &[]))?;
        let taught = students.iter().any(|task| task.arm.method.kind == ArmKind::Distilled);
        let teachers = parts.par_iter().filter(|_| taught);
        let teachers: Vec<Model> =
            teachers.map(|[train, _]| self.teacher(journal, train, 0, watch)).collect::<Result<_>>()?;
        students.par_iter().try_for_each(|task| choose(task, &teachers))?;
        self.choose_candidates(journal, &recipes, &draw.train, watch)
    }

    /// Chooses the candidates of the recipe, all from the same trials.
    fn choose_candidates(
        &self,
        journal: &Journal,
        tasks: &[Task],
        rows: &Dataset,
        watch: &Watch<'_>,
    ) -> Result<()> {
        if tasks.is_empty() {
            return Ok(());
        }
        let study = self.study;
        let plan = self.recipe_plan(rows);
        let flow = &|| watch.flow();
        let trials: Vec<Trial> = if plan.exams == 0 {
            Vec::new()
        } else {
            let teachers = [(1.0, self.teacher(journal, rows, 0, watch)?)];
            let student = student(&study.hidden, self.seed(), plan.trial_steps);
            let problem = Problem { rows, teachers: Teachers::Like(&teachers), student: &student };
            trials(&student, &exams(problem, &plan, flow)?, &plan.candidates, flow)?
        };
        let work = self.work_of_trial(rows.rows(), rows.features.len());
        (0..plan.exams * plan.candidates.len()).for_each(|_| (watch.done)(work));
        for task in tasks {
            let Way::Recipe(lessons) = task.arm.method.way else { continue };
            let allowed = trials.iter().filter(|trial| lessons.include(trial.candidate.lesson));
            let first = plan.candidates[0];
            let unchosen = || match lessons.include(first.lesson) {
                true => first,
                false => Candidate { lesson: Lesson::Target, ..first },
            };
            let chosen = best_trial(allowed).map_or_else(unchosen, |trial| trial.candidate);
            journal.add(self.choice_key(&task.arm, &task.hidden), Entry::Candidate(chosen))?;
        }
        Ok(())
    }

    /// The candidates of the recipe.
    pub(super) fn recipe_plan(&self, rows: &Dataset) -> Plan {
        let scope =
            Scope { effort: self.study.effort, inputs: None, asks_teacher: true, may_ignore_teacher: true };
        Plan::new(rows, &self.study.hidden, scope)
    }
}

/// Index of the first candidate that is as good as the best one: its likelihood on the held-out rows is
/// within the error of their difference. `teachers` has one teacher per fold, or none.
fn best(training: Training<'_>, parts: &[[Dataset; 2]], teachers: &[Model]) -> Result<usize> {
    let Some(knob) = training.arm.knob else { return Ok(0) };
    let folds: Vec<usize> = (0..parts.len()).collect();
    let losses = cross_validate(&knob.candidates(), &folds, |&value, &fold| {
        let [train, validation] = &parts[fold];
        let training = Training { setting: Setting::Value(value), ..training };
        let teacher = teachers.get(fold).map_or(&[][..], std::slice::from_ref);
        let model = training.run(&training.rows(train)?, teacher.into(), &mut |_| {})?;
        Ok(evaluate(&model, validation)?.loss())
    })?;
    let diverged = vec![f64::INFINITY; parts.len()];
    let losses: Vec<&[f64]> =
        losses.iter().map(|losses| losses.as_ref().unwrap_or(&diverged).as_slice()).collect();
    Ok(first_sufficient(&losses).unwrap_or_default())
}
