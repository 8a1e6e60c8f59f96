//! `microdistill check`

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use microdistill_train::dataset::{
    Dataset, Summary, Suspicion, Target, equal_rows, read, split, summaries, suspects,
};
use microdistill_train::number::{percent, significant};
use serde::Serialize;

use crate::context::Context;
use crate::flags::columns::ColumnFlags;
use crate::flags::data::SPLIT;
use crate::parts::{Part, counts};
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
    features: Vec<Feature>,
    target: String,
    /// Rows per label; empty for values.
    classes: BTreeMap<String, usize>,
    /// Rows per group.
    #[serde(skip_serializing_if = "Option::is_none")]
    groups: Option<BTreeMap<String, usize>>,
    /// The parts that `train` divides the rows into.
    parts: Vec<Part>,
    notes: Vec<String>,
    suspects: Vec<Named>,
}

/// A feature; the numbers are none if all values are missing.
#[derive(Serialize)]
struct Feature {
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
        let report = self.report(&data, context.seed);
        let console = &context.console;
        console.say(format_args!(
            "{}: {} rows, {} features, target {:?}",
            self.file.display(),
            report.rows,
            report.features.len(),
            report.target
        ))?;
        let mut features = table::table(["feature", "missing", "different", "least", "median", "most"]);
        for feature in &report.features {
            let number = |value: Option<f64>| value.map_or("–".to_owned(), |value| significant(value, 6));
            features.add_row([
                feature.name.clone(),
                feature.missing.to_string(),
                feature.different.to_string(),
                number(feature.least),
                number(feature.median),
                number(feature.most),
            ]);
        }
        console.table(&features)?;
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

    fn report(&self, data: &Dataset, seed: u64) -> Report {
        let parts = parts(data, seed);
        let classes = match &data.target {
            Target::Classes(classes) => {
                let labels = classes.iter().map(|&class| data.task.labels()[class].clone());
                counts(&labels.collect::<Vec<_>>())
            }
            _ => BTreeMap::new(),
        };
        let suspects = suspects(data).into_iter();
        Report {
            file: self.file.clone(),
            rows: data.rows(),
            equal_rows: equal_rows(data),
            features: summaries(data).into_iter().map(Feature::from).collect(),
            target: data.task.target().to_owned(),
            classes,
            groups: data.groups.as_deref().map(counts),
            notes: data.notes.iter().cloned().chain(parts.as_ref().err().cloned()).collect(),
            parts: parts.unwrap_or_default(),
            suspects: suspects
                .map(|suspect| Named { kind: suspect.kind, columns: suspect.columns, text: suspect.text })
                .collect(),
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

impl From<Summary> for Feature {
    fn from(Summary { name, missing, different, least, median, most, .. }: Summary) -> Self {
        Feature { name, missing, different, least, median, most }
    }
}
