//! Import of a model of another tool.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use clap::{Args, ValueEnum};
use microdistill_train::file;
use microdistill_train::foreign::{self, Imported, Names, Options, Outputs, Report, Verified, verify};
use microdistill_train::network::Activation;
use serde::Serialize;

use super::Import;
use crate::context::Context;
use crate::flags::activation::ActivationFlag;

/// Flags for everything that a file of another tool does not tell.
#[derive(Args, Debug)]
#[command(next_help_heading = "Models of other tools")]
pub(super) struct ModelFlags {
    /// Meaning of the outputs [default: probabilities behind a softmax, or a sigmoid of one output; else values]
    #[arg(long, value_enum)]
    outputs: Option<OutputsFlag>,
    /// Output to import, if the model has several
    #[arg(long, value_name = "NAME")]
    output: Option<String>,
    /// Activation of the hidden layers of weights in safetensors, which do not tell it
    #[arg(long, value_enum)]
    activation: Option<ActivationFlag>,
    /// Import a model of 8 or 16 bits as f32, whose outputs are near those of the codes
    #[arg(long)]
    dequantize: bool,
    /// Names of the features, in the order of the inputs [default: those of the file, or x0, x1, …]
    #[arg(long, value_name = "A,B,…", value_delimiter = ',', num_args = 1)]
    features: Option<Vec<String>>,
    /// Labels in the order of the outputs [default: those of the file, or 0, 1, …]
    #[arg(long, value_name = "A,B,…", value_delimiter = ',', num_args = 1)]
    labels: Option<Vec<String>>,
    /// Column of the target, or one for each value [default: target, or target_0, target_1, …]
    #[arg(long, value_name = "A,B,…", value_delimiter = ',', num_args = 1)]
    target: Option<Vec<String>>,
    /// CSV file of inputs and one of the original's outputs for them: the import fails if its outputs differ
    #[arg(long, value_names = ["INPUTS", "OUTPUTS"], num_args = 2)]
    verify: Option<Vec<PathBuf>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum OutputsFlag {
    /// Logits of classes; a single one is that of the second class
    Logits,
    /// Probabilities of classes
    Probabilities,
    /// Values of a regression
    Values,
}

#[derive(Serialize)]
struct ModelReport<'a> {
    model: &'a PathBuf,
    parameters: usize,
    #[serde(flatten)]
    report: &'a Report,
    /// Result of --verify.
    #[serde(skip_serializing_if = "Option::is_none")]
    verified: Option<Verified>,
}

impl ModelFlags {
    /// Returns a flag that is given.
    pub(super) fn given(&self) -> Option<&'static str> {
        let flags = [
            ("--outputs", self.outputs.is_some()),
            ("--output", self.output.is_some()),
            ("--activation", self.activation.is_some()),
            ("--dequantize", self.dequantize),
            ("--features", self.features.is_some()),
            ("--labels", self.labels.is_some()),
            ("--target", self.target.is_some()),
            ("--verify", self.verify.is_some()),
        ];
        flags.into_iter().find(|(_, given)| *given).map(|(flag, _)| flag)
    }

    fn options(&self) -> Options {
        Options {
            outputs: match self.outputs {
                None => Outputs::Auto,
                Some(OutputsFlag::Logits) => Outputs::Logits,
                Some(OutputsFlag::Probabilities) => Outputs::Probabilities,
                Some(OutputsFlag::Values) => Outputs::Values,
            },
            output: self.output.clone(),
            activation: self.activation.map(Activation::from),
            dequantize: self.dequantize,
            names: Names {
                features: self.features.clone(),
                labels: self.labels.clone(),
                targets: self.target.clone(),
            },
        }
    }
}

impl Import {
    pub(super) fn import_model(&self, context: &Context) -> Result<()> {
        let compared = self.model.verify.iter().flatten().map(PathBuf::as_path);
        file::probe_apart(&self.out, compared.chain([self.file.as_path()]))?;
        let mut imported = foreign::read(&self.file, &self.model.options())?;
        let verified = match self.model.verify.as_deref() {
            Some([inputs, outputs]) => {
                let verified = verify(&imported, &numbers(inputs)?, &numbers(outputs)?);
                Some(verified.with_context(|| outputs.display().to_string())?)
            }
            _ => None,
        };
        imported.model.metadata.command = context.command.clone();
        imported.model.metadata.seed = context.seed;
        imported.model.save(&self.out)?;
        self.tell(context, &imported, verified)
    }

    /// Says what was found.
    fn tell(&self, context: &Context, imported: &Imported, verified: Option<Verified>) -> Result<()> {
        let Imported { model, report, notes } = imported;
        let file = self.file.display();
        notes.iter().for_each(|note| context.console.note(format_args!("{file}: {note}")));
        for (what, nodes) in [("folded", &report.folded), ("passed over", &report.passed_over)] {
            if !nodes.is_empty() {
                context.console.note(format_args!("{file}: {what}: {}", nodes.join(", ")));
            }
        }
        if let Some(why) = &report.not_exportable {
            context.console.note(format_args!("{file}: {why}"));
        }
        if let Some(Verified { rows, largest_difference }) = verified {
            context.console.note(format_args!(
                "{file}: {rows} rows give the original's outputs, but for {largest_difference:e}"
            ));
        }
        let widths: Vec<String> = report.widths.iter().map(usize::to_string).collect();
        let meaning = match model.labels() {
            [] => format!("values of {}", model.metadata.task.named_targets()),
            labels => format!("{} classes", labels.len()),
        };
        let (out, parameters) = (self.out.display(), model.parameters());
        context.console.say(format_args!(
            "{out}: {}, {} in {}, {parameters} parameters, {meaning}",
            report.format,
            widths.join("-"),
            model.kind()
        ))?;
        context.console.json(&ModelReport { model: &self.out, parameters, report, verified })
    }
}

/// Reads a CSV file of numbers, with or without a header.
fn numbers(path: &Path) -> Result<Vec<Vec<f64>>> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .from_path(path)
        .with_context(|| path.display().to_string())?;
    let mut rows = Vec::new();
    for (index, record) in reader.records().enumerate() {
        let record = record.with_context(|| path.display().to_string())?;
        let row: Option<Vec<f64>> = record.iter().map(|cell| cell.trim().parse().ok()).collect();
        match row {
            Some(row) => rows.push(row),
            None if index == 0 => {}
            None => bail!("{}:{}: a cell is no number", path.display(), index + 1),
        }
    }
    Ok(rows)
}
