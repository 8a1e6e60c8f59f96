//! A model as an ONNX file: f32 networks with their input and, for classes, the softmax.

mod proto;

use super::format::{Exported, single_f32};
use super::pieces::Pieces;
use super::{facts, type_name};
use crate::dataset::Task;
use crate::error::{Error, Result};
use crate::model::{Knots, Model, Preparation, Scaler};
use crate::network::{Activation, Dense, Network};
use proto::Message;

/// Version of the format, and of the operators.
const IR_VERSION: u64 = 8;
const OPSET: u64 = 17;

/// Types of tensors, by their numbers in `TensorProto.DataType`.
const FLOAT: u64 = 1;
const INT64: u64 = 7;
const DOUBLE: u64 = 11;

/// Types of attributes, by their numbers in `AttributeProto.AttributeType`.
const OF_FLOAT: u64 = 1;
const OF_INTEGER: u64 = 2;

/// The file. It takes raw features, shape (rows, features), and gives probabilities or values, shape (rows, outputs).
///
/// # Errors
/// Fails if the name is no constant's, if the model is not a single f32 network, and if a number is not finite.
pub(super) fn export(model: &Model, name: &str, command: &str) -> Result<Exported> {
    type_name(name)?;
    model.check().map_err(Error::Invalid)?;
    let network = single_f32(
        model,
        "ONNX rounds codes otherwise than a device does, and its outputs would differ: export the f32 model that it was made \
         from, or export this one as C or TFLite",
    )?;
    let mut graph = Graph::default();
    let outputs = graph.model(model, network);
    let classes = matches!(model.metadata.task, Task::Classification { .. });
    let result = if classes { "probabilities" } else { "values" };
    graph.add("Identity", &[&outputs], result, []);
    let [taken, given] = [&model.metadata.origin, &model.metadata.target_origin]
        .map(|origin| if origin.is_empty() { FLOAT } else { DOUBLE });
    let graph = Message::default()
        .messages(1, graph.nodes)
        .bytes(2, name.to_ascii_lowercase())
        .messages(5, graph.constants)
        .message(11, value("features", taken, model.features().len()))
        .message(12, value(result, given, model.outputs()));
    let list = |names: &[String]| serde_json::to_string(names).unwrap_or_default();
    let names = match &model.metadata.task {
        Task::Classification { labels, .. } => labels,
        Task::Regression { targets } => targets,
    };
    let properties = [("features", list(model.features())), ("outputs", list(names))];
    let property = |(key, value): (&str, String)| Message::default().bytes(1, key).bytes(2, value);
    let file = Message::default()
        .integer(1, IR_VERSION)
        .bytes(2, "microdistill")
        .bytes(3, env!("CARGO_PKG_VERSION"))
        .message(7, graph)
        .message(8, Message::default().bytes(1, "").integer(2, OPSET))
        .messages(14, properties.into_iter().chain(facts(model, command)).map(property));
    Ok(Exported { bytes: file.finish(), notes: Vec::new() })
}

/// Description of an input or output of the graph: any number of rows of so many numbers.
fn value(name: &str, kind: u64, width: usize) -> Message {
    let rows = Message::default().bytes(2, "rows");
    let columns = Message::default().integer(1, width as u64);
    let shape = Message::default().message(1, rows).message(1, columns);
    let tensor = Message::default().integer(1, kind).message(2, shape);
    Message::default().bytes(1, name).message(2, Message::default().message(1, tensor))
}

/// Operators and constants. Tensors are known by their names.
#[derive(Default)]
struct Graph {
    nodes: Vec<Message>,
    constants: Vec<Message>,
}

impl Graph {
    /// Adds the whole model behind the input `features`. Returns the name of its outputs.
    fn model(&mut self, model: &Model, network: &Network) -> String {
        let metadata = &model.metadata;
        let mut last = "features".to_owned();
        if !metadata.origin.is_empty() {
            self.doubles("origin", &metadata.origin);
            last = self.then("Sub", &[&last, "origin"], "relative", []);
            last = self.then("Cast", &[&last], "raw", [integer("to", FLOAT)]);
        }
        let mut layers = network.layers();
        match (&model.preparation, layers) {
            (Preparation::Scaler(scaler), _) => last = self.scaler(scaler, &last),
            (Preparation::Knots(knots), [first, rest @ ..]) => {
                last = self.pieces(knots, first, &last);
                layers = rest;
            }
            (Preparation::Knots(_), []) => {}
        }
        let first = network.layers().len() - layers.len();
        for (index, layer) in layers.iter().enumerate() {
            last = self.dense(first + index, &layer.weights(), layer, &last);
        }
        if let Task::Classification { .. } = metadata.task {
            return self.then("Softmax", &[&last], "shares", [integer("axis", 1)]);
        }
        if !metadata.target_origin.is_empty() {
            self.doubles("target_origin", &metadata.target_origin);
            last = self.then("Cast", &[&last], "differences", [integer("to", DOUBLE)]);
            last = self.then("Add", &[&last, "target_origin"], "absolute", []);
        }
        last
    }

    /// Standardizes features; a missing one becomes 0.
    fn scaler(&mut self, scaler: &Scaler, input: &str) -> String {
        self.floats("mean", &[scaler.mean.len()], &scaler.mean);
        self.floats("scale", &[scaler.scale.len()], &scaler.scale);
        self.floats("zero", &[], &[0.0]);
        let centred = self.then("Sub", &[input, "mean"], "centred", []);
        let scaled = self.then("Mul", &[&centred, "scale"], "scaled", []);
        let missing = self.missing(&scaled);
        self.then("Where", &[&missing, "zero", &scaled], "standardized", [])
    }

    /// Adds a piecewise-linear layer; a missing feature becomes its mean.
    fn pieces(&mut self, knots: &Knots, layer: &Dense, input: &str) -> String {
        let pieces = Pieces::of(knots, layer);
        let columns: Vec<u8> =
            pieces.features.iter().flat_map(|&feature| (feature as i64).to_le_bytes()).collect();
        self.constant("columns", INT64, &[pieces.features.len()], columns);
        self.floats("mean", &[knots.mean.len()], &knots.mean);
        self.floats("low", &[pieces.low.len()], &pieces.low);
        self.floats("width", &[pieces.width.len()], &pieces.width);
        self.floats("zero", &[], &[0.0]);
        self.floats("one", &[], &[1.0]);
        let missing = self.missing(input);
        let known = self.then("Where", &[&missing, "mean", input], "known", []);
        let columns = self.then("Gather", &[&known, "columns"], "gathered", [integer("axis", 1)]);
        let above = self.then("Sub", &[&columns, "low"], "above", []);
        let shares = self.then("Div", &[&above, "width"], "places", []);
        let shares = self.then("Clip", &[&shares, "zero", "one"], "parts", []);
        let layer = Dense::new(pieces.weights, pieces.bias, layer.activation);
        self.dense(0, &layer.weights(), &layer, &shares)
    }

    /// Adds a dense layer and its activation.
    fn dense(&mut self, index: usize, weights: &[f32], layer: &Dense, input: &str) -> String {
        let outputs = layer.outputs();
        let [w, b] = ["weights", "bias"].map(|name| format!("{name}_{index}"));
        self.floats(&w, &[outputs, weights.len() / outputs.max(1)], weights);
        self.floats(&b, &[outputs], &layer.bias);
        let sums = format!("sums_{index}");
        self.add("Gemm", &[input, &w, &b], &sums, [integer("transB", 1)]);
        let result = format!("layer_{index}");
        match layer.activation {
            // No format holds a curve.
            Activation::Identity | Activation::Curve(_) => return sums,
            Activation::Relu => self.add("Relu", &[&sums], &result, []),
            Activation::Relu6 => {
                let [zero, six] = ["zero", "six"].map(|limit| format!("{limit}_{index}"));
                self.floats(&zero, &[], &[0.0]);
                self.floats(&six, &[], &[6.0]);
                self.add("Clip", &[&sums, &zero, &six], &result, []);
            }
            Activation::LeakyRelu => {
                let alpha = attribute("alpha", OF_FLOAT).float(2, 0.01);
                self.add("LeakyRelu", &[&sums], &result, [alpha]);
            }
            Activation::Tanh => self.add("Tanh", &[&sums], &result, []),
            Activation::Sigmoid => self.add("Sigmoid", &[&sums], &result, []),
        }
        result
    }

    /// Adds a test whether numbers are NaN or infinite.
    fn missing(&mut self, input: &str) -> String {
        let nan = self.then("IsNaN", &[input], "nan", []);
        let infinite = self.then("IsInf", &[input], "infinite", []);
        self.then("Or", &[&nan, &infinite], "missing", [])
    }

    /// [`add`](Graph::add), and the name of the output.
    fn then<const N: usize>(
        &mut self,
        operator: &str,
        inputs: &[&str],
        output: &str,
        attributes: [Message; N],
    ) -> String {
        self.add(operator, inputs, output, attributes);
        output.to_owned()
    }

    fn add<const N: usize>(
        &mut self,
        operator: &str,
        inputs: &[&str],
        output: &str,
        attributes: [Message; N],
    ) {
        let node = inputs.iter().fold(Message::default(), |node, input| node.bytes(1, input));
        self.nodes.push(node.bytes(2, output).bytes(3, output).bytes(4, operator).messages(5, attributes));
    }

    fn floats(&mut self, name: &str, shape: &[usize], values: &[f32]) {
        self.constant(name, FLOAT, shape, values.iter().flat_map(|value| value.to_le_bytes()).collect());
    }

    fn doubles(&mut self, name: &str, values: &[f64]) {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.constant(name, DOUBLE, &[values.len()], bytes);
    }

    fn constant(&mut self, name: &str, kind: u64, shape: &[usize], bytes: Vec<u8>) {
        let tensor = shape.iter().fold(Message::default(), |tensor, &size| tensor.integer(1, size as u64));
        self.constants.push(tensor.integer(2, kind).bytes(8, name).bytes(9, bytes));
    }
}

/// An attribute without its value.
fn attribute(name: &str, kind: u64) -> Message {
    Message::default().bytes(1, name).integer(20, kind)
}

fn integer(name: &str, value: u64) -> Message {
    attribute(name, OF_INTEGER).integer(3, value)
}
