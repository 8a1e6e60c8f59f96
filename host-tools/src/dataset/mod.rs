//! Data sets: CSV files with a header, divided into parts that never share a group.

mod read;
mod scaler;
mod split;

use nalgebra::DMatrix;

pub use read::{Columns, Kind, read, read_like};
pub use split::{Fold, folds, split};

use crate::model::Task;

/// Rows of raw features, with what is known about them.
#[derive(Clone, Debug, PartialEq)]
pub struct Dataset {
    /// Names of the features, in order.
    pub features: Vec<String>,
    /// Raw features, shape (features × rows); NaN where a value is missing.
    pub x: DMatrix<f32>,
    /// What the target column means.
    pub task: Task,
    /// The target column, one element a row.
    pub target: Target,
    /// Rows of one group (a person, a session) are never divided between parts.
    pub groups: Option<Vec<String>>,
    /// First 16 hexadecimal digits of the SHA-256 of the file.
    pub hash: String,
    /// What was assumed, ignored or found missing: to be told to the user.
    pub notes: Vec<String>,
}

/// The target column.
#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    /// Indices into the task's labels.
    Classes(Vec<usize>),
    /// Values in the column's unit.
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
                Target::Values(values) => Target::Values(pick(values, rows)),
                Target::Absent => Target::Absent,
            },
            groups: self.groups.as_ref().map(|groups| pick(groups, rows)),
            features: self.features.clone(),
            task: self.task.clone(),
            hash: self.hash.clone(),
            notes: Vec::new(),
        }
    }

    /// Writes `values`, one a feature, where a value is missing; returns how many there were.
    ///
    /// The training rows' means do: after standardization they are zero.
    pub fn fill_missing(&mut self, values: &[f32]) -> usize {
        let mut filled = 0;
        for mut column in self.x.column_iter_mut() {
            for (x, &value) in column.iter_mut().zip(values).filter(|(x, _)| x.is_nan()) {
                *x = value;
                filled += 1;
            }
        }
        filled
    }
}
