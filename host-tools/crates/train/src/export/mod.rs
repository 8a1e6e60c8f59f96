//! A model as a file for other programs. As Rust source it is one file of statics that a firmware takes in by `mod` or
//! `include!`; [`Format`] lists the others.

mod c;
mod format;
mod inputs;
mod items;
mod onnx;
mod parts;
mod pieces;
mod rows;
mod sequential;
mod storage;
mod text;
pub mod tflite;

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::file;
use crate::model::{Knots, Model};
use crate::network::Activation;
use crate::network::precision::Precision;
use crate::number::significant;
use serde::Serialize;

pub use format::{Exported, Format, export_as, export_file};
use items::File;
use parts::Parts;
pub use rows::{Form, rows};
use text::{Items, comment};

/// Names of the other items of an exported file.
const TAKEN: [&str; 14] = [
    "INPUT",
    "OUTPUT",
    "LABELS",
    "FEATURES",
    "TARGETS",
    "ORIGIN",
    "TARGET_ORIGIN",
    "GOLDEN",
    "MISSING",
    "PARAMETERS",
    "MACS",
    "FLASH_BYTES",
    "SCRATCH_BYTES",
    "KERNEL",
];

/// The static's name where none is asked for.
pub const NAME: &str = "STUDENT";

/// The exported file's text.
///
/// `name` is the static's name, as `STUDENT`; the type beside it is then `Student`. `command` is what the header tells
/// to have made the file: without a machine's paths, see [`command_line`](crate::model::command_line).
///
/// # Errors
/// A name that is no constant's or is taken, an ensemble, a model with a number that is not finite, a model without example rows.
pub fn export(model: &Model, name: &str, command: &str) -> Result<String> {
    let type_name = type_name(name)?;
    check(model)?;
    let file = File { model, name, type_name, parts: Parts::of(model)? };
    let mut items = Items::new("generated");
    file.network(&mut items);
    file.words(&mut items);
    file.origins(&mut items);
    file.golden(&mut items);
    file.sizes(&mut items);
    file.functions(&mut items);
    file.assertion(&mut items);
    Ok(header(model, command) + &items.finish())
}

/// That there are golden vectors to make, of finite numbers.
fn check(model: &Model) -> Result<()> {
    model.check().map_err(Error::Invalid)?;
    model.check_types().map_err(Error::Invalid)?;
    if model.examples.ncols() == 0 {
        let mend = "train, distill or quantize it with data, which puts some in";
        return Err(Error::Invalid(format!(
            "the model has no example rows to make golden vectors of: {mend}"
        )));
    }
    for (row, raw) in model.examples.column_iter().enumerate() {
        let raw = raw.as_slice();
        // A scaler that makes a measured value infinite would make it count as missing.
        let missing = model.preparation.missing(raw);
        if missing.is_some() || model.logits(raw).iter().any(|value| !value.is_finite()) {
            let row = row + 1;
            return Err(Error::Invalid(format!(
                "the network's outputs for example row {row} are not finite"
            )));
        }
    }
    Ok(())
}

/// Memory of a model on a board, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Footprint {
    /// Flash: the network and its edges, as `FLASH_BYTES` of the exported file.
    pub flash: usize,
    /// The buffer that an inference works in, as `SCRATCH_BYTES` of the exported file where kernels hold an int8 code in a
    /// byte; twice that on Cortex-M4, M7 and M33, which hold it in 16 bits. Input and output come on top.
    pub ram: usize,
}

impl Footprint {
    /// The footprint of this model.
    ///
    /// # Errors
    /// An ensemble.
    pub fn of(model: &Model) -> Result<Self> {
        let Parts { flash, scratch, .. } = Parts::of(model)?;
        Ok(Footprint { flash, ram: scratch })
    }

    /// The footprint of a quantized network of these widths, at least two, with this activation of its hidden
    /// layers, for `values` or for logits.
    pub fn of_codes(widths: &[usize], precision: Precision, hidden: Activation, values: bool) -> Self {
        let flash = storage::flash(widths, precision, hidden, values);
        Footprint { flash, ram: microdistill::scratch::<i8>(widths) }
    }

    /// The same for a network whose first layer is piecewise linear over these `knots`.
    pub fn of_piecewise_codes(
        widths: &[usize],
        knots: &Knots,
        precision: Precision,
        hidden: Activation,
        values: bool,
    ) -> Self {
        let flash = storage::piecewise_flash(widths, knots, precision, hidden, values);
        Footprint { flash, ram: microdistill::scratch::<i8>(widths) }
    }
}

/// [`export`] into a file.
pub fn export_to(model: &Model, name: &str, command: &str, path: impl AsRef<Path>) -> Result<()> {
    file::write(path, export(model, name, command)?.as_bytes())
}

/// For a `build.rs`: exports the model file `model` to `file_name` in Cargo's `OUT_DIR`, and again whenever the model
/// changes.
///
/// ```no_run
/// microdistill_train::export::build("student.safetensors", "STUDENT", "student.rs").unwrap();
/// // In the crate: include!(concat!(env!("OUT_DIR"), "/student.rs"));
/// ```
pub fn build(model: impl AsRef<Path>, name: &str, file_name: &str) -> Result<PathBuf> {
    println!("cargo::rerun-if-changed={}", model.as_ref().display());
    let folder = std::env::var_os("OUT_DIR")
        .ok_or_else(|| Error::Invalid("OUT_DIR is not set: call export::build from a build.rs".into()))?;
    let path = Path::new(&folder).join(file_name);
    export_to(&Model::load(model)?, name, "build.rs", &path)?;
    Ok(path)
}

/// `STUDENT_INT8` → `StudentInt8`
fn type_name(name: &str) -> Result<String> {
    let constant = name.starts_with(|first: char| first.is_ascii_uppercase())
        && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
    if !constant {
        return Err(Error::Invalid(format!("{name:?} is not a constant's name: write it like STUDENT_2")));
    }
    // `Self` is the one keyword among the types' names.
    if TAKEN.contains(&name) || name == "TEXT" || name.starts_with("TEXT_") || name == "SELF" {
        return Err(Error::Invalid(format!("the name {name} is taken: choose another, as STUDENT")));
    }
    let words = name.split('_').filter_map(|word| word.split_at_checked(1));
    Ok(words.map(|(first, rest)| first.to_owned() + &rest.to_ascii_lowercase()).collect())
}

/// Facts about the model for the comment at the top of an exported file.
fn facts(model: &Model, command: &str) -> Vec<(&'static str, String)> {
    let metadata = &model.metadata;
    let targets = metadata.task.targets();
    let scores = metadata.scores.iter().map(|(name, &score)| format!("{name} {}", significant(score, 4)));
    let facts = [
        ("made by", command.to_owned()),
        ("model by", metadata.command.clone()),
        ("data", metadata.data_hash.clone()),
        ("seed", metadata.seed.to_string()),
        (if targets.len() == 1 { "target" } else { "targets" }, targets.join(", ")),
        ("scores", scores.collect::<Vec<_>>().join(", ")),
    ];
    facts.into_iter().filter(|(_, value)| !value.is_empty()).collect()
}

fn header(model: &Model, command: &str) -> String {
    let mut header =
        String::from("// Exported by microdistill: change the model and export again, not this file.\n//\n");
    for (key, value) in facts(model, command) {
        header += &format!("// {key}: {}\n", comment(&value));
    }
    header
}
