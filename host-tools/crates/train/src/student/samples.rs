//! The training set of a student: features, labels and teacher outputs, row by row.

use std::borrow::Cow;

use nalgebra::DMatrix;

use super::recipe::{Lesson, Recipe};
use crate::error::{Error, Result};
use crate::outputs::Answers;

/// Training or validation set of a student. Columns and elements belong together.
#[derive(Clone, Copy, Debug)]
pub struct Lessons<'a> {
    /// Standardized features, shape (inputs × rows).
    pub x: &'a DMatrix<f32>,
    /// The class of every row whose class is known.
    pub labels: &'a [Option<usize>],
    /// Teacher outputs for the rows, or measured values.
    pub teacher: Option<&'a Answers>,
}

/// Lessons, their teachers asked at one temperature.
pub(super) struct Asked<'a> {
    pub x: &'a DMatrix<f32>,
    labels: &'a [Option<usize>],
    /// Shape (outputs × rows), or of no rows without a teacher.
    teacher: Cow<'a, DMatrix<f32>>,
    /// By class.
    weights: Option<&'a [f32]>,
}

impl<'a> Lessons<'a> {
    /// The lessons for a recipe, its temperature included; `weights` are what rows count, by class.
    pub(super) fn ask(&self, recipe: Recipe, weights: Option<&'a [f32]>) -> Asked<'a> {
        let teacher = match (self.teacher, recipe) {
            (None, _) => Cow::Owned(DMatrix::zeros(0, self.x.ncols())),
            (Some(answers), Recipe::ValueMse) => answers.values(),
            (Some(answers), _) => answers.logits(recipe.temperature()),
        };
        Asked { x: self.x, labels: self.labels, teacher, weights }
    }

    /// Checks the shapes: `widths` are the student's, from input to output.
    pub(super) fn check(&self, recipe: Recipe, inputs: usize, outputs: usize) -> Result<()> {
        let rows = self.x.ncols();
        let invalid = |message: String| Err(Error::Invalid(message));
        if rows == 0 {
            return invalid("there are no rows to train on".into());
        }
        if self.x.nrows() != inputs {
            return invalid(format!("the data has {} features, the student takes {inputs}", self.x.nrows()));
        }
        if self.labels.len() != rows {
            return invalid(format!("{} labels for {rows} rows", self.labels.len()));
        }
        if self.labels.iter().flatten().any(|&label| label >= outputs) {
            return invalid(format!("a label is not among the student's {outputs} classes"));
        }
        if recipe == Recipe::HardLabels {
            return match self.labels.contains(&None) {
                true => invalid("training on hard labels needs the label of every row".into()),
                false => Ok(()),
            };
        }
        match self.teacher.map(Answers::shape) {
            None => invalid("distilling needs a teacher's outputs".into()),
            Some(shape) if shape != (outputs, rows) => invalid(format!(
                "the teacher gives {} outputs for {} rows; the student has {outputs} outputs and {rows} rows",
                shape.0, shape.1
            )),
            Some(_) => Ok(()),
        }
    }
}

impl Asked<'_> {
    /// The target of a row, without its features.
    pub(super) fn lesson(&self, row: usize) -> Lesson<'_> {
        let outputs = self.teacher.nrows();
        let label = self.labels[row];
        Lesson {
            // Columns lie one behind the other.
            teacher: &self.teacher.as_slice()[row * outputs..(row + 1) * outputs],
            label,
            weight: self.weights.and_then(|weights| weights.get(label?).copied()),
        }
    }

    /// Its features.
    pub(super) fn x(&self, row: usize) -> &[f32] {
        let inputs = self.x.nrows();
        &self.x.as_slice()[row * inputs..(row + 1) * inputs]
    }

    /// The class, if it is known.
    pub(super) fn label(&self, row: usize) -> Option<usize> {
        self.labels[row]
    }

    /// Number of rows.
    pub(super) fn rows(&self) -> usize {
        self.x.ncols()
    }
}
