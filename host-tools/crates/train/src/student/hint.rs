//! Hints: pretraining of a student's hidden layers on a hidden layer of the teacher.

use nalgebra::DMatrix;

use super::recipe::Recipe;
use super::samples::Samples;
use super::settings::Settings;
use super::train::{Epoch, train_watched};
use crate::class_weights::ClassWeights;
use crate::error::{Error, Result};
use crate::hyperparameters::Hyperparameters;
use crate::network::Network;
use crate::outputs::TeacherOutputs;
use crate::progress::Watch;

/// Trains hidden layers to reproduce the teacher's hidden layer through a linear layer, which is then dropped
/// (FitNets, Romero et al. 2015, first stage). `x` holds standardized rows, shape (inputs × rows); `hints` has shape
/// (units of the teacher × rows).
///
/// This stage takes half as long as the training that follows, in addition to those.
pub(super) fn hidden_layers(
    settings: &Settings,
    x: &DMatrix<f32>,
    hints: &DMatrix<f32>,
    progress: &mut Watch<'_, Epoch>,
) -> Result<Network> {
    let [hidden @ .., _] = settings.training.widths.as_slice() else { return Err(no_hidden_layer()) };
    if hidden.len() < 2 {
        return Err(no_hidden_layer());
    }
    let stage = Settings {
        training: Hyperparameters {
            widths: [hidden, &[hints.nrows()]].concat(),
            length: settings.training.length.half(),
            patience: None,
            class_weights: ClassWeights::None,
            ..settings.training.clone()
        },
        recipe: Recipe::ValueMse,
        annealing: None,
        label_smoothing: 0.0,
        precision: None,
        ..settings.clone()
    };
    let teacher_outputs = TeacherOutputs::from(hints.clone());
    let labels = vec![None; x.ncols()];
    let samples = Samples { x, labels: &labels, teacher: Some(&teacher_outputs), weights: None };
    let layers = train_watched(&stage, None, samples, None, progress)?.network.layers().to_vec();
    let hidden = layers.len() - 1;
    Ok(Network::new(layers.into_iter().take(hidden)))
}

fn no_hidden_layer() -> Error {
    Error::Invalid(
        "hints are for hidden layers, but the student has none: give it a hidden layer, or train it without \
         hints"
            .into(),
    )
}
