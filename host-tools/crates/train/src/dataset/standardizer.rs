//! Standardization of training rows, and its inverse on a trained network.

use nalgebra::DMatrix;

use super::{Dataset, Knots, Preparation, Target};
use crate::dataset::{Scaler, Task};
use crate::error::Result;
use crate::network::Network;

/// Standardizer, fitted to training rows and applied to any rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Standardizer {
    /// First step of an inference by the trained network.
    pub preparation: Preparation,
    /// Scaler of the code that piecewise-linear inputs are trained on.
    code: Option<Scaler>,
    /// Mean and standard deviation of each target's values, in their unit; empty for classes.
    values: Vec<(f32, f32)>,
}

/// Standardized rows, in the form that a trainer takes.
#[derive(Clone, Debug, PartialEq)]
pub struct Standardized {
    /// Standardized features, shape (features × rows).
    pub x: DMatrix<f32>,
    /// Class index of each row, if every row has a label.
    pub classes: Option<Vec<usize>>,
    /// Standardized values of the targets, shape (targets × rows), in regression.
    pub values: Option<DMatrix<f32>>,
}

impl Standardizer {
    /// Fits a standardizer to training rows. If a student learns values from a teacher, `outputs` holds the teacher's
    /// values for these rows.
    pub fn fit(data: &Dataset, outputs: Option<&DMatrix<f32>>) -> Self {
        let preparation = Scaler::fit(&data.x).into();
        Standardizer { preparation, code: None, values: values(data, outputs) }
    }

    /// Fits a standardizer as [`fit`](Standardizer::fit) does, for a network with piecewise-linear inputs of at most
    /// `most_pieces` pieces per feature. Training rows become the standardized [code](Knots::encode) of their features, and
    /// [`restore`](Standardizer::restore) folds the trained network.
    ///
    /// # Errors
    /// Fails as [`Knots::fit`] does.
    pub fn fit_pieces(data: &Dataset, outputs: Option<&DMatrix<f32>>, most_pieces: usize) -> Result<Self> {
        let knots = Knots::fit(&data.x, most_pieces)?;
        let code = Some(Knots::code_scaler(&knots.encode(&data.x)));
        Ok(Standardizer { preparation: knots.into(), code, values: values(data, outputs) })
    }

    /// Returns the number of inputs of the network that is trained.
    pub fn width(&self) -> usize {
        self.code.as_ref().map_or(self.preparation.mean(), |code| &code.mean).len()
    }

    /// Standardizes raw features, shape (features × rows), as [`apply`](Standardizer::apply) does.
    pub fn features(&self, x: &DMatrix<f32>) -> DMatrix<f32> {
        match (&self.preparation, &self.code) {
            (Preparation::Knots(knots), Some(code)) => code.apply(&knots.encode(x)),
            (preparation, _) => preparation.apply(x),
        }
    }

    /// Returns the mean and the standard deviation of each target's values, in their unit; empty for classes.
    pub(crate) fn targets(&self) -> &[(f32, f32)] {
        &self.values
    }

    /// Standardizes rows.
    pub fn apply(&self, data: &Dataset) -> Standardized {
        let (classes, values) = match &data.target {
            Target::Classes(classes) => (Some(classes.clone()), None),
            Target::Values(values) => (None, Some(self.values(values))),
            Target::Partial(_) | Target::Absent => (None, None),
        };
        Standardized { x: self.features(&data.x), classes, values }
    }

    /// Standardizes values in the targets' units, shape (targets × rows). Logits stay unchanged.
    pub fn values(&self, outputs: &DMatrix<f32>) -> DMatrix<f32> {
        let mut outputs = outputs.clone();
        for (mut row, (mean, deviation)) in outputs.row_iter_mut().zip(&self.values) {
            row.iter_mut().for_each(|value| *value = (*value - mean) / deviation);
        }
        outputs
    }

    /// Folds the inverse standardization of the targets into the last layer, which then gives values in the targets'
    /// units, and the code of piecewise-linear inputs into the first one.
    pub fn restore(&self, mut network: Network) -> Network {
        let Some(last) = network.layers_mut().last_mut() else { return network };
        let inputs = last.inputs();
        last.edit_weights(|weights| {
            for (row, (_, deviation)) in weights.chunks_exact_mut(inputs).zip(&self.values) {
                row.iter_mut().for_each(|weight| *weight *= deviation);
            }
        });
        for (bias, (mean, deviation)) in last.bias.iter_mut().zip(&self.values) {
            *bias = *bias * deviation + mean;
        }
        match (&self.preparation, &self.code) {
            (Preparation::Knots(knots), Some(code)) => knots.fold(&network, code),
            _ => network,
        }
    }
}

/// Returns the mean and the standard deviation of each target's values; none for classes.
fn values(data: &Dataset, outputs: Option<&DMatrix<f32>>) -> Vec<(f32, f32)> {
    let values = match (&data.task, outputs, &data.target) {
        (Task::Regression { .. }, Some(outputs), _) => outputs,
        (_, _, Target::Values(values)) => values,
        _ => return Vec::new(),
    };
    let Scaler { mean, scale } = Scaler::fit(values);
    // If all values of a target are equal, they keep their unit.
    let deviation = |scale: f32| if scale > 0.0 { 1.0 / scale } else { 1.0 };
    mean.into_iter().zip(scale.into_iter().map(deviation)).collect()
}
