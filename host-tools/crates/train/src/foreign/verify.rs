//! Comparison of an imported model with outputs of the original.

use serde::Serialize;

use super::Imported;
use crate::error::{Error, Result};
use crate::metrics::probabilities;
use crate::model::{Body, Model};

/// Result of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Verified {
    /// Number of rows that were compared.
    pub rows: usize,
    /// Largest difference, relative to 1 or to the value of the original.
    pub largest_difference: f64,
}

/// Largest difference of a model that is right: f32 sums in another order differ by less.
const TOLERANCE: f64 = 1e-3;

/// Compares the outputs of a model with those of the original for the same rows: probabilities or logits of classes, or values.
///
/// # Errors
/// Fails if the rows do not fit the model, or if the outputs differ.
pub fn verify(imported: &Imported, inputs: &[Vec<f64>], outputs: &[Vec<f64>]) -> Result<Verified> {
    let model = &imported.model;
    let invalid = |message: String| Err(Error::Invalid(message));
    if inputs.len() != outputs.len() || inputs.is_empty() {
        return invalid(format!(
            "{} rows of inputs, but {} rows of outputs: give as many, at least one",
            inputs.len(),
            outputs.len()
        ));
    }
    let (mut largest, tolerance) = (0f64, tolerance(model));
    for (row, (x, wanted)) in inputs.iter().zip(outputs).enumerate() {
        if x.len() != model.features().len() {
            return invalid(format!(
                "row {} has {} inputs, but the model has {}",
                row + 1,
                x.len(),
                model.features().len()
            ));
        }
        let x: Vec<f32> = x.iter().map(|&x| x as f32).collect();
        let found = model.logits(&x);
        let difference = difference(model, &found, wanted).ok_or_else(|| {
            Error::Invalid(format!(
                "row {} has {} outputs, but the model has {}",
                row + 1,
                wanted.len(),
                found.len()
            ))
        })?;
        if difference.is_nan() || difference > tolerance {
            return invalid(format!(
                "row {}: the imported model gives {:?}, but the original {wanted:?}: is --outputs right, and are the inputs those of \
                 the outputs?",
                row + 1,
                shown(model, &found)
            ));
        }
        largest = largest.max(difference);
    }
    Ok(Verified { rows: inputs.len(), largest_difference: largest })
}

/// Returns the largest difference of a model that is right. Versions of TensorFlow Lite round codes differently, so an output
/// may be one code away, and probabilities have 256 codes.
fn tolerance(model: &Model) -> f64 {
    match &model.body {
        Body::Int8(network) => f64::from(network.output().scale).max(1.0 / 256.0) * 1.01,
        _ => TOLERANCE,
    }
}

/// Returns the outputs as the model predicts them.
fn shown(model: &Model, found: &[f32]) -> Vec<f64> {
    match model.labels() {
        [] => found.iter().map(|&value| value.into()).collect(),
        _ => probabilities(found).0,
    }
}

/// Returns the largest difference of a row, whatever form the outputs of the original have; none if their number does not fit.
fn difference(model: &Model, found: &[f32], wanted: &[f64]) -> Option<f64> {
    let far = |found: &[f64], wanted: &[f64]| {
        let pairs = found.iter().zip(wanted).map(|(a, b)| (a - b).abs() / b.abs().max(1.0));
        pairs.fold(0.0, |largest: f64, far| if far <= largest { largest } else { far })
    };
    let raw: Vec<f64> = found.iter().map(|&value| value.into()).collect();
    let own = shown(model, found);
    match (model.labels().len(), wanted) {
        (2, &[second]) => Some(far(&own, &[1.0 - second, second])),
        (0, wanted) if wanted.len() == found.len() => Some(far(&raw, wanted)),
        (_, wanted) if wanted.len() == found.len() => {
            let logs: Vec<f64> = own.iter().map(|p| p.ln()).collect();
            Some(far(&own, wanted).min(far(&raw, wanted)).min(far(&logs, wanted)))
        }
        _ => None,
    }
}
