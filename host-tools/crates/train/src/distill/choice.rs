//! The choice of a candidate on held-out rows.
//!
//! A few hundred labels say little about which of fifty students is best. Candidates that are distilled are therefore compared
//! by how close they come to the teacher on the held-out rows: a teacher that has not seen these rows either knows the
//! probabilities of which a label is a single draw. Whether to distill at all is decided by the targets, and where rows have
//! groups, by the differences between groups.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use microdistill::loss::log_softmax;
use microdistill::scalar::Scalar;
use nalgebra::DMatrix;
use rayon::prelude::*;
use serde::Serialize;

use super::candidate::Candidate;
use super::material::Material;
use super::school::Student;
use crate::dataset::{Dataset, Target, Task};
use crate::error::Result;
use crate::tune::held_out::{Confidence, losses};

/// Held-out rows, and the material of students that have not seen them.
#[derive(Clone, Debug)]
pub struct Exam {
    /// Training rows of the fold, labelled by a teacher that has not seen the held-out rows either.
    pub material: Material,
    /// Held-out rows, all with a target.
    pub held_out: Dataset,
    /// Teacher outputs for the held-out rows, shape (outputs × rows): logits, or values.
    pub teacher: DMatrix<f32>,
}

/// Result of a candidate on held-out rows.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Trial {
    /// The candidate.
    #[serde(flatten)]
    pub candidate: Candidate,
    /// Mean loss of all held-out rows: the NLL in nats or, for values, the squared error as a share of the variance. None if
    /// a training diverged.
    pub loss: Option<f64>,
    /// Mean distance from the teacher on the same rows: the cross-entropy with its probabilities in nats or, for values, the
    /// squared difference as a share of the variance. None if a training diverged.
    pub distance: Option<f64>,
    /// Share of the held-out rows that are classified correctly, or R², in the mean over the targets.
    pub score: f64,
    /// Loss of each held-out row or, if rows have groups, the mean of each group. Empty if a training diverged.
    #[serde(skip)]
    pub losses: Vec<f64>,
}

/// Chooses a trial. Of distilled candidates, the one that is closest to the teacher is considered; of the others, the one with
/// the smallest loss. The other one is chosen only if its loss is smaller by more than the standard error of the difference.
/// None if every training diverged.
pub fn best<'a>(trials: impl IntoIterator<Item = &'a Trial>) -> Option<&'a Trial> {
    let (distilled, own): (Vec<&Trial>, Vec<&Trial>) =
        trials.into_iter().partition(|trial| trial.candidate.lesson.is_distilled());
    let least = |trials: Vec<&'a Trial>, by: fn(&Trial) -> Option<f64>| {
        let known = trials.into_iter().filter_map(|trial| Some((by(trial)?, trial)));
        known.reduce(|best, next| if next.0 < best.0 { next } else { best }).map(|(_, trial)| trial)
    };
    let distilled = least(distilled, |trial| trial.distance);
    let own = least(own, |trial| trial.loss);
    match (distilled, own) {
        (Some(distilled), Some(own)) => {
            Some(if is_better(&own.losses, &distilled.losses) { own } else { distilled })
        }
        (distilled, own) => distilled.or(own),
    }
}

/// True if the mean of `losses` is below that of `others` by more than the standard error of the paired difference, which a
/// single pair does not have.
fn is_better(losses: &[f64], others: &[f64]) -> bool {
    let differences: Vec<f64> = losses.iter().zip(others).map(|(loss, other)| loss - other).collect();
    let count = differences.len() as f64;
    if count < 2.0 {
        return false;
    }
    let mean = differences.iter().sum::<f64>() / count;
    let squares = differences.iter().map(|difference| (difference - mean).powi(2)).sum::<f64>();
    mean < 0.0 && mean.powi(2) > squares / (count * (count - 1.0))
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
        let diverged = Trial { candidate, loss: None, distance: None, score: 0.0, losses: Vec::new() };
        let Some(outputs) = outputs else { return Ok(diverged) };
        let losses = losses(&outputs, &held_out, Confidence::Given)?;
        let mean = |losses: &[f64]| losses.iter().sum::<f64>() / losses.len() as f64;
        let loss = mean(&losses);
        if !loss.is_finite() {
            return Ok(diverged);
        }
        let distance = mean(&distances(&outputs, exams)?);
        let score = score(&outputs, &held_out).unwrap_or(1.0 - loss);
        let losses = by_group(losses, &held_out);
        Ok(Trial { candidate, loss: Some(loss), distance: Some(distance), score, losses })
    };
    candidates.iter().enumerate().map(trial).collect()
}

/// Means of the losses of each group, because rows of one person or device are not independent; without groups, the losses
/// themselves.
fn by_group(losses: Vec<f64>, held_out: &[Dataset]) -> Vec<f64> {
    let groups: Option<Vec<&String>> = held_out
        .iter()
        .map(|rows| rows.groups.as_ref())
        .collect::<Option<Vec<_>>>()
        .map(|all| all.into_iter().flatten().collect());
    let Some(groups) = groups else { return losses };
    let mut means = BTreeMap::<&String, (f64, f64)>::new();
    for (loss, group) in losses.iter().zip(groups) {
        let (sum, count) = means.entry(group).or_default();
        *sum += loss;
        *count += 1.0;
    }
    means.into_values().map(|(sum, count)| sum / count).collect()
}

/// Distance of each row's outputs from those of the teacher.
fn distances(outputs: &[DMatrix<f32>], exams: &[Exam]) -> Result<Vec<f64>> {
    if matches!(exams[0].held_out.task, Task::Regression { .. }) {
        let taught =
            |exam: &Exam| Dataset { target: Target::Values(exam.teacher.clone()), ..exam.held_out.clone() };
        return losses(outputs, &exams.iter().map(taught).collect::<Vec<_>>(), Confidence::Given);
    }
    let distance = |outputs: &[f32], teacher: &[f32]| {
        let [logs, teacher] = [outputs, teacher].map(|logits| {
            let mut logs: Vec<f64> = logits.iter().copied().map(f64::from).collect();
            log_softmax(&mut logs);
            logs
        });
        -teacher.iter().zip(&logs).map(|(teacher, log)| Scalar::exp(*teacher) * log).sum::<f64>()
    };
    let pairs = outputs
        .iter()
        .zip(exams)
        .flat_map(|(outputs, exam)| outputs.column_iter().zip(exam.teacher.column_iter()));
    Ok(pairs.map(|(outputs, teacher)| distance(outputs.as_slice(), teacher.as_slice())).collect())
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::distill::Lesson;
    use crate::student::Inputs;

    fn trial(lesson: Lesson, distance: f64, losses: &[f64]) -> Trial {
        Trial {
            candidate: Candidate { lesson, inputs: Inputs::Standardized, weight_decay: 0.0 },
            loss: Some(losses.iter().sum::<f64>() / losses.len() as f64),
            distance: Some(distance),
            score: 0.5,
            losses: losses.to_vec(),
        }
    }

    fn chosen(trials: &[Trial]) -> Option<Lesson> {
        best(trials).map(|trial| trial.candidate.lesson)
    }

    #[test]
    fn distilled_candidates_are_compared_by_their_distance_from_the_teacher() {
        let near = trial(Lesson::Synthetic, 0.3, &[0.5, 0.7, 0.6, 0.6]);
        let far = trial(Lesson::Teacher, 0.4, &[0.4, 0.6, 0.5, 0.5]);
        assert_eq!(chosen(&[far.clone(), near.clone()]), Some(Lesson::Synthetic));
        assert_eq!(chosen(&[far]), Some(Lesson::Teacher));
        let diverged = Trial { loss: None, distance: None, losses: Vec::new(), ..near };
        assert_eq!(chosen(&[diverged]), None);
        assert_eq!(chosen(&[]), None);
    }

    #[test]
    fn the_teacher_is_ignored_only_beyond_the_error_of_the_difference() {
        let distilled = trial(Lesson::Teacher, 0.3, &[0.5, 0.7, 0.6, 0.6]);
        let hardly = trial(Lesson::Target, 0.2, &[0.9, 0.2, 0.7, 0.5]);
        let clearly = trial(Lesson::SmoothedLabels, 0.9, &[0.4, 0.61, 0.5, 0.5]);
        assert_eq!(chosen(&[distilled.clone(), hardly.clone()]), Some(Lesson::Teacher));
        // Of those without a teacher, the one with the smallest loss is considered.
        assert_eq!(chosen(&[distilled, hardly.clone(), clearly]), Some(Lesson::SmoothedLabels));
        assert_eq!(chosen(&[hardly]), Some(Lesson::Target));
        // A single group says nothing about others.
        let [distilled, own] = [(Lesson::Teacher, 0.6), (Lesson::Target, 0.1)];
        let of = |(lesson, loss)| trial(lesson, 0.3, &[loss]);
        assert_eq!(chosen(&[of(distilled), of(own)]), Some(Lesson::Teacher));
    }
}
