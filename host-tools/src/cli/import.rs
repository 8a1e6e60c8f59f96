//! `microdistill import`

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use microdistill_host_tools::file;
use microdistill_host_tools::import::{Learned, import};
use microdistill_host_tools::model::Model;
use serde::Serialize;

use super::Context;

#[derive(Args, Debug)]
pub(super) struct Import {
    /// What the device gave back: the bytes of a record (`checkpoint::record::encode`), a raw dump of the flash that its
    /// checkpoints are in, all of the range, or what it printed, with the lines of its weights
    learned: PathBuf,
    /// The f32 model that it started from, or another one of its shape, which lends features, labels and scaler
    #[arg(long, value_name = "FILE")]
    like: PathBuf,
    /// The model file to write
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

#[derive(Serialize)]
struct Outcome<'a> {
    model: &'a PathBuf,
    parameters: usize,
    changed: usize,
}

impl Import {
    pub(super) fn run(&self, context: &Context) -> Result<()> {
        file::probe_apart(&self.out, [self.learned.as_path(), &self.like])?;
        let Learned { mut model, changed } = import(&self.learned, &Model::load(&self.like)?)?;
        model.metadata.command = context.command.clone();
        model.save(&self.out)?;
        let (parameters, like) = (model.parameters(), self.like.display());
        context.console.say(format_args!(
            "{}: {parameters} parameters, {changed} of them other than those of {like}",
            self.out.display()
        ))?;
        context.console.json(&Outcome { model: &self.out, parameters, changed })
    }
}
