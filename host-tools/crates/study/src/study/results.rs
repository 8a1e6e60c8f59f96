//! Results of a study: written as `study.json`, and the source of every report.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use microdistill_train::metrics::Scores;

/// A whole study.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Results {
    /// One line.
    pub title: String,
    /// The command that makes it again.
    pub command: String,
    /// Version of this crate.
    pub version: String,
    /// The preset's name, if it is one.
    pub preset: Option<String>,
    /// Seeds of the divisions, initial weights and orders of samples. Every arm has each of them.
    pub seeds: Vec<u64>,
    /// Settings common to all arms and sets.
    pub settings: StudySettings,
    /// In the order in which they are shown.
    pub arms: Vec<ArmInfo>,
    /// One for each data set and condition.
    pub sets: Vec<SetResults>,
    /// Over the sets, for each condition: over all, and, where some are held out, over the others and over those.
    pub overall: Vec<Overall>,
    /// The figures in plain words: what they show, and what they do not.
    pub sentences: Vec<String>,
}

/// Settings common to all arms and sets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StudySettings {
    /// Hidden widths of the student.
    pub hidden: Vec<usize>,
    /// Hidden widths of the teacher.
    pub teacher_hidden: Vec<usize>,
    /// Bins of the expected calibration error and of the reliability diagram.
    pub bins: usize,
    /// Number of settings each tuned arm may try.
    pub candidates: usize,
    /// Number of folds of the training rows that judge them, or one per group.
    pub folds: usize,
    /// True if training and test rows are drawn anew for each seed, from all rows. Otherwise the test rows
    /// are those given.
    pub redrawn: bool,
}

/// Description of an arm.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ArmInfo {
    /// Name, as typed: `hard`, `hard-l2`.
    pub name: String,
    /// One line.
    pub description: String,
    /// Its kind.
    pub kind: ArmKind,
}

/// Source of a model's labels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ArmKind {
    /// A large model, from labels.
    Teacher,
    /// A student, from labels alone.
    Hard,
    /// A student, from a teacher.
    Distilled,
}

/// Changes to the training rows before anything else.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Condition {
    /// Share of the training rows that got a wrong label, in [0, 1).
    pub label_noise: f64,
    /// Share of the training rows that are used, in (0, 1].
    pub training_share: f64,
}

/// One data set under one condition.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SetResults {
    /// Name of the data set.
    pub name: String,
    /// True if recipes were frozen before they met this set.
    pub held_out: bool,
    /// Condition of its training rows.
    pub condition: Condition,
    /// Numbers of rows; of the first seed, where seeds differ.
    pub rows: Rows,
    /// Number of features.
    pub features: usize,
    /// Names of the classes; none of values.
    pub labels: Vec<String>,
    /// Number of people, sessions or the like that the rows come from, if known.
    pub groups: Option<usize>,
    /// Hash of the data.
    pub hash: String,
    /// Notes about assumptions and missing values.
    pub notes: Vec<String>,
    /// Every arm with every seed: arms in order, and for each the seeds.
    pub cells: Vec<Cell>,
    /// One for each arm, in order.
    pub summaries: Vec<Summary>,
    /// Pairs of arms.
    pub comparisons: Vec<Comparison>,
    /// The default recipe at other temperatures, ascending.
    pub temperatures: Vec<TemperaturePoint>,
    /// Students of other sizes: arms in order, and for each the sizes, ascending.
    pub sizes: Vec<SizePoint>,
}

/// Numbers of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rows {
    /// All that models are made from, validation rows among them.
    pub train: usize,
    /// Training rows of the fold that watches a training.
    pub validation: usize,
    /// Rows that no model and no choice ever saw.
    pub test: usize,
}

/// One trained model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cell {
    /// Name of the arm.
    pub arm: String,
    /// The seed.
    pub seed: u64,
    /// Widths from input to output.
    pub widths: Vec<usize>,
    /// Weights and biases.
    pub parameters: usize,
    /// Bytes of flash, network and scaler, in f32.
    pub flash_bytes: usize,
    /// Bytes of flash once it is quantized to int8.
    pub flash_bytes_int8: usize,
    /// The setting that tuning chose, as in `weight decay 0.5`.
    pub chosen: Option<String>,
    /// On the training rows, with the labels that it was trained on, wrong ones among them.
    pub train: Scores,
    /// On the test rows.
    pub test: Scores,
    /// Learning curve of the first seed, at most 60 points. Empty for other seeds.
    pub curve: Vec<CurvePoint>,
    /// Reliability on the test rows: bins with rows, ascending. Empty for values.
    pub reliability: Vec<Bin>,
    /// Predictions of values for the first seed: test rows, a sample if there are many, the same rows for all
    /// arms.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub predictions: Vec<Prediction>,
}

/// A training of the same settings without the rows of a fold, so that there is something to watch it with.
///
/// Of classes it has NLL and accuracy, of values R² and RMSE.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CurvePoint {
    /// From 1.
    pub epoch: usize,
    /// Mean negative log-likelihood of the labels on the rows trained on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub train_nll: Option<f64>,
    /// Accuracy on them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub train_accuracy: Option<f64>,
    /// Mean negative log-likelihood of the labels on the rows of that fold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validation_nll: Option<f64>,
    /// Accuracy on them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validation_accuracy: Option<f64>,
    /// R² of the values measured on the rows trained on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub train_r2: Option<f64>,
    /// In the target's unit, on them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub train_rmse: Option<f64>,
    /// R² of the values measured on the rows of that fold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validation_r2: Option<f64>,
    /// In the target's unit, on them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validation_rmse: Option<f64>,
}

/// A test row, in the target's unit.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Prediction {
    /// Its value.
    pub measured: f32,
    /// The model's prediction.
    pub predicted: f32,
}

/// Rows whose largest probability is about the same.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bin {
    /// Mean of their largest probability.
    pub confidence: f64,
    /// Share of them that is right.
    pub accuracy: f64,
    /// Numbers of rows.
    pub rows: usize,
}

/// An arm in numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Name of the arm.
    pub arm: String,
    /// By [`METRICS`] or [`VALUE_METRICS`].
    pub scores: BTreeMap<String, MeanStd>,
}

/// Keys of a [`Summary`], in the order in which they are shown. Accuracies, their gap (training minus test) and the
/// calibration error are shares in [0, 1]; NLL is in nats; flash is bytes of f32. Those without a part's name are of
/// the test rows.
pub const METRICS: [&str; 8] =
    ["train accuracy", "test accuracy", "gap", "nll", "brier", "ece", "parameters", "flash"];

/// The same of values instead of classes. `r2` and its gap (training minus test) are 1 for no error and 0 for the mean;
/// `rmse` is in the target's unit, and so there is none over data sets.
pub const VALUE_METRICS: [&str; 7] =
    ["train r2", "r2", "r2 gap", "train rmse", "rmse", "parameters", "flash"];

/// Mean and sample standard deviation; 0 of one number.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct MeanStd {
    /// The mean.
    pub mean: f64,
    /// The sample standard deviation.
    pub std: f64,
    /// Count of numbers.
    pub n: usize,
}

/// Decimal places for a number in the target's unit, whatever that is: at least three, and as many as show three digits.
pub fn decimals(value: f64) -> usize {
    let magnitude = value.abs().log10().floor();
    if magnitude.is_finite() { (2.0 - magnitude).clamp(3.0, 12.0) as usize } else { 3 }
}

/// `a − b`, paired by seed (and by set).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// Name of an arm.
    pub a: String,
    /// Name of the arm it is compared with.
    pub b: String,
    /// One of [`METRICS`] or [`VALUE_METRICS`].
    pub metric: String,
    /// Mean difference.
    pub mean: f64,
    /// Pairs in which `a` has the larger number: seeds of a data set, or data sets.
    pub larger: usize,
    /// Pairs in which it has the smaller one.
    pub smaller: usize,
    /// Lower end of its 95 % confidence interval, by Student's t; none of a single pair. Where parts are drawn anew for each
    /// seed, it is widened for what they share (Nadeau and Bengio 2003).
    pub low: Option<f64>,
    /// Upper end.
    pub high: Option<f64>,
    /// p-value of the two-sided paired t-test that the mean difference is zero; none for a single pair.
    pub p: Option<f64>,
    /// The same after Holm's correction for all comparisons beside it: of one data set, or over the sets.
    pub p_adjusted: Option<f64>,
}

/// Over the data sets of one condition.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Overall {
    /// Title of the group of sets, as in `Data sets held out`.
    pub title: String,
    /// Their names.
    pub sets: Vec<String>,
    /// The condition.
    pub condition: Condition,
    /// Means over sets of means over seeds; the standard deviation is that of the sets' means. Of a single set, its own.
    pub summaries: Vec<Summary>,
    /// Paired by set: of each the mean over seeds, so that `n` sets count as `n`. Of a single set, its own.
    pub comparisons: Vec<Comparison>,
    /// Losses as ratios.
    pub ratios: Vec<Ratio>,
}

/// Ratio of the loss of `a` on test rows to that of `b`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ratio {
    /// Name of an arm.
    pub a: String,
    /// Name of the arm it is compared with.
    pub b: String,
    /// `nll`, or `rmse` of values.
    pub metric: String,
    /// That of `a` divided by that of `b`: means over seeds, geometric mean over sets.
    pub ratio: f64,
}

/// The default recipe at one temperature.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TemperaturePoint {
    /// T.
    pub temperature: f64,
    /// On test rows.
    pub accuracy: MeanStd,
    /// On test rows, in nats.
    pub nll: MeanStd,
}

/// An arm with a student of one size: accuracy and NLL of classes, R² and RMSE of values.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SizePoint {
    /// Name of the arm.
    pub arm: String,
    /// Widths from input to output.
    pub widths: Vec<usize>,
    /// Weights and biases.
    pub parameters: usize,
    /// Bytes of flash, network and scaler, in f32.
    pub flash_bytes: usize,
    /// On test rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accuracy: Option<MeanStd>,
    /// On test rows, in nats.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nll: Option<MeanStd>,
    /// On test rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub r2: Option<MeanStd>,
    /// On test rows, in the target's unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rmse: Option<MeanStd>,
    /// True if no other point has as high an accuracy or R² in fewer bytes, or a higher one in as few.
    pub front: bool,
}

impl SizePoint {
    /// The score, of which more is better: accuracy or R².
    pub fn score(&self) -> Option<MeanStd> {
        self.accuracy.or(self.r2)
    }

    /// The loss, of which less is better: NLL or RMSE.
    pub fn loss(&self) -> Option<MeanStd> {
        self.nll.or(self.rmse)
    }
}
