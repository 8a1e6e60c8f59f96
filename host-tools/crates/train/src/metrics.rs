//! Scores of a model, usually on rows it has not seen in training.

use microdistill::argmax;
use nalgebra::DMatrix;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use crate::dataset::{Dataset, Target};
use crate::error::{Error, Result};
use crate::model::Model;

/// Scores of a model on a data set.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Scores {
    /// Scores of logits against labels.
    Classification(Classification),
    /// Scores of values against values.
    Regression(Regression),
}

/// Scores of logits against labels.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Classification {
    /// Number of rows.
    pub rows: usize,
    /// Number of groups that the rows belong to, such as people, if known. A score says little about other groups if this
    /// is small, however many rows there are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub groups: Option<usize>,
    /// Share of rows whose largest logit is that of the label, in [0, 1]. On a tie the first logit counts as the
    /// largest.
    pub accuracy: f64,
    /// Negative log-likelihood of the label: mean over the rows, in nats, computed in f64 from the logits.
    pub nll: f64,
    /// Brier score (Brier 1950): mean over the rows of the squared distance between the probabilities and the one-hot
    /// label, in [0, 2].
    pub brier: f64,
    /// Expected calibration error of the largest probability, 15 bins of equal width (Guo et al. 2017, equation 3).
    pub ece: f64,
    /// Confusion matrix: number of rows by label and, within a label, by prediction.
    pub confusion: Vec<Vec<usize>>,
}

/// Scores of values against values. As JSON, scores of several targets have `mean_r2` instead of `rmse` and `r2`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "Record", into = "Record")]
pub struct Regression {
    /// Number of rows.
    pub rows: usize,
    /// Number of groups that the rows belong to, such as people, if known. A score says little about other groups if this
    /// is small, however many rows there are.
    pub groups: Option<usize>,
    /// Root mean squared error, in the target's unit. With several targets, which have different units, `√(1 − r2)`: the
    /// root of the mean over the targets of MSE / variance.
    pub rmse: f64,
    /// Coefficient of determination, `1 − MSE / variance of the target`: 1 without error, 0 for always predicting the
    /// target's mean. Also 0 if all targets are equal. With several targets, the mean of theirs.
    pub r2: f64,
    /// Scores of each target, in the order of the outputs; empty for a single target.
    pub targets: Vec<TargetScores>,
}

/// Scores of one of several targets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TargetScores {
    /// Name of the target's column.
    pub target: String,
    /// Root mean squared error, in the target's unit.
    pub rmse: f64,
    /// Coefficient of determination, as in [`Regression::r2`].
    pub r2: f64,
}

/// Form of [`Regression`] in JSON.
#[derive(Serialize, Deserialize)]
struct Record {
    rows: usize,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    groups: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rmse: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    r2: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mean_r2: Option<f64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    targets: Vec<TargetScores>,
}

impl From<Regression> for Record {
    fn from(Regression { rows, groups, rmse, r2, targets }: Regression) -> Self {
        let [single, mean] = if targets.is_empty() { [Some(r2), None] } else { [None, Some(r2)] };
        Record { rows, groups, rmse: single.map(|_| rmse), r2: single, mean_r2: mean, targets }
    }
}

impl From<Record> for Regression {
    fn from(Record { rows, groups, rmse, r2, mean_r2, targets }: Record) -> Self {
        let r2 = r2.or(mean_r2).unwrap_or(f64::NAN);
        Regression { rows, groups, rmse: rmse.unwrap_or((1.0 - r2).sqrt()), r2, targets }
    }
}

/// Tells the variants apart by the names of their scores. Serde's derive for untagged enums cannot read numbers if
/// any crate of the build enables arbitrary precision in serde_json, as defmt-decoder does.
impl<'de> Deserialize<'de> for Scores {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = serde_json::Value::deserialize(deserializer)?;
        let scores = if value.get("rmse").is_some() || value.get("mean_r2").is_some() {
            serde_json::from_value(value).map(Scores::Regression)
        } else {
            serde_json::from_value(value).map(Scores::Classification)
        };
        scores.map_err(D::Error::custom)
    }
}

impl Scores {
    /// Returns the loss by which hyperparameters are chosen: the NLL or, in regression, the mean squared error. With
    /// several targets, the mean over the targets of MSE / variance.
    pub fn loss(&self) -> f64 {
        match self {
            Scores::Classification(scores) => scores.nll,
            Scores::Regression(scores) => scores.rmse * scores.rmse,
        }
    }

    /// Returns the number of rows scored.
    pub fn rows(&self) -> usize {
        match self {
            Scores::Classification(scores) => scores.rows,
            Scores::Regression(scores) => scores.rows,
        }
    }

    /// Returns the number of groups that the rows belong to, if it is known.
    pub fn groups(&self) -> Option<usize> {
        match self {
            Scores::Classification(scores) => scores.groups,
            Scores::Regression(scores) => scores.groups,
        }
    }

    /// The same scores, of rows that belong to this number of groups.
    #[must_use]
    pub fn of_groups(self, groups: Option<usize>) -> Self {
        match self {
            Scores::Classification(scores) => Scores::Classification(Classification { groups, ..scores }),
            Scores::Regression(scores) => Scores::Regression(Regression { groups, ..scores }),
        }
    }

    /// Returns name and value of the scores that people compare: accuracy and NLL, or RMSE and R²; with several targets
    /// the mean R², then RMSE and R² of each.
    pub fn headline(&self) -> Vec<(String, f64)> {
        let named = |(name, score): (&str, f64)| (name.to_owned(), score);
        match self {
            Scores::Classification(scores) => {
                [("accuracy", scores.accuracy), ("nll", scores.nll)].map(named).into()
            }
            Scores::Regression(Regression { rmse, r2, targets, .. }) if targets.is_empty() => {
                [("rmse", *rmse), ("r2", *r2)].map(named).into()
            }
            Scores::Regression(Regression { r2, targets, .. }) => {
                let each = targets.iter().flat_map(|TargetScores { target, rmse, r2 }| {
                    [(format!("rmse of {target}"), *rmse), (format!("r2 of {target}"), *r2)]
                });
                std::iter::once(("mean r2".to_owned(), *r2)).chain(each).collect()
            }
        }
    }
}

/// Scores a model on `data`, which must have its features and its task.
///
/// # Errors
/// Fails if a row has no target.
pub fn evaluate(model: &Model, data: &Dataset) -> Result<Scores> {
    let groups = data.group_names().map(|groups| groups.len());
    Ok(scores(&model.predict(data), data)?.of_groups(groups))
}

/// Scores outputs for the rows of `data` against their targets. Outputs are logits, shape (classes × rows), or values,
/// shape (targets × rows).
///
/// # Errors
/// Fails if a row has no target.
pub fn scores(outputs: &DMatrix<f32>, data: &Dataset) -> Result<Scores> {
    match &data.target {
        Target::Classes(classes) => Ok(Scores::Classification(classification(outputs, classes))),
        Target::Values(values) => Ok(Scores::Regression(regression(outputs, values, data.task.targets()))),
        Target::Partial(_) | Target::Absent => Err(Error::Invalid(
            "rows without a target cannot be scored: add the target, or remove these rows".into(),
        )),
    }
}

/// Returns the probabilities in f64 and the `shift` with which `ln p_c = z_c − shift`.
pub fn probabilities(logits: &[f32]) -> (Vec<f64>, f64) {
    let logits = logits.iter().map(|&z| f64::from(z));
    let top = logits.clone().fold(f64::NEG_INFINITY, f64::max);
    let shift = top + logits.clone().map(|z| (z - top).exp()).sum::<f64>().ln();
    (logits.map(|z| (z - shift).exp()).collect(), shift)
}

/// Returns the mean negative log-likelihood, in nats, of `softmax(z/T)`. `logits` has shape (classes × rows).
pub fn nll(logits: &DMatrix<f32>, labels: &[usize], temperature: f64) -> f64 {
    row_nlls(logits, labels, temperature).sum::<f64>() / labels.len() as f64
}

/// Returns the negative log-likelihood of each row, of which [`nll`] is the mean.
pub(crate) fn row_nlls(
    logits: &DMatrix<f32>,
    labels: &[usize],
    temperature: f64,
) -> impl Iterator<Item = f64> {
    logits.column_iter().zip(labels).map(move |(z, &label)| {
        let z: Vec<f32> = z.iter().map(|&z| (f64::from(z) / temperature) as f32).collect();
        probabilities(&z).1 - f64::from(z[label])
    })
}

/// Returns the temperature in [1/20, 20] with the smallest [`nll`] (Guo et al. 2017, section 4). The loss at this
/// temperature measures what a classifier does not know, without the effect of over- or underconfidence.
pub fn best_temperature(logits: &DMatrix<f32>, labels: &[usize]) -> f64 {
    let nll = |log_temperature: f64| nll(logits, labels, log_temperature.exp());
    // The NLL is convex in 1/T and has a single minimum, so a ternary search finds it.
    let (mut low, mut high) = (-3.0, 3.0);
    for _ in 0..30 {
        let third = (high - low) / 3.0;
        if nll(low + third) < nll(high - third) {
            high -= third;
        } else {
            low += third;
        }
    }
    (0.5 * (low + high)).exp()
}

/// Number of bins of the expected calibration error.
pub const BINS: usize = 15;

/// Returns the index of the bin of a confidence. The first bin is [0, 1/15], the others are (k/15, (k+1)/15].
pub fn bin(confidence: f64) -> usize {
    ((confidence * BINS as f64).ceil() as usize).clamp(1, BINS) - 1
}

/// Scores `logits`, shape (classes × rows).
pub(crate) fn classification(logits: &DMatrix<f32>, labels: &[usize]) -> Classification {
    let classes = logits.nrows();
    let mut confusion = vec![vec![0; classes]; classes];
    let (mut right, mut nll, mut brier) = (0usize, 0.0, 0.0);
    let mut bins = [(0.0, 0.0); BINS]; // sum of confidence − sum of hits, by confidence
    for (z, &label) in logits.column_iter().zip(labels) {
        let (p, shift) = probabilities(z.as_slice());
        let guess = argmax(z.as_slice());
        let hit = guess == label;
        confusion[label][guess] += 1;
        right += usize::from(hit);
        nll += shift - f64::from(z[label]);
        brier += p.iter().enumerate().map(|(c, p)| (p - f64::from(c == label)).powi(2)).sum::<f64>();
        let bin = &mut bins[bin(p[guess])];
        bin.0 += p[guess];
        bin.1 += f64::from(hit);
    }
    let rows = labels.len();
    let mean = |sum: f64| sum / rows as f64;
    let gap = bins.iter().map(|(confidence, hits)| f64::abs(confidence - hits)).sum();
    Classification {
        rows,
        groups: None,
        accuracy: mean(right as f64),
        nll: mean(nll),
        brier: mean(brier),
        ece: mean(gap),
        confusion,
    }
}

/// Scores values, shape (targets × rows).
fn regression(outputs: &DMatrix<f32>, values: &DMatrix<f32>, names: &[String]) -> Regression {
    let rows = values.ncols();
    let mean = |values: &mut dyn Iterator<Item = f64>| values.sum::<f64>() / rows as f64;
    let score = |(target, name): (usize, &String)| {
        let truth = || values.row(target).into_iter().map(|&value| f64::from(value));
        let outputs = || outputs.row(target).into_iter().map(|&output| f64::from(output));
        let average = mean(&mut truth());
        let variance = mean(&mut truth().map(|value| (value - average).powi(2)));
        let error = mean(&mut truth().zip(outputs()).map(|(value, output)| (value - output).powi(2)));
        let r2 = if variance > 0.0 { 1.0 - error / variance } else { 0.0 };
        TargetScores { target: name.clone(), rmse: error.sqrt(), r2 }
    };
    let targets: Vec<TargetScores> = names.iter().enumerate().map(score).collect();
    match targets.as_slice() {
        [TargetScores { rmse, r2, .. }] => {
            Regression { rows, groups: None, rmse: *rmse, r2: *r2, targets: Vec::new() }
        }
        all => {
            let r2 = all.iter().map(|target| target.r2).sum::<f64>() / all.len() as f64;
            Regression { rows, groups: None, rmse: (1.0 - r2).sqrt(), r2, targets }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(a: f64, b: f64) {
        assert!((a - b).abs() < 1e-6, "{a} is not {b}");
    }

    #[test]
    fn scores_of_classes_have_their_closed_forms() {
        let half = 3f32.ln(); // probabilities 3/4 and 1/4
        let logits = DMatrix::from_column_slice(2, 4, &[half, 0.0, half, 0.0, half, 0.0, 0.0, half]);
        let scores = classification(&logits, &[0, 0, 1, 1]);
        near(scores.accuracy, 0.75);
        near(scores.nll, -(3.0 * 0.75f64.ln() + 0.25f64.ln()) / 4.0);
        near(scores.brier, (3.0 * 2.0 * 0.0625 + 2.0 * 0.5625) / 4.0);
        near(scores.ece, 0.0);
        assert_eq!(scores.confusion, [[2, 0], [1, 1]]);
        near(classification(&logits, &[1, 1, 1, 1]).ece, 0.5);
    }

    #[test]
    fn the_best_temperature_takes_out_how_sure_a_model_is() {
        // The model is right in three of four rows, so at the best temperature its confidence is 3/4.
        let best = -(0.75 * 0.75f64.ln() + 0.25 * 0.25f64.ln());
        for sure in [0.2, 1.0, 9.0] {
            let logits = DMatrix::from_fn(2, 4, |row, _| if row == 0 { sure } else { 0.0 });
            let labels = [0, 0, 0, 1];
            near(nll(&logits, &labels, best_temperature(&logits, &labels)), best);
        }
    }

    #[test]
    fn large_logits_stay_finite() {
        let logits = DMatrix::from_column_slice(2, 1, &[1e5, -1e5]);
        near(classification(&logits, &[1]).nll, 2e5);
    }

    #[test]
    fn scores_of_values_have_their_closed_forms() {
        let values = |rows: &[f32]| DMatrix::from_row_slice(rows.len() / 4, 4, rows);
        let names = ["a".to_owned(), "b".to_owned()];
        let (found, truth) = ([1.0, 2.0, 3.0, 6.0], [1.0, 2.0, 3.0, 4.0]);
        let single = regression(&values(&found), &values(&truth), &names[..1]);
        near(single.rmse, 1.0);
        near(single.r2, 1.0 - 1.0 / 1.25);
        assert!(single.targets.is_empty());
        let json = serde_json::to_string(&Scores::Regression(single.clone())).unwrap();
        assert_eq!(json, format!("{{\"rows\":4,\"rmse\":1.0,\"r2\":{}}}", single.r2));
        // The second target is predicted by its mean, and its unit is a thousand times larger.
        let (more, other) = ([2500.0; 4], [1000.0, 2000.0, 3000.0, 4000.0]);
        let both = regression(&values(&[found, more].concat()), &values(&[truth, other].concat()), &names);
        near(both.r2, 0.5 * single.r2);
        near(both.rmse.powi(2), 1.0 - both.r2);
        near(both.targets[1].rmse, 1_250_000f64.sqrt());
        assert_eq!((both.targets[0].r2, both.targets[1].r2), (single.r2, 0.0));
        let several = Scores::Regression(both);
        let json = serde_json::to_string(&several).unwrap();
        assert!(json.starts_with("{\"rows\":4,\"mean_r2\":") && !json.contains("\"a\":"), "{json}");
        assert_eq!(serde_json::from_str::<Scores>(&json).unwrap(), several);
    }
}
