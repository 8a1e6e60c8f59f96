//! What an exported file says of an f32 network, and what of an int8 network.

use std::fmt::Debug;

use microdistill::quant::{Clamp, Dequantize, Table};

use super::text::{Node, array, block, call, leaf, matrix, record};
use crate::model::{Body, Model};
use crate::network::{Activation, Network};
use crate::network_i8::{Codes, DenseI8, Folded, LEAKY_SLOPE, NetworkI8, Stage, run};

/// What the two kinds of network differ in.
pub(super) struct Parts {
    /// In what the network computes.
    pub(super) number: &'static str,
    /// What `predict` does, for its documentation.
    pub(super) gives: &'static str,
    pub(super) network_type: String,
    /// Names that its value uses, and the value.
    pub(super) network: (&'static str, Node),
    /// The weights and biases of all layers, which that value uses.
    pub(super) tensors: Vec<Tensor>,
    /// Type and value.
    pub(super) input: (String, Node),
    /// Type and value, where there is something to undo.
    pub(super) output: Option<(&'static str, Node)>,
    pub(super) golden: Node,
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
    pub(super) fn of(model: &Model) -> Self {
        match &model.body {
            Body::F32(network) => parts_f32(model, network),
            Body::Int8(network) => parts_i8(model, network),
        }
    }
}

fn parts_f32(model: &Model, network: &Network) -> Parts {
    let (widths, inputs) = (network.widths(), model.features().len());
    let activation = match network.layers.as_slice() {
        [first, _, ..] => option(first.activation),
        _ => "",
    };
    let mut consts = Vec::new();
    let layers: Vec<Node> = network
        .layers
        .iter()
        .enumerate()
        .map(|(index, layer)| {
            let (tensors, names) = tensors(index, &layer.weights, &layer.bias, ["f32"; 2]);
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
        flash: size_of::<f32>() * (network.parameters() + 2 * inputs),
        scratch: size_of::<f32>() * microdistill::scratch::<f32>(&widths),
    }
}

fn parts_i8(model: &Model, network: &NetworkI8) -> Parts {
    let (widths, inputs) = (network.widths(), model.features().len());
    let folded = network.folded();
    // The core's type has one scale for every layer or for none: a mixed network repeats the single ones.
    let per_layer = folded.iter().all(|layer| layer.requantize.len() == 1);
    let mut consts = Vec::new();
    let layer = |(index, (plain, layer)): (usize, (&DenseI8, &Folded))| {
        let scales = if per_layer { 1 } else { layer.bias.len() };
        let requantize = layer.requantize.iter().cycle().take(scales).map(|requantize| {
            let numbers = [leaf(requantize.multiplier()), leaf(requantize.shift())];
            call("Requantize::new", numbers)
        });
        let (tensors, [weights, bias]) = tensors(index, layer.weights, &layer.bias, ["i8", "i32"]);
        consts.extend(tensors);
        call("DenseI8::new", [weights, bias, block(requantize), stage(plain, &layer.stage)])
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
        network_type: network_type("MlpI8", &widths, option_i8(per_layer, curved)),
        input: (
            format!("::microdistill::quant::Quantize<{inputs}>"),
            record("::microdistill::quant::Quantize", edge),
        ),
        network: (names_i8(curved), network_of(layers)),
        tensors: consts,
        output: Some((DEQUANTIZE, dequantize(&network.output()))),
        golden: vectors(model, golden),
        flash: flash_i8(&widths, per_layer, curved),
        scratch: microdistill::scratch::<i8>(&widths),
    }
}

/// What makes outputs of a layer's sums.
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

/// What `MlpI8!` takes beside widths.
fn option_i8(per_layer: bool, curved: bool) -> &'static str {
    match (per_layer, curved) {
        (false, false) => "",
        (true, false) => "per layer",
        (false, true) => "::microdistill::quant::Table",
        (true, true) => "per layer, ::microdistill::quant::Table",
    }
}

fn names_i8(curved: bool) -> &'static str {
    match curved {
        false => "::microdistill::{Network, quant::{Clamp, DenseI8, Requantize}}",
        true => "::microdistill::{Network, quant::{Clamp, DenseI8, Dequantize, Requantize, Table}}",
    }
}

pub(super) const DEQUANTIZE: &str = "::microdistill::quant::Dequantize";

/// Codes to real numbers.
pub(super) fn dequantize(codes: &Codes) -> Node {
    record(DEQUANTIZE, [("scale", leaf(codes.scale)), ("zero", leaf(codes.zero))])
}

/// Bytes of an int8 network and its edges, as the compiler lays them out: a multiple of 4 for each struct.
fn flash_i8(widths: &[usize], per_layer: bool, curved: bool) -> usize {
    let hidden = widths.len().saturating_sub(2);
    let layer = |(index, pair): (usize, &[usize])| {
        let stage = if curved && index < hidden { size_of::<Table>() } else { size_of::<Clamp>() };
        let (inputs, outputs) = (pair[0], pair[1]);
        let scales = if per_layer { 1 } else { outputs };
        let weights = (inputs * outputs).next_multiple_of(align_of::<i32>());
        let factors = scales * (size_of::<i32>() + size_of::<i8>());
        let bytes = weights + outputs * size_of::<i32>() + factors + size_of::<bool>() + stage;
        bytes.next_multiple_of(align_of::<i32>())
    };
    let edges = size_of::<f32>() * 2 * widths[0] + 2 * size_of::<Dequantize>();
    widths.windows(2).enumerate().map(layer).sum::<usize>() + edges
}

/// What `Mlp!` takes for the activation of hidden layers.
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

/// Golden vectors of the model's examples; `of` gives input and output for a standardized row.
fn vectors(model: &Model, of: impl Fn(Vec<f32>) -> (Node, Node)) -> Node {
    let vector = |raw: &[f32]| {
        let (input, output) = of(model.standardize(raw));
        record("Golden", [("raw", array(raw)), ("input", input), ("output", output)])
    };
    block(model.examples.column_iter().map(|raw| vector(raw.as_slice())))
}
