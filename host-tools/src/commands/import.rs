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
    /// What the device gave back: the bytes of a record (`checkpoint::record::encode`), a raw dump of the flash that its
    /// checkpoints are in, all of the range, or what it printed, with the lines of its weights
    learned: PathBuf,
    /// The f32 model that it started from, or another one of its shape, which lends features, labels and scaler
    #[arg(long, value_name = "FILE", required_unless_present = "shipped")]
    like: Option<PathBuf>,
    /// The f32 model in the device's flash, of which it trains a part, as the last layers or biases: that lends the rest
    #[arg(long, value_name = "FILE", conflicts_with = "like")]
    shipped: Option<PathBuf>,
    /// The model file to write
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

#[derive(Serialize)]
struct Outcome<'a> {
    model: &'a PathBuf,
    parameters: usize,
    changed: usize,
    trained: Vec<Trained>,
}

impl Import {
    pub(crate) fn run(&self, context: &Context) -> Result<()> {
        let Some(path) = self.shipped.as_ref().or(self.like.as_ref()) else {
            bail!("give the model that the device started from: --like FILE, or --shipped FILE")
        };
        file::probe_apart(&self.out, [self.learned.as_path(), path])?;
        let model = Model::load(path)?;
        trainable(&model).with_context(|| path.display().to_string())?;
        let base = if self.shipped.is_some() { Base::Shipped(&model) } else { Base::Like(&model) };
        let Learned { mut model, changed, trained } = import(&self.learned, base)?;
        model.metadata.command = context.command.clone();
        model.save(&self.out)?;
        let (parameters, like) = (model.parameters(), path.display());
        context.console.say(format_args!(
            "{}: {parameters} parameters, {changed} of them other than those of {like}",
            self.out.display()
        ))?;
        context.console.json(&Outcome { model: &self.out, parameters, changed, trained })
    }
}
