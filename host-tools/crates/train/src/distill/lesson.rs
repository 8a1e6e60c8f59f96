//! Lessons: what a student learns from.

use microdistill::loss::log_softmax;
use microdistill::scalar::Scalar;
use nalgebra::DMatrix;
use serde::{Deserialize, Serialize};

use crate::dataset::{Dataset, Target};
use crate::outputs::TeacherOutputs;

/// What a student learns from: the target, the teacher, or both, on the data's own rows and on synthetic ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Lesson {
    /// The target of each row. No distillation.
    Target,
    /// The label of each row, of which a tenth is spread evenly over all classes. No distillation, and not for values.
    SmoothedLabels,
    /// The teacher's outputs for each row, mixed with a tenth of the target.
    Teacher,
    /// The target of each row, and the teacher's outputs for synthetic rows.
    Synthetic,
    /// The teacher's outputs for each row, mixed with a tenth of the target, and for synthetic rows.
    TeacherAndSynthetic,
}

/// Share of the target in what a student learns about a row from both; the teacher has the rest.
const TARGET_SHARE: f64 = 0.1;

/// Share of a label that is spread over all classes.
pub(super) const SMOOTHING: f32 = 0.1;

/// Smallest probability of a class in a target, whose logarithm is finite.
const LEAST: f64 = 1e-7;

impl Lesson {
    /// All lessons.
    pub const ALL: [Lesson; 5] = [
        Lesson::Target,
        Lesson::SmoothedLabels,
        Lesson::Teacher,
        Lesson::Synthetic,
        Lesson::TeacherAndSynthetic,
    ];

    /// Name in tables and files.
    pub fn name(self) -> &'static str {
        match self {
            Lesson::Target => "target",
            Lesson::SmoothedLabels => "smoothed-labels",
            Lesson::Teacher => "teacher",
            Lesson::Synthetic => "synthetic",
            Lesson::TeacherAndSynthetic => "teacher-and-synthetic",
        }
    }

    /// True if the student learns from the teacher.
    pub fn is_distilled(self) -> bool {
        !matches!(self, Lesson::Target | Lesson::SmoothedLabels)
    }

    /// True if synthetic rows are learned, too.
    pub fn takes_synthetic_rows(self) -> bool {
        matches!(self, Lesson::Synthetic | Lesson::TeacherAndSynthetic)
    }

    /// Outputs that the student learns to give for the `rows`, of which the teacher gives `teacher`, shape (outputs × rows):
    /// logits, or values. A row without a target has the teacher's outputs.
    pub(super) fn outputs(self, rows: &Dataset, teacher: &DMatrix<f32>) -> TeacherOutputs {
        let share = match self {
            Lesson::Target | Lesson::SmoothedLabels | Lesson::Synthetic => 1.0,
            Lesson::Teacher | Lesson::TeacherAndSynthetic => TARGET_SHARE,
        };
        let mut outputs = teacher.clone();
        match &rows.target {
            Target::Values(values) => {
                for (output, &value) in outputs.iter_mut().zip(values) {
                    *output = (share * f64::from(value) + (1.0 - share) * f64::from(*output)) as f32;
                }
            }
            Target::Classes(_) | Target::Partial(_) => {
                for (mut logits, label) in outputs.column_iter_mut().zip(rows.labels()) {
                    let Some(label) = label else { continue };
                    let mut teacher: Vec<f64> = logits.iter().copied().map(f64::from).collect();
                    log_softmax(&mut teacher);
                    for (class, (logit, teacher)) in logits.iter_mut().zip(teacher).enumerate() {
                        let label = if class == label { share } else { 0.0 };
                        let probability = label + (1.0 - share) * Scalar::exp(teacher);
                        *logit = Scalar::ln(probability.max(LEAST)) as f32;
                    }
                }
            }
            Target::Absent => {}
        }
        outputs.into()
    }
}
