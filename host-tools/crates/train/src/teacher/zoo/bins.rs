//! Features as the indices of bins, which trees compare instead of numbers.

use nalgebra::DMatrix;
use rayon::prelude::*;

/// Most bins of a feature.
pub(super) const MOST_BINS: usize = 128;

/// Rows by which the bins of a feature are chosen: an even sample of more rows.
const SAMPLE: usize = 100_000;

/// Binned features of a data set. Folds share them, because bins know nothing of the targets.
pub(super) struct Bins {
    pub(super) features: Vec<Feature>,
    rows: usize,
}

/// One binned feature.
pub(super) struct Feature {
    /// Bin of each row.
    pub(super) codes: Vec<u8>,
    /// Upper edge of each bin but the last: a value up to edge b is in bin b or below.
    pub(super) edges: Vec<f32>,
    /// A typical value of each bin, ascending.
    pub(super) centers: Vec<f32>,
}

impl Bins {
    /// Divides each feature of `x`, shape (features × rows), into at most [`MOST_BINS`] bins: one for each value, or else
    /// bins of about as many rows each.
    pub(super) fn of(x: &DMatrix<f32>) -> Self {
        let rows: Vec<usize> = (0..x.nrows()).collect();
        let features =
            rows.par_iter().map(|&row| Feature::of(&x.row(row).iter().copied().collect::<Vec<f32>>()));
        Bins { features: features.collect(), rows: x.ncols() }
    }

    /// Number of rows.
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// Indices of the features that are not constant.
    pub(super) fn varying(&self) -> Vec<usize> {
        (0..self.features.len()).filter(|&feature| self.features[feature].bins() > 1).collect()
    }
}

impl Feature {
    fn of(values: &[f32]) -> Self {
        let step = values.len().div_ceil(SAMPLE).max(1);
        let mut sorted: Vec<f32> = values.iter().step_by(step).copied().collect();
        sorted.sort_unstable_by(f32::total_cmp);
        let mut distinct = sorted.clone();
        distinct.dedup();
        let centers = if distinct.len() <= MOST_BINS { distinct } else { quantiles(&sorted) };
        let edges: Vec<f32> = centers.windows(2).map(|pair| between(pair[0], pair[1])).collect();
        let code = |value: &f32| edges.partition_point(|edge| edge < value) as u8;
        Feature { codes: values.iter().map(code).collect(), edges, centers }
    }

    pub(super) fn bins(&self) -> usize {
        self.centers.len()
    }
}

/// Distinct values in the middle of [`MOST_BINS`] parts of the sorted values, of equal size.
fn quantiles(sorted: &[f32]) -> Vec<f32> {
    let middle = |bin: usize| sorted[(2 * bin + 1) * sorted.len() / (2 * MOST_BINS)];
    let mut centers: Vec<f32> = (0..MOST_BINS).map(middle).collect();
    centers.dedup();
    centers
}

/// A number at least `low` and below `high`, half way between them.
fn between(low: f32, high: f32) -> f32 {
    let middle = (0.5 * (f64::from(low) + f64::from(high))) as f32;
    if middle < high { middle } else { low }
}
