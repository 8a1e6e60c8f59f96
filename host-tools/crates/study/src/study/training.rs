//! One model: an arm's method, and the value that its knob is set to.

use std::borrow::Cow;
use std::ops::ControlFlow;

use super::arms::{Arm, Knob};
use super::results::ArmKind;
use microdistill_train::dataset::{Dataset, Standardized, Standardizer, split};
use microdistill_train::error::{Error, Result};
use microdistill_train::model::{Body, Metadata, Model, Role, Scaler};
use microdistill_train::network::Network;
use microdistill_train::outputs::Answers;
use microdistill_train::student::{self, Lessons};
use microdistill_train::synthetic;
use microdistill_train::teacher::{self, Examples};
use microdistill_train::tune::beside_rows;

/// How a model of an arm is trained.
#[derive(Clone, Copy)]
pub(super) struct Training<'a> {
    pub(super) arm: &'a Arm,
    /// What the arm's knob is set to, if it has one.
    pub(super) value: Option<f32>,
    pub(super) hidden: &'a [usize],
    pub(super) seed: u64,
    pub(super) watch: &'a Watch<'a>,
}

/// A training after an epoch.
pub(super) struct Stage<'a> {
    /// From 1.
    pub(super) epoch: usize,
    /// How many there are.
    pub(super) epochs: usize,
    network: &'a Network,
    standardizer: &'a Standardizer,
}

impl Stage<'_> {
    /// As it is, for standardized features and in the target's unit.
    pub(super) fn network(&self) -> Network {
        self.standardizer.restore(self.network.clone())
    }
}

/// What is told after each epoch.
pub(super) type Progress<'a> = &'a mut dyn FnMut(Stage<'_>);

/// What comes of a training.
type Trained = (Role, Scaler, Network);

impl Training<'_> {
    /// The rows of `data` that the arm learns from.
    pub(super) fn rows(&self, data: &Dataset) -> Result<Dataset> {
        match self.arm.method.fraction {
            1.0 => Ok(data.clone()),
            fraction => Ok(data.select(&split(data, &[fraction, 1.0 - fraction], self.seed)?[0])),
        }
    }

    /// Trained on `rows`, by what `teachers` say if the arm has any.
    pub(super) fn run(&self, rows: &Dataset, teachers: &[Model], progress: Progress<'_>) -> Result<Model> {
        let (role, scaler, network) = match self.arm.method.kind {
            ArmKind::Teacher => self.teacher(rows, progress)?,
            ArmKind::Hard | ArmKind::Distilled => self.student(rows, teachers, progress)?,
        };
        // What an interruption cut short is no result.
        if self.watch.is_over() {
            return Err(Error::Interrupted);
        }
        (self.watch.done)(self.work(rows.rows(), rows.features.len()));
        let metadata = Metadata::of(rows, role, self.seed);
        Ok(Model::new(metadata, scaler, Body::F32(network), &rows.x))
    }

    fn teacher(&self, rows: &Dataset, progress: Progress<'_>) -> Result<Trained> {
        let mut settings = teacher::Settings::new(rows.widths(self.hidden), rows.rows(), self.seed);
        settings.rates.weight_decay = self.setting(Knob::WeightDecay, rows.rows());
        settings.dropout = self.setting(Knob::Dropout, rows.rows());
        let standardizer = Standardizer::fit(rows, None);
        let Standardized { x, classes, values } = standardizer.apply(rows);
        let target = match (&classes, &values) {
            (Some(classes), _) => teacher::Target::Classes(classes),
            (None, Some(values)) => teacher::Target::Values(values),
            (None, None) => return Err(Error::Invalid("there are rows without a target".into())),
        };
        let examples = Examples { x: &x, target };
        let trained = teacher::train_watched(&settings, examples, None, &mut |epoch, network| {
            let (epoch, epochs) = (epoch.number, settings.epochs);
            progress(Stage { epoch, epochs, network, standardizer: &standardizer });
            self.watch.flow()
        })?;
        let network = standardizer.restore(trained.network);
        Ok((Role::Teacher, standardizer.scaler, network))
    }

    fn student(&self, rows: &Dataset, teachers: &[Model], progress: Progress<'_>) -> Result<Trained> {
        let method = self.arm.method;
        let mut settings =
            student::Settings::new(rows.widths(self.hidden), method.recipe, rows.rows(), self.seed);
        settings.rates.weight_decay = self.setting(Knob::WeightDecay, rows.rows());
        settings.dropout = self.setting(Knob::Dropout, rows.rows());
        settings.label_smoothing = self.setting(Knob::LabelSmoothing, rows.rows());
        let mut all = Cow::Borrowed(rows);
        if let Some(kind) = method.synthetic {
            all =
                Cow::Owned(rows.with_unlabelled(&[synthetic::generate(kind, rows, rows.rows(), self.seed)?]));
        }
        let teachers = teachers.iter().take(method.teachers);
        let answers = match method.teachers {
            0 => None,
            _ => Some(Answers::of(teachers.map(|teacher| (1.0, teacher.answers(&all))))?),
        };
        let values = answers.as_ref().map(Answers::values);
        let standardizer = Standardizer::fit(rows, values.as_deref());
        // Values are learned in their own unit, a teacher's or those measured.
        let answers = match standardizer.apply(rows).values {
            None => answers.clone(),
            Some(measured) => Some(values.map_or(measured, |values| standardizer.values(&values)).into()),
        };
        let (x, labels) = (standardizer.scaler.apply(&all.x), all.labels());
        let lessons = Lessons { x: &x, labels: &labels, teacher: answers.as_ref() };
        let trained = student::train_watched(&settings, None, lessons, None, &mut |epoch, network| {
            let (epoch, epochs) = (epoch.number, settings.epochs);
            progress(Stage { epoch, epochs, network, standardizer: &standardizer });
            self.watch.flow()
        })?;
        let network = standardizer.restore(trained.network);
        Ok((Role::Student, standardizer.scaler, network))
    }

    /// What `knob` is set to: tuned, fixed, or off.
    fn setting(&self, knob: Knob, rows: usize) -> f32 {
        match (self.arm.knob, self.value, knob) {
            (Some(Knob::WeightDecay), Some(value), Knob::WeightDecay) => beside_rows(value, rows),
            (Some(tuned), Some(value), _) if tuned == knob => value,
            (_, _, Knob::WeightDecay) => self.arm.method.weight_decay,
            (_, _, Knob::Dropout | Knob::LabelSmoothing) => 0.0,
        }
    }

    /// About how long a training on so many rows takes, in a unit of its own.
    pub(super) fn work(&self, rows: usize, features: usize) -> u64 {
        let hidden = self.hidden.iter().sum::<usize>();
        let row = match self.arm.method.kind {
            // Matrix products.
            ArmKind::Teacher => (features + hidden) * hidden / 20 + 500,
            ArmKind::Hard | ArmKind::Distilled => features * hidden / 2 + 500,
        };
        let epochs = match self.arm.method.kind {
            ArmKind::Teacher => teacher::Settings::new(Vec::new(), rows, 0).epochs,
            _ => student::Settings::new(Vec::new(), self.arm.method.recipe, rows, 0).epochs,
        };
        (row * rows * epochs) as u64
    }
}

/// Who asks how a study goes on.
pub struct Watch<'a> {
    /// Whether it is to end now.
    pub stop: &'a (dyn Fn() -> bool + Sync),
    /// Told after each training how much work is done, in the unit of [`Study::work`](super::Study::work).
    pub done: &'a (dyn Fn(u64) + Sync),
}

impl Watch<'_> {
    pub(super) fn is_over(&self) -> bool {
        (self.stop)()
    }

    fn flow(&self) -> ControlFlow<()> {
        if self.is_over() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}
