//! `microdistill import`

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use clap::Args;
use microdistill_train::file;
use microdistill_train::import::{Base, Learned, Trained, import, trainable};
use microdistill_train::model::Model;
use serde::Serialize;

use crate::context::Context;

#[derive(Args, Debug)]
pub(crate) struct Import {
    /// Output of the device: the bytes of a record (`checkpoint::record::encode`), a raw dump of the whole flash range that
    /// holds its checkpoints, or a log with the lines of its weights
    learned: PathBuf,
    /// f32 model that the device started from, or another one of its shape; features, labels and scaler come from it
    #[arg(long, value_name = "FILE", required_unless_present = "shipped")]
    like: Option<PathBuf>,
    /// f32 model in the device's flash, if the device trains only a part of it, such as the last layers or biases
    #[arg(long, value_name = "FILE", conflicts_with = "like")]
    shipped: Option<PathBuf>,
    /// Model file to write
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

#[derive(Serialize)]
struct ImportReport<'a> {
    model: &'a PathBuf,
    parameters: usize,
    changed: usize,
    trained: Vec<Trained>,
}

impl Import {
    pub(crate) fn run(&self, context: &Context) -> Result<()> {
        let Some(path) = self.shipped.as_ref().or(self.like.as_ref()) else {
            bail!("the model that the device started from is missing: give --like FILE or --shipped FILE")
        };
        file::probe_apart(&self.out, [self.learned.as_path(), path])?;
        let model = Model::load(path)?;
        trainable(&model).with_context(|| path.display().to_string())?;
        let base = if self.shipped.is_some() { Base::Shipped(&model) } else { Base::Like(&model) };
        let Learned { mut model, changed, trained, notes } = import(&self.learned, base)?;
        notes
            .iter()
            .for_each(|note| context.console.note(format_args!("{}: {note}", self.learned.display())));
        model.metadata.command = context.command.clone();
        model.save(&self.out)?;
        let (parameters, like) = (model.parameters(), path.display());
        context.console.say(format_args!(
            "{}: {parameters} parameters, {changed} of them differ from those of {like}",
            self.out.display()
        ))?;
        context.console.json(&ImportReport { model: &self.out, parameters, changed, trained })
    }
}
