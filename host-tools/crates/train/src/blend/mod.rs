//! Blends: weighted means of models of different kinds, used as teachers.
//!
//! Trees, kernel machines and networks make different errors, so their mean is better than each of them (Caruana et al.
//! 2004). [`zoo::fit`](crate::teacher::zoo::fit()) trains the members and chooses their weights.

mod kernel;
mod recipe;
mod trees;

use nalgebra::DMatrix;
use rayon::prelude::*;

pub use kernel::Kernel;
pub(crate) use kernel::{gaussian, squared_distances};
pub use recipe::{Boosting, Candidate, Chance, Forest, KernelRidge, Linear, Perceptrons, Recipe, Report};
pub use trees::{LEAF, Link, Trees};

use crate::dataset::Kind;
use crate::network::Network;
use crate::outputs::TeacherOutputs;

/// Weighted mean of the probabilities, or of the values, of several models.
#[derive(Clone, Debug, PartialEq)]
pub struct Blend {
    /// The members, at least one.
    pub members: Vec<Part>,
    /// Mean and standard deviation of each target's values, in their unit; empty for classes. Members predict standardized
    /// values.
    pub targets: Vec<(f32, f32)>,
}

/// Member of a blend, and how it is heard.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// Weight, above 0. The weights sum to 1.
    pub weight: f32,
    /// Temperature by which the logits are divided, above 0; 1 for values.
    pub temperature: f32,
    /// The model.
    pub member: Member,
}

/// Model of a blend. It takes standardized features between −[`CLIP`] and [`CLIP`], and gives logits or standardized values.
#[derive(Clone, Debug, PartialEq)]
pub enum Member {
    /// Decision trees.
    Trees(Trees),
    /// A kernel machine.
    Kernel(Kernel),
    /// Networks whose probabilities or values are averaged, at least one. A linear model is a network of one layer.
    Networks(Vec<Network>),
}

/// Largest absolute value of a standardized feature. It only concerns far outliers.
pub const CLIP: f32 = 8.0;

/// Returns standardized features within ±[`CLIP`].
pub(crate) fn clip(x: &DMatrix<f32>) -> DMatrix<f32> {
    x.map(|x| x.clamp(-CLIP, CLIP))
}

/// Rows that are predicted at once: few enough for the working memory of a kernel machine.
const CHUNK: usize = 512;

impl Member {
    /// Returns the number of outputs.
    pub fn outputs(&self) -> usize {
        match self {
            Member::Trees(trees) => trees.outputs(),
            Member::Kernel(kernel) => kernel.offset.len(),
            Member::Networks(networks) => networks
                .first()
                .and_then(|network| network.layers().last())
                .map_or(0, |layer| layer.outputs()),
        }
    }

    /// Returns the number of stored numbers.
    pub fn parameters(&self) -> usize {
        match self {
            Member::Trees(trees) => trees.parameters(),
            Member::Kernel(kernel) => kernel.parameters(),
            Member::Networks(networks) => networks.iter().map(Network::parameters).sum(),
        }
    }

    /// Returns logits or standardized values, shape (outputs × rows), for standardized rows, shape (inputs × rows). The
    /// result does not depend on the number of threads.
    pub fn predict_all(&self, x: &DMatrix<f32>, kind: Kind) -> DMatrix<f32> {
        let chunks: Vec<usize> = (0..x.ncols()).step_by(CHUNK).collect();
        let predict = |&first: &usize| {
            let count = CHUNK.min(x.ncols() - first);
            self.predict(&x.columns(first, count).into_owned(), kind)
        };
        let outputs: Vec<DMatrix<f32>> = chunks.par_iter().map(predict).collect();
        let values: Vec<f32> = outputs.iter().flat_map(|outputs| outputs.iter().copied()).collect();
        DMatrix::from_vec(self.outputs(), x.ncols(), values)
    }

    fn predict(&self, x: &DMatrix<f32>, kind: Kind) -> DMatrix<f32> {
        match self {
            Member::Trees(trees) => {
                let mut outputs = DMatrix::zeros(trees.outputs(), x.ncols());
                for (x, mut outputs) in x.column_iter().zip(outputs.column_iter_mut()) {
                    trees.predict(x.as_slice(), outputs.as_mut_slice());
                }
                outputs
            }
            Member::Kernel(kernel) => kernel.predict(x),
            Member::Networks(networks) => {
                joint(&TeacherOutputs::alike(networks.iter().map(|network| network.predict_all(x))), kind)
            }
        }
    }
}

impl Blend {
    /// Returns the kind of the outputs.
    pub fn kind(&self) -> Kind {
        if self.targets.is_empty() { Kind::Classification } else { Kind::Regression }
    }

    /// Returns the number of outputs.
    pub fn outputs(&self) -> usize {
        self.members.first().map_or(0, |part| part.member.outputs())
    }

    /// Returns the number of stored numbers.
    pub fn parameters(&self) -> usize {
        self.members.iter().map(|part| part.member.parameters()).sum()
    }

    /// Returns the joint logits, whose softmax is the weighted mean of the members' probabilities, or the weighted mean of
    /// their values, in the unit of the targets. `x` holds standardized features, shape (inputs × rows).
    pub fn predict_all(&self, x: &DMatrix<f32>) -> DMatrix<f32> {
        let (x, kind) = (clip(x), self.kind());
        let parts = self.members.iter().map(|part| {
            let outputs = part.member.predict_all(&x, kind);
            (part.weight, part.temperature, outputs)
        });
        restore(mix(parts, kind), &self.targets)
    }
}

/// Returns the joint outputs of members with their weights, which sum to 1, and temperatures.
pub(crate) fn mix(parts: impl Iterator<Item = (f32, f32, DMatrix<f32>)>, kind: Kind) -> DMatrix<f32> {
    let heard =
        |(weight, temperature, outputs): (f32, f32, DMatrix<f32>)| (f64::from(weight), outputs / temperature);
    joint(&TeacherOutputs::weighted(parts.map(heard).collect()), kind)
}

fn joint(outputs: &TeacherOutputs, kind: Kind) -> DMatrix<f32> {
    match kind {
        Kind::Classification => outputs.logits(1.0).into_owned(),
        Kind::Regression => outputs.values().into_owned(),
    }
}

/// Returns standardized values in the unit of their targets; logits, which have no targets, stay unchanged.
pub(crate) fn restore(mut values: DMatrix<f32>, targets: &[(f32, f32)]) -> DMatrix<f32> {
    for (mut row, (mean, deviation)) in values.row_iter_mut().zip(targets) {
        row.iter_mut().for_each(|value| *value = *value * deviation + mean);
    }
    values
}
