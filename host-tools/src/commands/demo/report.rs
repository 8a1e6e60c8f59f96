//! The report of the demo: the table, its legend, and the boards' output.

use std::path::Path;
use std::time::Duration;

use anyhow::{Result, bail};
use microdistill_boards::Memory;
use microdistill_study::demo::{Row, Summary, Tuned};
use microdistill_study::study::figures;
use microdistill_study::study::results::MeanStd;
use microdistill_train::dataset::Dataset;
use microdistill_train::number::significant;
use microdistill_train::student::WEIGHT_DECAY;
use serde::Serialize;

use super::boards::Run;
use crate::context::Context;
use crate::table;

/// All figures.
#[derive(Serialize)]
pub(crate) struct Figures {
    seed: u64,
    weight_decays: Tuned,
    rows: Vec<Row>,
    boards: Vec<Run>,
    seconds: f64,
}

impl Figures {
    pub(crate) fn new(
        context: &Context,
        tuned: Tuned,
        rows: Vec<Row>,
        boards: Vec<Run>,
        time: Duration,
    ) -> Self {
        Figures { seed: context.seed, weight_decays: tuned, rows, boards, seconds: time.as_secs_f64() }
    }

    /// Returns an error if a board's results differ from the desktop's, or a program failed.
    pub(crate) fn verdict(&self) -> Result<()> {
        for run in &self.boards {
            if run.different > 0 || run.weights_hash_board != run.weights_hash_host {
                bail!("the results of {} and of the desktop differ", run.board);
            }
            if !run.success {
                bail!("a program on {} failed", run.board);
            }
        }
        Ok(())
    }
}

pub(crate) fn data(context: &Context, train: &Dataset, test: &Dataset) -> Result<()> {
    let people = |data: &Dataset| {
        let groups = data.groups.iter().flatten();
        groups.collect::<std::collections::BTreeSet<_>>().len()
    };
    context.console.say(format_args!(
        "Smartwatch windows: {} features, {} exercises; {} training rows of {} people, {} test rows of {} others.\n",
        train.features.len(),
        train.task.labels().len(),
        train.rows(),
        people(train),
        test.rows(),
        people(test),
    ))
}

pub(crate) fn table(context: &Context, tuned: Tuned, rows: &[Row]) -> Result<()> {
    let header = ["", "train acc.", "test acc.", "gap", "test NLL", "parameters", "flash B", "RAM B"];
    let mut table = table::table(header);
    for row in rows {
        table.add_row([
            row.name.to_owned(),
            figures::mean_std("train accuracy", &of(&row.train_accuracy)),
            figures::mean_std("test accuracy", &of(&row.test_accuracy)),
            figures::mean_std("gap", &of(&row.gap)),
            figures::mean_std("nll", &of(&row.nll)),
            row.parameters.to_string(),
            row.footprint.flash.to_string(),
            row.footprint.ram.to_string(),
        ]);
    }
    let console = &context.console;
    console.table(&table)?;
    let seeds = rows.first().map_or(0, |row| row.nll.values.len());
    console.say(format_args!(
        "Mean ± standard deviation over {seeds} seeds, in % and nats. L2 is decoupled weight decay: {} for the teacher and {} for\n\
         tuned hard labels, chosen by likelihood with one training person left out at a time; none for hard labels,\n\
         {} for distilled students. Flash: network and scaler. RAM: the buffer of an inference.\n",
        tuned.teacher, tuned.hard_labels, WEIGHT_DECAY
    ))?;
    let [teacher, hard, l2, distilled, int8] = rows else { return Ok(()) };
    for (name, row, other) in [
        ("distilled − hard labels", distilled, hard),
        ("distilled − tuned L2", distilled, l2),
        ("distilled − teacher", distilled, teacher),
        ("int8 − f32", int8, distilled),
    ] {
        let accuracy = row.test_accuracy.minus(&other.test_accuracy);
        let (accuracy, ratio) = (figures::mean_std("gap", &of(&accuracy)), row.nll.mean / other.nll.mean);
        let sign = if accuracy.starts_with(['-', '0']) { "" } else { "+" };
        let accuracy = format!("{sign}{accuracy}");
        console.say(format_args!("{name:24} accuracy {accuracy:>12} pp, NLL × {}", significant(ratio, 3)))?;
    }
    console.say("")
}

pub(crate) fn end(context: &Context, out: &Path, figures: &Figures) -> Result<()> {
    let console = &context.console;
    for run in figures.boards.iter().filter(|run| run.memory.is_some()) {
        for (program, lines) in &run.story {
            console.say(format_args!("{}, {program}:", run.board))?;
            for line in lines {
                console.say(format_args!("  {line}"))?;
            }
        }
        if let Some(Memory { flash, ram }) = run.memory {
            console.say(format_args!(
                "  distill takes {flash} bytes of flash, {ram} bytes of RAM plus the stack"
            ))?;
        }
    }
    let mut table =
        table::table(["board", "rows compared", "different", "weights, desktop", "weights, board"]);
    for run in &figures.boards {
        let (compared, different) = (run.compared.to_string(), run.different.to_string());
        table.add_row([&run.board, &compared, &different, &run.weights_hash_host, &run.weights_hash_board]);
    }
    console.say("")?;
    console.table(&table)?;
    console.say(
        "Compared: outputs of all test rows, f32 and int8, and hashes of the final weights of a distillation.\n",
    )?;
    console.say(format_args!(
        "{} holds the models, model.rs and demo.json with all figures. {} s",
        out.display(),
        significant(figures.seconds, 3)
    ))
}

fn of(summary: &Summary) -> MeanStd {
    MeanStd { mean: summary.mean, std: summary.std, n: summary.values.len() }
}
