//! Training of one model: the method of an arm, and the value of its knob.

use std::borrow::Cow;
use std::ops::ControlFlow;

use super::arms::{Arm, Knob};
use super::results::ArmKind;
use microdistill_train::dataset::{Dataset, Preparation, split};
use microdistill_train::error::{Error, Result};
use microdistill_train::model::Model;
use microdistill_train::network::Network;
use microdistill_train::outputs::TeacherOutputs;
use microdistill_train::student::{self, Taught};
use microdistill_train::synthetic;
use microdistill_train::teacher;
use microdistill_train::tune::beside_rows;

/// A training of a model of an arm.
#[derive(Clone, Copy)]
pub(super) struct Training<'a> {
    pub(super) arm: &'a Arm,
    /// Value of the arm's knob, if it has one.
    pub(super) value: Option<f32>,
    pub(super) hidden: &'a [usize],
    pub(super) seed: u64,
    pub(super) watch: &'a Watch<'a>,
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

    /// Trains on `rows`, with the outputs of `teachers` if the arm has any.
    pub(super) fn run(&self, rows: &Dataset, teachers: &[Model], observer: Observer<'_>) -> Result<Model> {
        let model = match self.arm.method.kind {
            ArmKind::Teacher => self.teacher(rows, observer)?,
            ArmKind::Hard | ArmKind::Distilled => self.student(rows, teachers, observer)?,
        };
        // An interrupted training has no result.
        if self.watch.is_over() {
            return Err(Error::Interrupted);
        }
        (self.watch.done)(self.work(rows.rows(), rows.features.len()));
        Ok(model)
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
        match (self.arm.knob, self.value, knob) {
            (Some(Knob::WeightDecay), Some(value), Knob::WeightDecay) => beside_rows(value, rows),
            (Some(tuned), Some(value), _) if tuned == knob => value,
            (_, _, Knob::WeightDecay) => self.arm.method.weight_decay,
            (_, _, Knob::Dropout | Knob::LabelSmoothing) => 0.0,
        }
    }

    /// Estimates the time of a training on `rows` rows, in an arbitrary unit.
    pub(super) fn work(&self, rows: usize, features: usize) -> u64 {
        let hidden = self.hidden.iter().sum::<usize>();
        let row = match self.arm.method.kind {
            // Teachers are trained by matrix products, which are faster.
            ArmKind::Teacher => (features + hidden) * hidden / 20 + 500,
            ArmKind::Hard | ArmKind::Distilled => features * hidden / 2 + 500,
        };
        let epochs = match self.arm.method.kind {
            ArmKind::Teacher => teacher::Settings::new(Vec::new(), rows, 0).epochs(rows),
            _ => student::Settings::new(Vec::new(), self.arm.method.recipe, rows, 0).training.epochs(rows),
        };
        (row * rows * epochs) as u64
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

    fn flow(&self) -> ControlFlow<()> {
        if self.is_over() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}
