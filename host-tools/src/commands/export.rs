//! `microdistill export`

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::Args;
use microdistill_train::export::{Footprint, NAME, export_to};
use microdistill_train::file;
use microdistill_train::model::{Body, Model};
use microdistill_train::network::macs;
use serde::Serialize;

use crate::context::Context;

#[derive(Args, Debug)]
pub(crate) struct Export {
    /// Model file
    model: PathBuf,
    /// Rust file to write; use it with `mod` or `include!`
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Name of the static
    #[arg(long, default_value = NAME)]
    name: String,
}

#[derive(Serialize)]
struct ExportReport<'a> {
    file: &'a PathBuf,
    parameters: usize,
    macs: u64,
    #[serde(flatten)]
    footprint: Footprint,
}

impl Export {
    pub(crate) fn run(&self, context: &Context) -> Result<()> {
        file::probe_apart(&self.out, [self.model.as_path()])?;
        let model = Model::load(&self.model)?;
        let footprint = Footprint::of(&model).with_context(|| self.model.display().to_string())?;
        export_to(&model, &self.name, &context.command, &self.out)?;
        let Footprint { flash, ram } = footprint;
        let (parameters, macs) = (model.parameters(), macs(&model.widths()));
        let cores = match model.body {
            Body::F32(_) | Body::Ensemble(_) | Body::Blend(_) => "",
            Body::Int8(_) | Body::Int4(_) => " (twice that on Cortex-M4, M7 and M33)",
        };
        context.console.say(format_args!(
            "{}: {parameters} parameters, {macs} multiplications, {flash} bytes of flash, {ram} bytes of RAM per \
             inference{cores}",
            self.out.display(),
        ))?;
        context.console.json(&ExportReport { file: &self.out, parameters, macs, footprint })
    }
}
