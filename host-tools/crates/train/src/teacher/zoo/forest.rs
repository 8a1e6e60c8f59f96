//! Random forests (Breiman 2001) and extra trees (Geurts et al. 2006).

mod tree;

use std::collections::HashMap;

use rand_pcg::Pcg32;

use super::rows::Rows;
use super::{Examined, Learner, Tick, examine_fixed};
use crate::blend::{Chance, Forest, Link, Member, Recipe, Trees};
use crate::dataset::{Fold, Kind};
use crate::error::Result;
use crate::random::{below, nth_seed};
use tree::Grower;

/// Most rows of a tree.
const TREE_ROWS: usize = 20_000;

impl Learner for Forest {
    fn fit(&self, rows: &Rows<'_>, seed: u64) -> Result<Member> {
        let outputs = rows.outputs;
        let link = match rows.kind() {
            Kind::Classification => Link::Shares,
            Kind::Regression => Link::Sums,
        };
        let mut trees = Trees::new(rows.x.nrows(), outputs, vec![0.0; outputs], link);
        let mut grower = Grower::new(rows, self);
        let mut leaves = Leaves { share: 1.0 / self.trees as f32, known: HashMap::new() };
        for tree in 0..self.trees {
            rows.proceed()?;
            let mut rng = Pcg32::new(nth_seed(seed, tree), STREAM);
            let sample = match self.chance {
                Chance::Rows => {
                    let count = rows.index.len();
                    let draw = |_| rows.index[below(count, &mut rng)] as u32;
                    (0..count.min(TREE_ROWS)).map(draw).collect()
                }
                Chance::Thresholds => {
                    let index = rows.sample(TREE_ROWS, nth_seed(seed, tree));
                    index.into_iter().map(|row| row as u32).collect()
                }
            };
            grower.grow(&mut trees, &mut leaves, sample, &mut rng);
        }
        Ok(Member::Trees(trees))
    }

    fn examine(&self, rows: &Rows<'_>, folds: &[Fold], seed: u64, trained: Tick<'_>) -> Result<Examined> {
        examine_fixed(self, Recipe::Forest(self.clone()), rows, folds, seed, trained)
    }
}

/// Leaves of a forest. Leaves with the same values, such as those of a single class, are stored once.
struct Leaves {
    /// Share of a tree in the mean.
    share: f32,
    known: HashMap<Vec<u32>, usize>,
}

impl Leaves {
    /// Returns the index of a leaf with the mean of these outcomes.
    fn leaf(&mut self, trees: &mut Trees, sums: &[f32], rows: f32) -> usize {
        let values: Vec<f32> = sums.iter().map(|sum| self.share * sum / rows).collect();
        let new = trees.leaves.len() / trees.width;
        let bits = values.iter().map(|value| value.to_bits()).collect();
        let index = *self.known.entry(bits).or_insert(new);
        if index == new {
            trees.leaves.extend(values);
        }
        index
    }
}

/// Random stream of forests.
const STREAM: u64 = 0x464F_5253;
