//! `microdistill check`

use std::collections::{BTreeMap, BTreeSet};
use std::iter;
use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use comfy_table::Table;
use microdistill_train::dataset::{Dataset, Suspicion, Target, read, suspects};
use microdistill_train::number::significant;
use nalgebra::DMatrix;
use serde::Serialize;

use crate::context::Context;
use crate::flags::columns::ColumnFlags;
use crate::table;

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
    features: Vec<Column>,
    /// Name of the target; several are separated by commas.
    target: String,
    /// Targets of values; empty for labels.
    targets: Vec<Column>,
    /// Rows per label; empty for values.
    classes: BTreeMap<String, usize>,
    /// Rows per group.
    #[serde(skip_serializing_if = "Option::is_none")]
    groups: Option<BTreeMap<String, usize>>,
    notes: Vec<String>,
    suspects: Vec<Named>,
}

/// A feature or a target of values; the numbers are none if all values are missing.
#[derive(Serialize)]
struct Column {
    name: String,
    missing: usize,
    different: usize,
    least: Option<f64>,
    median: Option<f64>,
    most: Option<f64>,
}

#[derive(Serialize)]
struct Named {
    kind: Suspicion,
    columns: Vec<String>,
    text: String,
}

impl Check {
    pub(crate) fn run(&self, context: &Context) -> Result<()> {
        let data = read(&self.file, &self.columns.columns())?;
        let report = self.report(&data);
        let console = &context.console;
        console.say(format_args!(
            "{}: {} rows, {} features, {} {}",
            self.file.display(),
            report.rows,
            report.features.len(),
            if data.task.targets().len() == 1 { "target" } else { "targets" },
            data.task.named_targets()
        ))?;
        console.say(Column::table("feature", &report.features))?;
        if !report.targets.is_empty() {
            console.say(Column::table("target", &report.targets))?;
        }
        for (what, counts) in [("label", Some(&report.classes)), ("group", report.groups.as_ref())] {
            if let Some(counts) = counts.filter(|counts| !counts.is_empty()) {
                let mut rows = table::table([what, "rows", "share"]);
                for (name, count) in counts {
                    let share = format!("{:.1} %", 100.0 * *count as f64 / report.rows as f64);
                    rows.add_row([name.clone(), count.to_string(), share]);
                }
                console.say(rows)?;
            }
        }
        report.notes.iter().try_for_each(|note| console.say(format_args!("note: {note}")))?;
        report
            .suspects
            .iter()
            .try_for_each(|suspect| console.say(format_args!("WARNING: {}", suspect.text)))?;
        if report.suspects.is_empty() {
            console.say("nothing suspicious was found")?;
        }
        console.json(&report)
    }

    fn report(&self, data: &Dataset) -> Report {
        let counts = |names: &mut dyn Iterator<Item = &String>| {
            let mut counts = BTreeMap::<String, usize>::new();
            names.for_each(|name| *counts.entry(name.clone()).or_default() += 1);
            counts
        };
        let classes = match &data.target {
            Target::Classes(classes) => counts(&mut classes.iter().map(|&class| &data.task.labels()[class])),
            _ => BTreeMap::new(),
        };
        let different: BTreeSet<Vec<u32>> =
            data.x.column_iter().map(|row| row.iter().map(|value| value.to_bits()).collect()).collect();
        let suspects = suspects(data).into_iter();
        Report {
            file: self.file.clone(),
            rows: data.rows(),
            equal_rows: data.rows() - different.len(),
            features: Column::all(&data.features, &data.x, &data.origin),
            target: data.task.targets().join(", "),
            targets: match &data.target {
                Target::Values(values) => Column::all(data.task.targets(), values, &data.target_origin),
                _ => Vec::new(),
            },
            classes,
            groups: data.groups.as_ref().map(|groups| counts(&mut groups.iter())),
            notes: data.notes.clone(),
            suspects: suspects
                .map(|suspect| Named { kind: suspect.kind, columns: suspect.columns, text: suspect.text })
                .collect(),
        }
    }
}

impl Column {
    /// The rows of `x`, shape (columns × rows), less their origins.
    fn all(names: &[String], x: &DMatrix<f32>, origins: &[f64]) -> Vec<Self> {
        let origins = origins.iter().copied().chain(iter::repeat(0.0));
        let columns = names.iter().zip(x.row_iter()).zip(origins);
        columns.map(|((name, row), origin)| Column::of(name, row.iter().copied(), origin)).collect()
    }

    fn of(name: &str, row: impl ExactSizeIterator<Item = f32>, origin: f64) -> Self {
        let rows = row.len();
        let mut values: Vec<f64> =
            row.map(|value| f64::from(value) + origin).filter(|value| !value.is_nan()).collect();
        values.sort_by(f64::total_cmp);
        Column {
            name: name.to_owned(),
            missing: rows - values.len(),
            different: values.chunk_by(|a, b| a == b).count(),
            least: values.first().copied(),
            median: values.get(values.len() / 2).copied(),
            most: values.last().copied(),
        }
    }

    fn table(what: &str, columns: &[Column]) -> Table {
        let mut table = table::table([what, "missing", "different", "least", "median", "most"]);
        for column in columns {
            let number = |value: Option<f64>| value.map_or("–".to_owned(), |value| significant(value, 6));
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
}
