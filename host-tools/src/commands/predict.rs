//! `microdistill predict`

use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use clap::Args;
use microdistill::argmax;
use microdistill_train::dataset::Target;
use microdistill_train::file;
use microdistill_train::metrics::{Scores, evaluate, probabilities};
use microdistill_train::model::Model;
use serde::Serialize;

use crate::context::Context;
use crate::flags::data::DataFlags;
use crate::table;

#[derive(Args, Debug)]
pub(crate) struct Predict {
    /// Model file. It predicts the rows of --test, the test part of --data with --split, or all rows of --data
    model: PathBuf,
    /// CSV file to write, with a label and the probabilities, or a value, per row; `-` is standard output
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    data: DataFlags,
}

#[derive(Serialize)]
struct PredictReport<'a> {
    file: &'a Path,
    rows: usize,
    /// Scores of the predictions, if all rows have a target.
    #[serde(skip_serializing_if = "Option::is_none")]
    scores: Option<Scores>,
}

impl Predict {
    pub(crate) fn run(&self, context: &Context) -> Result<()> {
        let to_stdout = self.out.as_os_str() == "-";
        if to_stdout && context.console.is_json() {
            bail!("--json and `--out -` both write to standard output: give --out a file");
        }
        if !to_stdout {
            file::probe_apart(&self.out, self.data.files().chain([self.model.as_path()]))?;
        }
        let model = Model::load(&self.model)?;
        let rows = self.data.read_asked(context, &model, true)?;
        let mut writer = csv::Writer::from_writer(Vec::new());
        let probability = model.labels().iter().map(|label| format!("p({label})"));
        writer.write_record(["prediction".to_owned()].into_iter().chain(probability))?;
        for logits in model.predict(&rows).column_iter() {
            let logits = logits.as_slice();
            match model.labels().get(argmax(logits)) {
                Some(label) => {
                    // All digits of f32, which is what the logits have.
                    let p = probabilities(logits).0.into_iter().map(|p| (p as f32).to_string());
                    writer.write_record([label.clone()].into_iter().chain(p))?;
                }
                None => writer.write_record(logits.iter().map(|&value| model.metadata.value(value)))?,
            }
        }
        let bytes = writer.into_inner().map_err(|error| error.into_error())?;
        if to_stdout {
            io::Write::write_all(&mut io::stdout(), &bytes)?;
            return Ok(());
        }
        file::write(&self.out, &bytes)?;
        context.console.say(format_args!("{} rows: {}", rows.rows(), self.out.display()))?;
        let has_target = matches!(rows.target, Target::Classes(_) | Target::Values(_));
        let scores = has_target.then(|| evaluate(&model, &rows)).transpose()?;
        if let Some(scores) = scores.as_ref() {
            let known = model.metadata.seen.contains(&rows.x).into_iter().filter(|&known| known).count();
            if known > 0 {
                let all = rows.rows();
                context
                    .console
                    .note(format_args!("{known} of {all} rows were trained on, so this is no test score"));
            }
            if let Some(table) = table::scores([("", scores)]) {
                context.console.table(&table)?;
            }
        }
        context.console.json(&PredictReport { file: &self.out, rows: rows.rows(), scores })
    }
}
