//! From data, and a teacher, to a student's model.

use std::ops::ControlFlow;

use super::train::{Epoch, Lessons, Settings, train};
use crate::dataset::{Dataset, Standardizer};
use crate::error::Result;
use crate::model::{Body, Metadata, Model, Role};

/// Trains a student on `data`. `teacher` gives its outputs on the same rows, in the target's unit: shape
/// (outputs × rows), as [`Model::predict`] does; without one, values are learned from the data themselves.
///
/// # Errors
/// As of [`train`].
pub fn fit(
    data: &Dataset,
    teacher: Option<&nalgebra::DMatrix<f32>>,
    settings: &Settings,
    progress: &mut dyn FnMut(Epoch) -> ControlFlow<()>,
) -> Result<Model> {
    let standardizer = Standardizer::fit(data, teacher);
    let rows = standardizer.apply(data);
    let teacher = teacher.map(|outputs| standardizer.values(outputs)).or(rows.values);
    let lessons = Lessons { x: &rows.x, labels: rows.classes.as_deref(), teacher: teacher.as_ref() };
    let network = standardizer.restore(train(settings, lessons, progress)?);
    let mut metadata = Metadata::of(data, Role::Student, settings.seed);
    metadata.precision = settings.precision;
    Ok(Model::new(metadata, standardizer.scaler, Body::F32(network), &data.x))
}
