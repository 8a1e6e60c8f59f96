//! The values of a metric that are summarized and compared.

use super::results::Cell;
use microdistill_train::metrics::Scores;

/// The values of a metric in [`METRICS`](super::results::METRICS) or
/// [`VALUE_METRICS`](super::results::VALUE_METRICS) that are paired: one per cell or, where groups are left out,
/// one per group, the mean over its seeds.
pub(super) fn values(cells: &[Cell], metric: &str) -> Vec<f64> {
    let of_cells = cells.iter().filter_map(|cell| value(cell, metric, &cell.test)).collect::<Vec<_>>();
    by_group(&of_cells, &cells.iter().map(|cell| cell.group.as_deref()).collect::<Vec<_>>())
}

/// The mean of adjacent values of the same group; values without a group stay as they are.
pub(super) fn by_group(values: &[f64], groups: &[Option<&str>]) -> Vec<f64> {
    let pairs: Vec<(f64, Option<&str>)> = values.iter().copied().zip(groups.iter().copied()).collect();
    let same = |a: &(f64, Option<&str>), b: &(f64, Option<&str>)| a.1.is_some() && a.1 == b.1;
    let mean = |of: &[(f64, Option<&str>)]| of.iter().map(|(value, _)| value).sum::<f64>() / of.len() as f64;
    pairs.chunk_by(same).map(mean).collect()
}

/// A metric of the cell after quantization to int8.
pub(super) fn int8_value(cell: &Cell, metric: &str) -> Option<f64> {
    value(cell, metric, cell.test_int8.as_ref()?)
}

/// A metric of the cell, with these scores on the test rows.
fn value(cell: &Cell, metric: &str, test: &Scores) -> Option<f64> {
    match (metric, &cell.train, test) {
        ("parameters", ..) => Some(cell.parameters as f64),
        ("flash", ..) => cell.flash_bytes.map(|bytes| bytes as f64),
        (_, Scores::Classification(train), Scores::Classification(test)) => match metric {
            "train accuracy" => Some(train.accuracy),
            "test accuracy" => Some(test.accuracy),
            "gap" => Some(train.accuracy - test.accuracy),
            "nll" => Some(test.nll),
            "brier" => Some(test.brier),
            "ece" => Some(test.ece),
            _ => None,
        },
        (_, Scores::Regression(train), Scores::Regression(test)) => match metric {
            "train r2" => Some(train.r2),
            "r2" => Some(test.r2),
            "r2 gap" => Some(train.r2 - test.r2),
            "train rmse" => Some(train.rmse),
            "rmse" => Some(test.rmse),
            _ => None,
        },
        _ => None,
    }
}
