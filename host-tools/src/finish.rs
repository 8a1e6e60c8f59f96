//! The end of every command that makes a model: scores, the file and the summary.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Result;
use microdistill_train::dataset::{Dataset, Target};
use microdistill_train::error::Error;
use microdistill_train::metrics::{Scores, evaluate};
use microdistill_train::model::Model;
use serde::Serialize;

use crate::commands::distill::search;
use crate::context::Context;
use crate::flags::data::Parts;
use crate::interrupt;
use crate::table;

/// JSON output of `train`, `distill` and `quantize`.
#[derive(Serialize)]
pub(crate) struct TrainingReport {
    model: PathBuf,
    parameters: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    weight_decay: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    search: Option<search::SearchReport>,
    #[serde(skip_serializing_if = "Option::is_none")]
    train: Option<Scores>,
    #[serde(skip_serializing_if = "Option::is_none")]
    test: Option<Scores>,
    seconds: f64,
    interrupted: bool,
}

/// Scores `model`, writes it to `out` and prints a summary.
///
/// If Ctrl-C ended the training, the model is written next to `out`, and the command ends as interrupted.
pub(crate) fn finish(
    context: &Context,
    model: Model,
    parts: &Parts,
    out: &Path,
    start: Instant,
    weight_decay: Option<f32>,
) -> Result<()> {
    finish_any(context, model, parts, out, start, (weight_decay, None))
}

/// [`finish`] for a student that a search found.
pub(crate) fn finish_search(
    context: &Context,
    model: Model,
    parts: &Parts,
    out: &Path,
    start: Instant,
    found: search::SearchReport,
) -> Result<()> {
    finish_any(context, model, parts, out, start, (None, Some(found)))
}

fn finish_any(
    context: &Context,
    mut model: Model,
    parts: &Parts,
    out: &Path,
    start: Instant,
    (weight_decay, search): (Option<f32>, Option<search::SearchReport>),
) -> Result<()> {
    let train = judge(&mut model, "train", Some(&parts.known))?;
    let test = judge(&mut model, "test", parts.test.as_ref())?;
    model.metadata.command = context.command.clone();
    let (out, interrupted) = destination(out);
    model.save(&out)?;
    let rows = [("train", &train), ("test", &test)];
    let rows = rows.into_iter().filter_map(|(name, scores)| Some((name, scores.as_ref()?)));
    if let Some(table) = table::scores(rows) {
        context.console.say(table)?;
    }
    context.console.say(format_args!("{} parameters: {}", model.parameters(), out.display()))?;
    context.console.json(&TrainingReport {
        parameters: model.parameters(),
        weight_decay,
        search,
        train,
        test,
        seconds: start.elapsed().as_secs_f64(),
        interrupted,
        model: out,
    })?;
    if interrupted { Err(Error::Interrupted.into()) } else { Ok(()) }
}

/// The path for a result, and true if Ctrl-C ended the work. The result is then written next to `out` under
/// another name.
pub(crate) fn destination(out: &Path) -> (PathBuf, bool) {
    if !interrupt::requested() {
        return (out.to_owned(), false);
    }
    let extension = out.extension().unwrap_or_default().to_string_lossy();
    (out.with_extension(format!("interrupted.{extension}")), true)
}

/// Scores `model` on rows that have a target, and stores the scores in its metadata.
pub(crate) fn judge(model: &mut Model, name: &str, rows: Option<&Dataset>) -> Result<Option<Scores>> {
    let Some(rows) = rows.filter(|rows| rows.target != Target::Absent) else { return Ok(None) };
    let scores = evaluate(model, rows)?;
    for (score, value) in scores.headline() {
        model.metadata.scores.insert(format!("{name} {score}"), value);
    }
    Ok(Some(scores))
}
