//! The end of every command that makes a model: scores, the file and the summary.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Result;
use microdistill_train::blend::Report;
use microdistill_train::dataset::{Dataset, Target};
use microdistill_train::distill::Choice;
use microdistill_train::error::Error;
use microdistill_train::hyperparameters::ChosenLength;
use microdistill_train::metrics::{Scores, evaluate};
use microdistill_train::model::Model;
use microdistill_train::network::Activation;
use serde::Serialize;

use crate::context::Context;
use crate::flags::data::Parts;
use crate::interrupt;
use crate::parts::Part;
use crate::table;

/// JSON output of `train`, `distill` and `quantize`.
#[derive(Serialize)]
struct TrainingReport<Search> {
    model: PathBuf,
    parameters: usize,
    /// Rows, groups and classes of the parts.
    parts: Vec<Part>,
    #[serde(skip_serializing_if = "Option::is_none")]
    weight_decay: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    length: Option<ChosenLength>,
    #[serde(skip_serializing_if = "Option::is_none")]
    activation: Option<Activation>,
    /// Choice of the recipe of a student.
    #[serde(skip_serializing_if = "Option::is_none")]
    recipe: Option<Choice>,
    /// Members of a blend and their worth.
    #[serde(skip_serializing_if = "Option::is_none")]
    blend: Option<Report>,
    #[serde(skip_serializing_if = "Option::is_none")]
    search: Option<Search>,
    #[serde(skip_serializing_if = "Option::is_none")]
    train: Option<Scores>,
    #[serde(skip_serializing_if = "Option::is_none")]
    test: Option<Scores>,
    seconds: f64,
    interrupted: bool,
}

/// Where a model goes, and what is told of it.
pub(crate) struct Finish<'a, Search = ()> {
    parts: &'a Parts,
    out: &'a Path,
    start: Instant,
    /// Weight decay of the training.
    weight_decay: Option<f32>,
    /// Choice of the recipe of a student.
    recipe: Option<Choice>,
    /// Results of the search that found the model.
    search: Option<Search>,
}

impl<'a> Finish<'a> {
    /// The end of a command that began at `start`.
    pub(crate) fn new(parts: &'a Parts, out: &'a Path, start: Instant) -> Self {
        Finish { parts, out, start, weight_decay: None, recipe: None, search: None }
    }

    /// Adds the weight decay of the training.
    pub(crate) fn decayed(self, weight_decay: f32) -> Self {
        Finish { weight_decay: Some(weight_decay), ..self }
    }

    /// Adds the choice of the recipe.
    pub(crate) fn by_recipe(self, choice: Choice) -> Self {
        Finish { weight_decay: Some(choice.chosen.weight_decay), recipe: Some(choice), ..self }
    }

    /// Adds the results of the search that found the model.
    pub(crate) fn searched<Search>(self, found: Search) -> Finish<'a, Search> {
        let Finish { parts, out, start, weight_decay, recipe, search: _ } = self;
        Finish { parts, out, start, weight_decay, recipe, search: Some(found) }
    }
}

/// Scores `model`, writes it and prints a summary.
///
/// If Ctrl-C ended the training, the model is written next to its destination, and the command ends as interrupted.
pub(crate) fn finish<Search: Serialize>(
    context: &Context,
    mut model: Model,
    Finish { parts, out, start, weight_decay, recipe, search }: Finish<'_, Search>,
) -> Result<()> {
    let train = judge(&mut model, "train", Some(&parts.known))?;
    let test = judge(&mut model, "test", parts.test.as_ref())?;
    model.metadata.command = context.command.clone();
    let (out, interrupted) = destination(out);
    model.save(&out)?;
    let rows = [("train", &train), ("test", &test)];
    let rows = rows.into_iter().filter_map(|(name, scores)| Some((name, scores.as_ref()?)));
    if let Some(table) = table::scores(rows) {
        context.console.table(&table)?;
    }
    context.console.say(format_args!("{} parameters: {}", model.parameters(), out.display()))?;
    context.console.json(&TrainingReport {
        parameters: model.parameters(),
        parts: parts.contents(),
        weight_decay,
        length: model.metadata.chosen_length.clone(),
        activation: model.metadata.training.as_ref().map(|training| training.activation),
        recipe,
        blend: model.metadata.blend.clone(),
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
