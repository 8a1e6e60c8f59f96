//! Summary of each feature and target.

use nalgebra::DMatrix;
use rayon::prelude::*;
use serde::Serialize;

use super::sorted::Sorted;
use super::{Dataset, Target};

/// Summary of a column's values, in the unit of the column. The numbers are none if all values are missing.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Summary {
    /// Name of the column.
    pub name: String,
    /// Number of missing values.
    pub missing: usize,
    /// Number of different values.
    pub different: usize,
    /// The least value.
    pub least: Option<f64>,
    /// The median; of an even number of values the upper one of the two in the middle.
    pub median: Option<f64>,
    /// The greatest value.
    pub most: Option<f64>,
}

/// Summarizes the features, in their order.
pub fn summaries(data: &Dataset) -> Vec<Summary> {
    of_columns(&data.features, &data.x, &data.origin)
}

/// Summarizes the targets, in their order; none if they are classes.
pub fn target_summaries(data: &Dataset) -> Vec<Summary> {
    match &data.target {
        Target::Values(values) => of_columns(data.task.targets(), values, &data.target_origin),
        Target::Classes(_) | Target::Partial(_) | Target::Absent => Vec::new(),
    }
}

/// Summarizes columns of these names, shape (columns × rows), less their origins.
fn of_columns(names: &[String], x: &DMatrix<f32>, origins: &[f64]) -> Vec<Summary> {
    let summary = |(column, name): (usize, &String)| {
        let origin = origins.get(column).copied().unwrap_or(0.0);
        let sorted = Sorted::new(x, column);
        let value = |place: usize| sorted.value(place).map(|value| f64::from(value) + origin);
        Summary {
            name: name.clone(),
            missing: x.ncols() - sorted.present(),
            different: sorted.different(),
            least: value(0),
            median: value(sorted.present() / 2),
            most: sorted.present().checked_sub(1).and_then(value),
        }
    };
    names.par_iter().enumerate().map(summary).collect()
}
