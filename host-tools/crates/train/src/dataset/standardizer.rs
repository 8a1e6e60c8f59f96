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
    /// Mean and standard deviation of the target's values, in their unit; 0 and 1 for classes.
    value: (f32, f32),
}

/// Standardized rows, in the form that a trainer takes.
#[derive(Clone, Debug, PartialEq)]
pub struct Standardized {
    /// Standardized features, shape (features × rows).
    pub x: DMatrix<f32>,
    /// Class index of each row, if every row has a label.
    pub classes: Option<Vec<usize>>,
    /// Standardized values of the target, shape (1 × rows), in regression.
    pub values: Option<DMatrix<f32>>,
}

impl Standardizer {
    /// Fits a standardizer to training rows. If a student learns values from a teacher, `outputs` holds the teacher's
    /// values for these rows.
    pub fn fit(data: &Dataset, outputs: Option<&DMatrix<f32>>) -> Self {
        let values = match (&data.task, outputs, &data.target) {
            (Task::Regression { .. }, Some(outputs), _) => outputs.as_slice(),
            (_, _, Target::Values(values)) => values,
            _ => &[],
        };
        let value = if values.is_empty() {
            (0.0, 1.0)
        } else {
            let Scaler { mean, scale } = Scaler::fit(&DMatrix::from_row_slice(1, values.len(), values));
            // If all values are equal, they keep their unit.
            (mean[0], if scale[0] > 0.0 { 1.0 / scale[0] } else { 1.0 })
        };
        Standardizer { scaler: Scaler::fit(&data.x), value }
    }

    /// Standardizes rows.
    pub fn apply(&self, data: &Dataset) -> Standardized {
        let (classes, values) = match &data.target {
            Target::Classes(classes) => (Some(classes.clone()), None),
            Target::Values(values) => {
                (None, Some(self.values(&DMatrix::from_row_slice(1, values.len(), values))))
            }
            Target::Partial(_) | Target::Absent => (None, None),
        };
        Standardized { x: self.scaler.apply(&data.x), classes, values }
    }

    /// Standardizes values in the target's unit. Logits stay unchanged.
    pub fn values(&self, outputs: &DMatrix<f32>) -> DMatrix<f32> {
        let (mean, deviation) = self.value;
        outputs.map(|value| (value - mean) / deviation)
    }

    /// Folds the inverse standardization of the target into the last layer, which then gives values in the target's
    /// unit.
    pub fn restore(&self, mut network: Network) -> Network {
        let (mean, deviation) = self.value;
        if (mean, deviation) != (0.0, 1.0)
            && let Some(last) = network.layers_mut().last_mut()
        {
            last.edit_weights(|weights| weights.iter_mut().for_each(|weight| *weight *= deviation));
            last.bias.iter_mut().for_each(|bias| *bias = *bias * deviation + mean);
        }
        network
    }
}
