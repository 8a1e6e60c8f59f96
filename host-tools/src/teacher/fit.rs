//! From data to a teacher's model.

use std::ops::ControlFlow;

use super::train::{Epoch, Examples, Settings, Target, train};
use crate::dataset::{Dataset, Standardized, Standardizer};
use crate::error::{Error, Result};
use crate::model::{Body, Machine, Metadata, Model, Role};

/// Trains a teacher on `data`: scaler, network and, for values, their unit. `validation` is for early stopping.
///
/// # Errors
/// As of [`train`], and rows without a target.
pub fn fit(
    data: &Dataset,
    validation: Option<&Dataset>,
    settings: &Settings,
    progress: &mut dyn FnMut(Epoch) -> ControlFlow<()>,
) -> Result<Model> {
    let standardizer = Standardizer::fit(data, None);
    let training = standardizer.apply(data);
    let validation = validation.map(|data| standardizer.apply(data));
    let validation = validation.as_ref().map(examples).transpose()?;
    let trained = train(settings, examples(&training)?, validation, progress)?;
    let network = standardizer.restore(trained.network);
    // One training runs on one thread.
    let machine = Machine { arch: std::env::consts::ARCH.into(), threads: 1 };
    let metadata = Metadata { machine: Some(machine), ..Metadata::of(data, Role::Teacher, settings.seed) };
    Ok(Model::new(metadata, standardizer.scaler, Body::F32(network), &data.x))
}

fn examples(data: &Standardized) -> Result<Examples<'_>> {
    let target = match (&data.classes, &data.values) {
        (Some(classes), _) => Target::Classes(classes),
        (None, Some(values)) => Target::Values(values),
        (None, None) => return Err(Error::Invalid("a teacher needs rows with a target".into())),
    };
    Ok(Examples { x: &data.x, target })
}
