//! int8 multilayer perceptrons whose shape is known only at run time, in TensorFlow Lite's 8-bit arithmetic and with
//! the kernel of the core crate.

use std::borrow::Cow;

use microdistill::kernel::int8::pieces::{self, piecewise_linear};
use microdistill::kernel::int8::{Affine, rows};
use microdistill::quant::{self, Clamp, Dequantize, DequantizeEach, GROUP, Requantize, Stage as _};
use nalgebra::DMatrix;

use crate::network::{Activation, Curve};

/// Quantization parameters. The i8 code `c` stands for the real number `(c − zero)·scale`.
pub type Codes = Dequantize;

/// Quantized dense layer: `y = activation(weights·x + bias)` on codes.
#[derive(Clone, Debug, PartialEq)]
pub struct DenseI8 {
    /// Codes of the weights, shape (outputs, inputs), row-major, in [-127, 127]. In an int4 layer with groups, each
    /// is the product of a code in [-7, 7] and the scale of its group.
    pub weights: Vec<i8>,
    /// Scales of the groups of an int4 layer's inputs, shape (outputs, groups). Empty without groups.
    pub group_scales: Vec<u8>,
    /// Codes of the bias, shape (outputs), with the scale `s_in·s_w`. The input's zero point is not included.
    pub bias: Vec<i32>,
    /// Scale of the weights: real size of one code, above 0. Shape (outputs), or (1) for the whole layer.
    pub weight_scales: Vec<f32>,
    /// Activation of the outputs: a clamp, or a lookup table of codes.
    pub activation: Activation,
    /// Quantization parameters of the sums `weights·x + bias`, if a lookup table maps them to outputs: for leaky
    /// ReLU, tanh and sigmoid.
    pub sums: Option<Codes>,
    /// Quantization parameters of the outputs.
    pub output: Codes,
}

/// Quantized network of dense layers. The last one is linear.
#[derive(Clone, Debug, PartialEq)]
pub struct NetworkI8 {
    /// Quantization parameters of the input.
    pub input: Codes,
    /// Table of a piecewise-linear first layer. Its rows are then the inputs of the first of the [`layers`](NetworkI8::layers).
    pub table: Option<Table>,
    /// Layers from input to output, at least one.
    pub layers: Vec<DenseI8>,
    /// Ranges of the values of a regression, if the codes of the last layer, [`Values::CODES`], count steps in them.
    pub values: Option<Values>,
}

/// Places of the inputs in the table of a piecewise-linear first layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// Index of the row of each input's first knot.
    pub starts: Vec<u16>,
    /// Number of codes from one row to the next, at least 1.
    pub steps: u8,
}

impl Table {
    /// Quantization parameters of the inputs, relative to their first knots.
    pub fn codes(&self) -> Codes {
        Codes { scale: 1.0 / f32::from(self.steps), zero: i8::MIN }
    }
}

/// Range of each output of a regression: the code `c` stands for `lowest + (c + 128)·scale`. Run-time counterpart of
/// [`DequantizeEach`].
#[derive(Clone, Debug, PartialEq)]
pub struct Values {
    /// Value of the code −128, in the unit of the output, shape (outputs).
    pub lowest: Vec<f32>,
    /// Size of one code, in the unit of the output, above 0, shape (outputs).
    pub scale: Vec<f32>,
}

impl Values {
    /// Quantization parameters of a last layer that counts the steps above the lowest values.
    pub const CODES: Codes = Codes { scale: 1.0, zero: i8::MIN };

    /// Returns the conversion of each output.
    pub(crate) fn each(&self) -> impl Iterator<Item = DequantizeEach<1>> {
        let ranges = self.lowest.iter().zip(&self.scale);
        ranges.map(|(&lowest, &scale)| DequantizeEach { lowest: [lowest], scale: [scale] })
    }
}

/// Layer in the form that the kernel and an exported file take.
pub struct Folded<'a> {
    /// Codes of the weights, shape (outputs, inputs), row-major; of a piecewise-linear layer, shape (rows, outputs).
    pub weights: Cow<'a, [i8]>,
    /// Table of a piecewise-linear layer.
    pub table: Option<&'a Table>,
    /// Bias with the input's zero point folded in: `bias − zero_in·Σ w`, shape (outputs).
    pub bias: Vec<i32>,
    /// Factors of requantization, `s_in·s_w / s_out`: one per element of `weight_scales`.
    pub requantize: Vec<Requantize>,
    /// Activation of the outputs.
    pub stage: Stage,
}

/// Activation on codes: the step after the sums of a layer.
pub enum Stage {
    /// Clamp to a range of codes.
    Clamp(Clamp),
    /// Lookup table with one entry per code.
    Table(Box<quant::Table>),
}

impl Stage {
    fn zero(&self) -> i8 {
        match self {
            Stage::Clamp(clamp) => clamp.zero(),
            Stage::Table(table) => table.zero(),
        }
    }

    fn apply(&self, codes: &mut [i8]) {
        match self {
            Stage::Clamp(clamp) => clamp.apply(codes),
            Stage::Table(table) => table.apply(codes),
        }
    }
}

impl Folded<'_> {
    fn run(&self, x: &[i8]) -> Vec<i8> {
        let (multipliers, shifts): (Vec<i32>, Vec<i8>) =
            self.requantize.iter().map(|factor| (factor.multiplier(), factor.shift())).unzip();
        let (bias, multipliers, shifts) = (&self.bias[..], &multipliers[..], &shifts[..]);
        let (short, zero) = (false, self.stage.zero());
        let mut y = vec![0; self.bias.len()];
        match self.table {
            None => {
                let weights = &self.weights[..];
                rows::portable(&Affine { weights, bias, multipliers, shifts, short, zero }, x, &mut y);
            }
            Some(Table { starts, steps }) => {
                let weights = pieces::Table { rows: &self.weights, starts, steps: *steps };
                let layer = pieces::Piecewise { weights, bias, multipliers, shifts, short, zero };
                piecewise_linear(&layer, x, &mut y);
            }
        }
        self.stage.apply(&mut y);
        y
    }
}

impl DenseI8 {
    /// Returns the number of inputs; of a piecewise-linear layer, the number of rows of its table.
    pub fn inputs(&self) -> usize {
        self.weights.len() / self.bias.len()
    }

    /// Returns the number of outputs.
    pub fn outputs(&self) -> usize {
        self.bias.len()
    }

    /// Iterates over the weights as int4 stores them: a code in [-7, 7] and the scale of its group, or 1 without
    /// groups.
    pub(crate) fn codes(&self) -> impl Iterator<Item = (i8, i8)> {
        let inputs = self.inputs();
        let groups = inputs.div_ceil(GROUP);
        self.weights.iter().enumerate().map(move |(index, &weight)| {
            let group = index / inputs * groups + index % inputs / GROUP;
            let scale = self.group_scales.get(group).map_or(1, |&scale| scale as i8);
            (weight / scale, scale)
        })
    }

    fn fold<'a>(&'a self, input: Codes, table: Option<&'a Table>) -> Folded<'a> {
        let inputs = self.inputs();
        let rows = self.weights.chunks_exact(inputs);
        let bias = self.bias.iter().zip(rows).map(|(bias, row)| {
            if table.is_some() {
                return *bias;
            }
            let sum = row.iter().fold(0i32, |sum, &weight| sum.wrapping_add(weight.into()));
            bias.wrapping_sub(sum.wrapping_mul(input.zero.into()))
        });
        let weights: Cow<'_, [i8]> = match table {
            None => self.weights.as_slice().into(),
            Some(_) => {
                let rows = (0..inputs).flat_map(|row| self.weights.iter().skip(row).step_by(inputs));
                rows.copied().collect()
            }
        };
        let sums = self.sums.unwrap_or(self.output);
        let factor = |&scale: &f32| {
            // TensorFlow Lite rounds the product of a single scale to f32.
            let product = match self.weight_scales.len() {
                1 => f64::from(input.scale * scale),
                _ => f64::from(input.scale) * f64::from(scale),
            };
            Requantize::from_factor(product / f64::from(sums.scale))
        };
        Folded {
            bias: bias.collect(),
            weights,
            table,
            requantize: self.weight_scales.iter().map(factor).collect(),
            stage: self.stage(sums),
        }
    }

    fn stage(&self, sums: Codes) -> Stage {
        let Codes { scale, zero } = self.output;
        let clamp = |lowest, highest| Stage::Clamp(Clamp { zero, lowest, highest });
        let table = |table| Stage::Table(Box::new(table));
        match self.activation {
            Activation::Curve(Curve::LeakyRelu(slope)) => {
                table(quant::Table::leaky_relu(slope, sums, self.output))
            }
            // No other curve has a form in int8, and a model with one is refused.
            Activation::Identity | Activation::Curve(_) => clamp(i8::MIN, i8::MAX),
            Activation::Relu => clamp(zero, i8::MAX),
            Activation::Relu6 => clamp(zero, quant::quantize(6.0, scale, zero)),
            Activation::LeakyRelu => table(quant::Table::leaky_relu(LEAKY_SLOPE, sums, self.output)),
            Activation::Tanh => table(quant::Table::tanh(sums)),
            Activation::Sigmoid => table(quant::Table::sigmoid(sums)),
        }
    }
}

/// Slope of [`Activation::LeakyRelu`] below zero.
pub(crate) const LEAKY_SLOPE: f32 = 0.01;

/// Returns the quantization parameters that the outputs of an activation have whatever the data; none if they depend
/// on the data.
pub(crate) fn fixed_codes(activation: Activation) -> Option<Codes> {
    match activation {
        Activation::Tanh => Some(quant::Table::TANH),
        Activation::Sigmoid => Some(quant::Table::SIGMOID),
        _ => None,
    }
}

impl NetworkI8 {
    /// Returns the widths from input to output.
    pub fn widths(&self) -> Vec<usize> {
        let inputs = match &self.table {
            Some(table) => Some(table.starts.len()),
            None => self.layers.first().map(DenseI8::inputs),
        };
        inputs.into_iter().chain(self.layers.iter().map(DenseI8::outputs)).collect()
    }

    /// Returns the number of weights and biases.
    pub fn parameters(&self) -> usize {
        self.layers.iter().map(|layer| layer.weights.len() + layer.bias.len()).sum()
    }

    /// Returns the quantization parameters of the last layer: those of the network's outputs, unless these are values with
    /// ranges of their own.
    pub fn output(&self) -> Codes {
        self.layers.last().map_or(self.input, |layer| layer.output)
    }

    /// Returns the logits, or values, for one prepared sample.
    pub fn predict(&self, x: &[f32]) -> Vec<f32> {
        self.dequantize(&run(&self.folded(), &self.quantize(x)))
    }

    /// Calls [`predict`](NetworkI8::predict) for every column of `x`, shape (inputs × rows). Returns shape (outputs ×
    /// rows).
    pub fn predict_all(&self, x: &DMatrix<f32>) -> DMatrix<f32> {
        let layers = self.folded();
        let outputs = self.layers.last().map_or(0, DenseI8::outputs);
        let y = x.column_iter().flat_map(|x| self.dequantize(&run(&layers, &self.quantize(x.as_slice()))));
        DMatrix::from_iterator(outputs, x.ncols(), y)
    }

    /// Returns the layers in the form that the kernel takes.
    pub fn folded(&self) -> Vec<Folded<'_>> {
        let inputs = std::iter::once(self.input).chain(self.layers.iter().map(|layer| layer.output));
        let tables = std::iter::once(self.table.as_ref()).chain(std::iter::repeat(None));
        let layers = self.layers.iter().zip(inputs).zip(tables);
        layers.map(|((layer, input), table)| layer.fold(input, table)).collect()
    }

    /// Quantizes a prepared sample: standardized features, or coordinates in a table.
    pub fn quantize(&self, x: &[f32]) -> Vec<i8> {
        if let Some(Table { starts, steps }) = &self.table {
            return x
                .iter()
                .zip(starts)
                .map(|(&x, &start)| quant::quantize_knots(x, start, *steps))
                .collect();
        }
        x.iter().map(|&x| quant::quantize(x, self.input.scale, self.input.zero)).collect()
    }

    fn dequantize(&self, codes: &[i8]) -> Vec<f32> {
        match &self.values {
            Some(values) => {
                values.each().zip(codes).flat_map(|(output, &code)| output.apply(&[code])).collect()
            }
            None => codes.iter().flat_map(|&code| self.output().apply(&[code])).collect(),
        }
    }
}

/// Runs the layers on the codes of the input and returns the codes of the outputs.
pub(crate) fn run(layers: &[Folded], input: &[i8]) -> Vec<i8> {
    layers.iter().fold(input.to_vec(), |x, layer| layer.run(&x))
}
