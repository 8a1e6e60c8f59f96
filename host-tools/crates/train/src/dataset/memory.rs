//! A data set from numbers in memory, such as those of another program.

use nalgebra::DMatrix;
use sha2::{Digest as _, Sha256};

use super::origin::{Rounding, feature_notes, target_note};
use super::{Dataset, Target, Task};
use crate::error::{Error, Result};
use crate::table::{Options, container};

/// Targets of rows in memory.
#[derive(Clone, Debug, PartialEq)]
pub enum Targets {
    /// Classes: the name of the target, the labels, and the class of each row, an index into them.
    Classes(String, Vec<String>, Vec<usize>),
    /// Values: the names of the targets and their values, row by row.
    Values(Vec<String>, Vec<f64>),
}

impl Dataset {
    /// Creates a data set of the rows `x`, one after the other. What is not finite is missing. As for a file, an origin is
    /// subtracted from a feature or a target that f32 cannot hold.
    ///
    /// # Errors
    /// Fails if the numbers do not divide into rows, if rows and targets differ in number, and if a target is no class, or not
    /// finite as an f32.
    pub fn of_numbers(features: Vec<String>, x: &[f64], targets: Targets) -> Result<Self> {
        let (roundings, origin) = origins(x, features.len())?;
        let notes = feature_notes(&features, &origin, &roundings);
        let rows = x.len() / features.len();
        let (task, target, target_origin, target_notes) = meaning(targets, rows)?;
        let mut hash = Sha256::new();
        x.iter().for_each(|value| hash.update(value.to_le_bytes()));
        Ok(Dataset {
            x: relative(x, &origin),
            features,
            origin,
            task,
            target,
            target_origin,
            left_out: Vec::new(),
            groups: None,
            keys: None,
            hash: container::hash(hash),
            options: Options::default(),
            notes: [notes, target_notes].concat(),
        })
    }

    /// Creates rows of the same features from numbers, one row after the other, without a target.
    ///
    /// # Errors
    /// Fails if the numbers do not divide into rows.
    pub fn with_numbers(&self, x: &[f64]) -> Result<Self> {
        check(x, self.features.len())?;
        let origin = match &self.origin[..] {
            [] => vec![0.0; self.features.len()],
            origin => origin.to_vec(),
        };
        Ok(Dataset { x: relative(x, &origin), target: Target::Absent, groups: None, ..self.select(&[]) })
    }

    /// Returns the features as they were before the origins were subtracted, row by row.
    pub fn numbers(&self) -> Vec<f64> {
        let absolute = |(index, &value): (usize, &f32)| {
            self.origin.get(index).copied().unwrap_or_default() + f64::from(value)
        };
        self.x
            .column_iter()
            .flat_map(|row| row.iter().enumerate().map(absolute).collect::<Vec<_>>())
            .collect()
    }
}

fn check(x: &[f64], width: usize) -> Result<()> {
    if width == 0 || !x.len().is_multiple_of(width) {
        return Err(Error::Invalid(format!("{} numbers are no rows of {width} features", x.len())));
    }
    Ok(())
}

/// Rounding and origin of each of `width` columns.
fn origins(x: &[f64], width: usize) -> Result<(Vec<Rounding>, Vec<f64>)> {
    check(x, width)?;
    let mut roundings = vec![Rounding::default(); width];
    for row in x.chunks_exact(width) {
        roundings.iter_mut().zip(row).for_each(|(rounding, &value)| rounding.add(value));
    }
    let origins = roundings.iter().map(Rounding::origin).collect();
    Ok((roundings, origins))
}

/// Columns less their origins, shape (columns × rows); NaN where that is not finite.
fn relative(x: &[f64], origin: &[f64]) -> DMatrix<f32> {
    let rows = x.len() / origin.len().max(1);
    let value = |(x, origin): (&f64, &f64)| {
        let value = (x - origin) as f32;
        if value.is_finite() { value } else { f32::NAN }
    };
    DMatrix::from_iterator(origin.len(), rows, x.iter().zip(origin.iter().cycle()).map(value))
}

/// Task, target, its origins and notes about them.
fn meaning(targets: Targets, rows: usize) -> Result<(Task, Target, Vec<f64>, Vec<String>)> {
    let counted = |count: usize| match count == rows {
        true => Ok(()),
        false => Err(Error::Invalid(format!("there are {rows} rows, but {count} targets"))),
    };
    match targets {
        Targets::Classes(target, labels, classes) => {
            counted(classes.len())?;
            if let Some(class) = classes.iter().find(|class| **class >= labels.len()) {
                return Err(Error::Invalid(format!(
                    "a row is of class {class}, but there are {} labels",
                    labels.len()
                )));
            }
            Ok((Task::Classification { target, labels }, Target::Classes(classes), Vec::new(), Vec::new()))
        }
        Targets::Values(targets, values) => {
            counted(values.len() / targets.len().max(1))?;
            let (roundings, mut origins) = origins(&values, targets.len())?;
            let notes = targets.iter().zip(&origins).zip(&roundings);
            let notes =
                notes.filter_map(|((name, &origin), rounding)| target_note(name, origin, rounding)).collect();
            let values = relative(&values, &origins);
            if let Some(row) = values.column_iter().position(|row| row.iter().any(|value| value.is_nan())) {
                return Err(Error::Invalid(format!("the target of row {row} is not a finite number of f32")));
            }
            let target = Target::Values(values);
            if origins.iter().all(|origin| *origin == 0.0) {
                origins.clear();
            }
            Ok((Task::Regression { targets }, target, origins, notes))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_beyond_f32_have_an_origin() {
        let x: Vec<f64> =
            (0..10).flat_map(|row| [1_732_800_000_000.0 + f64::from(row), 0.5, f64::NAN]).collect();
        let features = ["time", "a", "b"].map(String::from).to_vec();
        let values = (0..10).map(f64::from).collect();
        let data =
            Dataset::of_numbers(features.clone(), &x, Targets::Values(vec!["y".into()], values)).unwrap();
        assert_eq!((data.rows(), data.notes.len(), data.origin[1]), (10, 1, 0.0));
        assert!(data.origin[0] > 1e12 && data.target_origin.is_empty());
        let again = data.numbers();
        assert!(x.iter().zip(&again).all(|(a, b)| a == b || a.is_nan() && b.is_nan()), "{again:?}");
        let classes = |labels: &[&str], rows| {
            let labels = labels.iter().map(|&label| label.into()).collect();
            Dataset::of_numbers(features.clone(), &x, Targets::Classes("kind".into(), labels, rows))
        };
        assert_eq!(classes(&["a", "b"], vec![1; 10]).unwrap().labels(), [Some(1); 10]);
        for (problem, expected) in [
            (classes(&["a"], vec![1; 10]), "a row is of class 1"),
            (classes(&["a"], vec![0; 9]), "10 rows, but 9 targets"),
            (
                Dataset::of_numbers(features.clone(), &x[1..], Targets::Values(vec!["y".into()], vec![])),
                "29 numbers",
            ),
            (
                Dataset::of_numbers(features, &x, Targets::Values(vec!["y".into()], vec![f64::NAN; 10])),
                "row 0",
            ),
        ] {
            let error = problem.unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
