//! Plans: which candidates are compared, on how many held-out rows, and for how long they are trained.

use super::candidate::{Candidate, all};
use super::lesson::Lesson;
use crate::dataset::{Dataset, Target, Task};
use crate::effort::Effort;
use crate::student::Inputs;
use crate::tune::FEWEST_ROWS;

/// Plan of a choice.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Candidates, at least one. The first one is trained if held-out rows cannot choose.
    pub candidates: Vec<Candidate>,
    /// Number of folds of the training rows.
    pub folds: usize,
    /// Number of these folds that are held out, one after the other; 0 for no choice.
    pub exams: usize,
    /// Number of steps of the trainings that choose.
    pub trial_steps: usize,
    /// Number of steps of the training of the chosen student.
    pub steps: usize,
}

/// What a plan may choose among.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scope {
    /// Time that may be spent.
    pub effort: Effort,
    /// Inputs of the student; none for those that suit the data.
    pub inputs: Option<Inputs>,
    /// Whether the teacher can label synthetic rows.
    pub asks_teacher: bool,
    /// Whether the student may be trained on the target alone if that is better on held-out rows.
    pub may_ignore_teacher: bool,
}

/// Weight decay of a student that nothing was chosen for.
const WEIGHT_DECAY: f32 = 0.15;

/// Largest number of values in the table of a piecewise-linear first layer.
const MOST_TABLE: usize = 7800;

/// Pieces per feature: six, or fewer so that the table of the first layer stays small.
pub fn pieces(features: usize, first_hidden: usize) -> usize {
    [6, 4].into_iter().find(|pieces| features * pieces * first_hidden <= MOST_TABLE).unwrap_or(2)
}

impl Plan {
    /// Number of steps of the training of a student.
    pub fn steps_of(effort: Effort) -> usize {
        match effort {
            Effort::Quick => 4000,
            Effort::Default => 8000,
            Effort::Best => 16_000,
        }
    }

    /// Plans the choice for students with these hidden widths.
    pub fn new(rows: &Dataset, hidden: &[usize], scope: Scope) -> Self {
        let in_pieces = Inputs::Pieces(pieces(rows.features.len(), hidden.first().copied().unwrap_or(1)));
        let inputs = scope.inputs.map_or(vec![in_pieces, Inputs::Standardized], |inputs| vec![inputs]);
        let distilled = if scope.asks_teacher {
            &[Lesson::TeacherAndSynthetic, Lesson::Synthetic, Lesson::Teacher][..]
        } else {
            &[Lesson::Teacher]
        };
        let first = Candidate { lesson: distilled[0], inputs: inputs[0], weight_decay: WEIGHT_DECAY };
        let labelled = !matches!(rows.target, Target::Partial(_) | Target::Absent);
        let own: &[Lesson] = match rows.task {
            _ if !(scope.may_ignore_teacher && labelled) => &[],
            Task::Classification { .. } => &[Lesson::Target, Lesson::SmoothedLabels],
            Task::Regression { .. } => &[Lesson::Target],
        };
        let lessons = [distilled, own].concat();
        let (exams, trial_steps) = match scope.effort {
            Effort::Quick => (0, 0),
            Effort::Default => (3, 3000),
            Effort::Best => (5, 16_000),
        };
        let exams = if rows.rows() < FEWEST_ROWS { 0 } else { exams };
        let candidates = if scope.effort == Effort::Quick { vec![first] } else { all(&lessons, &inputs) };
        Plan { candidates, folds: 5, exams, trial_steps, steps: Plan::steps_of(scope.effort) }
    }
}
