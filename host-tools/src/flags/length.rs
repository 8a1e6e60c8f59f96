//! `--epochs` and `--steps`: the length of a training, by default the choice of held-out rows.

use anyhow::Result;
use indicatif::ProgressBar;
use microdistill_train::dataset::Dataset;
use microdistill_train::error::Result as LibraryResult;
use microdistill_train::hyperparameters::{Basis, ChosenLength, Hyperparameters, Length};
use microdistill_train::model::Model;
use microdistill_train::number::significant;
use microdistill_train::tune::LengthChoice;

use crate::context::Context;
use crate::interrupt;

/// Training whose length is chosen.
pub(crate) struct Lengthened<'a> {
    /// Name of the network in notes: "teacher" or "student".
    pub(crate) label: &'a str,
    /// Rows with their targets: those to train on, and validation rows if any are given.
    pub(crate) rows: &'a Dataset,
    /// Planned trainings.
    pub(crate) choice: LengthChoice,
    /// Settings of the trainings.
    pub(crate) settings: &'a Hyperparameters,
}

impl Lengthened<'_> {
    /// Runs the trainings and prints the choice. `prepare` prepares the rows of these indices, on which `fit` trains; it
    /// adds the steps of each epoch to the bar.
    pub(crate) fn choose<P: Sync + Send>(
        self,
        context: &Context,
        prepare: impl Fn(&[usize]) -> LibraryResult<P> + Sync,
        fit: impl Fn(&P, Length, &ProgressBar) -> LibraryResult<Model> + Sync,
    ) -> Result<ChosenLength> {
        let Lengthened { label, rows, choice, settings } = self;
        let bar = context.console.bar(format!("{label}'s length"), choice.most_steps());
        let chosen = choice.choose(rows, prepare, |prepared, length| {
            let model = fit(prepared, length, &bar);
            interrupt::check()?;
            model
        });
        bar.finish_and_clear();
        let chosen = chosen?;
        context.console.note(describe(label, &chosen, rows.rows(), settings));
        Ok(chosen)
    }
}

/// Describes the choice in a line.
fn describe(label: &str, chosen: &ChosenLength, rows: usize, settings: &Hyperparameters) -> String {
    let ChosenLength { steps, basis, trials, limited } = chosen;
    let trials: Vec<String> = trials
        .iter()
        .map(|trial| {
            let loss = trial.loss.map_or("diverged".into(), |loss| significant(loss, 3));
            format!("{} → {loss}", trial.steps)
        })
        .collect();
    let epochs = Length::Steps(*steps).epochs(rows, settings.batch);
    let length = format!("{label}'s length: {steps} steps ({epochs} epochs)");
    match basis {
        Basis::HeldOut(held_out) => format!(
            "{length}, chosen by the loss on {held_out} held-out rows: {}{}",
            trials.join(", "),
            if *limited { "; more may be better, but take longer: --steps sets them" } else { "" }
        ),
        Basis::TooFew => {
            format!("{length}, not chosen, because {rows} rows are too few to hold any out; --steps sets it")
        }
        Basis::TooLarge => format!("{length}, not chosen, to save time; --steps sets it"),
    }
}
