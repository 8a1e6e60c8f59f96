//! Training of all models of one data set, condition and seed.

use std::fmt::Debug;

use rayon::prelude::*;
use sha2::{Digest as _, Sha256};

use super::arms::{Arm, CANDIDATES};
use super::data::{Draw, Problem};
use super::diagnostics::{Watched, learning_curve, predictions, reliability};
use super::journal::{Entry, Journal};
use super::results::{ArmKind, Cell, Condition};
use super::training::Training;
use super::{SIZES, Study, Watch};
use microdistill_train::dataset::Dataset;
use microdistill_train::error::Result;
use microdistill_train::export::Footprint;
use microdistill_train::metrics::evaluate;
use microdistill_train::model::Model;
use microdistill_train::network::precision::Scales;
use microdistill_train::quantize::quantize;

/// The tasks that share the same rows.
pub(super) struct Replicate<'a> {
    pub(super) study: &'a Study,
    pub(super) problem: &'a Problem,
    /// Hash of the problem.
    pub(super) hash: &'a str,
    pub(super) condition: Condition,
    /// The group that is the test, if groups are left out one by one.
    pub(super) left_out: Option<&'a str>,
    /// Index of the seed.
    pub(super) index: usize,
}

/// A model to train.
pub(super) struct Task {
    pub(super) arm: Arm,
    pub(super) hidden: Vec<usize>,
    /// True if the model has plots of its own: its learning curve, and its predictions of values.
    plotted: bool,
}

impl Replicate<'_> {
    pub(super) fn seed(&self) -> u64 {
        self.study.seeds[self.index]
    }

    /// The models to train: every arm, the default recipe at other temperatures, and some arms in other
    /// sizes. No model occurs twice.
    pub(super) fn tasks(&self) -> Vec<Task> {
        let study = self.study;
        let plotted = self.index == 0 && self.left_out == self.problem.groups().first().copied();
        let main = |arm: &Arm| Task { arm: arm.clone(), hidden: study.hidden_of(arm), plotted };
        let mut tasks: Vec<Task> = study.arms.iter().map(main).collect();
        let mut add = |arm: Arm, hidden: Vec<usize>| {
            if !tasks.iter().any(|task| task.arm.same(&arm) && task.hidden == hidden) {
                tasks.push(Task { arm, hidden, plotted: false });
            }
        };
        for arm in study.temperatures() {
            let hidden = study.hidden.clone();
            add(arm, hidden);
        }
        if self.index < study.size_seeds() {
            for arm in study.sized() {
                SIZES.iter().for_each(|&hidden| add(arm.clone(), vec![hidden]));
            }
        }
        tasks
    }

    /// The result of `arm` with these hidden widths, under the name of the arm. `None` if it is not finished
    /// or not part of the study.
    pub(super) fn cell(&self, journal: &Journal, arm: &Arm, hidden: &[usize]) -> Option<Cell> {
        let task = self.tasks().into_iter().find(|task| task.arm.same(arm) && task.hidden == hidden)?;
        let cell = journal.model(&self.key(&task))?;
        Some(Cell { arm: arm.name.clone(), ..cell })
    }

    /// Key of everything that determines the result of a task.
    fn key(&self, task: &Task) -> String {
        let Task { arm, hidden, plotted } = task;
        let seeds = (self.seed(), self.chooser());
        key(&(self.rows(), seeds, arm.method, arm.knob, hidden, plotted, self.taught_by()))
    }

    /// Everything that determines the rows of all seeds.
    pub(super) fn rows(&self) -> impl Debug {
        let left_out = self.left_out.map_or(String::new(), |group| format!(" without {group}"));
        (self.hash.to_owned() + &left_out, self.condition, self.study.folds)
    }

    /// The training and test rows.
    pub(super) fn draw(&self) -> Result<Draw> {
        self.problem.draw(self.condition, self.study.folds, self.seed(), self.left_out)
    }

    /// Everything that determines the teachers.
    pub(super) fn taught_by(&self) -> impl Debug {
        let teacher = self.study.teacher();
        (teacher.method, teacher.knob, &self.study.teacher_hidden)
    }

    /// The unfinished tasks.
    fn missing(&self, journal: &Journal) -> Vec<Task> {
        self.tasks().into_iter().filter(|task| journal.model(&self.key(task)).is_none()).collect()
    }

    /// Trains the unfinished models, in parallel. All knobs must be set: see [`choose`](Replicate::choose).
    pub(super) fn run(&self, journal: &Journal, watch: &Watch<'_>) -> Result<()> {
        let missing = self.missing(journal);
        if missing.is_empty() {
            return Ok(());
        }
        let draw = self.draw()?;
        let teachers = (0..self.teachers()).into_par_iter();
        let teachers: Vec<Model> = teachers
            .map(|member| self.teacher(journal, &draw.train, member, watch))
            .collect::<Result<_>>()?;
        let watched = if missing.iter().any(|task| task.plotted) {
            Some(self.watched(journal, &draw, watch)?)
        } else {
            None
        };
        missing.par_iter().try_for_each(|task| {
            let cell = self.make(journal, task, &draw, &teachers, watched.as_ref(), watch)?;
            journal.add(self.key(task), Entry::Model(Box::new(cell)))
        })
    }

    pub(super) fn training<'a>(
        &self,
        arm: &'a Arm,
        hidden: &'a [usize],
        watch: &'a Watch<'a>,
    ) -> Training<'a> {
        Training { arm, value: None, hidden, seed: self.seed(), watch }
    }

    /// Number of teachers that the arms need.
    fn teachers(&self) -> u64 {
        let most = self.study.arms.iter().map(|arm| arm.method.teachers).max();
        most.unwrap_or_default().max(1) as u64
    }

    /// Trains a teacher on these rows: the first one, or another member of an ensemble.
    pub(super) fn teacher(
        &self,
        journal: &Journal,
        rows: &Dataset,
        member: u64,
        watch: &Watch<'_>,
    ) -> Result<Model> {
        let (arm, hidden) = (self.study.teacher(), &self.study.teacher_hidden);
        let value = self.setting(journal, arm, hidden).map(|(_, value)| value);
        let seed = self.seed().wrapping_add(member.wrapping_mul(MEMBERS));
        let training = Training { seed, value, ..self.training(arm, hidden, watch) };
        training.run(rows, &[], &mut |_| {})
    }

    /// Rows for the learning curves, and a teacher trained on no others.
    fn watched(&self, journal: &Journal, draw: &Draw, watch: &Watch<'_>) -> Result<Watched> {
        let [train, validation] = draw.parts(&draw.folds[0]);
        Ok(Watched { teacher: self.teacher(journal, &train, 0, watch)?, train, validation })
    }

    fn make(
        &self,
        journal: &Journal,
        task: &Task,
        draw: &Draw,
        teachers: &[Model],
        watched: Option<&Watched>,
        watch: &Watch<'_>,
    ) -> Result<Cell> {
        let Task { arm, hidden, plotted } = task;
        let setting = self.setting(journal, arm, hidden);
        let value = setting.map(|(_, value)| value);
        let training = Training { value, ..self.training(arm, hidden, watch) };
        let rows = training.rows(&draw.train)?;
        let model = match (arm.method.kind, teachers.first()) {
            (ArmKind::Teacher, Some(teacher)) => teacher.clone(),
            _ => training.run(&rows, teachers, &mut |_| {})?,
        };
        let watched = watched.filter(|_| *plotted);
        let curve = watched.map_or(Ok(Vec::new()), |watched| learning_curve(training, watched))?;
        let int8 = quantize(&model, &model.examples, Scales::default())?;
        let is_shipped = arm.method.kind != ArmKind::Teacher;
        Ok(Cell {
            arm: arm.name.clone(),
            seed: self.seed(),
            group: self.left_out.map(str::to_owned),
            widths: model.widths(),
            parameters: model.parameters(),
            flash_bytes: Footprint::of(&model)?.flash,
            flash_bytes_int8: Footprint::of(&int8)?.flash,
            chosen: setting.map(|(knob, value)| format!("{} {value}", knob.name())),
            train: evaluate(&model, &rows)?,
            test: evaluate(&model, &draw.test)?,
            test_int8: is_shipped.then(|| evaluate(&int8, &draw.test)).transpose()?,
            curve,
            reliability: reliability(&model, &draw.test),
            predictions: if *plotted { predictions(&model, &draw.test) } else { Vec::new() },
        })
    }

    /// Estimates the remaining work.
    pub(super) fn work(&self, journal: &Journal) -> u64 {
        let (rows, features) = self.problem.size(self.condition);
        let nothing = Watch { stop: &|| false, done: &|_| () };
        let folds = self.study.folds.max(2);
        let inner = rows - rows / folds;
        let one =
            |arm: &Arm, hidden: &[usize], rows| self.training(arm, hidden, &nothing).work(rows, features);
        let undecided = if self.chooses() { self.undecided(journal) } else { Vec::new() };
        let trials = (CANDIDATES * folds) as u64;
        let choices: u64 = undecided.iter().map(|task| trials * one(&task.arm, &task.hidden, inner)).sum();
        let missing = self.missing(journal);
        if missing.is_empty() {
            return choices;
        }
        let all = |task: &Task| {
            let curve = if task.plotted { one(&task.arm, &task.hidden, inner) } else { 0 };
            // The training of the teacher is counted below.
            let whole =
                if task.arm.method.kind == ArmKind::Teacher { 0 } else { one(&task.arm, &task.hidden, rows) };
            curve + whole
        };
        let teacher = one(self.study.teacher(), &self.study.teacher_hidden, rows);
        choices + missing.iter().map(all).sum::<u64>() + self.teachers() * teacher
    }

    /// Number of trainings that are left: of candidates in folds, of models, of teachers and for learning curves.
    pub(super) fn trainings(&self, journal: &Journal) -> usize {
        let folds = self.study.folds;
        let undecided = if self.chooses() { self.undecided(journal) } else { Vec::new() };
        let taught = undecided.iter().any(|task| task.arm.method.kind == ArmKind::Distilled);
        let choices = undecided.len() * CANDIDATES * folds + if taught { folds } else { 0 };
        let missing = self.missing(journal);
        let curves = missing.iter().filter(|task| task.plotted).count();
        let teachers = if missing.is_empty() { 0 } else { self.teachers() as usize };
        let students = missing.iter().filter(|task| task.arm.method.kind != ArmKind::Teacher).count();
        // The curves have a teacher of their own, which has not seen the validation rows.
        choices + curves + usize::from(curves > 0) + teachers + students
    }
}

/// Hashes the debug representation of `of` to 16 hexadecimal digits.
pub(super) fn key(of: &impl Debug) -> String {
    Sha256::digest(format!("{of:?}")).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// Distance between the seeds of the teachers of an ensemble.
const MEMBERS: u64 = 0x9E37_79B9_7F4A_7C15;
