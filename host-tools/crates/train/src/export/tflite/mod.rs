//! A model as a TensorFlow Lite file.
//!
//! int8 networks give the codes that TensorFlow Lite's reference kernels give where these round twice, in integers, as
//! TensorFlow Lite for Microcontrollers and LiteRT up to 1.2 do.

mod writer;

use super::format::Exported;
use crate::dataset::Task;
use crate::error::{Error, Result};
use crate::model::{Body, Model, Preparation, Scaler};
use crate::network::int8::{Codes, DenseI8, LEAKY_SLOPE, NetworkI8};
use crate::network::{Activation, Curve, Dense, Network};
use writer::{Kind, Operator, Options, Writer};

/// The file. It takes one row of raw features and gives probabilities or values.
///
/// # Errors
/// Fails if the model is an ensemble or a blend or has piecewise-linear inputs, and if a number is not finite.
pub(super) fn export(model: &Model) -> Result<Exported> {
    model.check().map_err(Error::Invalid)?;
    let Preparation::Scaler(scaler) = &model.preparation else {
        return Err(Error::Invalid(
            "TensorFlow Lite has no layer for piecewise-linear inputs: export the model as C or ONNX, or distill it with \
             --inputs standardized"
                .into(),
        ));
    };
    let mut chain = Chain::new(model.features().len());
    chain.standardize(scaler);
    let mut notes = Vec::new();
    let classes = matches!(model.metadata.task, Task::Classification { .. });
    let outputs = if classes { "logits" } else { "values" };
    match &model.body {
        Body::F32(network) => chain.network(network, outputs),
        Body::Int8(network) | Body::Int4(network) => {
            chain.codes(network, true);
            chain.dequantize(network, outputs);
            notes.push(
                "the codes are those of TensorFlow Lite for Microcontrollers and of LiteRT up to 1.2; newer ones round otherwise, \
                 and some codes differ by one"
                    .to_owned(),
            );
        }
        Body::Ensemble(members) => return Err(Error::ensemble(members.len())),
        Body::Blend(blend) => return Err(Error::blend(blend.members.len())),
    }
    if matches!(model.body, Body::Int4(_)) {
        notes
            .push("the 4-bit weights are stored in 8 bits: twice the bytes, and the same outputs".to_owned());
    }
    if !model.metadata.origin.is_empty() || !model.metadata.target_origin.is_empty() {
        notes.push(
            "the file holds no origins of features or targets: subtract and add them in double".to_owned(),
        );
    }
    if classes {
        let row = chain.writer.row("probabilities", chain.width);
        chain.then(Operator::Softmax, Options::Softmax(1.0), &[], row);
    }
    Ok(Exported { bytes: chain.finish(), notes })
}

/// Returns the bytes of a file that holds a network of codes alone, from codes to codes. Its input is not prepared.
pub fn codes(network: &NetworkI8) -> Vec<u8> {
    let mut chain = Chain::of_codes(network.widths().first().copied().unwrap_or_default(), network.input);
    chain.codes(network, false);
    chain.finish()
}

/// Operators, each of which takes the output of the one before.
struct Chain {
    writer: Writer,
    first: i32,
    last: i32,
    /// Width of the last tensor.
    width: usize,
}

impl Chain {
    /// A chain whose input is a row of features.
    fn new(width: usize) -> Self {
        let mut writer = Writer::new();
        let first = writer.row("features", width);
        Chain { writer, first, last: first, width }
    }

    /// A chain whose input is a row of codes.
    fn of_codes(width: usize, codes: Codes) -> Self {
        let mut writer = Writer::new();
        let first = writer.codes_row("input", width, codes);
        Chain { writer, first, last: first, width }
    }

    /// Adds an operator on the last tensor and these constants.
    fn then(&mut self, operator: Operator, options: Options, constants: &[i32], output: i32) {
        self.writer.operator(operator, options, &[&[self.last], constants].concat(), output);
        self.last = output;
    }

    /// Adds an operator on the last tensor and a constant per column.
    fn by_column(&mut self, operator: Operator, name: &str, values: &[f32]) {
        let constant = self.writer.floats(&format!("{name}_constant"), &[1, values.len()], values);
        let output = self.writer.row(name, self.width);
        self.then(operator, Options::Plain, &[constant], output);
    }

    /// Adds the scaler. A feature that is not finite is missing, and becomes 0.
    fn standardize(&mut self, scaler: &Scaler) {
        self.by_column(Operator::Sub, "centred", &scaler.mean);
        self.by_column(Operator::Mul, "scaled", &scaler.scale);
        let Chain { writer, width, first, last: scaled } = self;
        // The difference from itself is 0 or, for what is not finite, NaN, which is not equal to itself. It is that of the raw
        // feature, because operators cut infinite results to finite ones.
        let difference = writer.row("difference", *width);
        writer.operator(Operator::Sub, Options::Plain, &[*first, *first], difference);
        let known = writer.tensor("known", &[1, *width], Kind::Bool, &[], &[]);
        writer.operator(Operator::Equal, Options::None, &[difference, difference], known);
        let zero = writer.floats("zero", &[1, *width], &vec![0.0; *width]);
        let standardized = writer.row("standardized", *width);
        writer.operator(Operator::SelectV2, Options::None, &[known, *scaled, zero], standardized);
        self.last = standardized;
    }

    /// Adds an f32 network, whose outputs have this name.
    fn network(&mut self, network: &Network, outputs: &str) {
        let last = network.layers().len().saturating_sub(1);
        for (index, layer) in network.layers().iter().enumerate() {
            let name = if index == last { outputs.to_owned() } else { format!("layer_{index}") };
            self.dense(layer, index, &name);
        }
    }

    fn dense(&mut self, layer: &Dense, index: usize, name: &str) {
        let (inputs, outputs) = (layer.inputs(), layer.outputs());
        let weights = self.writer.floats(&format!("weights_{index}"), &[outputs, inputs], &layer.weights());
        let bias = self.writer.floats(&format!("bias_{index}"), &[outputs], &layer.bias);
        self.width = outputs;
        let fused = fused(layer.activation);
        let output = self.writer.row(name, outputs);
        self.then(
            Operator::FullyConnected,
            Options::FullyConnected(fused.unwrap_or(0)),
            &[weights, bias],
            output,
        );
        if fused.is_none() {
            let output = self.writer.row(&format!("{name}_activated"), outputs);
            self.curve(layer.activation, output);
        }
    }

    /// Adds the layers of a network of codes, and before them the quantization of the input if it is real.
    fn codes(&mut self, network: &NetworkI8, from_real: bool) {
        if from_real {
            let output = self.writer.codes_row("input", self.width, network.input);
            self.then(Operator::Quantize, Options::None, &[], output);
        }
        let mut codes = network.input;
        for (index, layer) in network.layers.iter().enumerate() {
            self.coded_dense(layer, index, codes);
            codes = layer.output;
        }
    }

    fn coded_dense(&mut self, layer: &DenseI8, index: usize, input: Codes) {
        let (inputs, outputs) = (layer.inputs(), layer.outputs());
        let symmetric = |factor: f32| move |&scale: &f32| Codes { scale: factor * scale, zero: 0 };
        let of_weights: Vec<Codes> = layer.weight_scales.iter().map(symmetric(1.0)).collect();
        let of_bias: Vec<Codes> = layer.weight_scales.iter().map(symmetric(input.scale)).collect();
        let bytes: Vec<u8> = layer.weights.iter().flat_map(|weight| weight.to_le_bytes()).collect();
        let name = format!("weights_{index}");
        let weights = self.writer.tensor(&name, &[outputs, inputs], Kind::Int8, &bytes, &of_weights);
        let bytes: Vec<u8> = layer.bias.iter().flat_map(|bias| bias.to_le_bytes()).collect();
        let bias = self.writer.tensor(&format!("bias_{index}"), &[outputs], Kind::Int32, &bytes, &of_bias);
        self.width = outputs;
        let fused = fused(layer.activation);
        let sums = layer.sums.unwrap_or(layer.output);
        let output = self.writer.codes_row(&format!("layer_{index}"), outputs, sums);
        self.then(
            Operator::FullyConnected,
            Options::FullyConnected(fused.unwrap_or(0)),
            &[weights, bias],
            output,
        );
        if fused.is_none() {
            let output = self.writer.codes_row(&format!("layer_{index}_activated"), outputs, layer.output);
            self.curve(layer.activation, output);
        }
    }

    /// Adds an activation that is an operator of its own.
    fn curve(&mut self, activation: Activation, output: i32) {
        let (operator, options) = match activation {
            Activation::Tanh => (Operator::Tanh, Options::None),
            Activation::Sigmoid => (Operator::Logistic, Options::None),
            Activation::Curve(Curve::LeakyRelu(slope)) => (Operator::LeakyRelu, Options::LeakyRelu(slope)),
            _ => (Operator::LeakyRelu, Options::LeakyRelu(LEAKY_SLOPE)),
        };
        self.then(operator, options, &[], output);
    }

    /// Adds the conversion of the last codes to real numbers, which have this name.
    fn dequantize(&mut self, network: &NetworkI8, name: &str) {
        let Some(values) = &network.values else {
            let output = self.writer.row(name, self.width);
            return self.then(Operator::Dequantize, Options::None, &[], output);
        };
        let output = self.writer.row("steps", self.width);
        self.then(Operator::Dequantize, Options::None, &[], output);
        self.by_column(Operator::Mul, "above_lowest", &values.scale);
        self.by_column(Operator::Add, name, &values.lowest);
    }

    fn finish(self) -> Vec<u8> {
        self.writer.finish(self.first, self.last)
    }
}

/// Number of an activation that is part of a dense layer, in `ActivationFunctionType`; none for an operator of its own.
fn fused(activation: Activation) -> Option<i8> {
    match activation {
        Activation::Identity => Some(0),
        Activation::Relu => Some(1),
        Activation::Relu6 => Some(3),
        Activation::LeakyRelu | Activation::Tanh | Activation::Sigmoid | Activation::Curve(_) => None,
    }
}
#[cfg(test)]
mod tests {
    use super::*;

    /// Reads a little-endian number at `place`.
    fn number(file: &[u8], place: usize) -> usize {
        u32::from_le_bytes(file[place..place + 4].try_into().unwrap()) as usize
    }

    /// Offset of the field with this number in the table at `place`.
    fn field(file: &[u8], place: usize, field: u16) -> usize {
        // The list of fields comes before or after its table.
        let list = place.wrapping_sub(number(file, place) as i32 as usize);
        let entry = list + usize::from(4 + 2 * field);
        place + usize::from(u16::from_le_bytes([file[entry], file[entry + 1]]))
    }

    /// Offset of the object that a field refers to.
    fn follow(file: &[u8], place: usize, number_of_field: u16) -> usize {
        let place = field(file, place, number_of_field);
        place + number(file, place)
    }

    #[test]
    fn a_network_is_in_the_file() {
        let layer = DenseI8 {
            weights: vec![1, -2, 3, -4, 5, -127],
            group_scales: Vec::new(),
            bias: vec![7, -8],
            weight_scales: vec![0.5],
            activation: Activation::Relu,
            sums: None,
            output: Codes { scale: 0.25, zero: -3 },
        };
        let file = codes(&NetworkI8 {
            input: Codes { scale: 2.0, zero: 4 },
            table: None,
            layers: vec![layer],
            values: None,
        });
        assert_eq!(&file[4..8], b"TFL3");
        let model = number(&file, 0);
        let subgraphs = follow(&file, model, 2);
        let subgraph = subgraphs + 4 + number(&file, subgraphs + 4);
        // The input, weights, biases and the output.
        let tensors = follow(&file, subgraph, 0);
        assert_eq!(number(&file, tensors), 4);
        // The second of the buffers holds the weights, as bytes.
        let buffers = follow(&file, model, 4);
        let weights = buffers + 8 + number(&file, buffers + 8);
        let data = follow(&file, weights, 0);
        assert_eq!(number(&file, data), 6);
        assert_eq!(file[data + 4..data + 10], [1, 254, 3, 252, 5, 129]);
    }
}
