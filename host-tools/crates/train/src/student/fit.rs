//! Training of a student model from a data set and, for distillation, teacher outputs.

use std::borrow::Cow;
use std::ops::ControlFlow;

use nalgebra::DMatrix;

use super::hint::hidden_layers;
use super::recipe::Recipe;
use super::samples::Samples;
use super::settings::{Inputs, Settings};
use super::train::{Epoch, train_watched};
use crate::dataset::{Dataset, Standardizer};
use crate::error::{Error, Result};
use crate::model::{Body, Metadata, Model, Role, Task};
use crate::network::Network;
use crate::outputs::TeacherOutputs;
use crate::progress::Progress;

/// A data set with the teacher outputs for its rows.
#[derive(Clone, Copy, Debug)]
pub struct Taught<'a> {
    /// The rows.
    pub data: &'a Dataset,
    /// Teacher outputs for the same rows, in the units of the target, as [`Model::teacher_outputs`] gives them. Without a
    /// teacher, a regression student learns the measured values of the rows.
    pub teacher: Option<&'a TeacherOutputs>,
}

/// Trains a student on `rows` and returns its model. `validation` serves early stopping and progress reports.
/// `progress` is called after each epoch; on `Break` the student trained so far is returned.
///
/// # Errors
/// Fails as [`train`](super::train()) does, and if the recipe does not fit the task: [`Recipe::ValueMse`] is for
/// regression and every other recipe for classification.
pub fn fit(
    rows: Taught<'_>,
    validation: Option<Taught<'_>>,
    settings: &Settings,
    progress: &mut dyn FnMut(Progress<'_, Epoch>) -> ControlFlow<()>,
) -> Result<Model> {
    fit_from(None, rows, validation, settings, progress)
}

/// Trains a student in two stages (FitNets, Romero et al. 2015): first its hidden layers learn to reproduce a hidden
/// layer of the teacher through a linear map, which is then dropped; then [`fit`] trains the whole student. `hints`
/// are the teacher's hidden outputs, shape (units of the teacher × rows), as [`Model::hints`] gives them.
///
/// # Errors
/// Fails as [`fit`] does, if the student has no hidden layer, and if `hints` has another number of rows than the
/// data.
pub fn fit_with_hints(
    hints: &DMatrix<f32>,
    rows: Taught<'_>,
    validation: Option<Taught<'_>>,
    settings: &Settings,
    progress: &mut dyn FnMut(Progress<'_, Epoch>) -> ControlFlow<()>,
) -> Result<Model> {
    fit_from(Some(hints), rows, validation, settings, progress)
}

fn fit_from(
    hints: Option<&DMatrix<f32>>,
    rows: Taught<'_>,
    validation: Option<Taught<'_>>,
    settings: &Settings,
    progress: &mut dyn FnMut(Progress<'_, Epoch>) -> ControlFlow<()>,
) -> Result<Model> {
    let data = rows.data;
    match (is_regression(data), settings.recipe) {
        (true, Recipe::ValueMse) => {}
        (false, Recipe::ValueMse) => {
            return Err(Error::Invalid(
                "the target is a class, but the loss compares values: use a classification loss, such as soft \
                 labels"
                    .into(),
            ));
        }
        (true, _) => {
            return Err(Error::Invalid(
                "the target is a number, but the loss compares classes: use the squared difference of values for \
                 regression".into(),
            ));
        }
        (false, _) => {}
    }
    let values = rows.teacher.filter(|_| is_regression(data)).map(TeacherOutputs::values);
    let (standardizer, settings) = &standardized(data, values.as_deref(), settings)?;
    let training = Prepared::new(standardizer, rows);
    let validation = validation.map(|rows| Prepared::new(standardizer, rows));
    let validation = validation.as_ref().map(Prepared::samples);
    let watch =
        &mut |epoch, network: &dyn Fn() -> Network| progress(Progress::new(epoch, network, standardizer));
    let start = hints.map(|hints| hidden_layers(settings, &training.x, hints, watch)).transpose()?;
    let trained = train_watched(settings, start.as_ref(), training.samples(), validation, watch)?;
    let network = standardizer.restore(trained.network);
    let mut metadata = Metadata::of(data, Role::Student, settings.training.seed);
    metadata.precision = settings.precision;
    Ok(Model::new(metadata, standardizer.preparation.clone(), Body::F32(network), &data.x))
}

/// Returns the standardizer of the inputs that the settings ask for, and the settings of the network that is trained.
fn standardized(
    data: &Dataset,
    values: Option<&DMatrix<f32>>,
    settings: &Settings,
) -> Result<(Standardizer, Settings)> {
    let mut settings = settings.clone();
    let Inputs::Pieces(most) = settings.inputs else {
        return Ok((Standardizer::fit(data, values), settings));
    };
    if settings.precision.is_some() {
        return Err(Error::Invalid(
            "a student with piecewise-linear inputs cannot be trained with rounded weights: train it without, and \
             quantize it afterwards"
                .into(),
        ));
    }
    let standardizer = Standardizer::fit_pieces(data, values, most)?;
    // Other widths are checked with the rows.
    if let Some(width) = settings.training.widths.first_mut() {
        let features = data.features.len();
        if *width != features {
            return Err(Error::Invalid(format!(
                "the data has {features} features, but the student has {width} inputs: change its first width"
            )));
        }
        *width = standardizer.width();
    }
    Ok((standardizer, settings))
}

fn is_regression(data: &Dataset) -> bool {
    matches!(data.task, Task::Regression { .. })
}

/// Standardized rows, owned, for [`Samples`] to borrow from.
struct Prepared<'a> {
    x: DMatrix<f32>,
    labels: Vec<Option<usize>>,
    teacher: Option<Cow<'a, TeacherOutputs>>,
}

impl<'a> Prepared<'a> {
    fn new(standardizer: &Standardizer, rows: Taught<'a>) -> Self {
        let Taught { data, teacher } = rows;
        let standardized = standardizer.apply(data);
        let values = |values| Cow::Owned(TeacherOutputs::from(values));
        let teacher = match teacher {
            Some(teacher_outputs) if is_regression(data) => {
                Some(values(standardizer.values(&teacher_outputs.values())))
            }
            Some(teacher_outputs) => Some(Cow::Borrowed(teacher_outputs)),
            None => standardized.values.map(values),
        };
        Prepared { x: standardized.x, labels: data.labels(), teacher }
    }

    fn samples(&self) -> Samples<'_> {
        Samples { x: &self.x, labels: &self.labels, teacher: self.teacher.as_deref(), weights: None }
    }
}
