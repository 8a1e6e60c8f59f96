//! `microdistill quantize`

use std::path::PathBuf;
use std::time::Instant;

use anyhow::Result;
use clap::Args;
use microdistill_host_tools::model::Model;
use microdistill_host_tools::quantize::{Scales, quantize};

use super::Context;
use super::data::DataFlags;
use super::outcome::finish;

#[derive(Args, Debug)]
pub(super) struct Quantize {
    /// The f32 model; its training rows, given again, set the ranges of the codes
    model: PathBuf,
    /// The model file to write
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// One scale a layer instead of one an output: 8 bytes less an output, and less close
    #[arg(long)]
    per_layer: bool,
    #[command(flatten)]
    data: DataFlags,
}

impl Quantize {
    pub(super) fn run(&self, context: &Context) -> Result<()> {
        let start = Instant::now();
        let model = Model::load(&self.model)?;
        let parts = self.data.read_like(context, &model, true)?;
        let scales = if self.per_layer { Scales::PerLayer } else { Scales::PerChannel };
        let model = quantize(&model, &parts.known.x, scales)?;
        finish(context, model, &parts, &self.out, start, None)
    }
}
