//! `microdistill import`

mod device;
mod model;

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::Args;

use self::model::ModelFlags;
use crate::context::Context;

#[derive(Args, Debug)]
pub(crate) struct Import {
    /// Model of another tool: Keras (.keras, .h5), TensorFlow Lite, ONNX or safetensors. With --like or --shipped, the output
    /// of a device: the bytes of a record (`checkpoint::record::encode`), a raw dump of the whole flash range that holds its
    /// checkpoints, or a log with the lines of its weights
    file: PathBuf,
    /// f32 model that the device started from, or another one of its shape; features, labels and scaler come from it
    #[arg(long, value_name = "FILE")]
    like: Option<PathBuf>,
    /// f32 model in the device's flash, if the device trains only a part of it, such as the last layers or biases
    #[arg(long, value_name = "FILE", conflicts_with = "like")]
    shipped: Option<PathBuf>,
    /// Model file to write
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    model: ModelFlags,
}

impl Import {
    pub(crate) fn run(&self, context: &Context) -> Result<()> {
        if self.shipped.is_none() && self.like.is_none() {
            return self.import_model(context);
        }
        if let Some(flag) = self.model.given() {
            bail!("{flag} is for models of other tools: leave it out, or leave out --like and --shipped");
        }
        self.import_device(context)
    }
}
