//! What students are taught with: rows, synthetic rows, and the teacher's outputs for both.

use nalgebra::DMatrix;

use super::lesson::Lesson;
use crate::dataset::{Dataset, Task};
use crate::error::Result;
use crate::outputs::TeacherOutputs;
use crate::synthetic::{Synthetic, generate};

/// Ways in which synthetic rows are made, in equal numbers.
pub const SYNTHETIC: [Synthetic; 2] = [Synthetic::Munge, Synthetic::Interpolation];

/// Number of synthetic rows of each kind for `rows` rows: as many, but at least 1000, so that a student of few rows does
/// not learn a few synthetic ones by heart, and at most 2000, which are enough to show the teacher's surface.
fn synthetic_rows(rows: usize) -> usize {
    rows.clamp(1000, 2000)
}

/// Largest weight of a synthetic row.
const MOST_WEIGHT: f32 = 2.0;

/// Outputs of a teacher for any rows: of models, or of another program.
pub type Ask<'a> = dyn Fn(&Dataset) -> Result<TeacherOutputs> + Sync + 'a;

/// Source of teacher outputs.
#[derive(Clone, Copy)]
pub enum Teaching<'a> {
    /// A teacher that can be asked about any row.
    Ask(&'a Ask<'a>),
    /// Stored outputs for the rows. There are none for synthetic rows.
    Stored(&'a TeacherOutputs),
}

/// Rows and synthetic rows, with a teacher's outputs for both.
#[derive(Clone, Debug)]
pub struct Material {
    /// The data's own rows.
    pub(super) rows: Dataset,
    /// Teacher outputs for the rows, shape (outputs × rows): logits, or values.
    pub(super) teacher: DMatrix<f32>,
    /// Synthetic rows, none of which has a target, and their teacher outputs.
    pub(super) synthetic: Option<(Dataset, DMatrix<f32>)>,
}

impl Material {
    /// Prepares `rows`. Synthetic rows are made from them alone, by `seed`, if the teacher can be asked about them.
    ///
    /// # Errors
    /// Fails as the teacher and [`generate`] do.
    pub fn new(rows: &Dataset, teaching: Teaching<'_>, seed: u64) -> Result<Self> {
        let ask = match teaching {
            Teaching::Stored(stored) => {
                return Ok(Material {
                    rows: rows.clone(),
                    teacher: numbers(stored, &rows.task),
                    synthetic: None,
                });
            }
            Teaching::Ask(ask) => ask,
        };
        let count = synthetic_rows(rows.rows());
        let made = SYNTHETIC.iter().map(|&kind| generate(kind, rows, count, seed));
        let made = rows.select(&[]).with_unlabelled(&made.collect::<Result<Vec<_>>>()?);
        Ok(Material {
            rows: rows.clone(),
            teacher: numbers(&ask(rows)?, &rows.task),
            synthetic: Some((made.clone(), numbers(&ask(&made)?, &rows.task))),
        })
    }

    /// Number of synthetic rows.
    pub fn synthetic_rows(&self) -> usize {
        self.synthetic.as_ref().map_or(0, |(rows, _)| rows.rows())
    }

    /// Raw features of the rows of a lesson, shape (features × rows): the data's own, then the synthetic ones if
    /// `with_synthetic`.
    pub(super) fn features(&self, with_synthetic: bool) -> DMatrix<f32> {
        match self.synthetic.as_ref().filter(|_| with_synthetic) {
            None => self.rows.x.clone(),
            Some((synthetic, _)) => beside(&self.rows.x, &synthetic.x),
        }
    }

    /// Outputs that a student of this lesson learns to give for the same rows.
    pub(super) fn outputs(&self, lesson: Lesson) -> TeacherOutputs {
        let own = lesson.outputs(&self.rows, &self.teacher);
        match self.synthetic.as_ref().filter(|_| lesson.takes_synthetic_rows()) {
            None => own,
            Some((_, outputs)) => beside(&own.logits(1.0), outputs).into(),
        }
    }

    /// Weight of each of these rows in the loss: 1, and for synthetic rows so much that all together count as much as the
    /// data's own rows, but at most 2, so that few synthetic rows among very many do not make the training noisy.
    pub(super) fn weights(&self, with_synthetic: bool) -> Option<Vec<f32>> {
        let synthetic = self.synthetic.as_ref().filter(|_| with_synthetic)?.0.rows();
        let own = self.rows.rows();
        let weight = (own as f32 / synthetic as f32).min(MOST_WEIGHT);
        Some([vec![1.0; own], vec![weight; synthetic]].concat())
    }
}

/// Teacher outputs as logits or values, shape (outputs × rows).
pub(super) fn numbers(outputs: &TeacherOutputs, task: &Task) -> DMatrix<f32> {
    match task {
        Task::Classification { .. } => outputs.logits(1.0).into_owned(),
        Task::Regression { .. } => outputs.values().into_owned(),
    }
}

fn beside(left: &DMatrix<f32>, right: &DMatrix<f32>) -> DMatrix<f32> {
    DMatrix::from_vec(
        left.nrows(),
        left.ncols() + right.ncols(),
        [left.as_slice(), right.as_slice()].concat(),
    )
}
