//! Standardization of training rows, and its inverse on a trained network.

use nalgebra::DMatrix;

use super::{Dataset, Target};
use crate::dataset::{Scaler, Task};
use crate::network::Network;

/// Fitted on training rows, applied to any.
#[derive(Clone, Debug, PartialEq)]
pub struct Standardizer {
    /// Scaler of the features.
    pub scaler: Scaler,
    /// Mean and standard deviation of the target's values; 0 and 1 for classes.
    value: (f32, f32),
}

/// Rows as a trainer takes them.
#[derive(Clone, Debug, PartialEq)]
pub struct Standardized {
    /// Shape (features × rows).
    pub x: DMatrix<f32>,
    /// Indices of labels, where every row has one.
    pub classes: Option<Vec<usize>>,
    /// Shape (1 × rows).
    pub values: Option<DMatrix<f32>>,
}

impl Standardizer {
    /// Fits a standardizer to training rows. Where values are learned from a teacher, `outputs` holds the
    /// teacher's values for them.
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
            // Values that are all equal keep their unit.
            (mean[0], if scale[0] > 0.0 { 1.0 / scale[0] } else { 1.0 })
        };
        Standardizer { scaler: Scaler::fit(&data.x), value }
    }

    /// These rows, standardized.
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

    /// Values of the target's unit, standardized; logits as they are.
    pub fn values(&self, outputs: &DMatrix<f32>) -> DMatrix<f32> {
        let (mean, deviation) = self.value;
        outputs.map(|value| (value - mean) / deviation)
    }

    /// Folds the unit of the target's values into the last layer.
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
