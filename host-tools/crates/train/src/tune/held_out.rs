//! Losses of held-out rows.

use nalgebra::DMatrix;

use crate::dataset::{Dataset, Target};
use crate::error::{Error, Result};
use crate::metrics::{best_temperature, row_nlls};

/// How the confidence of a classifier counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Confidence {
    /// As it is.
    Given,
    /// Corrected by the one temperature that suits all rows best.
    Corrected,
}

/// Loss of each held-out row: the negative log-likelihood or the squared error, as a share of the variance of all rows, in the
/// mean over the targets. `outputs` are those of each part of the rows.
pub(crate) fn losses(
    outputs: &[DMatrix<f32>],
    judged: &[Dataset],
    confidence: Confidence,
) -> Result<Vec<f64>> {
    let columns: Vec<_> = outputs.iter().flat_map(DMatrix::column_iter).collect();
    let outputs = DMatrix::from_columns(&columns);
    Ok(match targets(judged)? {
        Targets::Classes(labels) => {
            let temperature = match confidence {
                Confidence::Given => 1.0,
                Confidence::Corrected => best_temperature(&outputs, &labels),
            };
            row_nlls(&outputs, &labels, temperature).collect()
        }
        Targets::Values(values) => {
            let variances: Vec<f64> = values.row_iter().map(|row| row.map(f64::from).variance()).collect();
            let error = |row: usize, target: usize| {
                let error = f64::from(values[(target, row)]) - f64::from(outputs[(target, row)]);
                error.powi(2) / variances[target]
            };
            // A target without variance is learned by its mean.
            let varying: Vec<usize> =
                (0..variances.len()).filter(|&target| variances[target] > 0.0).collect();
            let loss = |row| varying.iter().map(|&target| error(row, target)).sum::<f64>();
            (0..values.ncols()).map(|row| loss(row) / varying.len().max(1) as f64).collect()
        }
    })
}

/// Mean loss of the best constant outputs: the entropy of the classes, or one variance.
pub(crate) fn constant_loss(judged: &[Dataset]) -> Result<f64> {
    Ok(match targets(judged)? {
        Targets::Classes(labels) => {
            let mut counts = vec![0.0; labels.iter().max().map_or(0, |label| label + 1)];
            labels.iter().for_each(|&label| counts[label] += 1.0);
            let shares = counts.iter().map(|count| count / labels.len() as f64);
            shares.filter(|share| *share > 0.0).map(|share| -share * share.ln()).sum()
        }
        Targets::Values(_) => 1.0,
    })
}

/// Targets of all held-out rows.
enum Targets {
    Classes(Vec<usize>),
    /// Shape (targets × rows).
    Values(DMatrix<f32>),
}

fn targets(judged: &[Dataset]) -> Result<Targets> {
    let (mut classes, mut values) = (Vec::new(), Vec::new());
    for rows in judged {
        match &rows.target {
            Target::Classes(labels) => classes.extend_from_slice(labels),
            Target::Values(numbers) => values.extend(numbers.column_iter()),
            Target::Partial(_) | Target::Absent => {
                return Err(Error::Invalid(
                    "rows without a target cannot be held out: give a number of epochs or steps, or rows with a target".into(),
                ));
            }
        }
    }
    Ok(if values.is_empty() {
        Targets::Classes(classes)
    } else {
        Targets::Values(DMatrix::from_columns(&values))
    })
}
