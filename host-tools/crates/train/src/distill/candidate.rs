//! Candidates: the ways to train a student among which held-out rows choose.

use serde::{Deserialize, Serialize};

use super::lesson::Lesson;
use crate::student::Inputs;

/// A way to train a student.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// What the student learns from.
    pub lesson: Lesson,
    /// First step of its inferences.
    pub inputs: Inputs,
    /// Decoupled weight decay, for a training set of up to 1000 rows: see [`beside_rows`](crate::tune::beside_rows).
    pub weight_decay: f32,
}

impl std::fmt::Display for Candidate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}, {} inputs, weight decay {}", self.lesson.name(), self.inputs, self.weight_decay)
    }
}

/// Weight decays that a choice tries.
pub const WEIGHT_DECAYS: [f32; 6] = [0.0, 0.05, 0.15, 0.5, 1.5, 5.0];

/// Returns every lesson with all inputs and weight decays. No weight decay is tried only with the target and with synthetic
/// rows; where the teacher or smoothing already regularizes, five candidates are enough.
pub fn all(lessons: &[Lesson], inputs: &[Inputs]) -> Vec<Candidate> {
    let decays = |lesson| match lesson {
        Lesson::Target | Lesson::Synthetic => &WEIGHT_DECAYS[..],
        Lesson::SmoothedLabels | Lesson::Teacher | Lesson::TeacherAndSynthetic => &WEIGHT_DECAYS[1..],
    };
    let of = |lesson: Lesson, inputs: Inputs| {
        decays(lesson).iter().map(move |&weight_decay| Candidate { lesson, inputs, weight_decay })
    };
    inputs.iter().flat_map(|&inputs| lessons.iter().flat_map(move |&lesson| of(lesson, inputs))).collect()
}
