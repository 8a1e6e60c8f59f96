//! Temperatures of members, and their weights by greedy selection (Caruana et al. 2004).

use nalgebra::DMatrix;

use crate::metrics::{classification, nll};
use crate::teacher::Target;

/// Temperatures to choose from.
const TEMPERATURES: [f64; 14] = [0.35, 0.42, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.15, 1.3, 1.5, 1.8, 2.2, 3.0];

/// Predictions of a learner for rows that it was not trained on.
pub(super) struct Unseen {
    /// Logits or standardized values, shape (outputs × rows).
    pub(super) outputs: DMatrix<f32>,
    pub(super) temperature: f32,
    pub(super) loss: f64,
    /// Accuracy or R².
    pub(super) score: f64,
}

impl Unseen {
    /// Judges outputs at their best temperature.
    pub(super) fn of(outputs: DMatrix<f32>, target: Target<'_>) -> Self {
        let temperature = match target {
            Target::Values(_) => 1.0,
            Target::Classes(classes) => {
                let losses =
                    TEMPERATURES.map(|temperature| (nll(&outputs, classes, temperature), temperature));
                let best = losses.into_iter().reduce(|best, next| if next.0 < best.0 { next } else { best });
                best.map_or(1.0, |(_, temperature)| temperature)
            }
        };
        let (loss, score) = judge(&outputs, target, temperature);
        Unseen { outputs, temperature: temperature as f32, loss, score }
    }
}

/// Returns the loss of outputs at a temperature, and their accuracy or R².
pub(super) fn judge(outputs: &DMatrix<f32>, target: Target<'_>, temperature: f64) -> (f64, f64) {
    match target {
        Target::Classes(classes) => {
            (nll(outputs, classes, temperature), classification(outputs, classes).accuracy)
        }
        Target::Values(values) => {
            let error = |(a, b): (&f32, &f32)| f64::from(a - b).powi(2);
            let loss = outputs.iter().zip(values).map(error).sum::<f64>() / values.len().max(1) as f64;
            let variance = values.row_iter().map(|row| f64::from(row.variance())).sum::<f64>();
            let variance = variance / values.nrows().max(1) as f64;
            (loss, if variance > 0.0 { 1.0 - loss / variance } else { 0.0 })
        }
    }
}

/// Chooses members one after the other, with replacement: each time the one with which the mean of the chosen ones has the
/// smallest loss. Returns the weights of the best number of members.
pub(super) fn select(members: &[Unseen], target: Target<'_>, rounds: usize) -> Vec<f32> {
    let heard: Vec<Vec<f32>> = members.iter().map(|member| heard(member, target)).collect();
    let mut counts = vec![0usize; members.len()];
    let mut best = (f64::INFINITY, counts.clone());
    let mut sum = vec![0.0f32; heard.first().map_or(0, Vec::len)];
    for round in 1..=rounds {
        let losses = heard.iter().map(|heard| loss(&sum, heard, round as f32, target));
        let next = losses.enumerate().reduce(|best, next| if next.1 < best.1 { next } else { best });
        let Some((next, loss)) = next else { break };
        counts[next] += 1;
        sum.iter_mut().zip(&heard[next]).for_each(|(sum, value)| *sum += value);
        if loss < best.0 {
            best = (loss, counts.clone());
        }
    }
    let total = best.1.iter().sum::<usize>().max(1) as f32;
    best.1.iter().map(|&count| count as f32 / total).collect()
}

/// What the loss of a mixture depends on: the probability of each row's class, or the values.
fn heard(member: &Unseen, target: Target<'_>) -> Vec<f32> {
    match target {
        Target::Values(_) => member.outputs.as_slice().to_vec(),
        Target::Classes(classes) => {
            let losses = crate::metrics::row_nlls(&member.outputs, classes, member.temperature.into());
            losses.map(|loss| microdistill::scalar::Scalar::exp(-loss).max(SMALLEST) as f32).collect()
        }
    }
}

/// Smallest probability, whose logarithm is finite.
const SMALLEST: f64 = 1e-30;

/// Mean loss of the mean of `count` members: those in `sum` and one more.
fn loss(sum: &[f32], more: &[f32], count: f32, target: Target<'_>) -> f64 {
    let means = sum.iter().zip(more).map(|(sum, more)| f64::from((sum + more) / count));
    let total = match target {
        Target::Classes(_) => means.map(|share| -microdistill::scalar::Scalar::ln(share)).sum::<f64>(),
        Target::Values(values) => {
            means.zip(values).map(|(mean, value)| (mean - f64::from(*value)).powi(2)).sum()
        }
    };
    total / sum.len().max(1) as f64
}
