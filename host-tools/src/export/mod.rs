//! A model as Rust source: one file of statics that a firmware takes in by `mod` or `include!`.

mod parts;
mod rows;
mod text;

use std::path::{Path, PathBuf};

use crate::dataset::Text;
use crate::error::{Error, Result};
use crate::file;
use crate::model::Model;
use crate::network::{Activation, macs};
use crate::precision::Precision;
use serde::Serialize;

use parts::Parts;
pub use rows::{Form, rows};
use text::{Node, array, call, comment, function, item, item_with, leaf};

/// Names of the other items of an exported file.
const TAKEN: [&str; 9] =
    ["INPUT", "OUTPUT", "LABELS", "FEATURES", "GOLDEN", "PARAMETERS", "MACS", "FLASH_BYTES", "SCRATCH_BYTES"];

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
    model.check().map_err(Error::Invalid)?;
    if model.examples.ncols() == 0 {
        let mend = "train, distill or quantize it with data, which puts some in";
        return Err(Error::Invalid(format!(
            "the model has no example rows to make golden vectors of: {mend}"
        )));
    }
    for (row, raw) in model.examples.column_iter().enumerate() {
        let raw = raw.as_slice();
        if model.standardize(raw).iter().chain(&model.logits(raw)).any(|value| !value.is_finite()) {
            let row = row + 1;
            return Err(Error::Invalid(format!(
                "the network's outputs for example row {row} are not finite"
            )));
        }
    }
    let mut text = header(model, command);
    let parts = Parts::of(model)?;
    item(&mut text, "The network's type.", &format!("type {type_name}"), &Node::Leaf(parts.network_type));
    let (inputs, outputs, labels) = (model.features().len(), model.outputs(), model.labels().len());
    let number = parts.number;
    let array_of = |width| Node::Leaf(format!("[{number}; {width}]"));
    item(&mut text, "What the network takes.", "type Input", &array_of(inputs));
    item(&mut text, "What it gives.", "type Output", &array_of(outputs));
    let (edge, value) = &parts.input;
    let doc = "Raw features to the network's input. For a value that is missing give its mean, which is in here: NaN stays NaN.";
    item(&mut text, doc, &format!("static INPUT: {edge}"), value);
    let doc = format!("`{name}.predict(&INPUT.apply(&raw))` {}.", parts.gives);
    let (names, value) = &parts.network;
    let tensors = parts.tensors.iter().map(|tensor| (tensor.head.as_str(), &tensor.value));
    item_with(&mut text, &doc, &format!("static {name}: {type_name}"), names, tensors, value);
    if let Some((edge, value)) = &parts.output {
        item(&mut text, "Codes to logits, or to a value.", &format!("static OUTPUT: {edge}"), value);
    }

    let head = format!("static LABELS: [&str; {labels}]");
    let doc = "Classes, in the order of the outputs; none for regression.";
    item(&mut text, doc, &head, &array(model.labels()));
    let head = format!("static FEATURES: [&str; {inputs}]");
    let doc = "Features, in the order of the inputs; `column=category` is 1 for that category, 0 for another or none.";
    item(&mut text, doc, &head, &array(model.features()));
    for (place, Text { column, lengths: [shortest, longest], features }) in Text::all(model.features()) {
        let column = comment(&column);
        let doc = format!(
            "The features from {place} on are `{text}.features(text)`, of the column \"{column}\".",
            text = text_name(place)
        );
        let head = format!("static {}: ::microdistill::text::NGrams<{features}>", text_name(place));
        let value = call("::microdistill::text::NGrams::new", [leaf(shortest), leaf(longest)]);
        item(&mut text, &doc, &head, &value);
    }
    let rows = model.examples.ncols();
    let golden = format!("::microdistill::golden::Golden<{inputs}, Input, Output>");
    let head = format!("static GOLDEN: [{golden}; {rows}]");
    let doc = "What the desktop computed: `self_test` compares.";
    item_with(&mut text, doc, &head, "::microdistill::golden::Golden", [], &parts.golden);

    item(&mut text, "Weights and biases.", "const PARAMETERS: usize", &leaf(model.parameters()));
    item(&mut text, "Multiplications of an inference.", "const MACS: usize", &leaf(macs(&model.widths())));
    let doc = "Bytes of flash: the network and its edges. `const _: () = assert!(FLASH_BYTES <= 4096);` holds it to a budget.";
    item(&mut text, doc, "const FLASH_BYTES: usize", &leaf(parts.flash));
    let doc = "Bytes of the buffer that an inference works in, on this target; its input and its output come on top.";
    let scratch = Node::Leaf(format!("{type_name}::SCRATCH_BYTES"));
    item(&mut text, doc, "const SCRATCH_BYTES: usize", &scratch);
    let output = parts.output.map(|_| "OUTPUT");
    function(
        &mut text,
        "The network alone: its input to its output.",
        "fn run(input: &Input) -> Output",
        &format!("{name}.predict(input)"),
    );
    function(
        &mut text,
        "The network's output as logits, or as a value.",
        &format!("fn decode(output: &Output) -> [f32; {outputs}]"),
        output.map_or("*output", |_| "OUTPUT.apply(output)"),
    );
    function(
        &mut text,
        "Raw features to logits, or to a value.",
        &format!("fn predict(raw: &[f32; {inputs}]) -> [f32; {outputs}]"),
        "decode(&run(&::microdistill::Prepare::apply(&INPUT, raw)))",
    );
    let doc = "Compares this machine with the desktop, to the bit.";
    let head = "fn self_test() -> Result<(), ::microdistill::golden::Mismatch>";
    function(&mut text, doc, head, &format!("::microdistill::golden::self_test(&INPUT, &{name}, &GOLDEN)"));

    let statics = [name, "INPUT"].into_iter().chain(output);
    let sizes: Vec<String> = statics.map(|name| format!("::core::mem::size_of_val(&{name})")).collect();
    text += &format!(
        "\n#[rustfmt::skip]\nconst _: () = assert!(\n    FLASH_BYTES == {}\n);\n",
        sizes.join("\n        + ")
    );
    Ok(text)
}

/// What a model costs on a board, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Footprint {
    /// Flash: the network and its edges, as `FLASH_BYTES` of the exported file.
    pub flash: usize,
    /// The buffer that an inference works in, as `SCRATCH_BYTES` of the exported file where kernels hold an int8 code in a
    /// byte; twice that on Cortex-M4, M7 and M33, which hold it in 16 bits. Input and output come on top.
    pub ram: usize,
}

impl Footprint {
    /// Of this model.
    ///
    /// # Errors
    /// An ensemble.
    pub fn of(model: &Model) -> Result<Self> {
        let Parts { flash, scratch, .. } = Parts::of(model)?;
        Ok(Footprint { flash, ram: scratch })
    }

    /// Of a network of these widths, at least two, with this activation of its hidden layers, once it is quantized.
    pub fn of_codes(widths: &[usize], precision: Precision, hidden: Activation) -> Self {
        Footprint { flash: parts::flash(widths, precision, hidden), ram: microdistill::scratch::<i8>(widths) }
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
/// microdistill_host_tools::export::build("student.safetensors", "STUDENT", "student.rs").unwrap();
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

/// The static of the text whose features begin at `place`.
fn text_name(place: usize) -> String {
    if place == 0 { "TEXT".into() } else { format!("TEXT_{place}") }
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

fn header(model: &Model, command: &str) -> String {
    let metadata = &model.metadata;
    let scores = metadata.scores.iter().map(|(name, score)| format!("{name} {score:.4}"));
    let lines = [
        ("made by", command),
        ("model by", &metadata.command),
        ("data", &metadata.data_hash),
        ("seed", &metadata.seed.to_string()),
        ("target", metadata.task.target()),
        ("scores", &scores.collect::<Vec<_>>().join(", ")),
    ];
    let mut header =
        String::from("// Exported by microdistill: change the model and export again, not this file.\n//\n");
    for (key, value) in lines.into_iter().filter(|(_, value)| !value.is_empty()) {
        header += &format!("// {key}: {}\n", comment(value));
    }
    header
}
