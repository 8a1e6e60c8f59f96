//! Training rows of the learners.

use std::ops::ControlFlow;

use nalgebra::DMatrix;
use rand_pcg::Pcg32;

use super::bins::Bins;
use crate::blend::Member;
use crate::dataset::Kind;
use crate::error::{Error, Result};
use crate::random::shuffle;
use crate::teacher::Target;

/// Some rows of a data set, which a learner is trained on.
#[derive(Clone, Copy)]
pub struct Rows<'a> {
    /// Standardized and clipped features of the whole data set, shape (inputs × rows).
    pub(super) x: &'a DMatrix<f32>,
    /// Targets of the whole data set.
    pub(super) target: Target<'a>,
    /// Bins of the whole data set.
    pub(super) bins: &'a Bins,
    /// Rows to train on, in ascending order.
    pub(super) index: &'a [usize],
    /// Number of outputs: classes or targets.
    pub(super) outputs: usize,
    /// Called now and then during a training, which a `Break` ends.
    pub(super) flow: &'a (dyn Fn() -> ControlFlow<()> + Sync),
}

/// Targets of selected rows.
pub(super) enum Selected {
    Classes(Vec<usize>),
    Values(DMatrix<f32>),
}

impl Selected {
    pub(super) fn target(&self) -> Target<'_> {
        match self {
            Selected::Classes(classes) => Target::Classes(classes),
            Selected::Values(values) => Target::Values(values),
        }
    }

    /// One-hot classes or values in f64, shape (outputs × rows).
    pub(super) fn numbers(&self, outputs: usize) -> DMatrix<f64> {
        match self {
            Selected::Classes(classes) => DMatrix::from_fn(outputs, classes.len(), |output, row| {
                f64::from(u8::from(classes[row] == output))
            }),
            Selected::Values(values) => values.map(f64::from),
        }
    }
}

impl<'a> Rows<'a> {
    pub(super) fn kind(&self) -> Kind {
        match self.target {
            Target::Classes(_) => Kind::Classification,
            Target::Values(_) => Kind::Regression,
        }
    }

    /// The same data set with other rows to train on.
    pub(super) fn with<'b>(&self, index: &'b [usize]) -> Rows<'b>
    where
        'a: 'b,
    {
        Rows { index, ..*self }
    }

    /// Features and targets of the rows to train on.
    pub(super) fn gathered(&self) -> (DMatrix<f32>, Selected) {
        (self.x.select_columns(self.index), self.targets(self.index))
    }

    /// Outputs of a member for the rows `index`, shape (outputs × rows).
    pub(super) fn predict(&self, member: &Member, index: &[usize]) -> DMatrix<f32> {
        member.predict_all(&self.x.select_columns(index), self.kind())
    }

    /// Targets of the rows `index`.
    pub(super) fn targets(&self, index: &[usize]) -> Selected {
        match self.target {
            Target::Classes(classes) => Selected::Classes(index.iter().map(|&row| classes[row]).collect()),
            Target::Values(values) => Selected::Values(values.select_columns(index)),
        }
    }

    /// At most `most` of the rows to train on, at random, in ascending order.
    pub(super) fn sample(&self, most: usize, seed: u64) -> Vec<usize> {
        let mut index = self.index.to_vec();
        if index.len() > most {
            shuffle(&mut index, &mut Pcg32::new(seed, STREAM));
            index.truncate(most);
            index.sort_unstable();
        }
        index
    }

    /// Fails if the training is to end.
    pub(super) fn proceed(&self) -> Result<()> {
        if (self.flow)().is_break() { Err(Error::Interrupted) } else { Ok(()) }
    }
}

/// Random stream for samples of rows.
const STREAM: u64 = 0x524F_5753;
