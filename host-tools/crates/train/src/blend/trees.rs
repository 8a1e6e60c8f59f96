//! Decision trees whose outputs are summed: gradient-boosted trees, random forests and extra trees.

use microdistill::scalar::Scalar;
use serde::{Deserialize, Serialize};

/// Node that is a leaf, in place of the index of a feature.
pub const LEAF: i32 = -1;

/// Decision trees. The outputs of a row start at [`base`](Trees::base), to which every tree adds the values of the leaf that
/// the row reaches.
#[derive(Clone, Debug, PartialEq)]
pub struct Trees {
    /// Number of features.
    pub inputs: usize,
    /// First node of each tree.
    pub roots: Vec<i32>,
    /// Feature that each node tests, or [`LEAF`].
    pub features: Vec<i32>,
    /// Threshold of each node, for standardized features: a row with a value up to it goes to the left child.
    pub thresholds: Vec<f32>,
    /// Left child of each node, which lies behind the node and just before the right child; for a leaf, the index of its
    /// values.
    pub children: Vec<i32>,
    /// Values of the leaves: for each leaf one number, or one number per sum.
    pub leaves: Vec<f32>,
    /// Number of values per leaf: 1, for tree t to add to sum `t mod sums`, or the number of sums.
    pub width: usize,
    /// Start of each sum.
    pub base: Vec<f32>,
    /// Meaning of the sums.
    pub link: Link,
}

/// Meaning of the sums of trees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Link {
    /// The sums are logits or values.
    Sums,
    /// The only sum is the logit of the second of two classes.
    Binary,
    /// The sums are shares of the trees' votes. They become logits with a small share for every class, because no forest is
    /// certain.
    Shares,
}

impl Trees {
    /// Creates trees without a node.
    pub fn new(inputs: usize, width: usize, base: Vec<f32>, link: Link) -> Self {
        Trees {
            inputs,
            roots: Vec::new(),
            features: Vec::new(),
            thresholds: Vec::new(),
            children: Vec::new(),
            leaves: Vec::new(),
            width,
            base,
            link,
        }
    }

    /// Returns the number of outputs.
    pub fn outputs(&self) -> usize {
        if self.link == Link::Binary { 2 } else { self.base.len() }
    }

    /// Returns the number of stored numbers: thresholds and values of leaves.
    pub fn parameters(&self) -> usize {
        self.features.iter().filter(|feature| **feature != LEAF).count() + self.leaves.len() + self.base.len()
    }

    /// Returns the first `count` trees.
    pub(crate) fn first(&self, count: usize) -> Self {
        let roots = self.roots.iter().copied().take(count).collect();
        Trees { roots, ..self.clone() }
    }

    /// Returns the values of the leaf that a standardized row reaches in the tree with this root.
    fn leaf(&self, root: i32, x: &[f32]) -> &[f32] {
        let mut node = root as usize;
        while self.features[node] != LEAF {
            let right = x[self.features[node] as usize] > self.thresholds[node];
            node = self.children[node] as usize + usize::from(right);
        }
        let leaf = self.children[node] as usize * self.width;
        &self.leaves[leaf..leaf + self.width]
    }

    /// Computes the outputs for a standardized row.
    pub(super) fn predict(&self, x: &[f32], outputs: &mut [f32]) {
        let binary = self.link == Link::Binary;
        let sums = if binary { &mut outputs[1..] } else { &mut *outputs };
        sums.copy_from_slice(&self.base);
        let count = sums.len();
        for (tree, &root) in self.roots.iter().enumerate() {
            match self.leaf(root, x) {
                [value] => sums[tree % count] += value,
                values => sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += value),
            }
        }
        match self.link {
            Link::Sums => {}
            Link::Binary => outputs[0] = 0.0,
            Link::Shares => {
                let total = VOTES + SMOOTHING * count as f32;
                outputs.iter_mut().for_each(|share| {
                    *share = Scalar::ln((share.max(0.0) * VOTES + SMOOTHING) / total);
                });
            }
        }
    }

    /// Checks that every index is in range and that no path has a circle. An error names the tensor without its prefix.
    pub(crate) fn check(&self, features: usize) -> Result<(), String> {
        if self.inputs != features {
            return Err(format!("trees has {} inputs, but the model has {features} features", self.inputs));
        }
        let nodes = self.features.len();
        if self.thresholds.len() != nodes || self.children.len() != nodes {
            return Err("trees.features, trees.thresholds and trees.children differ in length".into());
        }
        let sums = self.base.len();
        if sums == 0 || self.width == 0 || (self.width != 1 && self.width != sums) {
            return Err(format!(
                "trees.leaves has {} values per leaf, but there are {sums} sums",
                self.width
            ));
        }
        if self.link == Link::Binary && sums != 1 {
            return Err(format!("trees.base has {sums} values, but trees of two classes have one sum"));
        }
        let leaves = self.leaves.len() / self.width;
        let within = |index: i32, count: usize| usize::try_from(index).is_ok_and(|index| index < count);
        if let Some(root) = self.roots.iter().find(|root| !within(**root, nodes)) {
            return Err(format!("trees.roots holds {root}, but there are {nodes} nodes"));
        }
        for (node, (&feature, &child)) in self.features.iter().zip(&self.children).enumerate() {
            let usable = match feature {
                LEAF => within(child, leaves),
                _ => {
                    within(feature, self.inputs)
                        && within(child, nodes.saturating_sub(1))
                        && child as usize > node
                }
            };
            if !usable {
                return Err(format!(
                    "trees.features and trees.children hold {feature} and {child} at position {node}: a feature and a \
                     later node, or {LEAF} and a leaf are needed"
                ));
            }
        }
        Ok(())
    }
}

/// Weight of the votes relative to [`SMOOTHING`].
const VOTES: f32 = 200.0;
/// Weight that each class has without a vote.
const SMOOTHING: f32 = 0.5;
