//! Training of one model: the method of an arm, and what was chosen for it.

use std::borrow::Cow;
use std::ops::ControlFlow;

use super::arms::{Arm, Knob, Way};
use super::results::ArmKind;
use microdistill_train::class_weights::ClassWeights;
use microdistill_train::dataset::{Dataset, Preparation, split};
use microdistill_train::distill::{Candidate, Material, Plan, Student};
use microdistill_train::effort::Effort;
use microdistill_train::error::{Error, Result};
use microdistill_train::model::Model;
use microdistill_train::network::{Activation, Network};
use microdistill_train::outputs::TeacherOutputs;
use microdistill_train::student::{self, Taught};
use microdistill_train::synthetic;
use microdistill_train::teacher::{self, zoo};
use microdistill_train::tune::beside_rows;

/// A training of a model of an arm.
#[derive(Clone, Copy)]
pub(super) struct Training<'a> {
    pub(super) arm: &'a Arm,
    /// What was chosen for the arm.
    pub(super) setting: Setting,
    pub(super) hidden: &'a [usize],
    pub(super) effort: Effort,
    pub(super) seed: u64,
    pub(super) watch: &'a Watch<'a>,
}

/// What was chosen for an arm.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) enum Setting {
    /// The arm has nothing to choose.
    #[default]
    Fixed,
    /// Value of its knob.
    Value(f32),
    /// A candidate of the recipe of `distill`.
    Candidate(Candidate),
}

/// What students are taught with.
#[derive(Clone, Copy, Default)]
pub(super) struct Lessons<'a> {
    /// The teachers, for arms that are taught by their outputs.
    pub(super) teachers: &'a [Model],
    /// Rows, synthetic rows and the outputs of the first teacher, for arms of the recipe of `distill`.
    pub(super) material: Option<&'a Material>,
}

impl<'a> From<&'a [Model]> for Lessons<'a> {
    fn from(teachers: &'a [Model]) -> Self {
        Lessons { teachers, material: None }
    }
}

/// The state of a training after an epoch.
pub(super) struct Snapshot<'a> {
    /// Epoch, from 1.
    pub(super) epoch: usize,
    /// Number of epochs of the whole training.
    pub(super) epochs: usize,
    /// First step of an inference by the network.
    pub(super) preparation: &'a Preparation,
    /// Returns the network, from standardized features to logits, or to values in the unit of the target.
    pub(super) network: &'a dyn Fn() -> Network,
}

/// Callback after each epoch.
pub(super) type Observer<'a> = &'a mut dyn FnMut(Snapshot<'_>);

impl Training<'_> {
    /// The rows of `data` that the arm is trained on.
    pub(super) fn rows(&self, data: &Dataset) -> Result<Dataset> {
        match self.arm.method.fraction {
            1.0 => Ok(data.clone()),
            fraction => Ok(data.select(&split(data, &[fraction, 1.0 - fraction], self.seed)?[0])),
        }
    }

    /// Trains on `rows`, with `lessons` if the arm is taught.
    pub(super) fn run(&self, rows: &Dataset, lessons: Lessons<'_>, observer: Observer<'_>) -> Result<Model> {
        let model = match (self.arm.method.way, self.arm.method.kind) {
            (Way::Blend(species), _) => self.blend(rows, species)?,
            (Way::Recipe(_), _) => self.by_recipe(lessons)?,
            (Way::Network, ArmKind::Teacher) => self.teacher(rows, observer)?,
            (Way::Network, ArmKind::Hard | ArmKind::Distilled) => {
                self.student(rows, lessons.teachers, observer)?
            }
        };
        // An interrupted training has no result.
        if self.watch.is_over() {
            return Err(Error::Interrupted);
        }
        (self.watch.done)(self.work(rows.rows(), rows.features.len()));
        Ok(model)
    }

    fn blend(&self, rows: &Dataset, species: &[zoo::Species]) -> Result<Model> {
        let mut settings = zoo::Settings::of(self.effort, self.seed);
        settings.species.retain(|kind| species.contains(kind));
        if settings.species.is_empty() {
            settings.species = species.to_vec();
        }
        Ok(zoo::fit(rows, &settings, &|_| self.watch.flow())?.model)
    }

    fn by_recipe(&self, lessons: Lessons<'_>) -> Result<Model> {
        let (Setting::Candidate(candidate), Some(material)) = (self.setting, lessons.material) else {
            return Err(Error::Invalid(format!("{}: nothing was chosen for it", self.arm.name)));
        };
        let steps = Plan::steps_of(self.effort);
        let trained =
            student(self.hidden, self.seed, steps).train(material, &[candidate], &|| self.watch.flow())?;
        trained.into_iter().next().flatten().ok_or_else(|| {
            Error::Invalid(format!(
                "{}: the training diverged: check the data for extreme values",
                self.arm.name
            ))
        })
    }

    fn teacher(&self, rows: &Dataset, observer: Observer<'_>) -> Result<Model> {
        let mut settings = teacher::Settings::new(rows.widths(self.hidden), rows.rows(), self.seed);
        settings.rates.weight_decay = self.setting(Knob::WeightDecay, rows.rows());
        settings.dropout = self.setting(Knob::Dropout, rows.rows());
        teacher::fit(rows, None, &settings, &mut |progress| {
            let (epoch, epochs) = (progress.epoch.number, settings.epochs(rows.rows()));
            observer(Snapshot {
                epoch,
                epochs,
                preparation: progress.preparation(),
                network: &|| progress.network(),
            });
            self.watch.flow()
        })
    }

    fn student(&self, rows: &Dataset, teachers: &[Model], observer: Observer<'_>) -> Result<Model> {
        let method = self.arm.method;
        let mut settings =
            student::Settings::new(rows.widths(self.hidden), method.recipe, rows.rows(), self.seed);
        settings.training.rates.weight_decay = self.setting(Knob::WeightDecay, rows.rows());
        settings.training.dropout = self.setting(Knob::Dropout, rows.rows());
        settings.label_smoothing = self.setting(Knob::LabelSmoothing, rows.rows());
        let mut all = Cow::Borrowed(rows);
        if let Some(kind) = method.synthetic {
            all =
                Cow::Owned(rows.with_unlabelled(&[synthetic::generate(kind, rows, rows.rows(), self.seed)?]));
        }
        let teachers = teachers.iter().take(method.teachers);
        let teacher_outputs = match method.teachers {
            0 => None,
            _ => Some(TeacherOutputs::of(teachers.map(|teacher| (1.0, teacher.teacher_outputs(&all))))?),
        };
        let taught = Taught { data: &all, teacher: teacher_outputs.as_ref() };
        student::fit(taught, None, &settings, &mut |progress| {
            let (epoch, epochs) = (progress.epoch.number, settings.training.epochs(all.rows()));
            observer(Snapshot {
                epoch,
                epochs,
                preparation: progress.preparation(),
                network: &|| progress.network(),
            });
            self.watch.flow()
        })
    }

    /// The setting of `knob`: tuned, fixed, or off.
    fn setting(&self, knob: Knob, rows: usize) -> f32 {
        match (self.arm.knob, self.setting, knob) {
            (Some(Knob::WeightDecay), Setting::Value(value), Knob::WeightDecay) => beside_rows(value, rows),
            (Some(tuned), Setting::Value(value), _) if tuned == knob => value,
            (_, _, Knob::WeightDecay) => self.arm.method.weight_decay,
            (_, _, Knob::Dropout | Knob::LabelSmoothing) => 0.0,
        }
    }

    /// Estimates the time of a training on `rows` rows, in an arbitrary unit.
    pub(super) fn work(&self, rows: usize, features: usize) -> u64 {
        let hidden = self.hidden.iter().sum::<usize>();
        let student = features * hidden / 2 + 500;
        let work = match (self.arm.method.way, self.arm.method.kind) {
            (Way::Blend(species), _) => (features + 20) * species.len() * rows * 200,
            (Way::Recipe(_), _) => student * 32 * Plan::steps_of(self.effort),
            // Teachers are trained by matrix products, which are faster.
            (Way::Network, ArmKind::Teacher) => {
                let epochs = teacher::Settings::new(Vec::new(), rows, 0).epochs(rows);
                ((features + hidden) * hidden / 20 + 500) * rows * epochs
            }
            (Way::Network, _) => {
                let settings = student::Settings::new(Vec::new(), self.arm.method.recipe, rows, 0);
                student * rows * settings.training.epochs(rows)
            }
        };
        work as u64
    }
}

/// A student of the recipe of `distill`.
pub(super) fn student(hidden: &[usize], seed: u64, steps: usize) -> Student {
    Student {
        hidden: hidden.to_vec(),
        activation: Activation::Relu,
        steps,
        class_weights: ClassWeights::None,
        seed,
    }
}

/// Callbacks of a running study.
pub struct Watch<'a> {
    /// Returns true if the study must stop now.
    pub stop: &'a (dyn Fn() -> bool + Sync),
    /// Called after each training with the work done, in the unit of [`Study::work`](super::Study::work).
    pub done: &'a (dyn Fn(u64) + Sync),
}

impl Watch<'_> {
    pub(super) fn is_over(&self) -> bool {
        (self.stop)()
    }

    pub(super) fn flow(&self) -> ControlFlow<()> {
        if self.is_over() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}
