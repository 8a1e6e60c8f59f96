//! An int8 MLP whose shape is known at run time: TensorFlow Lite's 8-bit arithmetic by the core's kernel.

use microdistill::kernel::int8::{Affine, rows};
use microdistill::quant::{self, Clamp, Dequantize, GROUP, Requantize, Stage as _, Table};
use nalgebra::DMatrix;

use crate::network::Activation;

/// Real numbers of the i8 codes: `(code − zero)·scale`.
pub type Codes = Dequantize;

/// `y = activation(weights·x + bias)` in codes.
#[derive(Clone, Debug, PartialEq)]
pub struct DenseI8 {
    /// Shape (outputs, inputs), row-major, in [-127, 127]. Of an int4 layer, each is the product of a code in [-7, 7] and
    /// its group's scale, if there are groups.
    pub weights: Vec<i8>,
    /// Scales of the groups of an int4 layer's inputs: shape (outputs, groups), or empty.
    pub group_scales: Vec<u8>,
    /// Shape (outputs), of scale `s_in·s_w`, without the input's zero point.
    pub bias: Vec<i32>,
    /// Real size of one code of a weight, > 0: shape (outputs), or (1) for the whole layer.
    pub weight_scales: Vec<f32>,
    /// Applied to every output: a clamp, or a table of codes.
    pub activation: Activation,
    /// The codes of `weights·x + bias`, where a table makes outputs of them: of leaky ReLU, tanh and sigmoid.
    pub sums: Option<Codes>,
    /// The codes of the outputs.
    pub output: Codes,
}

/// Dense layers in a row; the last one is linear.
#[derive(Clone, Debug, PartialEq)]
pub struct NetworkI8 {
    /// The codes of the input.
    pub input: Codes,
    /// At least one.
    pub layers: Vec<DenseI8>,
}

/// A layer as the kernel and an exported file take it.
pub struct Folded<'a> {
    /// Shape (outputs, inputs), row-major.
    pub weights: &'a [i8],
    /// Unfolded bias − zero_in·Σ w.
    pub bias: Vec<i32>,
    /// `s_in·s_w / s_out`, one for each of `weight_scales`.
    pub requantize: Vec<Requantize>,
    /// The activation of the outputs.
    pub stage: Stage,
}

/// The step after the sums of a layer: an activation on codes.
pub enum Stage {
    /// A range of codes.
    Clamp(Clamp),
    /// An entry per code.
    Table(Box<Table>),
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
        let layer = Affine {
            weights: self.weights,
            bias: &self.bias,
            multipliers: &multipliers,
            shifts: &shifts,
            short: false,
            zero: self.stage.zero(),
        };
        let mut y = vec![0; self.bias.len()];
        rows::portable(&layer, x, &mut y);
        self.stage.apply(&mut y);
        y
    }
}

impl DenseI8 {
    /// Number of inputs.
    pub fn inputs(&self) -> usize {
        self.weights.len() / self.bias.len()
    }

    /// Number of outputs.
    pub fn outputs(&self) -> usize {
        self.bias.len()
    }

    /// The weights as int4 stores them: of each, a code in [-7, 7] and the scale of its group, 1 where there are none.
    pub(crate) fn codes(&self) -> impl Iterator<Item = (i8, i8)> {
        let inputs = self.inputs();
        let groups = inputs.div_ceil(GROUP);
        self.weights.iter().enumerate().map(move |(index, &weight)| {
            let group = index / inputs * groups + index % inputs / GROUP;
            let scale = self.group_scales.get(group).map_or(1, |&scale| scale as i8);
            (weight / scale, scale)
        })
    }

    fn fold(&self, input: Codes) -> Folded<'_> {
        let rows = self.weights.chunks_exact(self.inputs());
        let bias = self.bias.iter().zip(rows).map(|(bias, row)| {
            let sum = row.iter().fold(0i32, |sum, &weight| sum.wrapping_add(weight.into()));
            bias.wrapping_sub(sum.wrapping_mul(input.zero.into()))
        });
        let sums = self.sums.unwrap_or(self.output);
        let factor = |&scale: &f32| {
            // As TensorFlow Lite has it: the product of a single scale is rounded to f32.
            let product = match self.weight_scales.len() {
                1 => f64::from(input.scale * scale),
                _ => f64::from(input.scale) * f64::from(scale),
            };
            Requantize::from_factor(product / f64::from(sums.scale))
        };
        Folded {
            weights: &self.weights,
            bias: bias.collect(),
            requantize: self.weight_scales.iter().map(factor).collect(),
            stage: self.stage(sums),
        }
    }

    fn stage(&self, sums: Codes) -> Stage {
        let Codes { scale, zero } = self.output;
        let clamp = |lowest, highest| Stage::Clamp(Clamp { zero, lowest, highest });
        let table = |table| Stage::Table(Box::new(table));
        match self.activation {
            Activation::Identity => clamp(i8::MIN, i8::MAX),
            Activation::Relu => clamp(zero, i8::MAX),
            Activation::Relu6 => clamp(zero, quant::quantize(6.0, scale, zero)),
            Activation::LeakyRelu => table(Table::leaky_relu(LEAKY_SLOPE, sums, self.output)),
            Activation::Tanh => table(Table::tanh(sums)),
            Activation::Sigmoid => table(Table::sigmoid(sums)),
        }
    }
}

/// The slope of [`Activation::LeakyRelu`] below zero.
pub(crate) const LEAKY_SLOPE: f32 = 0.01;

/// The codes that a table's outputs have whatever the data.
pub(crate) fn fixed_codes(activation: Activation) -> Option<Codes> {
    match activation {
        Activation::Tanh => Some(Table::TANH),
        Activation::Sigmoid => Some(Table::SIGMOID),
        _ => None,
    }
}

impl NetworkI8 {
    /// Widths from input to output.
    pub fn widths(&self) -> Vec<usize> {
        let inputs = self.layers.first().map(DenseI8::inputs);
        inputs.into_iter().chain(self.layers.iter().map(DenseI8::outputs)).collect()
    }

    /// Number of weights and biases.
    pub fn parameters(&self) -> usize {
        self.layers.iter().map(|layer| layer.weights.len() + layer.bias.len()).sum()
    }

    /// The codes of the network's outputs.
    pub fn output(&self) -> Codes {
        self.layers.last().map_or(self.input, |layer| layer.output)
    }

    /// Logits (or values) for one standardized sample.
    pub fn predict(&self, x: &[f32]) -> Vec<f32> {
        self.dequantize(&run(&self.folded(), &self.quantize(x)))
    }

    /// [`predict`](NetworkI8::predict) for every column of `x`: shape (outputs × rows).
    pub fn predict_all(&self, x: &DMatrix<f32>) -> DMatrix<f32> {
        let layers = self.folded();
        let outputs = self.layers.last().map_or(0, DenseI8::outputs);
        let y = x.column_iter().flat_map(|x| self.dequantize(&run(&layers, &self.quantize(x.as_slice()))));
        DMatrix::from_iterator(outputs, x.ncols(), y)
    }

    /// The layers as the kernel takes them.
    pub fn folded(&self) -> Vec<Folded<'_>> {
        let inputs = std::iter::once(self.input).chain(self.layers.iter().map(|layer| layer.output));
        self.layers.iter().zip(inputs).map(|(layer, input)| layer.fold(input)).collect()
    }

    /// The codes of a standardized sample.
    pub fn quantize(&self, x: &[f32]) -> Vec<i8> {
        x.iter().map(|&x| quant::quantize(x, self.input.scale, self.input.zero)).collect()
    }

    fn dequantize(&self, codes: &[i8]) -> Vec<f32> {
        codes.iter().flat_map(|&code| self.output().apply(&[code])).collect()
    }
}

/// The codes of the outputs for those of the input.
pub(crate) fn run(layers: &[Folded], input: &[i8]) -> Vec<i8> {
    layers.iter().fold(input.to_vec(), |x, layer| layer.run(&x))
}
