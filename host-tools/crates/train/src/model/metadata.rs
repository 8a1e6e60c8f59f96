//! Metadata of a model file.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::blend::Report;
use crate::dataset::{Dataset, SeenRows, Task, one_or_more};
use crate::hyperparameters::{ChosenLength, Hyperparameters};
use crate::network::precision::Precision;
use crate::synthetic::Synthetic;

/// Origin of a model and meaning of its numbers. Holds no time and no path of a machine, so that the same training
/// writes the same file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Metadata {
    /// Role of the model: teacher or student.
    pub role: Role,
    /// Meaning of the outputs.
    pub task: Task,
    /// Names of the inputs, in order.
    pub features: Vec<String>,
    /// Seed of the training.
    pub seed: u64,
    /// Hash of the training data.
    pub data_hash: String,
    /// Texts that stood for a missing value in the data, in addition to the usual ones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
    /// The rows that the model was trained on, so that they are known in any file.
    #[serde(default, skip_serializing_if = "SeenRows::is_empty")]
    pub seen: SeenRows,
    /// Offset of each input, to be subtracted in f64 before rounding to f32. Empty if there is none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub origin: Vec<f64>,
    /// Offset of each target's values, to be added to the outputs of the model. Empty if there is none.
    #[serde(default, skip_serializing_if = "Vec::is_empty", with = "one_or_more")]
    pub target_origin: Vec<f64>,
    /// Division of the training data, if they included the test rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub division: Option<Division>,
    /// Column that holds the groups of the training data, if they were not divided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub groups: Option<String>,
    /// Hyperparameters of a teacher, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub training: Option<Hyperparameters>,
    /// How a blend was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blend: Option<Report>,
    /// Choice of the length of the training, if held-out rows chose it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chosen_length: Option<ChosenLength>,
    /// Precision to which the weights were rounded during training.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub precision: Option<Precision>,
    /// Additional teacher-labelled rows the model was trained on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub further: Vec<Further>,
    /// Share of the further rows in each batch. None if all rows were shuffled together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub further_share: Option<f64>,
    /// Recipe that a student was distilled by, if it was chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipe: Option<Recipe>,
    /// Command that made the model: see [`command_line`].
    pub command: String,
    /// Scores by name, such as "test accuracy". A file keeps only the finite ones.
    pub scores: BTreeMap<String, f64>,
    /// Machine that the training ran on, if the result depends on it.
    pub machine: Option<Machine>,
}

impl Metadata {
    /// Creates the metadata of a model of which no more is known than its task and its features, one name each.
    pub fn new(role: Role, task: Task, features: Vec<String>) -> Self {
        Metadata {
            role,
            task,
            features,
            seed: 0,
            data_hash: String::new(),
            missing: Vec::new(),
            seen: SeenRows::default(),
            origin: Vec::new(),
            target_origin: Vec::new(),
            division: None,
            groups: None,
            training: None,
            blend: None,
            chosen_length: None,
            precision: None,
            further: Vec::new(),
            further_share: None,
            recipe: None,
            command: String::new(),
            scores: BTreeMap::new(),
            machine: None,
        }
    }

    /// Creates the metadata of a model trained on `data`. [`command`](Metadata::command) and
    /// [`scores`](Metadata::scores) are empty.
    pub fn of(data: &Dataset, role: Role, seed: u64) -> Self {
        Metadata {
            seed,
            data_hash: data.hash.clone(),
            missing: data.options.missing.clone(),
            seen: SeenRows::of(&data.x),
            origin: unless_zero(&data.origin),
            target_origin: unless_zero(&data.target_origin),
            ..Metadata::new(role, data.task.clone(), data.features.clone())
        }
    }
}

impl Metadata {
    /// True if the file says how the model was trained, so that [similar ones](crate::teacher::fit_like) can be trained on other
    /// rows.
    pub fn can_be_trained_again(&self) -> bool {
        self.training.is_some() || self.blend.is_some()
    }

    /// The column or file that holds the groups of the training data, such as people, if known.
    pub fn known_groups(&self) -> Option<&str> {
        let divided = self.division.as_ref().and_then(|division| division.groups.as_deref());
        divided.or(self.groups.as_deref())
    }

    /// Outputs of the model as values of the targets, in their units: with the digits of f32, or of f64 if a target needs
    /// them.
    pub fn values(&self, outputs: &[f32]) -> Vec<String> {
        let value = |(target, &output): (usize, &f32)| match self.target_origin.get(target) {
            None | Some(0.0) => output.to_string(),
            Some(origin) => (f64::from(output) + origin).to_string(),
        };
        outputs.iter().enumerate().map(value).collect()
    }
}

/// These offsets, or none if all are zero.
fn unless_zero(offsets: &[f64]) -> Vec<f64> {
    if offsets.iter().all(|offset| *offset == 0.0) { Vec::new() } else { offsets.to_vec() }
}

/// Division of one file into training, validation and test rows. It is recorded so that the same test rows can be
/// found again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Division {
    /// Shares of the three parts, which sum to 1.
    pub shares: Vec<f64>,
    /// Seed of the random division.
    pub seed: u64,
    /// Column or file that holds the groups, whose rows stay together.
    pub groups: Option<String>,
}

/// Rows that a student was trained on in addition to the data set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Further {
    /// Source of the rows.
    pub source: Source,
    /// Number of rows.
    pub rows: usize,
}

/// Source of further rows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// Generated from the rows of the data set.
    Synthetic(Synthetic),
    /// Unlabelled rows of a file, identified by its hash.
    Unlabelled(String),
}

impl std::fmt::Display for Further {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.source {
            Source::Synthetic(kind) => write!(f, "{} synthetic rows ({})", self.rows, kind.name()),
            Source::Unlabelled(_) => write!(f, "{} unlabelled rows", self.rows),
        }
    }
}

/// Recipe that a student was [distilled](crate::distill) by, if it was chosen on held-out rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recipe {
    /// What the student learned from, the form of its inputs and its weight decay.
    pub chosen: String,
    /// Number of held-out rows that chose; 0 if nothing was chosen.
    pub held_out: usize,
    /// Mean loss of these rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loss: Option<f64>,
}

/// Role of a model in distillation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The model to be imitated.
    Teacher,
    /// The model that imitates a teacher and runs on a board.
    Student,
}

/// Machine of a training. The batched trainer repeats bit for bit only on the same kind of processor and with the
/// same number of threads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// Architecture, as [`std::env::consts::ARCH`].
    pub arch: String,
    /// Number of threads.
    pub threads: usize,
}

/// Formats a command for [`Metadata::command`]: the program's name and its arguments. Absolute paths are reduced to
/// the file name, so that two machines write the same model.
pub fn command_line(arguments: impl IntoIterator<Item = String>) -> String {
    let words = arguments.into_iter().enumerate().map(|(index, word)| {
        let (flag, value) = match word.split_once('=') {
            Some((flag, value)) if flag.starts_with("--") => (format!("{flag}="), value),
            _ => (String::new(), word.as_str()),
        };
        let path = Path::new(value);
        let name = path.file_name().filter(|_| index == 0 || path.is_absolute());
        let value = name.map_or(value.into(), |name| name.to_string_lossy());
        if value.is_empty() || value.contains(char::is_whitespace) {
            format!("{flag}{value:?}")
        } else {
            format!("{flag}{value}")
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_name_no_machine() {
        let words = [
            "/opt/bin/microdistill",
            "train",
            "--data",
            "/home/ann/a b.csv",
            "--out=/tmp/t.safetensors",
            "x/y",
        ];
        let command = command_line(words.map(str::to_owned));
        assert_eq!(command, "microdistill train --data \"a b.csv\" --out=t.safetensors x/y");
    }
}
