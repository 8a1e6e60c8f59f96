//! Parts of an exported file that differ between f32 networks and networks of codes.

use std::fmt::Debug;

use microdistill::quant::{Clamp, Dequantize, DequantizeEach, GROUP, Table};

use super::text::{Node, array, block, call, leaf, matrix, record};
use crate::error::{Error, Result};
use crate::model::{Body, Model};
use crate::network::int8::{Codes, DenseI8, Folded, LEAKY_SLOPE, NetworkI8, Stage, Values, run};
use crate::network::precision::{Bits, Precision, Scales};
use crate::network::{Activation, Network};

/// The differences between kinds of network.
pub(super) struct Parts {
    /// In what the network computes.
    pub(super) number: &'static str,
    /// Result of `predict`, for its documentation.
    pub(super) gives: &'static str,
    pub(super) network_type: String,
    /// Names that its value uses, and the value.
    pub(super) network: (&'static str, Node),
    /// The weights and biases of all layers, which that value uses.
    pub(super) tensors: Vec<Tensor>,
    /// Type and value.
    pub(super) input: (String, Node),
    /// Type and value, where there is something to undo.
    pub(super) output: Option<(String, Node)>,
    /// Vectors of the example rows, and that of a row without a feature.
    pub(super) golden: (Node, Node),
    /// Path of the constant that names its kernel.
    pub(super) kernel: &'static str,
    pub(super) flash: usize,
    pub(super) scratch: usize,
}

/// A const of a layer: with its type told, the compiler need not infer that of every number, which takes it longer than
/// all the rest.
pub(super) struct Tensor {
    /// `WEIGHTS_0: [[f32; 30]; 16]`
    pub(super) head: String,
    pub(super) value: Node,
}

/// Weights and bias of a layer: their consts, and the names of these.
fn tensors<W: Debug, B: Debug>(
    index: usize,
    weights: &[W],
    bias: &[B],
    types: [&str; 2],
) -> ([Tensor; 2], [Node; 2]) {
    let (outputs, inputs) = (bias.len(), weights.len() / bias.len());
    let [w, b] = types;
    let consts = [
        Tensor {
            head: format!("WEIGHTS_{index}: [[{w}; {inputs}]; {outputs}]"),
            value: matrix(weights, inputs),
        },
        Tensor { head: format!("BIAS_{index}: [{b}; {outputs}]"), value: array(bias) },
    ];
    (consts, ["WEIGHTS", "BIAS"].map(|name| Node::Leaf(format!("{name}_{index}"))))
}

impl Parts {
    /// # Errors
    /// An ensemble.
    pub(super) fn of(model: &Model) -> Result<Self> {
        match &model.body {
            Body::F32(network) => Ok(parts_f32(model, network)),
            Body::Ensemble(members) => Err(Error::ensemble(members.len())),
            Body::Int8(network) | Body::Int4(network) => Ok(parts_i8(model, network)),
        }
    }
}

fn parts_f32(model: &Model, network: &Network) -> Parts {
    let (widths, inputs) = (network.widths(), model.features().len());
    let activation = match network.layers() {
        [first, _, ..] => option(first.activation),
        _ => "",
    };
    let mut consts = Vec::new();
    let layers: Vec<Node> = network
        .layers()
        .iter()
        .enumerate()
        .map(|(index, layer)| {
            let (tensors, names) = tensors(index, &layer.weights(), &layer.bias, ["f32"; 2]);
            consts.extend(tensors);
            call("Dense::new", names)
        })
        .collect();
    let golden = |x: Vec<f32>| {
        let y = network.predict(&x);
        (array(x), array(y))
    };
    Parts {
        number: "f32",
        gives: "gives logits, or a value",
        network_type: network_type("Mlp", &widths, activation),
        input: (format!("::microdistill::Scaler<{inputs}>"), scaler(model)),
        network: ("::microdistill::{Dense, Network}", network_of(layers)),
        tensors: consts,
        output: None,
        golden: vectors(model, golden),
        kernel: "::microdistill::kernel::NAME_F32",
        flash: size_of::<f32>() * (network.parameters() + 2 * inputs),
        scratch: size_of::<f32>() * microdistill::scratch::<f32>(&widths),
    }
}

fn parts_i8(model: &Model, network: &NetworkI8) -> Parts {
    let (widths, inputs) = (network.widths(), model.features().len());
    let folded = network.folded();
    let storage = Storage::of(&model.body, network);
    let mut consts = Vec::new();
    let layer = |(index, (plain, layer)): (usize, (&DenseI8, &Folded))| {
        let outputs = layer.bias.len();
        let scales = if storage == Storage::PerLayer { 1 } else { outputs };
        let requantize = layer.requantize.iter().cycle().take(scales).map(|requantize| {
            let numbers = [leaf(requantize.multiplier()), leaf(requantize.shift())];
            call("Requantize::new", numbers)
        });
        let codes: Vec<i8> = plain.codes().map(|(code, _)| code).collect();
        let (tensors, [weights, bias]) = tensors(index, &codes, &layer.bias, ["i8", "i32"]);
        consts.extend(tensors);
        let (requantize, stage) = (block(requantize), stage(plain, &layer.stage));
        match storage {
            Storage::PerChannel | Storage::PerLayer => {
                call("DenseI8::new", [weights, bias, requantize, stage])
            }
            Storage::Int4 => {
                let scales = Node::Leaf(format!("[[]; {outputs}]"));
                call("DenseI4::new", [weights, scales, bias, requantize, stage])
            }
            Storage::Int4ByGroup => {
                let (groups, name) = (plain.group_scales.len() / outputs, format!("GROUP_SCALES_{index}"));
                let head = format!("{name}: [[u8; {groups}]; {outputs}]");
                consts.push(Tensor { head, value: matrix(&plain.group_scales, groups) });
                call("DenseI4::new", [weights, Node::Leaf(name), bias, requantize, stage])
            }
        }
    };
    let layers: Vec<Node> = network.layers.iter().zip(&folded).enumerate().map(layer).collect();
    let curved = network.layers.iter().any(|layer| layer.activation.is_curved());
    let golden = |x: Vec<f32>| {
        let codes = network.quantize(&x);
        (array(&codes), array(run(&folded, &codes)))
    };
    let Codes { scale, zero } = network.input;
    let edge = [("scaler", scaler(model)), ("scale", leaf(scale)), ("zero", leaf(zero))];
    Parts {
        number: "i8",
        gives: "gives codes, in the order of the logits or values they stand for",
        network_type: network_type(storage.macro_name(), &widths, storage.option(curved)),
        input: (
            format!("::microdistill::quant::Quantize<{inputs}>"),
            record("::microdistill::quant::Quantize", edge),
        ),
        network: (storage.names(curved), network_of(layers)),
        tensors: consts,
        output: Some(output(network)),
        golden: vectors(model, golden),
        kernel: storage.kernel(),
        flash: storage.flash(&widths, curved, network.values.is_some()),
        scratch: microdistill::scratch::<i8>(&widths),
    }
}

/// The stage that turns a layer's sums into outputs.
fn stage(layer: &DenseI8, stage: &Stage) -> Node {
    let codes =
        |codes: Codes| record("Dequantize", [("scale", leaf(codes.scale)), ("zero", leaf(codes.zero))]);
    let sums = codes(layer.sums.unwrap_or(layer.output));
    match (layer.activation, stage) {
        (_, Stage::Clamp(Clamp { zero, lowest, highest })) => {
            record("Clamp", [("zero", leaf(zero)), ("lowest", leaf(lowest)), ("highest", leaf(highest))])
        }
        (Activation::Tanh, _) => call("Table::tanh", [sums]),
        (Activation::Sigmoid, _) => call("Table::sigmoid", [sums]),
        _ => call("Table::leaky_relu", [leaf(LEAKY_SLOPE), sums, codes(layer.output)]),
    }
}

/// Type and value of the conversion of the outputs.
fn output(network: &NetworkI8) -> (String, Node) {
    match &network.values {
        Some(Values { lowest, scale }) => {
            let name = "::microdistill::quant::DequantizeEach";
            let value = record(name, [("lowest", array(lowest)), ("scale", array(scale))]);
            (format!("{name}<{}>", lowest.len()), value)
        }
        None => (DEQUANTIZE.into(), dequantize(&network.output())),
    }
}

pub(super) const DEQUANTIZE: &str = "::microdistill::quant::Dequantize";

/// Codes to real numbers.
pub(super) fn dequantize(codes: &Codes) -> Node {
    record(DEQUANTIZE, [("scale", leaf(codes.scale)), ("zero", leaf(codes.zero))])
}

/// Storage of a network of codes in flash.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Storage {
    /// int8, one scale an output.
    PerChannel,
    /// int8, one scale a layer.
    PerLayer,
    /// int4, one scale an output.
    Int4,
    /// int4, and scales of groups.
    Int4ByGroup,
}

/// Bytes of a network of codes and its edges that is not there yet. `values`: whether its outputs are values, of which
/// each may have a range of its own.
pub(super) fn flash(widths: &[usize], precision: Precision, hidden: Activation, values: bool) -> usize {
    let storage = match (precision.bits, precision.scales) {
        (Bits::Eight, Scales::PerLayer) => Storage::PerLayer,
        (Bits::Eight, _) => Storage::PerChannel,
        (_, Scales::PerGroup) => Storage::Int4ByGroup,
        _ => Storage::Int4,
    };
    storage.flash(widths, hidden.is_curved(), values)
}

impl Storage {
    fn of(body: &Body, network: &NetworkI8) -> Self {
        let int4 = matches!(body, Body::Int4(_));
        match network.layers.iter().any(|layer| !layer.group_scales.is_empty()) {
            true => Storage::Int4ByGroup,
            false if int4 => Storage::Int4,
            // The core's type has one scale for every layer or for none: a mixed network repeats the single ones.
            false if network.layers.iter().all(|layer| layer.weight_scales.len() == 1) => Storage::PerLayer,
            false => Storage::PerChannel,
        }
    }

    fn macro_name(self) -> &'static str {
        match self {
            Storage::PerChannel | Storage::PerLayer => "MlpI8",
            Storage::Int4 | Storage::Int4ByGroup => "MlpI4",
        }
    }

    /// Path of the constant that names the kernel.
    fn kernel(self) -> &'static str {
        match self {
            Storage::PerChannel | Storage::PerLayer => "::microdistill::kernel::int8::NAME",
            Storage::Int4 | Storage::Int4ByGroup => "::microdistill::kernel::int4::NAME",
        }
    }

    /// Arguments of the macro after the widths.
    fn option(self, curved: bool) -> &'static str {
        match (self, curved) {
            (Storage::PerChannel | Storage::Int4, false) => "",
            (Storage::PerLayer, false) => "per layer",
            (Storage::Int4ByGroup, false) => "by group",
            (Storage::PerChannel | Storage::Int4, true) => "::microdistill::quant::Table",
            (Storage::PerLayer, true) => "per layer, ::microdistill::quant::Table",
            (Storage::Int4ByGroup, true) => "by group, ::microdistill::quant::Table",
        }
    }

    /// Names that the network's value uses.
    fn names(self, curved: bool) -> &'static str {
        match (self, curved) {
            (Storage::PerChannel | Storage::PerLayer, false) => {
                "::microdistill::{Network, quant::{Clamp, DenseI8, Requantize}}"
            }
            (Storage::PerChannel | Storage::PerLayer, true) => {
                "::microdistill::{Network, quant::{Clamp, DenseI8, Dequantize, Requantize, Table}}"
            }
            (Storage::Int4 | Storage::Int4ByGroup, false) => {
                "::microdistill::{Network, quant::{Clamp, DenseI4, Requantize}}"
            }
            (Storage::Int4 | Storage::Int4ByGroup, true) => {
                "::microdistill::{Network, quant::{Clamp, DenseI4, Dequantize, Requantize, Table}}"
            }
        }
    }

    /// Bytes of a network and its edges, as the compiler lays them out: a multiple of 4 for each struct. `ranges`: whether
    /// each output has a range of its own.
    fn flash(self, widths: &[usize], curved: bool, ranges: bool) -> usize {
        let word = align_of::<i32>();
        let hidden = widths.len().saturating_sub(2);
        let layer = |(index, pair): (usize, &[usize])| {
            let (inputs, outputs) = (pair[0], pair[1]);
            let stage = if curved && index < hidden { size_of::<Table>() } else { size_of::<Clamp>() };
            let scales = if self == Storage::PerLayer { 1 } else { outputs };
            let row = match self {
                Storage::PerChannel | Storage::PerLayer => inputs,
                Storage::Int4 | Storage::Int4ByGroup => inputs.div_ceil(2),
            };
            let group_scales =
                if self == Storage::Int4ByGroup { inputs.div_ceil(GROUP) * outputs } else { 0 };
            let weights = (row * outputs).next_multiple_of(word);
            let factors = scales * (size_of::<i32>() + size_of::<i8>()) + size_of::<bool>();
            (weights + group_scales + outputs * size_of::<i32>() + factors + stage).next_multiple_of(word)
        };
        let outputs = widths.last().copied().unwrap_or_default();
        let output = if ranges { outputs * size_of::<DequantizeEach<1>>() } else { size_of::<Dequantize>() };
        let edges = size_of::<f32>() * 2 * widths[0] + size_of::<Dequantize>() + output;
        widths.windows(2).enumerate().map(layer).sum::<usize>() + edges
    }
}

/// Argument of `Mlp!` for the activation of hidden layers.
fn option(hidden: Activation) -> &'static str {
    match hidden {
        Activation::Identity => "::microdistill::activation::Identity",
        Activation::Relu => "",
        Activation::Relu6 => "::microdistill::activation::Relu6",
        Activation::LeakyRelu => "::microdistill::activation::LeakyRelu<1, 100>",
        Activation::Tanh => "::microdistill::activation::Tanh",
        Activation::Sigmoid => "::microdistill::activation::Sigmoid",
    }
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

/// `Network::new(a.then(b.then(c)))`
fn network_of(layers: Vec<Node>) -> Node {
    let chain = layers.into_iter().rev().reduce(|rest, layer| Node::Then(layer.into(), rest.into()));
    call("Network::new", chain)
}

/// Golden vectors of the model's examples, and that of a row whose features are all missing; `of` gives input and output
/// for a standardized row.
fn vectors(model: &Model, of: impl Fn(Vec<f32>) -> (Node, Node)) -> (Node, Node) {
    let vector = |name: &str, raw: &[f32], text: Node| {
        let (input, output) = of(model.standardize(raw));
        record(name, [("raw", text), ("input", input), ("output", output)])
    };
    let example = |raw: &[f32]| vector("Golden", raw, array(raw));
    let inputs = model.features().len();
    let missing = Node::Leaf(format!("[f32::NAN; {inputs}]"));
    (
        block(model.examples.column_iter().map(|raw| example(raw.as_slice()))),
        vector(GOLDEN, &vec![f32::NAN; inputs], missing),
    )
}

/// Path of the type of golden vectors.
pub(super) const GOLDEN: &str = "::microdistill::golden::Golden";
