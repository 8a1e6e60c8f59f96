//! `microdistill predict`

use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use clap::Args;
use microdistill::argmax;
use microdistill_train::dataset::{PREDICTION, Task, prediction_columns};
use microdistill_train::file;
use microdistill_train::metrics::probabilities;
use microdistill_train::model::Model;
use serde::Serialize;

use crate::context::Context;
use crate::flags::data::DataFlags;

#[derive(Args, Debug)]
pub(crate) struct Predict {
    /// Model file. It predicts the rows of --test, the test part of --data with --split, or all rows of --data
    model: PathBuf,
    /// CSV file to write, with a label and the probabilities, or the values, per row; `-` is standard output
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    data: DataFlags,
}

#[derive(Serialize)]
struct PredictReport<'a> {
    file: &'a Path,
    rows: usize,
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
        writer.write_record(header(&model.metadata.task))?;
        for logits in model.predict(&rows).column_iter() {
            let logits = logits.as_slice();
            match model.labels().get(argmax(logits)) {
                Some(label) => {
                    let (p, _) = probabilities(logits);
                    let p = p.iter().map(|p| format!("{p:.6}"));
                    writer.write_record([label.clone()].into_iter().chain(p))?;
                }
                None => writer.write_record(model.metadata.values(logits))?,
            }
        }
        let bytes = writer.into_inner().map_err(|error| error.into_error())?;
        if to_stdout {
            io::Write::write_all(&mut io::stdout(), &bytes)?;
            return Ok(());
        }
        file::write(&self.out, &bytes)?;
        context.console.say(format_args!("{} rows: {}", rows.rows(), self.out.display()))?;
        context.console.json(&PredictReport { file: &self.out, rows: rows.rows() })
    }
}

/// Names of the columns: a prediction, then the probability of each label, or a prediction per target.
fn header(task: &Task) -> Vec<String> {
    match task {
        Task::Classification { labels, .. } => {
            let probabilities = labels.iter().map(|label| format!("p({label})"));
            [PREDICTION.to_owned()].into_iter().chain(probabilities).collect()
        }
        Task::Regression { targets } => prediction_columns(targets),
    }
}
