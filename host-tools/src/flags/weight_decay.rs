//! `--weight-decay`: a number, or the choice of a cross-validation.

use std::str::FromStr;

use anyhow::Result;
use microdistill_train::dataset::Dataset;
use microdistill_train::error::Result as LibraryResult;
use microdistill_train::model::Model;
use microdistill_train::number::significant;
use microdistill_train::tune::{Choice, Tuning};

use crate::context::Context;
use crate::interrupt;

/// Value of `--weight-decay`: `auto`, or a number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum WeightDecay {
    /// Chosen by cross-validation.
    Auto,
    /// This number.
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

/// Training whose weight decay is chosen.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tuned<'a> {
    /// Training set.
    pub(crate) rows: &'a Dataset,
    /// Most folds of the cross-validation. None divides a group.
    pub(crate) folds: usize,
    /// Cost per row of one training: see [`work`](microdistill_train::tune::work()).
    pub(crate) work: usize,
}

impl WeightDecay {
    /// Returns the number. `auto` chooses it with a [`Tuning`]. For large data sets or networks less is tried, and a note says so.
    pub(crate) fn choose(
        self,
        context: &Context,
        label: &str,
        Tuned { rows, folds, work }: Tuned<'_>,
        fit: impl Fn(&Dataset, f32) -> LibraryResult<Model> + Sync,
    ) -> Result<f32> {
        if let WeightDecay::Fixed(decay) = self {
            return Ok(decay);
        }
        let tuning = Tuning::new(rows, folds, work, context.seed)?;
        if tuning.reduced {
            context.console.note(format_args!(
                "to save time, {label} is chosen on {} of {} rows in {} folds from {} candidates; --weight-decay sets it directly",
                tuning.rows.rows(),
                rows.rows(),
                tuning.plan.folds,
                tuning.plan.candidates.len()
            ));
        }
        let bar = context.console.bar(label, tuning.trainings());
        let choice = tuning.choose(|rows, decay| {
            let model = fit(rows, decay);
            interrupt::check()?;
            bar.inc(1);
            model
        });
        bar.finish_and_clear();
        let Choice { weight_decay, trials } = choice?;
        let losses: Vec<String> = trials
            .iter()
            .map(|trial| format!("{} → {}", trial.weight_decay, significant(trial.tempered_mean(), 3)))
            .collect();
        context.console.note(format_args!(
            "{label}: {weight_decay}, the smallest that is as good as the best, by the loss at the best temperature in {} folds: {}",
            tuning.folds.len(),
            losses.join(", ")
        ));
        Ok(weight_decay)
    }
}
