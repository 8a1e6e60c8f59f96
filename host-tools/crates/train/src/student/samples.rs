//! The training set of a student: features, labels and teacher outputs, row by row.

use std::borrow::Cow;

use nalgebra::DMatrix;

use super::recipe::{Recipe, SampleTarget};
use crate::error::{Error, Result};
use crate::outputs::TeacherOutputs;

/// Training or validation set of a student. Column `i` of the matrices belongs to element `i` of `labels`.
#[derive(Clone, Copy, Debug)]
pub struct Samples<'a> {
    /// Standardized features, shape (inputs × rows).
    pub x: &'a DMatrix<f32>,
    /// Class of each row; none where it is unknown.
    pub labels: &'a [Option<usize>],
    /// Teacher outputs for the rows or, in regression without a teacher, their measured values.
    pub teacher: Option<&'a TeacherOutputs>,
    /// Weight of each row in the loss, finite and at least 0, beside that of its class; none if all rows weigh the same. A batch
    /// is still divided by its number of rows.
    pub weights: Option<&'a [f32]>,
}

/// A training set whose teacher outputs are evaluated at one temperature.
pub(super) struct TemperedSamples<'a> {
    pub x: &'a DMatrix<f32>,
    labels: &'a [Option<usize>],
    /// Teacher outputs, shape (outputs × rows); without a teacher, shape (0 × rows).
    teacher: Cow<'a, DMatrix<f32>>,
    weights: Weights<'a>,
}

/// Weights of the rows in the loss.
#[derive(Clone, Copy, Debug)]
pub(super) struct Weights<'a> {
    /// One per class.
    pub by_class: Option<&'a [f32]>,
    /// One per row.
    pub by_row: Option<&'a [f32]>,
}

impl Weights<'_> {
    /// Validation rows, which all count the same.
    pub(super) const NONE: Weights<'static> = Weights { by_class: None, by_row: None };

    /// Returns the weight of a row with this label, the product of both; none stands for 1.
    #[inline]
    pub(super) fn of(self, row: usize, label: Option<usize>) -> Option<f32> {
        let of_class = self.by_class.and_then(|weights| weights.get(label?).copied());
        let of_row = self.by_row.and_then(|weights| weights.get(row).copied());
        match (of_class, of_row) {
            (Some(of_class), Some(of_row)) => Some(of_class * of_row),
            (of_class, of_row) => of_class.or(of_row),
        }
    }
}

impl<'a> Samples<'a> {
    /// Evaluates the teacher outputs for a recipe and its temperature.
    pub(super) fn tempered(&self, recipe: Recipe, weights: Weights<'a>) -> TemperedSamples<'a> {
        TemperedSamples { x: self.x, labels: self.labels, teacher: self.teacher_at(recipe), weights }
    }

    /// Returns the teacher outputs for a recipe at its temperature, shape (outputs × rows); without a teacher, shape
    /// (0 × rows).
    pub(super) fn teacher_at(&self, recipe: Recipe) -> Cow<'a, DMatrix<f32>> {
        match (self.teacher, recipe) {
            (None, _) => Cow::Owned(DMatrix::zeros(0, self.x.ncols())),
            (Some(teacher_outputs), Recipe::ValueMse) => teacher_outputs.values(),
            (Some(teacher_outputs), _) => teacher_outputs.logits(recipe.temperature()),
        }
    }

    /// Returns the weights of the rows beside those of the classes.
    pub(super) fn weights(&self, by_class: Option<&'a [f32]>) -> Weights<'a> {
        Weights { by_class, by_row: self.weights }
    }

    /// Checks that the rows fit the recipe and a student with this number of inputs and outputs.
    pub(super) fn check(&self, recipe: Recipe, inputs: usize, outputs: usize) -> Result<()> {
        let rows = self.x.ncols();
        let invalid = |message: String| Err(Error::Invalid(message));
        if rows == 0 {
            return invalid("there are no rows to train on".into());
        }
        if self.x.nrows() != inputs {
            return invalid(format!(
                "the data has {} features, but the student has {inputs} inputs: change its first width",
                self.x.nrows()
            ));
        }
        if self.labels.len() != rows {
            return invalid(format!(
                "found {} labels for {rows} rows: give one label per row",
                self.labels.len()
            ));
        }
        if self.labels.iter().flatten().any(|&label| label >= outputs) {
            return invalid(format!(
                "a label is not among the student's {outputs} classes: give it one output per class"
            ));
        }
        if let Some(weights) = self.weights {
            if weights.len() != rows {
                return invalid(format!(
                    "found {} weights for {rows} rows: give one weight per row, or none",
                    weights.len()
                ));
            }
            if let Some(weight) = weights.iter().find(|weight| !(weight.is_finite() && **weight >= 0.0)) {
                return invalid(format!("a row's weight of {weight}: it must be at least 0"));
            }
        }
        if recipe == Recipe::HardLabels {
            return match self.labels.contains(&None) {
                true => invalid(
                    "training on hard labels needs the label of every row: remove the rows without one, or distill \
                     from a teacher"
                        .into(),
                ),
                false => Ok(()),
            };
        }
        match self.teacher.map(TeacherOutputs::shape) {
            None => {
                invalid("this loss needs teacher outputs: give a teacher, or train on hard labels".into())
            }
            Some(shape) if shape != (outputs, rows) => invalid(format!(
                "the teacher gives {} outputs for {} rows; the student has {outputs} outputs and {rows} rows",
                shape.0, shape.1
            )),
            Some(_) => Ok(()),
        }
    }
}

impl TemperedSamples<'_> {
    /// Returns the target of a row.
    pub(super) fn target(&self, row: usize) -> SampleTarget<'_> {
        let outputs = self.teacher.nrows();
        let label = self.labels[row];
        SampleTarget {
            // Matrices are column-major, so a row's outputs are adjacent.
            teacher: &self.teacher.as_slice()[row * outputs..(row + 1) * outputs],
            label,
            weight: self.weights.of(row, label),
        }
    }

    /// Returns the standardized features of a row.
    pub(super) fn x(&self, row: usize) -> &[f32] {
        let inputs = self.x.nrows();
        &self.x.as_slice()[row * inputs..(row + 1) * inputs]
    }

    /// Returns the class of a row, if it is known.
    pub(super) fn label(&self, row: usize) -> Option<usize> {
        self.labels[row]
    }

    /// Number of rows.
    pub(super) fn rows(&self) -> usize {
        self.x.ncols()
    }
}
