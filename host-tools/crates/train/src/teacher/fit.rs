//! Training of a teacher model from a data set.

use std::ops::ControlFlow;

use rayon::prelude::*;

use super::train::{Epoch, Examples, Target, train_watched};
use super::{Settings, zoo};
use crate::dataset::{Dataset, Standardized, Standardizer, split};
use crate::error::{Error, Result};
use crate::model::{Body, Machine, Metadata, Model, Role};
use crate::network::Network;
use crate::progress::Progress;
use crate::random::nth_seed;

/// Trains a teacher on `data` and returns its model. `validation` serves early stopping. `progress` is called after
/// each epoch; on `Break` the teacher trained so far is returned.
///
/// # Errors
/// Fails as [`train`](super::train()) does, and if a row has no target.
pub fn fit(
    data: &Dataset,
    validation: Option<&Dataset>,
    settings: &Settings,
    progress: &mut dyn FnMut(Progress<'_, Epoch>) -> ControlFlow<()>,
) -> Result<Model> {
    let rows = TrainingSet::new(data, validation);
    let network = rows.network(settings, progress)?;
    Ok(rows.model(settings, Body::F32(network)))
}

/// Trains an ensemble of `members` networks in parallel, one per core. They differ only by their seeds, and so by
/// initial weights and order of samples (Lakshminarayanan et al. 2017). The first member is the teacher that [`fit`]
/// trains. `progress` is called after each epoch of each member, from several threads.
///
/// # Errors
/// Fails as [`fit`] does, and if `members` is 0.
pub fn fit_ensemble(
    data: &Dataset,
    validation: Option<&Dataset>,
    settings: &Settings,
    members: usize,
    progress: &(dyn Fn(Progress<'_, Epoch>) -> ControlFlow<()> + Sync),
) -> Result<Model> {
    if members == 0 {
        return Err(Error::Invalid("an ensemble needs at least one member".into()));
    }
    let rows = TrainingSet::new(data, validation);
    let member = |member: usize| {
        let settings = Settings { seed: nth_seed(settings.seed, member), ..settings.clone() };
        rows.network(&settings, &mut |state| progress(state))
    };
    let networks = (0..members).into_par_iter().map(member).collect::<Result<Vec<_>>>()?;
    let body = match <[Network; 1]>::try_from(networks) {
        Ok([network]) => Body::F32(network),
        Err(networks) => Body::Ensemble(networks),
    };
    Ok(rows.model(settings, body))
}

/// Shares of training and validation rows for a teacher [like](fit_like) one that was trained with early stopping.
const STOPPING: [f64; 2] = [0.85, 0.15];

/// Trains another teacher on other rows in the way `teacher` was trained: with its number of networks, settings and
/// seed. If `teacher` was trained with early stopping, a part of `data` becomes the validation set. The members of a blend keep
/// their hyperparameters, weights and temperatures. `flow` is called often, from several threads; a `Break` ends the training
/// early.
///
/// # Errors
/// Fails as [`fit`] does, if the model file does not record [how it was trained](Metadata::training), and if there
/// are too few rows to set a validation part aside.
pub fn fit_like(
    teacher: &Model,
    data: &Dataset,
    flow: &(dyn Fn() -> ControlFlow<()> + Sync),
) -> Result<Model> {
    if let Body::Blend(blend) = &teacher.body {
        return zoo::fit_like(teacher, blend, data, flow);
    }
    let progress = &|_: Progress<'_, Epoch>| flow();
    let Some(settings) = &teacher.metadata.training else {
        return Err(Error::Invalid(
            "the model does not say how it was trained: train the teacher again with this version".into(),
        ));
    };
    let members = match &teacher.body {
        Body::Ensemble(members) => members.len(),
        Body::F32(_) | Body::Blend(_) | Body::Int8(_) | Body::Int4(_) => 1,
    };
    if settings.patience.is_none() {
        return fit_ensemble(data, None, settings, members, progress);
    }
    let parts: Vec<Dataset> =
        split(data, &STOPPING, settings.seed)?.iter().map(|rows| data.select(rows)).collect();
    fit_ensemble(&parts[0], Some(&parts[1]), settings, members, progress)
}

/// Standardized training and validation rows of a teacher.
struct TrainingSet<'a> {
    data: &'a Dataset,
    standardizer: Standardizer,
    training: Standardized,
    validation: Option<Standardized>,
}

impl<'a> TrainingSet<'a> {
    fn new(data: &'a Dataset, validation: Option<&Dataset>) -> Self {
        let standardizer = Standardizer::fit(data, None);
        TrainingSet {
            data,
            training: standardizer.apply(data),
            validation: validation.map(|data| standardizer.apply(data)),
            standardizer,
        }
    }

    fn network(
        &self,
        settings: &Settings,
        progress: &mut dyn FnMut(Progress<'_, Epoch>) -> ControlFlow<()>,
    ) -> Result<Network> {
        let validation = self.validation.as_ref().map(examples).transpose()?;
        let watch = &mut |epoch, network: &dyn Fn() -> Network| {
            progress(Progress::new(epoch, network, &self.standardizer))
        };
        let trained = train_watched(settings, examples(&self.training)?, validation, watch)?;
        Ok(self.standardizer.restore(trained.network))
    }

    fn model(self, settings: &Settings, body: Body) -> Model {
        // A single training uses one thread.
        let machine = Machine { arch: std::env::consts::ARCH.into(), threads: 1 };
        let metadata = Metadata {
            training: Some(settings.clone()),
            machine: Some(machine),
            ..Metadata::of(self.data, Role::Teacher, settings.seed)
        };
        Model::new(metadata, self.standardizer.preparation, body, &self.data.x)
    }
}

pub(super) fn examples(data: &Standardized) -> Result<Examples<'_>> {
    let target = match (&data.classes, &data.values) {
        (Some(classes), _) => Target::Classes(classes),
        (None, Some(values)) => Target::Values(values),
        (None, None) => return Err(Error::Invalid(
            "a teacher needs a target in every row: remove the rows without one, or name the target column"
                .into(),
        )),
    };
    Ok(Examples { x: &data.x, target })
}
