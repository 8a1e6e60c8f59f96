//! Choosing a weight decay by cross-validation.

use std::str::FromStr;

use anyhow::Result;
use microdistill_host_tools::dataset::{Dataset, folds};
use microdistill_host_tools::error::Result as LibraryResult;
use microdistill_host_tools::model::Model;
use microdistill_host_tools::tune::{self, WEIGHT_DECAYS};

use super::{Context, interrupt};

/// `auto`, or a number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum WeightDecay {
    /// The one that cross-validation likes best.
    Auto,
    /// This one.
    Fixed(f32),
}

impl FromStr for WeightDecay {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.parse::<f32>() {
            _ if text == "auto" => Ok(WeightDecay::Auto),
            Ok(decay) if decay.is_finite() && decay >= 0.0 => Ok(WeightDecay::Fixed(decay)),
            _ => Err("it must be `auto` or a number of at least 0".into()),
        }
    }
}

impl WeightDecay {
    /// The number: with `auto`, the best of [`WEIGHT_DECAYS`] in `count` folds of `data`, of which none divides a group.
    pub(super) fn choose(
        self,
        context: &Context,
        label: &str,
        data: &Dataset,
        count: usize,
        fit: impl Fn(&Dataset, f32) -> LibraryResult<Model> + Sync,
    ) -> Result<f32> {
        let decay = match self {
            WeightDecay::Fixed(decay) => return Ok(decay),
            WeightDecay::Auto => &WEIGHT_DECAYS,
        };
        let folds = folds(data, count, context.seed)?;
        let bar = context.console.bar(label, folds.len() * decay.len());
        let trials = tune::trials(data, &folds, decay, |rows, decay| {
            let model = fit(rows, decay);
            interrupt::check()?;
            bar.inc(1);
            model
        });
        bar.finish_and_clear();
        let trials = trials?;
        let losses: Vec<String> =
            trials.iter().map(|trial| format!("{} → {:.3}", trial.weight_decay, trial.loss)).collect();
        let best = tune::best(&trials).map_or(0.0, |trial| trial.weight_decay);
        context.console.note(format_args!(
            "{label}: {best}, by the loss in {} folds: {}",
            folds.len(),
            losses.join(", ")
        ));
        Ok(best)
    }
}
