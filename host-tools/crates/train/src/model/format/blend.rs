//! Tensors of a blend, for each member K after the prefix `members.K.`:
//!
//! | tensor | type | shape |
//! |---|---|---|
//! | `weight`, `temperature` | F32 | (1) |
//! | `trees.roots` | I32 | (trees) |
//! | `trees.features`, `trees.children` | I32 | (nodes): feature, or −1 for a leaf; left child, or leaf |
//! | `trees.thresholds` | F32 | (nodes) |
//! | `trees.leaves` | F32 | (leaves, 1) or (leaves, sums) |
//! | `trees.base` | F32 | (sums) |
//! | `kernel.landmarks` | F32 | (landmarks, features) |
//! | `kernel.coefficients` | F32 | (landmarks, outputs) |
//! | `kernel.offset`, `kernel.gamma` | F32 | (outputs), (1) |
//! | `networks.J.layers.N.…` | F32 | as of a network |
//!
//! `targets.mean` and `targets.deviation`, F32 of shape (targets), are those of values.

use nalgebra::DMatrix;
use serde::{Deserialize, Serialize};

use super::{Reader, Tensors, activations, member_prefix, network_prefix};
use crate::blend::{Blend, Kernel, Link, Member, Part, Trees};
use crate::network::Activation;

/// Names of the tensors of the targets.
const TARGETS: [&str; 2] = ["targets.mean", "targets.deviation"];

/// Kind of a member, and what its tensors do not say.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Kind {
    Trees(Link),
    Kernel,
    Networks { activations: Vec<Activation>, count: usize },
}

impl Kind {
    pub(super) fn of(part: &Part) -> Self {
        match &part.member {
            Member::Trees(trees) => Kind::Trees(trees.link),
            Member::Kernel(_) => Kind::Kernel,
            Member::Networks(networks) => Kind::Networks {
                activations: networks.first().map(activations).unwrap_or_default(),
                count: networks.len(),
            },
        }
    }
}

impl Tensors {
    pub(super) fn add_blend(&mut self, blend: &Blend) {
        for (index, Part { weight, temperature, member }) in blend.members.iter().enumerate() {
            let prefix = member_prefix(index);
            self.add(format!("{prefix}weight"), vec![1], &[*weight]);
            self.add(format!("{prefix}temperature"), vec![1], &[*temperature]);
            match member {
                Member::Trees(trees) => self.add_trees(trees, &prefix),
                Member::Kernel(kernel) => self.add_kernel(kernel, &prefix),
                Member::Networks(networks) => {
                    for (index, network) in networks.iter().enumerate() {
                        self.add_network(network, &network_prefix(&prefix, index));
                    }
                }
            }
        }
        if !blend.targets.is_empty() {
            let (means, deviations): (Vec<f32>, Vec<f32>) = blend.targets.iter().copied().unzip();
            for (name, values) in TARGETS.into_iter().zip([means, deviations]) {
                self.add(name, vec![values.len()], &values);
            }
        }
    }

    fn add_trees(&mut self, trees: &Trees, prefix: &str) {
        let nodes = trees.features.len();
        self.add(format!("{prefix}trees.roots"), vec![trees.roots.len()], &trees.roots);
        self.add(format!("{prefix}trees.features"), vec![nodes], &trees.features);
        self.add(format!("{prefix}trees.children"), vec![nodes], &trees.children);
        self.add(format!("{prefix}trees.thresholds"), vec![nodes], &trees.thresholds);
        let shape = vec![trees.leaves.len() / trees.width, trees.width];
        self.add(format!("{prefix}trees.leaves"), shape, &trees.leaves);
        self.add(format!("{prefix}trees.base"), vec![trees.base.len()], &trees.base);
    }

    fn add_kernel(&mut self, kernel: &Kernel, prefix: &str) {
        for (name, matrix) in [("landmarks", &kernel.landmarks), ("coefficients", &kernel.coefficients)] {
            // A column of the matrix is a row of the tensor.
            let shape = vec![matrix.ncols(), matrix.nrows()];
            self.add(format!("{prefix}kernel.{name}"), shape, matrix.as_slice());
        }
        self.add(format!("{prefix}kernel.offset"), vec![kernel.offset.len()], &kernel.offset);
        self.add(format!("{prefix}kernel.gamma"), vec![1], &[kernel.gamma]);
    }
}

impl Reader<'_> {
    /// Reads a blend of members of these kinds, for this number of features.
    pub(super) fn blend(&mut self, kinds: Vec<Kind>, features: usize) -> Result<Blend, String> {
        let mut members = Vec::new();
        for (index, kind) in kinds.into_iter().enumerate() {
            let prefix = member_prefix(index);
            let weight = self.scalar(&format!("{prefix}weight"))?;
            let temperature = self.scalar(&format!("{prefix}temperature"))?;
            let member = match kind {
                Kind::Trees(link) => Member::Trees(self.trees(&prefix, link, features)?),
                Kind::Kernel => Member::Kernel(self.kernel(&prefix)?),
                Kind::Networks { activations, count } => {
                    let network = |index| self.network(&network_prefix(&prefix, index), &activations, None);
                    Member::Networks((0..count).map(network).collect::<Result<_, _>>()?)
                }
            };
            members.push(Part { weight, temperature, member });
        }
        let targets = if TARGETS.iter().any(|name| self.tensors.tensor(name).is_ok()) {
            let [means, deviations] = [self.vector::<f32>(TARGETS[0])?, self.vector::<f32>(TARGETS[1])?];
            if means.len() != deviations.len() || means.is_empty() {
                return Err(format!("{} and {} need one value per target", TARGETS[0], TARGETS[1]));
            }
            means.into_iter().zip(deviations).collect()
        } else {
            Vec::new()
        };
        Ok(Blend { members, targets })
    }

    fn scalar(&mut self, name: &str) -> Result<f32, String> {
        match self.vector(name)?.as_slice() {
            [value] => Ok(*value),
            values => Err(format!("{name} has {} values, expected 1", values.len())),
        }
    }

    fn trees(&mut self, prefix: &str, link: Link, inputs: usize) -> Result<Trees, String> {
        let ([leaves, width], values) = self.array(&format!("{prefix}trees.leaves"))?;
        if leaves == 0 || width == 0 {
            return Err(format!("{prefix}trees.leaves has the shape ({leaves}, {width}): trees need leaves"));
        }
        Ok(Trees {
            inputs,
            roots: self.vector(&format!("{prefix}trees.roots"))?,
            features: self.vector(&format!("{prefix}trees.features"))?,
            thresholds: self.vector(&format!("{prefix}trees.thresholds"))?,
            children: self.vector(&format!("{prefix}trees.children"))?,
            leaves: values,
            width,
            base: self.vector(&format!("{prefix}trees.base"))?,
            link,
        })
    }

    fn kernel(&mut self, prefix: &str) -> Result<Kernel, String> {
        let ([landmarks, inputs], values) = self.array(&format!("{prefix}kernel.landmarks"))?;
        let ([rows, outputs], coefficients) = self.array(&format!("{prefix}kernel.coefficients"))?;
        Ok(Kernel {
            landmarks: DMatrix::from_vec(inputs, landmarks, values),
            coefficients: DMatrix::from_vec(outputs, rows, coefficients),
            offset: self.vector(&format!("{prefix}kernel.offset"))?,
            gamma: self.scalar(&format!("{prefix}kernel.gamma"))?,
        })
    }
}
