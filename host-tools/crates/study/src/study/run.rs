//! Training of all models of one data set, condition and seed.

use std::fmt::Debug;

use rayon::prelude::*;
use sha2::{Digest as _, Sha256};

use super::arms::{Arm, CANDIDATES, Way};
use super::data::{Draw, Problem};
use super::diagnostics::{Watched, learning_curve, predictions, reliability};
use super::journal::{Entry, Journal};
use super::results::{ArmKind, Cell, Condition};
use super::training::{Lessons, Setting, Training, student};
use super::{SIZES, Study, Watch};
use microdistill_train::dataset::Dataset;
use microdistill_train::distill::{self, Material, Plan, Teachers};
use microdistill_train::error::Result;
use microdistill_train::export::Footprint;
use microdistill_train::metrics::evaluate;
use microdistill_train::model::{Body, Model};
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
    /// True if the model has plots of its own: a learning curve, and its predictions of values.
    plotted: bool,
}

impl Replicate<'_> {
    pub(super) fn seed(&self) -> u64 {
        self.study.seeds[self.index]
    }

    /// Returns true if both are about the same rows, and one choice serves both.
    pub(super) fn shares_choices_with(&self, other: &Replicate<'_>) -> bool {
        let same_rows =
            (self.hash, self.condition, self.left_out) == (other.hash, other.condition, other.left_out);
        same_rows && self.chooser() == other.chooser()
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
        let material = if missing.iter().any(|task| task.arm.is_recipe()) {
            Some(self.material(&draw, &teachers)?)
        } else {
            None
        };
        let lessons = Lessons { teachers: &teachers, material: material.as_ref() };
        let watched = if missing.iter().any(|task| task.plotted) {
            Some(self.watched(journal, &draw, watch)?)
        } else {
            None
        };
        missing.par_iter().try_for_each(|task| {
            let cell = self.make(journal, task, &draw, lessons, watched.as_ref(), watch)?;
            journal.add(self.key(task), Entry::Model(Box::new(cell)))
        })
    }

    pub(super) fn training<'a>(
        &self,
        arm: &'a Arm,
        hidden: &'a [usize],
        watch: &'a Watch<'a>,
    ) -> Training<'a> {
        let effort = self.study.effort;
        Training { arm, setting: Setting::Fixed, hidden, effort, seed: self.seed(), watch }
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
        let setting = self.setting(journal, arm, hidden);
        let seed = self.seed().wrapping_add(member.wrapping_mul(MEMBERS));
        let training = Training { seed, setting, ..self.training(arm, hidden, watch) };
        training.run(rows, Lessons::default(), &mut |_| {})
    }

    /// What students of the recipe of `distill` learn from.
    fn material(&self, draw: &Draw, teachers: &[Model]) -> Result<Material> {
        let teachers: Vec<(f64, Model)> = teachers.iter().take(1).map(|model| (1.0, model.clone())).collect();
        let student = student(&self.study.hidden, self.seed(), Plan::steps_of(self.study.effort));
        distill::material(distill::Problem {
            rows: &draw.train,
            teachers: Teachers::Like(&teachers),
            student: &student,
        })
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
        lessons: Lessons<'_>,
        watched: Option<&Watched>,
        watch: &Watch<'_>,
    ) -> Result<Cell> {
        let Task { arm, hidden, plotted } = task;
        let setting = self.setting(journal, arm, hidden);
        let training = Training { setting, ..self.training(arm, hidden, watch) };
        let rows = training.rows(&draw.train)?;
        let model = match lessons.teachers.first() {
            Some(teacher) if arm.same(self.study.teacher()) => teacher.clone(),
            _ => training.run(&rows, lessons, &mut |_| {})?,
        };
        let watched = watched.filter(|_| task.has_curve());
        let curve = watched.map_or(Ok(Vec::new()), |watched| learning_curve(training, watched))?;
        let is_blend = matches!(model.body, Body::Blend(_));
        let int8 = if is_blend { None } else { Some(quantize(&model, &model.examples, Scales::default())?) };
        let flash = |of: &Model| Footprint::of(of).map(|of| of.flash);
        let test_int8 = int8.as_ref().filter(|_| arm.method.kind != ArmKind::Teacher);
        Ok(Cell {
            arm: arm.name.clone(),
            seed: self.seed(),
            group: self.left_out.map(str::to_owned),
            widths: model.widths(),
            parameters: model.parameters(),
            flash_bytes: (!is_blend).then(|| flash(&model)).transpose()?,
            flash_bytes_int8: int8.as_ref().map(flash).transpose()?,
            chosen: chosen(arm, setting),
            train: evaluate(&model, &rows)?,
            test: evaluate(&model, &draw.test)?,
            test_int8: test_int8.map(|int8| evaluate(int8, &draw.test)).transpose()?,
            curve,
            reliability: reliability(&model, &draw.test),
            predictions: if *plotted { predictions(&model, &draw.test) } else { Vec::new() },
        })
    }

    /// Estimates the remaining work of the choices.
    pub(super) fn work_of_choices(&self, journal: &Journal) -> u64 {
        let (rows, features) = self.problem.size(self.condition);
        let inner = self.inner(rows);
        let Undecided { knobs, recipe, taught } = self.left_to_choose(journal);
        let candidates = (CANDIDATES * self.study.folds) as u64;
        knobs.iter().map(|task| candidates * self.work_of(&task.arm, &task.hidden, inner)).sum::<u64>()
            + taught as u64 * self.work_of_teacher(inner)
            + recipe as u64 * self.work_of_trial(rows, features)
            + u64::from(recipe > 0) * self.work_of_teacher(rows)
    }

    /// Number of trainings that the choices have left: of candidates, and of their teachers.
    pub(super) fn trainings_of_choices(&self, journal: &Journal) -> usize {
        let Undecided { knobs, recipe, taught } = self.left_to_choose(journal);
        knobs.len() * CANDIDATES * self.study.folds + taught + recipe + usize::from(recipe > 0)
    }

    /// Estimates the remaining work after the choices.
    pub(super) fn work(&self, journal: &Journal) -> u64 {
        let (rows, _) = self.problem.size(self.condition);
        let inner = self.inner(rows);
        let missing = self.missing(journal);
        if missing.is_empty() {
            return 0;
        }
        let all = |task: &Task| {
            let of = |rows| self.work_of(&task.arm, &task.hidden, rows);
            let curve = if task.has_curve() { of(inner) } else { 0 };
            // The training of the teacher is counted below.
            curve + if self.is_teacher(task) { 0 } else { of(rows) }
        };
        let watched = u64::from(missing.iter().any(|task| task.plotted)) * self.work_of_teacher(inner);
        missing.iter().map(all).sum::<u64>() + watched + self.teachers() * self.work_of_teacher(rows)
    }

    /// Number of trainings that are left after the choices: of models, of teachers and for learning curves.
    pub(super) fn trainings(&self, journal: &Journal) -> usize {
        let missing = self.missing(journal);
        let curves = missing.iter().filter(|task| task.has_curve()).count();
        // The curves have a teacher of their own, which has not seen the validation rows.
        let watched = usize::from(missing.iter().any(|task| task.plotted));
        let teachers = if missing.is_empty() { 0 } else { self.teachers() as usize };
        curves + watched + teachers + missing.iter().filter(|task| !self.is_teacher(task)).count()
    }

    /// Number of rows of a training without a fold.
    fn inner(&self, rows: usize) -> usize {
        rows - rows / self.study.folds.max(2)
    }

    fn work_of(&self, arm: &Arm, hidden: &[usize], rows: usize) -> u64 {
        let nothing = Watch { stop: &|| false, done: &|_| () };
        let (_, features) = self.problem.size(self.condition);
        self.training(arm, hidden, &nothing).work(rows, features)
    }

    fn work_of_teacher(&self, rows: usize) -> u64 {
        self.work_of(self.study.teacher(), &self.study.teacher_hidden, rows)
    }

    fn left_to_choose(&self, journal: &Journal) -> Undecided {
        let (recipes, knobs): (Vec<Task>, Vec<Task>) =
            self.undecided(journal).into_iter().partition(|task| task.arm.is_recipe());
        let taught = knobs.iter().any(|task| task.arm.method.kind == ArmKind::Distilled);
        // What cannot be drawn is an error of the run.
        let plan = self.draw().ok().filter(|_| !recipes.is_empty()).map(|draw| self.recipe_plan(&draw.train));
        Undecided {
            recipe: plan.map_or(0, |plan| plan.exams * plan.candidates.len()),
            taught: if taught { self.study.folds } else { 0 },
            knobs,
        }
    }

    /// Estimates the time of a training of a candidate of the recipe.
    pub(super) fn work_of_trial(&self, rows: usize, features: usize) -> u64 {
        let nothing = Watch { stop: &|| false, done: &|_| () };
        let recipe = self.study.arms.iter().find(|arm| arm.is_recipe());
        // Candidates are trained in lanes, and for fewer steps.
        recipe.map_or(0, |arm| self.training(arm, &self.study.hidden, &nothing).work(rows, features) / 10)
    }

    fn is_teacher(&self, task: &Task) -> bool {
        task.arm.same(self.study.teacher())
    }
}

impl Task {
    /// True if the model has a learning curve. What is trained for a fixed number of steps, or in parts, has none.
    fn has_curve(&self) -> bool {
        self.plotted && self.arm.method.way == Way::Network
    }
}

/// What is left to choose.
struct Undecided {
    /// Tasks whose knobs are not set.
    knobs: Vec<Task>,
    /// Number of trainings of candidates of the recipe.
    recipe: usize,
    /// Number of teachers of students whose knobs are not set.
    taught: usize,
}

/// What was chosen, for people.
fn chosen(arm: &Arm, setting: Setting) -> Option<String> {
    match setting {
        Setting::Fixed => None,
        Setting::Value(value) => arm.knob.map(|knob| format!("{} {value}", knob.name())),
        Setting::Candidate(candidate) => Some(candidate.to_string()),
    }
}

/// Hashes the debug representation of `of` to 16 hexadecimal digits.
pub(super) fn key(of: &impl Debug) -> String {
    Sha256::digest(format!("{of:?}")).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// Distance between the seeds of the teachers of an ensemble.
const MEMBERS: u64 = 0x9E37_79B9_7F4A_7C15;
