//! `microdistill export`

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::{Args, ValueEnum};
use microdistill_train::export::{Footprint, Format, NAME, export_as};
use microdistill_train::file;
use microdistill_train::model::{Body, Model};
use microdistill_train::network::macs;
use serde::Serialize;

use crate::context::Context;

#[derive(Args, Debug)]
pub(crate) struct Export {
    /// Model file
    model: PathBuf,
    /// File to write; its extension names the format: .rs, .h, .onnx, .safetensors or .tflite
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Format of the file [default: by its extension]
    #[arg(long, value_enum)]
    format: Option<FormatFlag>,
    /// Name of the static in Rust; in C, of the functions, in small letters
    #[arg(long, default_value = NAME)]
    name: String,
}

/// Formats of exported models.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum FormatFlag {
    /// Rust constants, for `mod` or `include!`
    Rust,
    /// A C99 header with one function; it includes nothing but stdint.h and, for tanh and sigmoid in f32, math.h
    C,
    /// ONNX, opset 17, of an f32 model: from raw features to probabilities or values
    Onnx,
    /// Tensors of PyTorch's nn.Sequential, of an f32 model: from raw features to logits or values
    Safetensors,
    /// TensorFlow Lite, int8 or f32: from raw features to probabilities or values
    Tflite,
}

impl From<FormatFlag> for Format {
    fn from(flag: FormatFlag) -> Self {
        match flag {
            FormatFlag::Rust => Format::Rust,
            FormatFlag::C => Format::C,
            FormatFlag::Onnx => Format::Onnx,
            FormatFlag::Safetensors => Format::Safetensors,
            FormatFlag::Tflite => Format::Tflite,
        }
    }
}

#[derive(Serialize)]
struct ExportReport<'a> {
    file: &'a PathBuf,
    format: &'static str,
    bytes: usize,
    parameters: usize,
    macs: u64,
    /// Memory of firmware in Rust.
    #[serde(flatten)]
    footprint: Option<Footprint>,
}

impl Export {
    pub(crate) fn run(&self, context: &Context) -> Result<()> {
        file::probe_apart(&self.out, [self.model.as_path()])?;
        let format = self.format.map_or_else(|| Format::of(&self.out), |flag| Ok(flag.into()))?;
        let model = Model::load(&self.model)?;
        let exported = export_as(&model, format, &self.name, &context.command)
            .with_context(|| self.model.display().to_string())?;
        file::write(&self.out, &exported.bytes)?;
        for note in &exported.notes {
            context.console.note(note);
        }
        let footprint = (format == Format::Rust).then(|| Footprint::of(&model)).transpose()?;
        let (parameters, macs, bytes) = (model.parameters(), macs(&model.widths()), exported.bytes.len());
        let size = match footprint {
            Some(Footprint { flash, ram }) => {
                let cores = match model.body {
                    Body::F32(_) | Body::Ensemble(_) | Body::Blend(_) => "",
                    Body::Int8(_) | Body::Int4(_) => " (twice that on Cortex-M4, M7 and M33)",
                };
                format!("{flash} bytes of flash, {ram} bytes of RAM per inference{cores}")
            }
            None => format!("a file of {bytes} bytes"),
        };
        let file = self.out.display();
        context
            .console
            .say(format_args!("{file}: {parameters} parameters, {macs} multiplications, {size}"))?;
        let format = format.name();
        context.console.json(&ExportReport { file: &self.out, format, bytes, parameters, macs, footprint })
    }
}
