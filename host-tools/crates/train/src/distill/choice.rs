//! The choice of a candidate on held-out rows.

use std::ops::ControlFlow;

use nalgebra::DMatrix;
use rayon::prelude::*;
use serde::Serialize;

use super::candidate::Candidate;
use super::material::Material;
use super::school::Student;
use crate::dataset::{Dataset, Target};
use crate::error::Result;
use crate::tune::held_out::{Confidence, losses};

/// Held-out rows, and the material of students that have not seen them.
#[derive(Clone, Debug)]
pub struct Exam {
    /// Training rows of the fold, labelled by a teacher that has not seen the held-out rows either.
    pub material: Material,
    /// Held-out rows, all with a target.
    pub held_out: Dataset,
}

/// Result of a candidate on held-out rows.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Trial {
    /// The candidate.
    #[serde(flatten)]
    pub candidate: Candidate,
    /// Mean loss of all held-out rows: the NLL in nats or, for values, the squared error as a share of the variance. None if
    /// a training diverged.
    pub loss: Option<f64>,
    /// Share of the held-out rows that are classified correctly, or R², in the mean over the targets.
    pub score: f64,
}

/// Trains a student of each candidate for each exam and scores it, in parallel. Returns the trials in the order of the
/// candidates. `flow` is called after each epoch of a training; on `Break` the choice ends.
///
/// # Errors
/// Fails as [`Student::train`] does, and if a held-out row has no target.
pub fn trials(
    student: &Student,
    exams: &[Exam],
    candidates: &[Candidate],
    flow: &(dyn Fn() -> ControlFlow<()> + Sync),
) -> Result<Vec<Trial>> {
    let sit = |exam: &Exam| {
        let graduates = student.train(&exam.material, candidates, flow)?;
        let predict = |graduate: super::school::Graduate| graduate.map(|model| model.predict(&exam.held_out));
        Ok(graduates.into_iter().map(predict).collect::<Vec<_>>())
    };
    let outputs = exams.par_iter().map(sit).collect::<Result<Vec<Vec<Option<DMatrix<f32>>>>>>()?;
    let held_out: Vec<Dataset> = exams.iter().map(|exam| exam.held_out.clone()).collect();
    let trial = |(index, &candidate): (usize, &Candidate)| {
        let outputs: Option<Vec<DMatrix<f32>>> = outputs.iter().map(|exam| exam[index].clone()).collect();
        let Some(outputs) = outputs else { return Ok(Trial { candidate, loss: None, score: 0.0 }) };
        let losses = losses(&outputs, &held_out, Confidence::Given)?;
        let loss = losses.iter().sum::<f64>() / losses.len() as f64;
        let score = score(&outputs, &held_out).unwrap_or(1.0 - loss);
        Ok(Trial { candidate, loss: Some(loss).filter(|loss| loss.is_finite()), score })
    };
    candidates.iter().enumerate().map(trial).collect()
}

/// Share of the rows that are classified correctly; none for values, whose R² is one minus the loss.
fn score(outputs: &[DMatrix<f32>], held_out: &[Dataset]) -> Option<f64> {
    let (mut right, mut all) = (0usize, 0usize);
    for (outputs, rows) in outputs.iter().zip(held_out) {
        let Target::Classes(labels) = &rows.target else { return None };
        let answers = outputs.column_iter().map(|z| microdistill::argmax(z.as_slice()));
        right += answers.zip(labels).filter(|(answer, label)| answer == *label).count();
        all += labels.len();
    }
    Some(right as f64 / all.max(1) as f64)
}
