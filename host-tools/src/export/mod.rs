//! A model as Rust source: one file of statics that a firmware takes in by `mod` or `include!`.

mod text;

use std::path::{Path, PathBuf};

use microdistill::quant::{Clamp, Dequantize, Requantize};

use crate::error::{Error, Result};
use crate::file;
use crate::model::{Body, Model};
use crate::network::{Activation, Network};
use crate::network_i8::{Codes, NetworkI8, run};
use text::{Node, array, block, call, comment, item, leaf, matrix, record};

/// Names of the other items of an exported file.
const TAKEN: [&str; 8] =
    ["INPUT", "OUTPUT", "LABELS", "FEATURES", "GOLDEN", "PARAMETERS", "FLASH_BYTES", "SCRATCH_BYTES"];

/// The exported file's text.
///
/// `name` is the static's name, as `STUDENT`; the type beside it is then `Student`. `command` is what the header tells
/// to have made the file: without a machine's paths, see [`command_line`](crate::model::command_line).
///
/// # Errors
/// A name that is no constant's or is taken, a model with a number that is not finite, a model without example rows.
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
    let parts = match &model.body {
        Body::F32(network) => parts_f32(model, network),
        Body::Int8(network) => parts_i8(model, network),
    };
    item(&mut text, "The network's type.", &format!("type {type_name}"), &Node::Leaf(parts.network_type));
    let (edge, value) = &parts.input;
    item(&mut text, "Raw features to the network's input.", &format!("static INPUT: {edge}"), value);
    let network = call("::microdistill::Network::new", chain(parts.layers));
    item(
        &mut text,
        "From the input to logits, or to a value.",
        &format!("static {name}: {type_name}"),
        &network,
    );
    if let Some(edge) = &parts.output {
        let doc = "Output codes to logits, or to a value.";
        item(&mut text, doc, "static OUTPUT: ::microdistill::quant::Dequantize", edge);
    }

    let (inputs, labels) = (model.features().len(), model.labels().len());
    if labels > 0 {
        let head = format!("static LABELS: [&str; {labels}]");
        item(&mut text, "Classes, in the order of the logits.", &head, &array(model.labels()));
    }
    let head = format!("static FEATURES: [&str; {inputs}]");
    item(&mut text, "Features, in the order of the input.", &head, &array(model.features()));
    let (rows, outputs) = (parts.golden.len(), model.outputs());
    let number = parts.number;
    let head =
        format!("static GOLDEN: [{GOLDEN}<{inputs}, [{number}; {inputs}], [{number}; {outputs}]>; {rows}]");
    let doc = "What the desktop computed; a device must come to the same bits.";
    item(&mut text, doc, &head, &block(parts.golden.into_iter()));

    item(&mut text, "Weights and biases.", "const PARAMETERS: usize", &leaf(model.parameters()));
    item(&mut text, "Flash of the network and its edges.", "const FLASH_BYTES: usize", &leaf(parts.flash));
    item(&mut text, "Working memory of an inference.", "const SCRATCH_BYTES: usize", &leaf(parts.scratch));
    let output = parts.output.map(|_| "OUTPUT");
    let statics = [name, "INPUT"].into_iter().chain(output);
    let sizes: Vec<String> = statics.map(|name| format!("::core::mem::size_of_val(&{name})")).collect();
    text += &format!(
        "\nconst _: () = {{\n    assert!(FLASH_BYTES == {});\n    assert!(SCRATCH_BYTES == \
         {type_name}::SCRATCH_BYTES);\n}};\n",
        sizes.join("\n            + ")
    );
    Ok(text)
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

/// `STUDENT_INT8` → `StudentInt8`
fn type_name(name: &str) -> Result<String> {
    let constant = name.starts_with(|first: char| first.is_ascii_uppercase())
        && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
    if !constant {
        return Err(Error::Invalid(format!("{name:?} is not a constant's name: write it like STUDENT_2")));
    }
    // `Self` is the one keyword among the types' names.
    if TAKEN.contains(&name) || name == "SELF" {
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

const GOLDEN: &str = "::microdistill::golden::Golden";

/// What the two kinds of network differ in.
struct Parts {
    number: &'static str,
    network_type: String,
    input: (String, Node),
    layers: Vec<Node>,
    output: Option<Node>,
    golden: Vec<Node>,
    flash: usize,
    scratch: usize,
}

fn parts_f32(model: &Model, network: &Network) -> Parts {
    let (widths, inputs) = (network.widths(), model.features().len());
    let activation = match network.layers.as_slice() {
        [first, _, ..] if first.activation == Activation::Tanh => "::microdistill::activation::Tanh",
        [first, _, ..] if first.activation == Activation::Identity => "::microdistill::activation::Identity",
        _ => "",
    };
    let layers = network.layers.iter().map(|layer| {
        call("::microdistill::Dense::new", [matrix(&layer.weights, layer.inputs()), array(&layer.bias)])
    });
    let golden = model.examples.column_iter().map(|raw| {
        let x = model.standardize(raw.as_slice());
        let y = network.predict(&x);
        record(GOLDEN, [("raw", array(raw.as_slice())), ("input", array(&x)), ("output", array(&y))])
    });
    Parts {
        number: "f32",
        network_type: network_type("Mlp", &widths, activation),
        input: (format!("::microdistill::Scaler<{inputs}>"), scaler(model)),
        layers: layers.collect(),
        output: None,
        golden: golden.collect(),
        flash: size_of::<f32>() * (network.parameters() + 2 * inputs),
        scratch: size_of::<f32>() * microdistill::scratch(&widths),
    }
}

fn parts_i8(model: &Model, network: &NetworkI8) -> Parts {
    let (widths, inputs) = (network.widths(), model.features().len());
    let folded = network.folded();
    // The core's type has one scale for every layer or for none: a mixed network repeats the single ones.
    let per_layer = folded.iter().all(|layer| layer.requantize.len() == 1);
    let layers = folded.iter().zip(&widths).map(|(layer, &inputs)| {
        let scales = if per_layer { 1 } else { layer.bias.len() };
        let requantize = layer.requantize.iter().cycle().take(scales).map(|requantize| {
            let numbers = [leaf(requantize.multiplier()), leaf(requantize.shift())];
            call("::microdistill::quant::Requantize::new", numbers)
        });
        let clamp = [
            ("zero", leaf(layer.clamp.zero)),
            ("lowest", leaf(layer.clamp.lowest)),
            ("highest", leaf(layer.clamp.highest)),
        ];
        let clamp = record("::microdistill::quant::Clamp", clamp);
        let parts = [matrix(layer.weights, inputs), array(&layer.bias), block(requantize), clamp];
        call("::microdistill::quant::DenseI8::new", parts)
    });
    let golden = model.examples.column_iter().map(|raw| {
        let x = network.quantize(&model.standardize(raw.as_slice()));
        let y = run(&folded, &x);
        record(GOLDEN, [("raw", array(raw.as_slice())), ("input", array(&x)), ("output", array(&y))])
    });
    let Codes { scale, zero } = network.input;
    let edge = [("scaler", scaler(model)), ("scale", leaf(scale)), ("zero", leaf(zero))];
    let Codes { scale, zero } = network.output();
    let output = [("scale", leaf(scale)), ("zero", leaf(zero))];
    Parts {
        number: "i8",
        network_type: network_type("MlpI8", &widths, if per_layer { "per layer" } else { "" }),
        input: (
            format!("::microdistill::quant::Quantize<{inputs}>"),
            record("::microdistill::quant::Quantize", edge),
        ),
        layers: layers.collect(),
        output: Some(record("::microdistill::quant::Dequantize", output)),
        golden: golden.collect(),
        flash: flash_i8(&widths, per_layer),
        scratch: microdistill::scratch(&widths),
    }
}

/// Bytes of an int8 network and its edges, as the compiler lays them out: a multiple of 4 for each struct.
fn flash_i8(widths: &[usize], per_layer: bool) -> usize {
    let layer = |pair: &[usize]| {
        let (inputs, outputs) = (pair[0], pair[1]);
        let scales = if per_layer { 1 } else { outputs };
        let bytes =
            outputs * (inputs + size_of::<i32>()) + scales * size_of::<Requantize>() + size_of::<Clamp>();
        bytes.next_multiple_of(align_of::<i32>())
    };
    let edges = size_of::<f32>() * 2 * widths[0] + 2 * size_of::<Dequantize>();
    widths.windows(2).map(layer).sum::<usize>() + edges
}

/// `::microdistill::Mlp![30, 16, 7; option]`
fn network_type(name: &str, widths: &[usize], option: &str) -> String {
    let widths: Vec<String> = widths.iter().map(usize::to_string).collect();
    let separator = if option.is_empty() { "" } else { "; " };
    format!("::microdistill::{name}![{}{separator}{option}]", widths.join(", "))
}

fn scaler(model: &Model) -> Node {
    call("::microdistill::Scaler::new", [array(&model.scaler.mean), array(&model.scaler.scale)])
}

/// `a.then(b.then(c))`
fn chain(layers: Vec<Node>) -> Option<Node> {
    layers.into_iter().rev().reduce(|rest, layer| Node::Then(layer.into(), rest.into()))
}
