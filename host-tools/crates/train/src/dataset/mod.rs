//! Data sets: files of rows, divided into parts that never share a group.

pub mod answers;
mod encoding;
mod groups;
mod keys;
mod knots;
mod memory;
mod origin;
mod preparation;
mod read;
mod scaler;
mod seen;
mod soft_labels;
mod sorted;
mod split;
mod standardizer;
mod summary;
mod suspects;
mod target;
mod targets;
mod task;
mod text;

use std::collections::BTreeSet;

use nalgebra::DMatrix;

pub use knots::{Knots, MOST_PIECES};
pub use memory::Targets;
pub use preparation::Preparation;
pub use read::{Columns, Expected, read, read_like, read_unlabelled};
pub use scaler::Scaler;
pub use seen::{SeenRows, equal_rows};
pub use soft_labels::{Join, OutputKind, PREDICTION, SoftLabels, prediction_columns, read_soft_labels};
pub use split::{Fold, check_shares, folds, split};
pub use standardizer::{Standardized, Standardizer};
pub use summary::{Summary, summaries, target_summaries};
pub use suspects::{Suspect, Suspicion, suspects};
pub(crate) use task::one_or_more;
pub use task::{Kind, Task};
pub use text::Text;

use crate::table::Options;

/// Data set: rows of raw features, the target and metadata.
#[derive(Clone, Debug, PartialEq)]
pub struct Dataset {
    /// Names of the features, in order.
    pub features: Vec<String>,
    /// Raw features less their origins, shape (features × rows); NaN where a value is missing.
    pub x: DMatrix<f32>,
    /// Offset of each feature, subtracted in f64 before rounding to f32. Zero unless f32 cannot hold the feature
    /// precisely.
    pub origin: Vec<f64>,
    /// Meaning of the target columns.
    pub task: Task,
    /// Target columns, with one element or column per row.
    pub target: Target,
    /// Offset of each target's values, in their unit, subtracted in f64 before rounding to f32. Empty if there is none.
    pub target_origin: Vec<f64>,
    /// Indices, in ascending order, of the rows of the file that were left out because a target is missing.
    pub left_out: Vec<usize>,
    /// Group of each row, such as a person or a session. Rows of one group are never divided between parts.
    pub groups: Option<Vec<String>>,
    /// Key of each row, which no other row has, if the column of keys was named.
    pub keys: Option<Vec<String>>,
    /// First 16 hexadecimal digits of the SHA-256 of the file.
    pub hash: String,
    /// Format of the file, as far as the user named it.
    pub options: Options,
    /// Notes for the user: assumptions, ignored columns and missing values.
    pub notes: Vec<String>,
}

/// Target columns.
#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    /// Class of each row: an index into the task's labels.
    Classes(Vec<usize>),
    /// Class of each row whose label is known: an index into the task's labels.
    Partial(Vec<Option<usize>>),
    /// Values of each row, shape (targets × rows), in the units of the columns, minus [`Dataset::target_origin`].
    Values(DMatrix<f32>),
    /// No target: the rows are to be predicted.
    Absent,
}

impl Dataset {
    /// Returns the number of rows.
    pub fn rows(&self) -> usize {
        self.x.ncols()
    }

    /// Returns the names of the groups that these rows belong to, if groups are known.
    pub fn group_names(&self) -> Option<BTreeSet<&str>> {
        Some(self.groups.as_ref()?.iter().map(String::as_str).collect())
    }

    /// Selects the rows of these indices, each below [`rows`](Dataset::rows).
    pub fn select(&self, rows: &[usize]) -> Dataset {
        fn pick<T: Clone>(values: &[T], rows: &[usize]) -> Vec<T> {
            rows.iter().map(|&row| values[row].clone()).collect()
        }
        Dataset {
            x: self.x.select_columns(rows),
            target: match &self.target {
                Target::Classes(classes) => Target::Classes(pick(classes, rows)),
                Target::Partial(classes) => Target::Partial(pick(classes, rows)),
                Target::Values(values) => Target::Values(values.select_columns(rows)),
                Target::Absent => Target::Absent,
            },
            groups: self.groups.as_ref().map(|groups| pick(groups, rows)),
            keys: self.keys.as_ref().map(|keys| pick(keys, rows)),
            features: self.features.clone(),
            task: self.task.clone(),
            hash: self.hash.clone(),
            left_out: Vec::new(),
            origin: self.origin.clone(),
            target_origin: self.target_origin.clone(),
            options: self.options.clone(),
            notes: Vec::new(),
        }
    }

    /// Returns the class of each row; none where it is unknown.
    pub fn labels(&self) -> Vec<Option<usize>> {
        match &self.target {
            Target::Classes(classes) => classes.iter().copied().map(Some).collect(),
            Target::Partial(classes) => classes.clone(),
            Target::Values(_) | Target::Absent => vec![None; self.rows()],
        }
    }

    /// Appends `more` rows of the same features, for a student whose teacher labels them: their targets are ignored.
    /// Measured values, which such a student does not need, groups and keys are dropped.
    pub fn with_unlabelled(&self, more: &[Dataset]) -> Dataset {
        let columns = more.iter().flat_map(|more| more.x.column_iter());
        let columns: Vec<_> = self.x.column_iter().chain(columns).collect();
        let mut labels = self.labels();
        labels.resize(columns.len(), None);
        let target = match &self.task {
            Task::Classification { .. } => Target::Partial(labels),
            Task::Regression { .. } => Target::Absent,
        };
        let x = if columns.is_empty() { self.x.clone() } else { DMatrix::from_columns(&columns) };
        Dataset { x, target, groups: None, keys: None, ..self.select(&[]) }
    }

    /// Returns the contents that a further file with the same columns must have, including the target.
    pub fn expected(&self) -> Expected<'_> {
        Expected {
            features: &self.features,
            origin: &self.origin,
            task: &self.task,
            target_origin: &self.target_origin,
            target_optional: false,
            groups: None,
            groups_optional: false,
            key: None,
            options: self.options.clone(),
        }
    }

    /// Returns the widths of a network for this data: number of features, `hidden`, number of outputs.
    pub fn widths(&self, hidden: &[usize]) -> Vec<usize> {
        [&[self.features.len()], hidden, &[self.task.outputs()]].concat()
    }
}
