//! Parts of an exported file that differ between f32 networks and networks of codes.

use std::fmt::Debug;

use microdistill::quant::Clamp;

use super::inputs::{edge, preparation, preparation_flash};
use super::storage::Storage;
use super::text::{Node, array, block, call, leaf, matrix, record};
use crate::error::{Error, Result};
use crate::model::{Body, Model, Preparation};
use crate::network::int8::{Codes, DenseI8, Folded, LEAKY_SLOPE, NetworkI8, Stage, Values, run};
use crate::network::{Activation, Curve, Network};

/// The differences between kinds of network.
pub(super) struct Parts {
    /// In what the network computes.
    pub(super) number: &'static str,
    /// Result of `predict`, for its documentation.
    pub(super) gives: &'static str,
    pub(super) network_type: String,
    /// Names that its value uses, and the value.
    pub(super) network: (String, Node),
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
    let weights = Tensor {
        head: format!("WEIGHTS_{index}: [[{w}; {inputs}]; {outputs}]"),
        value: matrix(weights, inputs),
    };
    let names = ["WEIGHTS", "BIAS"].map(|name| Node::Leaf(format!("{name}_{index}")));
    ([weights, bias_of(index, bias, b)], names)
}

fn bias_of<B: Debug>(index: usize, bias: &[B], number: &str) -> Tensor {
    Tensor { head: format!("BIAS_{index}: [{number}; {}]", bias.len()), value: array(bias) }
}

/// Table and bias of a piecewise-linear first layer: their consts, and the names of these. `weights`: shape (outputs, rows).
fn table<W: Debug + Copy, B: Debug>(weights: &[W], bias: &[B], types: [&str; 2]) -> ([Tensor; 2], [Node; 2]) {
    let (outputs, rows) = (bias.len(), weights.len() / bias.len());
    let by_row: Vec<W> = (0..rows).flat_map(|row| weights.iter().skip(row).step_by(rows)).copied().collect();
    let [w, b] = types;
    let table =
        Tensor { head: format!("TABLE: [[{w}; {outputs}]; {rows}]"), value: matrix(&by_row, outputs) };
    ([table, bias_of(0, bias, b)], ["TABLE", "BIAS_0"].map(|name| Node::Leaf(name.into())))
}

impl Parts {
    /// # Errors
    /// An ensemble, a blend, or a network that the core crate has no type for.
    pub(super) fn of(model: &Model) -> Result<Self> {
        model.check_types().map_err(Error::Invalid)?;
        match &model.body {
            Body::F32(network) => Ok(parts_f32(model, network)),
            Body::Ensemble(members) => Err(Error::ensemble(members.len())),
            Body::Blend(blend) => Err(Error::blend(blend.members.len())),
            Body::Int8(network) | Body::Int4(network) => Ok(parts_i8(model, network)),
        }
    }
}

fn parts_f32(model: &Model, network: &Network) -> Parts {
    let widths = network.widths();
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
            let (weights, types) = (layer.weights(), ["f32"; 2]);
            let (name, (tensors, names)) = match layer.is_piecewise_linear() {
                true => ("PiecewiseLinear::new", table(&weights, &layer.bias, types)),
                false => ("Dense::new", tensors(index, &weights, &layer.bias, types)),
            };
            consts.extend(tensors);
            call(name, names)
        })
        .collect();
    let (names, macro_name) = match model.preparation.knots() {
        None => ("::microdistill::{Dense, Network}", "Mlp"),
        Some(_) if widths.len() == 2 => ("::microdistill::{Network, PiecewiseLinear}", "PiecewiseMlp"),
        Some(_) => ("::microdistill::{Dense, Network, PiecewiseLinear}", "PiecewiseMlp"),
    };
    let golden = |x: Vec<f32>| {
        let y = network.predict(&x);
        (array(x), array(y))
    };
    Parts {
        number: "f32",
        gives: "gives logits, or a value",
        network_type: network_type(macro_name, model, &widths, activation),
        input: preparation(model),
        network: (names.into(), network_of(layers)),
        tensors: consts,
        output: None,
        golden: vectors(model, golden),
        kernel: "::microdistill::kernel::NAME_F32",
        flash: size_of::<f32>() * network.parameters() + preparation_flash(model),
        scratch: size_of::<f32>() * microdistill::scratch::<f32>(&widths),
    }
}

fn parts_i8(model: &Model, network: &NetworkI8) -> Parts {
    let widths = network.widths();
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
        let types = ["i8", "i32"];
        let (tensors, [weights, bias]) = match layer.table {
            Some(_) => table(&codes, &layer.bias, types),
            None => tensors(index, &codes, &layer.bias, types),
        };
        consts.extend(tensors);
        let (requantize, stage) = (block(requantize), stage(plain, &layer.stage));
        if let Some(table) = layer.table {
            let [starts, steps] = [array(&table.starts), leaf(table.steps)];
            return call("PiecewiseLinearI8::new", [weights, starts, steps, bias, requantize, stage]);
        }
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
    let ranges = network.values.is_some();
    let golden = |x: Vec<f32>| {
        let codes = network.quantize(&x);
        (array(&codes), array(run(&folded, &codes)))
    };
    Parts {
        number: "i8",
        gives: "gives codes, in the order of the logits or values they stand for",
        network_type: network_type(storage.macro_name(network), model, &widths, storage.option(curved)),
        input: edge(model, network),
        network: (storage.names(network, curved), network_of(layers)),
        tensors: consts,
        output: Some(output(network)),
        golden: vectors(model, golden),
        kernel: storage.kernel(),
        flash: match &model.preparation {
            Preparation::Scaler(_) => storage.flash(&widths, curved, ranges),
            Preparation::Knots(knots) => storage.piecewise_flash(&widths, knots, curved, ranges),
        },
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
        (Activation::Curve(Curve::LeakyRelu(slope)), _) => {
            call("Table::leaky_relu", [leaf(slope), sums, codes(layer.output)])
        }
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

/// Argument of `Mlp!` for the activation of hidden layers.
fn option(hidden: Activation) -> &'static str {
    match hidden {
        // A model with a curve is refused before.
        Activation::Identity | Activation::Curve(_) => "::microdistill::activation::Identity",
        Activation::Relu => "",
        Activation::Relu6 => "::microdistill::activation::Relu6",
        Activation::LeakyRelu => "::microdistill::activation::LeakyRelu<1, 100>",
        Activation::Tanh => "::microdistill::activation::Tanh",
        Activation::Sigmoid => "::microdistill::activation::Sigmoid",
    }
}

/// `::microdistill::Mlp![30, 16, 7; option]`, or `::microdistill::PiecewiseMlp![180; 30, 16, 7; option]`
fn network_type(name: &str, model: &Model, widths: &[usize], option: &str) -> String {
    let widths: Vec<String> = widths.iter().map(usize::to_string).collect();
    let rows = model.preparation.knots().map_or(String::new(), |knots| format!("{}; ", knots.rows()));
    let separator = if option.is_empty() { "" } else { "; " };
    format!("::microdistill::{name}![{rows}{}{separator}{option}]", widths.join(", "))
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
        let (input, output) = of(model.prepare(raw));
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
