//! Data sets: files of rows, divided into parts that never share a group.

mod encoding;
mod groups;
mod origin;
mod read;
mod scaler;
mod soft_labels;
mod split;
mod standardizer;
mod target;
mod task;
mod text;

use nalgebra::DMatrix;

pub use read::{Columns, Expected, Kind, read, read_like, read_unlabelled};
pub use scaler::Scaler;
pub use soft_labels::read_soft_labels;
pub use split::{Fold, check_shares, folds, split};
pub use standardizer::{Standardized, Standardizer};
pub use task::Task;
pub use text::Text;

use crate::table::Options;

/// Rows of raw features, with what is known about them.
#[derive(Clone, Debug, PartialEq)]
pub struct Dataset {
    /// Names of the features, in order.
    pub features: Vec<String>,
    /// Raw features less their origins, shape (features × rows); NaN where a value is missing.
    pub x: DMatrix<f32>,
    /// What was subtracted from each feature, in f64, before it was rounded to f32: zero unless f32 cannot hold the
    /// feature.
    pub origin: Vec<f64>,
    /// Meaning of the target column.
    pub task: Task,
    /// The target column, one element a row.
    pub target: Target,
    /// What was subtracted from the target's values, in f64, before they were rounded to f32.
    pub target_origin: f64,
    /// Places, among the rows of the file, of those that were left out for want of a target; ascending.
    pub left_out: Vec<usize>,
    /// Rows of one group (a person, a session) are never divided between parts.
    pub groups: Option<Vec<String>>,
    /// First 16 hexadecimal digits of the SHA-256 of the file.
    pub hash: String,
    /// How the file was written, as far as the user said it.
    pub options: Options,
    /// Notes for the user: assumptions, ignored columns and missing values.
    pub notes: Vec<String>,
}

/// The target column.
#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    /// Indices into the task's labels.
    Classes(Vec<usize>),
    /// Indices into the task's labels, of some rows.
    Partial(Vec<Option<usize>>),
    /// Values in the column's unit, less [`Dataset::target_origin`].
    Values(Vec<f32>),
    /// The file has none: its rows are to be predicted.
    Absent,
}

impl Dataset {
    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.x.ncols()
    }

    /// The rows of these indices, each below [`rows`](Dataset::rows).
    pub fn select(&self, rows: &[usize]) -> Dataset {
        fn pick<T: Clone>(values: &[T], rows: &[usize]) -> Vec<T> {
            rows.iter().map(|&row| values[row].clone()).collect()
        }
        Dataset {
            x: self.x.select_columns(rows),
            target: match &self.target {
                Target::Classes(classes) => Target::Classes(pick(classes, rows)),
                Target::Partial(classes) => Target::Partial(pick(classes, rows)),
                Target::Values(values) => Target::Values(pick(values, rows)),
                Target::Absent => Target::Absent,
            },
            groups: self.groups.as_ref().map(|groups| pick(groups, rows)),
            features: self.features.clone(),
            task: self.task.clone(),
            hash: self.hash.clone(),
            left_out: Vec::new(),
            origin: self.origin.clone(),
            target_origin: self.target_origin,
            options: self.options.clone(),
            notes: Vec::new(),
        }
    }

    /// The class of every row, where it is known.
    pub fn labels(&self) -> Vec<Option<usize>> {
        match &self.target {
            Target::Classes(classes) => classes.iter().copied().map(Some).collect(),
            Target::Partial(classes) => classes.clone(),
            Target::Values(_) | Target::Absent => vec![None; self.rows()],
        }
    }

    /// These rows and `more` of the same features, whose targets do not count: for a student, whose teacher says what
    /// they are. Measured values, which it does without, are gone. No group is known of the rows together.
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
        Dataset { x, target, groups: None, ..self.select(&[]) }
    }

    /// The contents required of a further file with the same columns, including the target.
    pub fn expected(&self) -> Expected<'_> {
        Expected {
            features: &self.features,
            origin: &self.origin,
            task: &self.task,
            target_origin: self.target_origin,
            target_optional: false,
            groups: None,
            options: self.options.clone(),
        }
    }

    /// Widths of a network for this data: features, `hidden`, outputs.
    pub fn widths(&self, hidden: &[usize]) -> Vec<usize> {
        let outputs = self.task.labels().len().max(1);
        [&[self.features.len()], hidden, &[outputs]].concat()
    }
}
