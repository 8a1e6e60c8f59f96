//! `--weight-decay`: a number, or the choice of a cross-validation.

use std::str::FromStr;

use anyhow::Result;
use microdistill_train::dataset::Dataset;
use microdistill_train::error::Result as LibraryResult;
use microdistill_train::hyperparameters::{Hyperparameters, Length};
use microdistill_train::model::Model;
use microdistill_train::number::significant;
use microdistill_train::tune::{Choice, Tuning, beside_rows};

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
    /// Settings of the trainings. Their weight decay is kept if there is no time to choose.
    pub(crate) settings: &'a Hyperparameters,
    /// Cost per sample of a training: see [`work`](microdistill_train::tune::work()).
    pub(crate) work: usize,
    /// Budget of all trainings, in the same unit, if the length of each is a number of steps.
    pub(crate) budget: f64,
}

/// Weight decay with which the length of a training is chosen, before it is chosen itself: so small that it hardly delays a
/// training, and large enough to keep a long one from overfitting.
const BEFORE_CHOICE: f32 = 0.25;

impl WeightDecay {
    /// Returns the number; for `auto`, the one that trainings on `rows` rows begin with.
    pub(crate) fn before_choice(self, rows: usize) -> f32 {
        match self {
            WeightDecay::Auto => beside_rows(BEFORE_CHOICE, rows),
            WeightDecay::Fixed(decay) => decay,
        }
    }

    /// Returns the number. `auto` chooses it with a [`Tuning`]. For large data sets or networks less is tried, and a note says so.
    pub(crate) fn choose(
        self,
        context: &Context,
        label: &str,
        Tuned { rows, folds, settings, work, budget }: Tuned<'_>,
        fit: impl Fn(&Dataset, f32) -> LibraryResult<Model> + Sync,
    ) -> Result<f32> {
        if let WeightDecay::Fixed(decay) = self {
            return Ok(decay);
        }
        let tuning = match settings.length {
            Length::Epochs(epochs) => {
                Some(Tuning::new(rows, folds, work.saturating_mul(epochs), context.seed)?)
            }
            Length::Steps(_) => {
                let batch = settings.batch.min(rows.rows());
                let training = settings.steps(rows.rows()) as f64 * batch as f64 * work as f64;
                Tuning::within(rows, folds, budget / training, context.seed)?
            }
        };
        let Some(tuning) = tuning else {
            let decay = settings.rates.weight_decay;
            context
                .console
                .note(format_args!("{label}: {decay}, not chosen, to save time; --weight-decay sets it"));
            return Ok(decay);
        };
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
