//! `microdistill check`

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use microdistill_train::dataset::{
    Dataset, Summary, Suspect, Target, equal_rows, read, split, summaries, suspects, target_summaries,
};
use microdistill_train::number::{of_column, percent};
use serde::Serialize;

use crate::context::Context;
use crate::flags::columns::ColumnFlags;
use crate::flags::data::SPLIT;
use crate::parts::{Part, counts};
use crate::table::{self, Table};

#[derive(Args, Debug)]
pub(crate) struct Check {
    /// Data file; `-` is standard input
    file: PathBuf,
    #[command(flatten)]
    columns: ColumnFlags,
}

/// What a file holds, as `--json` prints it.
#[derive(Serialize)]
struct Report {
    file: PathBuf,
    rows: usize,
    /// Rows whose features all stand in a row above, too.
    equal_rows: usize,
    features: Vec<Summary>,
    /// Name of the target; several are separated by commas.
    target: String,
    /// Targets of values; empty for labels.
    targets: Vec<Summary>,
    /// Rows per label; empty for values.
    classes: BTreeMap<String, usize>,
    /// Rows per group.
    #[serde(skip_serializing_if = "Option::is_none")]
    groups: Option<BTreeMap<String, usize>>,
    /// The parts that `train` divides the rows into.
    parts: Vec<Part>,
    #[serde(skip)]
    notes: Vec<String>,
    suspects: Vec<Suspect>,
}

impl Check {
    pub(crate) fn run(&self, context: &Context) -> Result<()> {
        let data = read(&self.file, &self.columns.columns())?;
        let report = self.report(&data, context.seed);
        let console = &context.console;
        console.say(format_args!(
            "{}: {} rows, {} features, {} {}",
            self.file.display(),
            report.rows,
            report.features.len(),
            if data.task.targets().len() == 1 { "target" } else { "targets" },
            data.task.named_targets()
        ))?;
        console.table(&columns("feature", &report.features))?;
        if !report.targets.is_empty() {
            console.table(&columns("target", &report.targets))?;
        }
        for (what, counts) in [("label", Some(&report.classes)), ("group", report.groups.as_ref())] {
            if let Some(counts) = counts.filter(|counts| !counts.is_empty()) {
                let mut rows = table::table([what, "rows", "share"]);
                for (name, count) in counts {
                    let share = format!("{} %", percent(*count as f64 / report.rows as f64, 3));
                    rows.add_row([name.clone(), count.to_string(), share]);
                }
                console.table(&rows)?;
            }
        }
        if let [_, _, test] = report.parts.as_slice() {
            console
                .say(format_args!("`train --seed {}` divides the rows into these parts:", context.seed))?;
            report.parts.iter().try_for_each(|part| console.say(format_args!("  {}", part.line())))?;
            test.doubts(&report.parts[0]).iter().try_for_each(|doubt| console.say(doubt))?;
        }
        for note in &report.notes {
            console.say(format_args!("note: {note}"))?;
            console.remember(note.clone());
        }
        report
            .suspects
            .iter()
            .try_for_each(|suspect| console.say(format_args!("WARNING: {}", suspect.text)))?;
        if report.suspects.is_empty() {
            console.say("nothing suspicious was found")?;
        }
        console.json(&report)
    }

    fn report(&self, data: &Dataset, seed: u64) -> Report {
        let parts = parts(data, seed);
        let classes = match &data.target {
            Target::Classes(classes) => {
                let labels = classes.iter().map(|&class| data.task.labels()[class].clone());
                counts(&labels.collect::<Vec<_>>())
            }
            _ => BTreeMap::new(),
        };
        Report {
            file: self.file.clone(),
            rows: data.rows(),
            equal_rows: equal_rows(data),
            features: summaries(data),
            target: data.task.targets().join(", "),
            targets: target_summaries(data),
            classes,
            groups: data.groups.as_deref().map(counts),
            notes: data.notes.iter().cloned().chain(parts.as_ref().err().cloned()).collect(),
            parts: parts.unwrap_or_default(),
            suspects: suspects(data),
        }
    }
}

/// The parts that `train` divides these rows into, or a note about why it cannot.
fn parts(data: &Dataset, seed: u64) -> Result<Vec<Part>, String> {
    let names = ["training", "validation", "test"];
    let part = |(name, rows): (_, Vec<usize>)| Part::of(name, &data.select(&rows));
    split(data, &SPLIT, seed)
        .map(|parts| names.into_iter().zip(parts).map(part).collect())
        .map_err(|error| format!("`train --data` cannot divide these rows: {error}"))
}

/// A table of columns: features, or targets of values.
fn columns(what: &str, columns: &[Summary]) -> Table {
    let mut table = table::table([what, "missing", "different", "least", "median", "most"]);
    for column in columns {
        let range = [column.least, column.most].map(Option::unwrap_or_default);
        let number = |value: Option<f64>| value.map_or("–".to_owned(), |value| of_column(value, range));
        table.add_row([
            column.name.clone(),
            column.missing.to_string(),
            column.different.to_string(),
            number(column.least),
            number(column.median),
            number(column.most),
        ]);
    }
    table
}
