//! A study as a table for other programs: one row a cell.

use serde::Serialize;

use super::number::widths;
use crate::study::results::{ArmKind, Cell, Results, SetResults};
use microdistill_train::error::{Error, Result};
use microdistill_train::metrics::Scores;

/// One trained model; what does not apply is empty.
#[derive(Serialize)]
struct Record<'a> {
    set: &'a str,
    label_noise: f64,
    training_share: f64,
    arm: &'a str,
    kind: Option<ArmKind>,
    seed: u64,
    /// The group left out.
    group: Option<&'a str>,
    widths: String,
    parameters: usize,
    flash_bytes: Option<usize>,
    flash_bytes_int8: Option<usize>,
    chosen: Option<&'a str>,
    train_rows: usize,
    train_accuracy: Option<f64>,
    train_nll: Option<f64>,
    train_brier: Option<f64>,
    train_ece: Option<f64>,
    train_rmse: Option<f64>,
    train_r2: Option<f64>,
    test_rows: usize,
    test_accuracy: Option<f64>,
    test_nll: Option<f64>,
    test_brier: Option<f64>,
    test_ece: Option<f64>,
    test_rmse: Option<f64>,
    test_r2: Option<f64>,
    test_accuracy_int8: Option<f64>,
    test_nll_int8: Option<f64>,
    test_rmse_int8: Option<f64>,
    test_r2_int8: Option<f64>,
}

/// Accuracy, NLL, Brier score, ECE, RMSE and R².
fn scores(scores: &Scores) -> [Option<f64>; 6] {
    match scores {
        Scores::Classification(of) => {
            [Some(of.accuracy), Some(of.nll), Some(of.brier), Some(of.ece), None, None]
        }
        Scores::Regression(of) => [None, None, None, None, Some(of.rmse), Some(of.r2)],
    }
}

fn record<'a>(results: &'a Results, set: &'a SetResults, cell: &'a Cell) -> Record<'a> {
    let [train_accuracy, train_nll, train_brier, train_ece, train_rmse, train_r2] = scores(&cell.train);
    let [test_accuracy, test_nll, test_brier, test_ece, test_rmse, test_r2] = scores(&cell.test);
    let [test_accuracy_int8, test_nll_int8, _, _, test_rmse_int8, test_r2_int8] =
        cell.test_int8.as_ref().map_or([None; 6], scores);
    Record {
        set: &set.name,
        label_noise: set.condition.label_noise,
        training_share: set.condition.training_share,
        arm: &cell.arm,
        kind: results.arms.iter().find(|arm| arm.name == cell.arm).map(|arm| arm.kind),
        seed: cell.seed,
        group: cell.group.as_deref(),
        widths: widths(&cell.widths),
        parameters: cell.parameters,
        flash_bytes: cell.flash_bytes,
        flash_bytes_int8: cell.flash_bytes_int8,
        chosen: cell.chosen.as_deref(),
        train_rows: cell.train.rows(),
        train_accuracy,
        train_nll,
        train_brier,
        train_ece,
        train_rmse,
        train_r2,
        test_rows: cell.test.rows(),
        test_accuracy,
        test_nll,
        test_brier,
        test_ece,
        test_rmse,
        test_r2,
        test_accuracy_int8,
        test_nll_int8,
        test_rmse_int8,
        test_r2_int8,
    }
}

/// The study's cells as CSV, with a header; nothing for a study without cells.
///
/// # Errors
/// None that a study can cause.
pub fn csv(results: &Results) -> Result<String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let invalid = |error: &dyn std::fmt::Display| {
        Error::Invalid(format!("the study's cells cannot be written: {error}"))
    };
    for set in &results.sets {
        for cell in &set.cells {
            writer.serialize(record(results, set, cell)).map_err(|error| invalid(&error))?;
        }
    }
    let bytes = writer.into_inner().map_err(|error| invalid(&error))?;
    String::from_utf8(bytes).map_err(|error| invalid(&error))
}
