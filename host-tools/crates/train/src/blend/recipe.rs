//! Learners with their hyperparameters, and how a blend of them was made.

use serde::{Deserialize, Serialize};

/// Learner with its hyperparameters, as model files record it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Recipe {
    /// Gradient-boosted trees.
    Boosting(Boosting),
    /// A random forest or extra trees.
    Forest(Forest),
    /// Kernel ridge regression.
    Kernel(KernelRidge),
    /// Logistic or ridge regression.
    Linear(Linear),
    /// Multilayer perceptrons.
    Perceptrons(Perceptrons),
}

/// Hyperparameters of gradient-boosted trees.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Boosting {
    /// Number of rounds: of trees for values and two classes, of trees per class otherwise.
    pub rounds: usize,
    /// Learning rate, by which the values of leaves are multiplied.
    pub rate: f32,
    /// Most leaves of a tree.
    pub leaves: usize,
    /// Fewest rows of a leaf.
    pub fewest_rows: usize,
    /// L2 penalty of the values of leaves.
    pub lambda: f32,
    /// Share of the rows that a round sees.
    pub row_share: f32,
    /// Share of the features that a tree sees.
    pub feature_share: f32,
}

/// Hyperparameters of a forest, whose trees differ by chance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Forest {
    /// Number of trees.
    pub trees: usize,
    /// Fewest rows of a leaf.
    pub fewest_rows: usize,
    /// Number of features that a division chooses from.
    pub tries: usize,
    /// Differences between the trees.
    pub chance: Chance,
}

/// Source of the differences between the trees of a forest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Chance {
    /// Random forest: every tree has its own bootstrap sample of the rows, and the best threshold of each feature.
    Rows,
    /// Extra trees: every tree has all rows, and thresholds are random.
    Thresholds,
}

/// Hyperparameters of a kernel ridge regression.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KernelRidge {
    /// The kernel is `exp(−width·d²/m)`, where m is the median of the squared distances d² of the rows.
    pub width: f32,
    /// Number that is added to the diagonal of the kernel matrix.
    pub ridge: f64,
    /// Factor between the predicted shares of the classes and their logits; 1 for values.
    pub scale: f32,
    /// Most rows that the kernel is spanned by.
    pub landmarks: usize,
    /// Most rows by which the other hyperparameters are chosen.
    pub chosen_on: usize,
}

/// Hyperparameters of a linear model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Linear {
    /// Weight of the loss, summed over the rows, relative to the penalty `½·Σw²` of the standardized weights.
    pub c: f64,
}

/// Hyperparameters of networks that are averaged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Perceptrons {
    /// Units of the hidden layer.
    pub hidden: usize,
    /// Decoupled weight decay.
    pub weight_decay: f32,
    /// Number of networks, which differ by their seeds.
    pub seeds: usize,
    /// Passes over the rows, for the number of rows that the blend was made from.
    pub epochs: usize,
    /// Rows per update.
    pub batch: usize,
}

impl Recipe {
    /// Returns the name of the learner in tables.
    pub fn name(&self) -> String {
        match self {
            Recipe::Boosting(_) => "boosted trees".into(),
            Recipe::Forest(Forest { chance: Chance::Rows, .. }) => "random forest".into(),
            Recipe::Forest(Forest { chance: Chance::Thresholds, .. }) => "extra trees".into(),
            Recipe::Kernel(_) => "kernel ridge".into(),
            Recipe::Linear(_) => "linear".into(),
            Recipe::Perceptrons(learner) => format!("mlp, decay {}", learner.weight_decay),
        }
    }
}

/// How a blend was made, for its file and for tables.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Number of folds.
    pub folds: usize,
    /// Every learner that was tried, with weight or without.
    pub candidates: Vec<Candidate>,
    /// Loss of the blend, as in [`Candidate::loss`].
    pub loss: f64,
    /// Score of the blend, as in [`Candidate::score`].
    pub score: f64,
}

/// Learner that was tried for a blend.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// Name of the learner.
    pub name: String,
    /// The learner, with the hyperparameters that were chosen for it.
    pub recipe: Recipe,
    /// Weight in the blend; 0 without a part in it.
    pub weight: f32,
    /// Best temperature of the logits; 1 for values.
    pub temperature: f32,
    /// Loss on the rows of folds that were not trained on: the negative log-likelihood at the best temperature, or the mean
    /// squared error of standardized values.
    pub loss: f64,
    /// Accuracy or, for values, R² on the same rows.
    pub score: f64,
}
