//! `--teacher` of `train`: one network, or a blend of several kinds of models.

use clap::ValueEnum;
use microdistill_train::teacher::zoo::{Effort, Species};

/// Kind of teacher.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TeacherFlag {
    /// A blend of all kinds below
    Auto,
    /// Multilayer perceptrons; alone, one network or an ensemble, with the flags below
    Mlp,
    /// Gradient-boosted trees
    Trees,
    /// Random forest
    Forest,
    /// Extra trees
    ExtraTrees,
    /// Kernel ridge regression
    Kernel,
    /// Logistic regression, or ridge regression of values
    Linear,
}

impl TeacherFlag {
    /// The kinds of learners, with this effort for `auto`.
    pub(crate) fn species(self, effort: Effort) -> Vec<Species> {
        match self {
            TeacherFlag::Auto if effort == Effort::Quick => Species::QUICK.to_vec(),
            TeacherFlag::Auto => Species::ALL.to_vec(),
            TeacherFlag::Mlp => vec![Species::Perceptrons],
            TeacherFlag::Trees => vec![Species::Boosting],
            TeacherFlag::Forest => vec![Species::Forest],
            TeacherFlag::ExtraTrees => vec![Species::ExtraTrees],
            TeacherFlag::Kernel => vec![Species::Kernel],
            TeacherFlag::Linear => vec![Species::Linear],
        }
    }
}

/// Time that a training may take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum EffortFlag {
    /// About a second for a few thousand rows
    Quick,
    /// About ten seconds for a few thousand rows
    #[default]
    Default,
    /// Several minutes
    Best,
}

impl From<EffortFlag> for Effort {
    fn from(flag: EffortFlag) -> Self {
        match flag {
            EffortFlag::Quick => Effort::Quick,
            EffortFlag::Default => Effort::Default,
            EffortFlag::Best => Effort::Best,
        }
    }
}
