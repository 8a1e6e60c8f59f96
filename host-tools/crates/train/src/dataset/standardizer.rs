//! Standardization of training rows, and its inverse on a trained network.

use nalgebra::DMatrix;

use super::{Dataset, Target};
use crate::dataset::{Scaler, Task};
use crate::network::Network;

/// Standardizer, fitted to training rows and applied to any rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Standardizer {
    /// Scaler of the features.
    pub scaler: Scaler,
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
        let values = match (&data.task, outputs, &data.target) {
            (Task::Regression { .. }, Some(outputs), _) => Some(outputs),
            (_, _, Target::Values(values)) => Some(values),
            _ => None,
        };
        let values = values.map_or_else(Vec::new, |values| {
            let Scaler { mean, scale } = Scaler::fit(values);
            // If all values of a target are equal, they keep their unit.
            let deviation = |scale: f32| if scale > 0.0 { 1.0 / scale } else { 1.0 };
            mean.into_iter().zip(scale.into_iter().map(deviation)).collect()
        });
        Standardizer { scaler: Scaler::fit(&data.x), values }
    }

    /// Standardizes rows.
    pub fn apply(&self, data: &Dataset) -> Standardized {
        let (classes, values) = match &data.target {
            Target::Classes(classes) => (Some(classes.clone()), None),
            Target::Values(values) => (None, Some(self.values(values))),
            Target::Partial(_) | Target::Absent => (None, None),
        };
        Standardized { x: self.scaler.apply(&data.x), classes, values }
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
    /// units.
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
        network
    }
}
