//! `microdistill quantize`

use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context as _, Result};
use clap::Args;
use microdistill_train::file;
use microdistill_train::model::Model;
use microdistill_train::network::precision::Scales;
use microdistill_train::quantize::{quantizable, quantize};

use crate::context::Context;
use crate::finish::{Finish, finish};
use crate::flags::data::DataFlags;
use crate::flags::precision::PrecisionFlags;

#[derive(Args, Debug)]
pub(crate) struct Quantize {
    /// f32 model to quantize; give its training rows again, which calibrate the ranges of the activations
    model: PathBuf,
    /// Model file to write
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Use one weight scale per layer instead of one per output: saves 8 bytes per output, at lower precision
    #[arg(long, conflicts_with = "bits")]
    per_layer: bool,
    #[command(flatten)]
    precision: PrecisionFlags,
    #[command(flatten)]
    data: DataFlags,
}

impl Quantize {
    pub(crate) fn run(&self, context: &Context) -> Result<()> {
        let start = Instant::now();
        file::probe_apart(&self.out, self.data.files().chain([self.model.as_path()]))?;
        let model = Model::load(&self.model)?;
        let of_model = || self.model.display().to_string();
        quantizable(&model).with_context(of_model)?;
        let rows = self.data.known()?;
        let parts = self.data.read_like(context, &model, &model.metadata.seen, true, None)?;
        let asked = if self.per_layer { Some(Scales::PerLayer.into()) } else { self.precision.precision() };
        let trained_for = model.metadata.precision;
        let precision = asked.or(trained_for).unwrap_or_default();
        precision.check()?;
        if trained_for.is_some_and(|trained_for| trained_for != precision) {
            context.console.note("the student was trained for another precision than the one asked for");
        }
        let model = quantize(&model, &parts.known.x, precision)
            .with_context(|| format!("{}, by the rows of {}", of_model(), rows.display()))?;
        finish(context, model, Finish::new(&parts, &self.out, start))
    }
}
