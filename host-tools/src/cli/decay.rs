//! Choosing a weight decay by cross-validation.

use std::str::FromStr;

use anyhow::Result;
use microdistill_host_tools::dataset::{Dataset, folds};
use microdistill_host_tools::error::Result as LibraryResult;
use microdistill_host_tools::model::Model;
use microdistill_host_tools::tune::{self, Plan, WEIGHT_DECAYS, beside_rows};

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
    /// The number: with `auto`, the best of [`WEIGHT_DECAYS`](tune::WEIGHT_DECAYS) in `count` folds of `data`, of which
    /// none divides a group.
    ///
    /// `work`: see [`work`]. Where rows and work are many, less is tried, and it is said.
    pub(super) fn choose(
        self,
        context: &Context,
        label: &str,
        (data, count, work): (&Dataset, usize, usize),
        fit: impl Fn(&Dataset, f32) -> LibraryResult<Model> + Sync,
    ) -> Result<f32> {
        if let WeightDecay::Fixed(decay) = self {
            return Ok(decay);
        }
        let all = folds(data, count, context.seed)?.len();
        let plan = Plan::new(data.rows(), all, work);
        let rows = plan.select(data, context.seed)?;
        if plan != (Plan { folds: all, candidates: WEIGHT_DECAYS.to_vec(), rows: data.rows() }) {
            context.console.note(format_args!(
                "to save time, {label} is chosen by {} of {} rows, {} folds, among {} numbers: --weight-decay sets it",
                rows.rows(),
                data.rows(),
                plan.folds,
                plan.candidates.len()
            ));
        }
        let folds = folds(&rows, plan.folds, context.seed)?;
        let bar = context.console.bar(label, folds.len() * plan.candidates.len());
        let candidates: Vec<f32> =
            plan.candidates.iter().map(|&candidate| beside_rows(candidate, rows.rows())).collect();
        let trials = tune::trials(&rows, &folds, &candidates, |rows, decay| {
            let model = fit(rows, decay);
            interrupt::check()?;
            bar.inc(1);
            model
        });
        bar.finish_and_clear();
        let trials = trials?;
        let losses: Vec<String> = trials
            .iter()
            .map(|trial| format!("{} → {:.3}", trial.weight_decay, trial.tempered_mean()))
            .collect();
        let best = tune::sufficient(&trials).map_or(0.0, |trial| trial.weight_decay);
        let best = plan.candidates.iter().zip(&candidates).find(|(_, candidate)| **candidate == best);
        let best = best.map_or(0.0, |(&candidate, _)| beside_rows(candidate, data.rows()));
        context.console.note(format_args!(
            "{label}: {best}, the smallest that is as good as any by the loss at the best temperature in {} folds: {}",
            folds.len(),
            losses.join(", ")
        ));
        Ok(best)
    }
}

/// What a row costs in a pass through a network of these widths, in multiplications: those of its layers, and the time
/// of as many for all the rest.
pub(super) fn work(widths: &[usize], epochs: usize) -> usize {
    let layers = widths.windows(2).map(|pair| pair[0].saturating_mul(pair[1]));
    layers.fold(2000, usize::saturating_add).saturating_mul(epochs)
}
