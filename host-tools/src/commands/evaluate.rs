//! `microdistill evaluate`

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use microdistill_train::metrics::{Classification, Scores, evaluate};
use microdistill_train::model::Model;

use crate::context::Context;
use crate::flags::data::DataFlags;
use crate::table::{self, Table};

#[derive(Args, Debug)]
pub(crate) struct Evaluate {
    /// Model file. It is scored on the rows of --test or, from --data, on the test part of --split or all rows that it was not
    /// trained on
    model: PathBuf,
    #[command(flatten)]
    data: DataFlags,
}

impl Evaluate {
    pub(crate) fn run(&self, context: &Context) -> Result<()> {
        let model = Model::load(&self.model)?;
        let rows = self.data.read_judged(context, &model)?;
        let trained_on_all = model.metadata.division.is_none();
        if trained_on_all && rows.hash == model.metadata.data_hash {
            context
                .console
                .note("the model was trained on the rows of this file, so these are not test scores");
        }
        let scores = evaluate(&model, &rows)?;
        if let Some(table) = table::scores([("", &scores)]) {
            context.console.table(&table)?;
        }
        if let Scores::Classification(scores) = &scores {
            let labels = model.labels();
            if labels.len() <= MOST_LABELS {
                context.console.table(&confusion(scores, labels))?;
            } else {
                context.console.note(format_args!(
                    "the confusion matrix of {} labels is in the output of --json",
                    labels.len()
                ));
            }
        }
        context.console.json(&scores)
    }
}

/// Most labels of a printed confusion matrix: a larger one is wider than any screen.
const MOST_LABELS: usize = 30;

/// Table of the confusion matrix: a row per label, a column per prediction.
fn confusion(scores: &Classification, labels: &[String]) -> Table {
    let mut table = table::table(["label \\ predicted".to_owned()].into_iter().chain(labels.iter().cloned()));
    for (label, counts) in labels.iter().zip(&scores.confusion) {
        table.add_row([label.clone()].into_iter().chain(counts.iter().map(usize::to_string)));
    }
    table
}
