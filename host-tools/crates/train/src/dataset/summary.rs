//! Summary of each feature.

use rayon::prelude::*;

use super::Dataset;
use super::sorted::Sorted;

/// Summary of a feature's values. The numbers are none if all values are missing.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Summary {
    /// Name of the feature.
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
    let summary = |feature: usize| {
        let origin = data.origin.get(feature).copied().unwrap_or(0.0);
        let sorted = Sorted::new(&data.x, feature);
        let value = |place: usize| sorted.value(place).map(|value| f64::from(value) + origin);
        Summary {
            name: data.features[feature].clone(),
            missing: data.rows() - sorted.present(),
            different: sorted.different(),
            least: value(0),
            median: value(sorted.present() / 2),
            most: sorted.present().checked_sub(1).and_then(value),
        }
    };
    (0..data.features.len()).into_par_iter().map(summary).collect()
}
