//! Import of trained models of other tools: Keras, TensorFlow Lite, ONNX, and PyTorch's `nn.Sequential` in safetensors.
//!
//! A reader turns the file into a small graph. The graph is reduced to a chain of dense layers: batch normalization,
//! scalers and other affine steps are folded in f64, and a final softmax or sigmoid becomes the meaning of the outputs.
//! Whatever is no such chain is refused with the names of all operators at fault. Nothing is guessed in silence.
//!
//! A file is told by its contents, never by its name. Files that may run code, such as pickles, are never loaded.

mod build;
mod graph;
#[cfg(feature = "formats")]
mod keras;
mod kind;
mod lower;
mod onnx;
mod safetensors;
mod tensor;
mod tflite;
mod verify;

use std::path::Path;

use serde::Serialize;

pub use self::build::{Names, Outputs};
use self::kind::Kind;
pub use self::verify::{Verified, verify};
use crate::error::{Error, Result};
use crate::model::Model;
use crate::network::Activation;

/// Choices that a file leaves open.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Meaning of the outputs.
    pub outputs: Outputs,
    /// Name of the output to import, if there are several.
    pub output: Option<String>,
    /// Activation of the hidden layers of a file that holds weights only.
    pub activation: Option<Activation>,
    /// True to import codes of 8 and 16 bits as f32, where int8 would not be kept.
    pub dequantize: bool,
    /// Names of features, labels and targets.
    pub names: Names,
}

/// A model of another tool.
#[derive(Clone, Debug, PartialEq)]
pub struct Imported {
    /// The model, a teacher.
    pub model: Model,
    /// Contents of the file.
    pub report: Report,
    /// Notes for the user on everything that was read, guessed, dropped or rounded.
    pub notes: Vec<String>,
}

/// Contents of a file, for `--json`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// The kind of file.
    pub format: &'static str,
    /// Number of features, then the outputs of each layer.
    pub widths: Vec<usize>,
    /// Activation of each layer.
    pub activations: Vec<&'static str>,
    /// Meaning of the outputs.
    pub head: &'static str,
    /// Labels in the order of the logits; empty for values.
    pub labels: Vec<String>,
    /// Nodes that became part of a layer or of the scaler.
    pub folded: Vec<String>,
    /// Nodes that change no prediction.
    pub passed_over: Vec<String>,
    /// Why no board runs the model; none if boards do.
    pub not_exportable: Option<String>,
}

/// Way out for every model that cannot be imported.
pub(crate) const WAY_OUT: &str = "A model of any kind can be a teacher: write its outputs for your rows to a file, with a \
     column p(LABEL) for each label, and pass it by `microdistill distill --soft-labels FILE`";

/// Reads a model of another tool.
///
/// # Errors
/// Fails if the file cannot be read, is damaged, or holds no chain of dense layers. The message names all operators at fault.
pub fn read(path: impl AsRef<Path>, options: &Options) -> Result<Imported> {
    let path = path.as_ref();
    let refused = |message| Error::Model { path: path.into(), message };
    if path.is_dir() {
        return Err(refused(kind::of_folder(path)));
    }
    let bytes = std::fs::read(path).map_err(Error::io(path))?;
    let folder =
        path.parent().map(|folder| if folder.as_os_str().is_empty() { Path::new(".") } else { folder });
    imported(&bytes, folder, options).map_err(refused)
}

/// Reads a model of another tool from the bytes of its file. Weights in files of their own are not found.
///
/// # Errors
/// Fails as [`read`] does.
pub fn from_bytes(bytes: &[u8], options: &Options) -> Result<Imported> {
    imported(bytes, None, options).map_err(Error::Invalid)
}

fn imported(bytes: &[u8], folder: Option<&Path>, options: &Options) -> Result<Imported, String> {
    let kind = kind::of(bytes)?;
    let format = kind.name();
    let damaged = |why| format!("{format}: {why}");
    let refused = |why| format!("{format}: {why}. {WAY_OUT}");
    let graph = match kind {
        Kind::Onnx => onnx::graph(bytes, folder),
        Kind::TfLite => match tflite::read(bytes, options.dequantize).map_err(damaged)? {
            tflite::Read::Int8(codes) => return build::int8(*codes, options).map_err(damaged),
            tflite::Read::Graph(graph) => Ok(graph),
            tflite::Read::Codes(graph, why) => {
                // As f32 it may be refused for a better reason.
                build::model(format, graph, options).map_err(refused)?;
                return Err(refused(format!(
                    "the model computes with codes: {why}. --dequantize imports it as f32, whose outputs are near those of the \
                     codes"
                )));
            }
        },
        #[cfg(feature = "formats")]
        Kind::Keras => keras::archive(bytes),
        #[cfg(feature = "formats")]
        Kind::Hdf5 => keras::legacy(bytes),
        #[cfg(not(feature = "formats"))]
        Kind::Keras | Kind::Hdf5 => {
            Err("it is read only with the feature `formats` of microdistill-train: turn it on".into())
        }
        Kind::Safetensors => safetensors::graph(bytes, options.activation),
    };
    build::model(format, graph.map_err(damaged)?, options).map_err(refused)
}
