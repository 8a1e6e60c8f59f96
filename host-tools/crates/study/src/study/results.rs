//! Results of a study, written to `study.json`. All reports are made from them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use microdistill_train::metrics::Scores;

pub use super::recommendation::{Best, Candidate, Recommendation};
pub use super::statistics::{Estimate, MeanStd};

/// Results of a study.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Results {
    /// Title, one line.
    pub title: String,
    /// Command that repeats the study.
    pub command: String,
    /// Version of this crate.
    pub version: String,
    /// Name of the preset, if the study is one.
    pub preset: Option<String>,
    /// Seeds of the splits, the initial weights and the order of samples. Every arm is trained with each of
    /// them.
    pub seeds: Vec<u64>,
    /// Settings common to all arms and data sets.
    pub settings: StudySettings,
    /// The arms, in display order.
    pub arms: Vec<ArmInfo>,
    /// One entry per data set and condition.
    pub sets: Vec<SetResults>,
    /// Summaries over data sets, per condition: over all sets and, if some are held out, separately over
    /// those and over the others.
    pub overall: Vec<Overall>,
    /// The findings in plain words: what the figures show, and what they do not show.
    pub sentences: Vec<String>,
}

/// Settings common to all arms and data sets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StudySettings {
    /// Hidden widths of the student.
    pub hidden: Vec<usize>,
    /// Hidden widths of the teacher, if it is a network; otherwise none.
    pub teacher_hidden: Vec<usize>,
    /// Bins of the expected calibration error and of the reliability diagram.
    pub bins: usize,
    /// Number of candidates per tuned arm.
    pub candidates: usize,
    /// Number of folds of the training rows that judge the candidates. With groups, there is at most one fold
    /// per group.
    pub folds: usize,
    /// Choice of the test rows.
    pub division: Division,
}

/// Choice of the test rows of a study.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Division {
    /// Every seed uses the given test rows.
    Given,
    /// Each seed draws training and test rows from all rows.
    Redrawn,
    /// Each group is the test once, and the other groups are trained on.
    LeaveOneGroupOut,
}

/// Description of an arm.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ArmInfo {
    /// Name, as typed on the command line, such as `hard` or `hard-l2`.
    pub name: String,
    /// Description, one line.
    pub description: String,
    /// Kind of the arm.
    pub kind: ArmKind,
}

/// Source of a model's labels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ArmKind {
    /// A large model, trained on labels.
    Teacher,
    /// A student, trained on labels only.
    Hard,
    /// A student, taught by a teacher.
    Distilled,
}

/// Changes to the training rows, made before anything else.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Condition {
    /// Share of the training rows with a wrong label, in [0, 1).
    pub label_noise: f64,
    /// Share of the training rows that is used, in (0, 1].
    pub training_share: f64,
}

/// Results of one data set under one condition.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SetResults {
    /// Name of the data set.
    pub name: String,
    /// True if the recipes were not developed on this data set.
    pub held_out: bool,
    /// Condition of the training rows.
    pub condition: Condition,
    /// Numbers of rows. If they differ by seed, those of the first seed.
    pub rows: RowCounts,
    /// Number of features.
    pub features: usize,
    /// Names of the classes; empty for values.
    pub labels: Vec<String>,
    /// Numbers of groups that the rows come from, such as people or sessions, if known.
    pub groups: Option<GroupCounts>,
    /// Hash of the data.
    pub hash: String,
    /// Notes about assumptions and missing values.
    pub notes: Vec<String>,
    /// The models of every arm and seed, ordered by arm and then by seed.
    pub cells: Vec<Cell>,
    /// One summary per arm, in order.
    pub summaries: Vec<Summary>,
    /// The student to ship. None in a study of several data sets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recommendation: Option<Recommendation>,
    /// Comparisons of pairs of arms.
    pub comparisons: Vec<Comparison>,
    /// The default recipe at several temperatures, ascending.
    pub temperatures: Vec<TemperaturePoint>,
    /// Students of several sizes, ordered by arm and then by size, ascending.
    pub sizes: Vec<SizePoint>,
}

/// Numbers of groups of a data set. If they differ by seed, those of the first seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupCounts {
    /// Groups of the training rows.
    pub train: usize,
    /// Groups of the test rows.
    pub test: usize,
    /// Groups of all rows.
    pub all: usize,
}

/// Numbers of rows of a data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowCounts {
    /// Training rows, including validation rows.
    pub train: usize,
    /// Validation rows among them, for the learning curves.
    pub validation: usize,
    /// Test rows, which no training and no choice uses.
    pub test: usize,
}

/// One trained model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cell {
    /// Name of the arm.
    pub arm: String,
    /// Seed of the model.
    pub seed: u64,
    /// The group that was left out of the training rows as the test, if the study does that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Widths of the layers, from input to output.
    pub widths: Vec<usize>,
    /// Number of weights and biases.
    pub parameters: usize,
    /// Flash of network and scaler in f32, in bytes. None of a blend, which no board runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flash_bytes: Option<usize>,
    /// Flash after quantization to int8, in bytes. None of a blend.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flash_bytes_int8: Option<usize>,
    /// What was chosen on held-out training rows, such as `weight decay 0.5`.
    pub chosen: Option<String>,
    /// Scores on the training rows. With label noise, the labels are those that the model was trained on,
    /// including wrong ones.
    pub train: Scores,
    /// Scores on the test rows.
    pub test: Scores,
    /// Scores on the test rows after quantization to int8. None of a teacher, which is not shipped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_int8: Option<Scores>,
    /// Learning curve of the first seed, at most 60 points. Empty for other seeds, blends and the recipe of `distill`.
    pub curve: Vec<CurvePoint>,
    /// Reliability on the test rows: the non-empty bins, ascending. Empty for values.
    pub reliability: Vec<Bin>,
    /// Predictions of values for the first seed, for the test rows or a sample of them. All arms have the
    /// same rows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub predictions: Vec<Prediction>,
}

/// A point of a learning curve: scores of a training with the same settings, but without the rows of one
/// fold, which serve as validation rows.
///
/// Classifiers have NLL and accuracy, regressions have R² and RMSE.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CurvePoint {
    /// Epoch, from 1.
    pub epoch: usize,
    /// Mean negative log-likelihood of the labels on the training rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub train_nll: Option<f64>,
    /// Accuracy on the training rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub train_accuracy: Option<f64>,
    /// Mean negative log-likelihood of the labels on the validation rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validation_nll: Option<f64>,
    /// Accuracy on the validation rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validation_accuracy: Option<f64>,
    /// R² on the training rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub train_r2: Option<f64>,
    /// RMSE on the training rows, in the unit of the target.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub train_rmse: Option<f64>,
    /// R² on the validation rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validation_r2: Option<f64>,
    /// RMSE on the validation rows, in the unit of the target.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validation_rmse: Option<f64>,
}

/// Measured and predicted value of a test row, in the unit of the target; of several targets, in standard deviations of
/// each from its mean.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Prediction {
    /// The measured value.
    pub measured: f32,
    /// The prediction of the model.
    pub predicted: f32,
}

/// A bin of a reliability diagram: rows with similar confidence, which is the largest probability.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bin {
    /// Mean confidence of the rows.
    pub confidence: f64,
    /// Share of the rows that is predicted correctly.
    pub accuracy: f64,
    /// Number of rows.
    pub rows: usize,
}

/// The scores of an arm.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Name of the arm.
    pub arm: String,
    /// Scores by their key in [`METRICS`] or [`VALUE_METRICS`].
    pub scores: BTreeMap<String, MeanStd>,
}

/// Keys of a [`Summary`] for classes, in display order. Accuracies, their gap (training minus test) and the
/// calibration error are shares in [0, 1]. NLL is in nats, and flash is the size in f32, in bytes. Scores
/// without "train" or "test" in their key are those of the test rows.
pub const METRICS: [&str; 8] =
    ["train accuracy", "test accuracy", "gap", "nll", "brier", "ece", "parameters", "flash"];

/// Keys of a [`Summary`] for values, in display order. `r2` is 1 for no error and 0 for predicting the mean;
/// its gap is training minus test. `rmse` is in the unit of the target, so it has no mean over data sets.
pub const VALUE_METRICS: [&str; 7] =
    ["train r2", "r2", "r2 gap", "train rmse", "rmse", "parameters", "flash"];

/// The difference `a − b`, paired by seed, by group or by data set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// Name of an arm.
    pub a: String,
    /// Name of the arm it is compared with.
    pub b: String,
    /// One of [`METRICS`] or [`VALUE_METRICS`].
    pub metric: String,
    /// Number of pairs in which `a` has the larger score. A pair is a seed or group of a data set, or a data set.
    pub larger: usize,
    /// Number of pairs in which `a` has the smaller score.
    pub smaller: usize,
    /// Mean difference with interval and p-value, corrected for all comparisons of the same data set, or of the same
    /// summary over data sets. If pairs share training rows, the interval is widened for them (Nadeau and Bengio 2003).
    pub estimate: Estimate,
}

/// Summary over the data sets of one condition.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Overall {
    /// Title of the group of data sets, such as `Data sets held out`.
    pub title: String,
    /// Names of the data sets.
    pub sets: Vec<String>,
    /// Condition of the training rows.
    pub condition: Condition,
    /// Means over data sets of the means over seeds, with the standard deviation between data sets. For a
    /// single data set, its own summaries.
    pub summaries: Vec<Summary>,
    /// Comparisons paired by data set, with the mean over seeds of each, so that `n` data sets count as `n`
    /// pairs. For a single data set, its own comparisons.
    pub comparisons: Vec<Comparison>,
    /// Ratios of losses.
    pub ratios: Vec<Ratio>,
}

/// Ratio of the loss of `a` on test rows to that of `b`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ratio {
    /// Name of an arm.
    pub a: String,
    /// Name of the arm it is compared with.
    pub b: String,
    /// `nll`, or `rmse` for values.
    pub metric: String,
    /// Loss of `a` divided by the loss of `b`: means over seeds, geometric mean over data sets.
    pub ratio: f64,
}

/// The default recipe at one temperature.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TemperaturePoint {
    /// The temperature T.
    pub temperature: f64,
    /// Accuracy on the test rows.
    pub accuracy: MeanStd,
    /// NLL on the test rows, in nats.
    pub nll: MeanStd,
}

/// An arm with a student of one size. Classifiers have accuracy and NLL, regressions have R² and RMSE.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SizePoint {
    /// Name of the arm.
    pub arm: String,
    /// Widths of the layers, from input to output.
    pub widths: Vec<usize>,
    /// Number of weights and biases.
    pub parameters: usize,
    /// Flash of network and scaler in f32, in bytes.
    pub flash_bytes: usize,
    /// Accuracy on the test rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accuracy: Option<MeanStd>,
    /// NLL on the test rows, in nats.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nll: Option<MeanStd>,
    /// R² on the test rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub r2: Option<MeanStd>,
    /// RMSE on the test rows, in the unit of the target.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rmse: Option<MeanStd>,
    /// True if the point is on the Pareto front: no other has at least its accuracy or R² in fewer bytes, or
    /// more of it in at most its bytes.
    pub front: bool,
}

impl SizePoint {
    /// The score to maximize: accuracy or R².
    pub fn score(&self) -> Option<MeanStd> {
        self.accuracy.or(self.r2)
    }

    /// The loss to minimize: NLL or RMSE.
    pub fn loss(&self) -> Option<MeanStd> {
        self.nll.or(self.rmse)
    }
}
