//! Metadata of a model file.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::dataset::{Dataset, Task};
use crate::hyperparameters::Hyperparameters;
use crate::network::precision::Precision;
use crate::synthetic::Synthetic;

/// Origin of a model and meaning of its numbers. Holds no time and no path of a machine, because the same
/// training gives
/// the same file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Metadata {
    /// Teacher or student.
    pub role: Role,
    /// Meaning of the outputs.
    pub task: Task,
    /// Names of the inputs, in order.
    pub features: Vec<String>,
    /// Seed of the training.
    pub seed: u64,
    /// Hash of the training data.
    pub data_hash: String,
    /// Texts that stood for a missing value in them, beside the usual ones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
    /// Division of those data, if they held the test rows too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub division: Option<Division>,
    /// Hyperparameters of a teacher, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub training: Option<Hyperparameters>,
    /// Precision to which the weights were rounded during training.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub precision: Option<Precision>,
    /// Additional teacher-labelled rows the model was trained on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub further: Vec<Further>,
    /// The share that those had in each batch; none: all rows were shuffled together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub further_share: Option<f64>,
    /// The command that made the model: see [`command_line`].
    pub command: String,
    /// Scores by name, as "test accuracy"; a file keeps the finite ones.
    pub scores: BTreeMap<String, f64>,
    /// Machine of the training, if the result depends on it.
    pub machine: Option<Machine>,
}

impl Metadata {
    /// Metadata of a model trained on `data`; [`command`](Metadata::command) and [`scores`](Metadata::scores)
    /// are still empty.
    pub fn of(data: &Dataset, role: Role, seed: u64) -> Self {
        Metadata {
            role,
            task: data.task.clone(),
            features: data.features.clone(),
            seed,
            data_hash: data.hash.clone(),
            missing: data.missing.clone(),
            division: None,
            training: None,
            precision: None,
            further: Vec::new(),
            further_share: None,
            command: String::new(),
            scores: BTreeMap::new(),
            machine: None,
        }
    }
}

/// Division of one file into training, validation and test rows, kept so that a second reader finds the same
/// test
/// rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Division {
    /// Shares of the three parts.
    pub shares: Vec<f64>,
    /// Seed of the draw.
    pub seed: u64,
    /// The column or file of the groups that stay together.
    pub groups: Option<String>,
}

/// Rows that a student learned from beside its data.
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
    /// Made of the rows of the data.
    Synthetic(Synthetic),
    /// A file, known by its hash.
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

/// A model's place in distillation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The model that is imitated.
    Teacher,
    /// The model that imitates, and runs on a board.
    Student,
}

/// The batched trainer repeats bit for bit on one kind of processor and number of threads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// Architecture, as [`std::env::consts::ARCH`].
    pub arch: String,
    /// Number of threads.
    pub threads: usize,
}

/// A command for [`Metadata::command`]: the program's name and its arguments, absolute paths cut to the file's name, so
/// that two machines write the same model.
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
