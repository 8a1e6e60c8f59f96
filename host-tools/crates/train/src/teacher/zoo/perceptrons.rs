//! Multilayer perceptrons of one weight decay and several seeds, as members of a blend.

use std::ops::ControlFlow;

use microdistill::optimizer::AdamRates;

use super::rows::Rows;
use super::{Examined, Learner, Tick, examine_fixed};
use crate::blend::{Member, Perceptrons, Recipe};
use crate::class_weights::ClassWeights;
use crate::dataset::Fold;
use crate::error::Result;
use crate::hyperparameters::{Hyperparameters, Length};
use crate::network::{Activation, Network};
use crate::random::nth_seed;
use crate::teacher::{Examples, train};

/// Learning rate at the start.
const RATE: f32 = 5e-3;

impl Perceptrons {
    /// Number of passes over this number of rows.
    pub(super) fn epochs(rows: usize) -> usize {
        (SAMPLES / rows.max(1)).clamp(1, 150).max(60.min(MOST_SAMPLES / rows.max(1)).max(1))
    }
}

/// Samples of a training with many rows.
const SAMPLES: usize = 200_000;
/// Samples beyond which a training has fewer than 60 passes.
const MOST_SAMPLES: usize = 2_000_000;

impl Learner for Perceptrons {
    fn fit(&self, rows: &Rows<'_>, seed: u64) -> Result<Member> {
        let (x, target) = rows.gathered();
        let examples = Examples { x: &x, target: target.target() };
        let member = |index| -> Result<Network> {
            let settings = Hyperparameters {
                widths: vec![x.nrows(), self.hidden, rows.outputs],
                activation: Activation::Relu,
                dropout: 0.0,
                rates: AdamRates { rate: RATE, weight_decay: self.weight_decay, ..AdamRates::DEFAULT },
                batch: self.batch,
                length: Length::Epochs(self.epochs),
                patience: None,
                class_weights: ClassWeights::None,
                seed: nth_seed(seed, index),
            };
            let mut proceed = Ok(());
            let trained = train(&settings, examples, None, &mut |_| {
                proceed = rows.proceed();
                if proceed.is_err() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            })?;
            proceed?;
            Ok(trained.network)
        };
        Ok(Member::Networks((0..self.seeds).map(member).collect::<Result<_>>()?))
    }

    fn examine(&self, rows: &Rows<'_>, folds: &[Fold], seed: u64, trained: Tick<'_>) -> Result<Examined> {
        examine_fixed(self, Recipe::Perceptrons(self.clone()), rows, folds, seed, trained)
    }
}
