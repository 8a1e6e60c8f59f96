//! Settings of a blend, and the learners that they stand for.

use super::{Boosting, Chance, Forest, KernelRidge, Linear, Perceptrons, Recipe};
use crate::dataset::Kind;
use crate::effort::Effort;

/// Settings of a blend.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Seed of everything random.
    pub seed: u64,
    /// Kinds of learners to try.
    pub species: Vec<Species>,
    /// Time that may be spent.
    pub effort: Effort,
    /// Number of folds, at least 2; none for a number that suits the effort and the rows.
    pub folds: Option<usize>,
}

/// Kind of learner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Species {
    /// Gradient-boosted trees.
    Boosting,
    /// Random forest.
    Forest,
    /// Extra trees.
    ExtraTrees,
    /// Kernel ridge regression.
    Kernel,
    /// Logistic or ridge regression.
    Linear,
    /// Multilayer perceptrons of several weight decays.
    Perceptrons,
}

impl Species {
    /// All kinds.
    pub const ALL: [Species; 6] = [
        Species::Boosting,
        Species::Forest,
        Species::ExtraTrees,
        Species::Kernel,
        Species::Linear,
        Species::Perceptrons,
    ];
    /// Kinds that are trained in a moment.
    pub const QUICK: [Species; 3] = [Species::Boosting, Species::Kernel, Species::Linear];
}

/// Weight decays of the perceptrons.
const DECAYS: [f32; 4] = [0.05, 0.3, 1.0, 3.0];
/// Rows above which fewer folds and networks are trained.
const MANY_ROWS: usize = 50_000;

/// Shape of the training data.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    pub(super) rows: usize,
    pub(super) features: usize,
    pub(super) outputs: usize,
    pub(super) kind: Kind,
}

impl Settings {
    /// Settings of the default effort, with all kinds of learners.
    pub fn new(seed: u64) -> Self {
        Settings::of(Effort::Default, seed)
    }

    /// Settings of this effort, with the kinds of learners that suit it.
    pub fn of(effort: Effort, seed: u64) -> Self {
        let species = if effort == Effort::Quick { Species::QUICK.to_vec() } else { Species::ALL.to_vec() };
        Settings { seed, species, effort, folds: None }
    }

    /// Number of folds for this number of rows.
    pub(super) fn folds(&self, rows: usize) -> usize {
        let usual = match self.effort {
            _ if rows > MANY_ROWS => 2,
            Effort::Quick => 3,
            Effort::Default => 5,
            Effort::Best => 8,
        };
        self.folds.unwrap_or(usual).max(2)
    }

    /// Rounds of the greedy selection.
    pub(super) fn rounds(&self) -> usize {
        if self.effort == Effort::Best { 24 } else { 12 }
    }

    /// Learners to try, before hyperparameters are chosen.
    pub(super) fn recipes(&self, shape: Shape) -> Vec<Recipe> {
        self.species.iter().flat_map(|species| self.of_species(*species, shape)).collect()
    }

    fn of_species(&self, species: Species, shape: Shape) -> Vec<Recipe> {
        match species {
            Species::Boosting => vec![self.boosting(shape)],
            Species::Forest => vec![self.forest(shape, Chance::Rows)],
            Species::ExtraTrees => vec![self.forest(shape, Chance::Thresholds)],
            Species::Kernel => vec![self.kernel()],
            Species::Linear if self.effort == Effort::Best => {
                [0.01, 0.3, 10.0].map(|c| Recipe::Linear(Linear { c })).into()
            }
            Species::Linear => vec![Recipe::Linear(Linear { c: 0.3 })],
            Species::Perceptrons => self.perceptrons(shape),
        }
    }

    fn boosting(&self, shape: Shape) -> Recipe {
        let trees = match shape.kind {
            Kind::Classification if shape.outputs > 2 => shape.outputs,
            Kind::Classification => 1,
            Kind::Regression => shape.outputs,
        };
        // Trees of all rounds together.
        let (rate, most, trees_limit) = match self.effort {
            Effort::Quick => (0.12, 100, 500),
            Effort::Default => (0.08, 300, 1500),
            Effort::Best => (0.04, 1000, 10_000),
        };
        let rate = if shape.outputs >= 12 { 1.5 * rate } else { rate };
        Recipe::Boosting(Boosting {
            rounds: (trees_limit / trees).clamp(40, most),
            rate,
            leaves: 15,
            fewest_rows: (shape.rows / 30).clamp(3, 10),
            lambda: 1.0,
            row_share: 0.8,
            feature_share: 0.7,
        })
    }

    fn forest(&self, shape: Shape, chance: Chance) -> Recipe {
        let root = ((shape.features as f64).sqrt() as usize).max(1);
        let tries = match (shape.kind, chance) {
            (Kind::Classification, _) => root,
            (Kind::Regression, Chance::Rows) => shape.features.div_ceil(2).min(30).max(root),
            (Kind::Regression, Chance::Thresholds) => shape.features.min(30).max(root),
        };
        Recipe::Forest(Forest {
            trees: match self.effort {
                Effort::Quick => 60,
                Effort::Default => 120,
                Effort::Best => 400,
            },
            fewest_rows: if chance == Chance::Rows { 2 } else { 1 },
            tries,
            chance,
        })
    }

    fn kernel(&self) -> Recipe {
        let (landmarks, chosen_on) = match self.effort {
            Effort::Quick => (300, 250),
            Effort::Default => (1000, 600),
            Effort::Best => (2000, 1200),
        };
        Recipe::Kernel(KernelRidge { width: 1.0, ridge: 0.3, scale: 8.0, landmarks, chosen_on })
    }

    fn perceptrons(&self, shape: Shape) -> Vec<Recipe> {
        let seeds = match self.effort {
            Effort::Best if shape.rows <= MANY_ROWS => 4,
            Effort::Default if shape.rows <= 1000 => 2,
            _ => 1,
        };
        let decays: &[f32] = match self.effort {
            Effort::Quick => &DECAYS[2..3],
            _ if shape.rows > MANY_ROWS => &DECAYS[..2],
            Effort::Default | Effort::Best => &DECAYS,
        };
        let recipe = |&weight_decay| {
            Recipe::Perceptrons(Perceptrons {
                hidden: 64,
                weight_decay,
                seeds,
                epochs: Perceptrons::epochs(shape.rows),
                batch: if shape.rows > 2000 { 64 } else { 32 },
            })
        };
        decays.iter().map(recipe).collect()
    }
}
