//! The formats that a model leaves in: for firmware in Rust and C, and for other tools.

use std::path::Path;

use super::{c, export, onnx, sequential, tflite};
use crate::error::{Error, Result};
use crate::file;
use crate::model::{Body, Model};
use crate::network::Network;

/// A format of an exported model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Rust constants.
    Rust,
    /// A C header.
    C,
    /// ONNX, of f32 models.
    Onnx,
    /// Tensors of PyTorch's `nn.Sequential`, of f32 models.
    Safetensors,
    /// TensorFlow Lite, of models with standardized inputs.
    Tflite,
}

impl Format {
    /// All formats.
    pub const ALL: [Format; 5] = [Format::Rust, Format::C, Format::Onnx, Format::Safetensors, Format::Tflite];

    /// Returns the name that flags and messages use.
    pub fn name(self) -> &'static str {
        match self {
            Format::Rust => "rust",
            Format::C => "c",
            Format::Onnx => "onnx",
            Format::Safetensors => "safetensors",
            Format::Tflite => "tflite",
        }
    }

    /// Returns the extension of its files.
    pub fn extension(self) -> &'static str {
        match self {
            Format::Rust => "rs",
            Format::C => "h",
            Format::Onnx | Format::Safetensors | Format::Tflite => self.name(),
        }
    }

    /// Returns the format by the extension of a file: Rust if it has none.
    ///
    /// # Errors
    /// Fails if no format has the extension.
    pub fn of(path: &Path) -> Result<Self> {
        let Some(extension) = path.extension() else { return Ok(Format::Rust) };
        let extension = extension.to_string_lossy().to_ascii_lowercase();
        let known = |format: &Format| format.extension() == extension;
        Format::ALL.into_iter().find(known).ok_or_else(|| {
            let known: Vec<String> =
                Format::ALL.iter().map(|format| format!(".{}", format.extension())).collect();
            Error::Invalid(format!(
                "{}: no format has the extension .{extension}: name the file {}, or name the format",
                path.display(),
                known.join(", ")
            ))
        })
    }
}

/// A model in a format.
#[derive(Clone, Debug, PartialEq)]
pub struct Exported {
    /// Bytes of the file.
    pub bytes: Vec<u8>,
    /// Notes for the user: differences between the file and the model.
    pub notes: Vec<String>,
}

/// A model in this format. `name` is the Rust static's name, as `STUDENT`, which other formats write in small letters; `command`
/// made the file, see [`command_line`](crate::model::command_line).
///
/// # Errors
/// Fails as [`export`] does, and if the format cannot hold the model.
pub fn export_as(model: &Model, format: Format, name: &str, command: &str) -> Result<Exported> {
    model.check_types().map_err(Error::Invalid)?;
    match format {
        Format::Rust => Ok(Exported { bytes: export(model, name, command)?.into_bytes(), notes: Vec::new() }),
        Format::C => c::export(model, name, command),
        Format::Onnx => onnx::export(model, name, command),
        Format::Safetensors => sequential::export(model),
        Format::Tflite => tflite::export(model),
    }
}

/// [`export_as`] into a file. Returns the notes.
///
/// # Errors
/// Fails as [`export_as`] does, and on errors of the file system.
pub fn export_file(
    model: &Model,
    format: Format,
    name: &str,
    command: &str,
    path: impl AsRef<Path>,
) -> Result<Exported> {
    let exported = export_as(model, format, name, command)?;
    file::write(path, &exported.bytes)?;
    Ok(exported)
}

/// The network of a model that is a single f32 one. `codes` says why a format does not hold a network of codes.
///
/// # Errors
/// Fails for every other model.
pub(super) fn single_f32<'a>(model: &'a Model, codes: &str) -> Result<&'a Network> {
    match &model.body {
        Body::F32(network) => Ok(network),
        Body::Ensemble(members) => Err(Error::ensemble(members.len())),
        Body::Blend(blend) => Err(Error::blend(blend.members.len())),
        Body::Int8(_) | Body::Int4(_) => {
            Err(Error::Invalid(format!("the model is {}: {codes}", model.kind())))
        }
    }
}
