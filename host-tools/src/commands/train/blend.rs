//! Training of a blend, and the table of its members.

use anyhow::Result;
use microdistill_train::blend::Report;
use microdistill_train::dataset::{Dataset, Kind};
use microdistill_train::model::Model;
use microdistill_train::number::significant;
use microdistill_train::teacher::zoo::{Settings, Step, fit};

use crate::context::Context;
use crate::interrupt;
use crate::table::{Table, table};

/// Trains a blend on `rows` and prints the table of its members.
pub(super) fn train(context: &Context, rows: &Dataset, settings: &Settings) -> Result<Model> {
    let bar = context.console.bar("teachers", 0);
    let fitted = fit(rows, settings, &|Step { done, all }| {
        bar.set_length(all as u64);
        bar.set_position(done as u64);
        interrupt::flow()
    });
    bar.finish_and_clear();
    let model = fitted?.model;
    if let Some(report) = &model.metadata.blend {
        let kind = if rows.task.labels().is_empty() { Kind::Regression } else { Kind::Classification };
        context.console.table(&members(report, kind))?;
    }
    Ok(model)
}

/// One row per candidate, and the blend's own.
fn members(report: &Report, kind: Kind) -> Table {
    let [loss, score] = match kind {
        Kind::Classification => ["out-of-fold nll", "accuracy"],
        Kind::Regression => ["out-of-fold mse / variance", "r2"],
    };
    let mut table = table(["teacher", "weight", "temperature", loss, score]);
    for candidate in &report.candidates {
        let [weight, temperature, loss, score] =
            [f64::from(candidate.weight), f64::from(candidate.temperature), candidate.loss, candidate.score]
                .map(|number| significant(number, 3));
        table.add_row([candidate.name.clone(), weight, temperature, loss, score]);
    }
    let [loss, score] = [report.loss, report.score].map(|number| significant(number, 3));
    table.add_row(["blend".to_owned(), "1".to_owned(), String::new(), loss, score]);
    table
}
