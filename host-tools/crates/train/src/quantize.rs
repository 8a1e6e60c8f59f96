//! Post-training quantization to int8 and int4: ranges come from calibration rows, codes follow TensorFlow Lite's
//! 8-bit quantization specification.
//!
//! | | scale | code |
//! |---|---|---|
//! | activations | `s = (max − min) / 255`, for a range that includes 0 | `round(x / s) + zero`, `zero = round(−128 − min / s)` |
//! | values of a regression | `s = (max − min) / 255` of each output | `round((y − min) / s) − 128` |
//! | weights | `s_w = max\|w\| / 127`; for fewer bits see [`Precision`] | `round(w / s_w)` |
//! | biases | `s_in·s_w` | `round(b / (s_in·s_w))` in 32 bits |
//!
//! A regression with one output whose range includes 0 is treated like an activation. For [other values](quantize_values),
//! the minimum and the scale are taken out of the last layer before it is quantized.
//!
//! A piecewise-linear first layer has codes of its own: `255 / most pieces` of them from one knot to the next.
//!
//! If the activation is a lookup table, its input has its own codes, for the range in which the table changes.

mod pieces;
mod values;

use std::borrow::Cow;
use std::mem;

use nalgebra::DMatrix;

use crate::error::{Error, Result};
use crate::model::{Body, Model, Preparation, Task};
use crate::network::int8::{Codes, DenseI8, NetworkI8, Table, Values, fixed_codes};
use crate::network::precision::{Bits, Precision, Scales};
use crate::network::{Activation, Dense, Network};

/// Quantizes a model to int8 or int4. `rows` holds raw features, shape (inputs × rows), distributed as in the
/// training data. They set the range of every layer's outputs.
///
/// # Errors
/// Fails if the model is an ensemble, a blend or already quantized, if there are no rows, if an activation is not finite, if
/// the core crate has no layer of this precision, and if a quotient of ranges does not fit in an f32.
pub fn quantize(model: &Model, rows: &DMatrix<f32>, precision: impl Into<Precision>) -> Result<Model> {
    let precision = precision.into();
    let network = quantizable(model)?;
    model.check().map_err(Error::Invalid)?;
    let (found, wanted) = (rows.nrows(), model.features().len());
    if found != wanted {
        return Err(Error::Invalid(format!(
            "the rows have {found} features, but the model has {wanted} inputs: give rows like those it was trained on"
        )));
    }
    let x = model.preparation.apply(rows);
    let (network, table) = match &model.preparation {
        Preparation::Scaler(_) => (Cow::Borrowed(network), None),
        Preparation::Knots(_) if precision.bits != Bits::Eight => {
            return Err(Error::Invalid(
                "a piecewise-linear first layer has no form of less than 8 bits: quantize to int8, or distill a student \
                 with standardized inputs"
                    .into(),
            ));
        }
        Preparation::Knots(knots) => (Cow::Owned(pieces::centred(network, knots)), Some(knots.table())),
    };
    let network = match model.metadata.task {
        Task::Classification { .. } => logits(&network, table, &x, precision)?,
        Task::Regression { .. } => values(&network, table, &x, precision)?,
    };
    let body = match precision.bits {
        Bits::Eight => Body::Int8(network),
        Bits::Four | Bits::Three => Body::Int4(network),
    };
    let mut quantized = Model { body, ..model.clone() };
    // The scores describe the f32 model, so they are dropped.
    quantized.metadata.scores.clear();
    Ok(quantized)
}

/// Returns the network of a model that can be quantized.
///
/// # Errors
/// Fails if the model is an ensemble or already quantized, or if no board runs its activations.
pub fn quantizable(model: &Model) -> Result<&Network> {
    model.check_types().map_err(Error::Invalid)?;
    match &model.body {
        Body::F32(network) => Ok(network),
        Body::Ensemble(members) => Err(Error::ensemble(members.len())),
        Body::Blend(blend) => Err(Error::blend(blend.members.len())),
        Body::Int8(_) | Body::Int4(_) => {
            let kind = model.kind();
            Err(Error::Invalid(format!(
                "the model is {kind} already: give the f32 model that it was made from"
            )))
        }
    }
}

/// Quantizes a network to int8 or int4. `x` holds standardized calibration rows, shape (inputs × rows).
///
/// # Errors
/// Fails as [`quantize`] does.
pub fn quantize_network(
    network: &Network,
    x: &DMatrix<f32>,
    precision: impl Into<Precision>,
) -> Result<NetworkI8> {
    logits(network, None, x, precision.into())
}

fn logits(
    network: &Network,
    table: Option<Table>,
    x: &DMatrix<f32>,
    precision: Precision,
) -> Result<NetworkI8> {
    let codes = codes_with(network, table.as_ref(), x)?;
    with_codes(network, table, codes, x, precision)
}

/// Quantizes a network whose outputs are values, as [`quantize_network`] does. Each output gets a range of its own,
/// unless there is one output only and its range includes zero: then the codes are those of TensorFlow Lite.
///
/// # Errors
/// Fails as [`quantize`] does.
pub fn quantize_values(
    network: &Network,
    x: &DMatrix<f32>,
    precision: impl Into<Precision>,
) -> Result<NetworkI8> {
    values(network, None, x, precision.into())
}

fn values(
    network: &Network,
    table: Option<Table>,
    x: &DMatrix<f32>,
    precision: Precision,
) -> Result<NetworkI8> {
    let mut codes = codes_with(network, table.as_ref(), x)?;
    let Some((steps, values)) = values::steps(network, x)? else {
        return with_codes(network, table, codes, x, precision);
    };
    if let Some(last) = codes.last_mut() {
        *last = Values::CODES;
    }
    Ok(NetworkI8 { values: Some(values), ..with_codes(&steps, table, codes, x, precision)? })
}

/// Quantizes a network. `codes`: the quantization parameters of the input and of every layer's outputs.
fn with_codes(
    network: &Network,
    table: Option<Table>,
    codes: Vec<Codes>,
    x: &DMatrix<f32>,
    precision: Precision,
) -> Result<NetworkI8> {
    precision.check()?;
    if network.layers().first().is_some_and(Dense::is_piecewise_linear) != table.is_some() {
        return Err(Error::Invalid(
            "the network has a piecewise-linear first layer, whose codes depend on the knots of its model: quantize the model"
                .into(),
        ));
    }
    let mut codes = codes.into_iter();
    let input = codes.next().unwrap_or(Range::default().codes());
    let mut before = input;
    let layers = network.layers().iter().zip(codes).enumerate().map(|(index, (layer, output))| {
        let sums = match layer.activation.is_curved() {
            true => Some(calibrate_sums(network, index, x)?.codes()),
            false => None,
        };
        let layer = dense(layer, before, sums, output, precision);
        before = output;
        layer.map_err(|problem| Error::Invalid(format!("layer {index} cannot be quantized: {problem}")))
    });
    let layers = layers.collect::<Result<_>>()?;
    Ok(NetworkI8 { input, table, layers, values: None })
}

/// Interval that includes zero, because zero must have an exact code.
#[derive(Clone, Copy, Default)]
struct Range {
    low: f32,
    high: f32,
}

impl Range {
    fn cover(&mut self, values: &[f32]) {
        for &value in values {
            self.low = self.low.min(value);
            self.high = self.high.max(value);
        }
    }

    /// Returns the quantization parameters that divide the interval into 255 steps. If the calibration rows give
    /// nothing but zero here, the steps have size 1.
    fn codes(self) -> Codes {
        let width = f64::from(self.high) - f64::from(self.low);
        let scale = if width > 0.0 { ((width / 255.0) as f32).max(f32::MIN_POSITIVE) } else { 1.0 };
        // Casts saturate.
        let zero = (-128.0 - f64::from(self.low) / f64::from(scale)).round() as i8;
        Codes { scale, zero }
    }
}

/// Returns the quantization parameters of the input and of every layer's outputs, measured on the standardized rows
/// `x`.
pub(crate) fn codes(network: &Network, x: &DMatrix<f32>) -> Result<Vec<Codes>> {
    codes_with(network, None, x)
}

/// Returns the same for a network whose inputs lie in `table`, if there is one.
fn codes_with(network: &Network, table: Option<&Table>, x: &DMatrix<f32>) -> Result<Vec<Codes>> {
    let fixed = network.layers().iter().map(|layer| fixed_codes(layer.activation));
    let ranges = calibrate(network, x)?.into_iter();
    let codes = std::iter::once(table.map(Table::codes)).chain(fixed).zip(ranges);
    Ok(codes.map(|(fixed, range)| fixed.unwrap_or(range.codes())).collect())
}

/// Returns the ranges of the input and of every layer's outputs.
fn calibrate(network: &Network, x: &DMatrix<f32>) -> Result<Vec<Range>> {
    if x.ncols() == 0 {
        return Err(Error::Invalid("quantization needs calibration rows: give the training data".into()));
    }
    let mut ranges = vec![Range::default(); network.layers().len() + 1];
    for (row, x) in x.column_iter().enumerate() {
        let outputs = network.activations(x.as_slice());
        let stages = std::iter::once(x.as_slice()).chain(outputs.iter().map(Vec::as_slice));
        for (stage, (range, values)) in ranges.iter_mut().zip(stages).enumerate() {
            if values.iter().any(|value| !value.is_finite()) {
                let place =
                    if stage == 0 { "the input".into() } else { format!("layer {}'s output", stage - 1) };
                let row = row + 1;
                return Err(Error::Invalid(format!(
                    "{place} is not finite for calibration row {row}: check the row, or train again"
                )));
            }
            range.cover(values);
        }
    }
    Ok(ranges)
}

/// Returns the range of a layer's sums, limited to where its activation can tell them apart.
fn calibrate_sums(network: &Network, index: usize, x: &DMatrix<f32>) -> Result<Range> {
    let mut linear = Network::new(network.layers().iter().take(index + 1).cloned());
    let last = linear.layers_mut().last_mut();
    let activation =
        last.map_or(Activation::Identity, |last| mem::replace(&mut last.activation, Activation::Identity));
    let Range { low, high } = calibrate(&linear, x)?.pop().unwrap_or_default();
    // Beyond these limits all outputs have the codes -128 and 127.
    let (lowest, highest) = match activation {
        Activation::Tanh => (-3.2, 2.6),
        Activation::Sigmoid => (-6.3, 5.2),
        _ => (f32::MIN, f32::MAX),
    };
    Ok(Range { low: low.max(lowest), high: high.min(highest) })
}

/// Limit of the codes of a bias, ±2³⁰. It leaves the other half of the range for the products.
const BIAS_LIMIT: f64 = (1 << 30) as f64;
/// Maximum number of inputs of a layer. Its products, each within 127·255, and its bias must fit together in an i32.
const INPUT_LIMIT: usize = (1 << 30) / (127 * 255);

fn dense(
    layer: &Dense,
    input: Codes,
    sums: Option<Codes>,
    output: Codes,
    precision: Precision,
) -> Result<DenseI8, String> {
    let inputs = layer.inputs();
    if inputs > INPUT_LIMIT {
        return Err(format!("it has {inputs} inputs, but 32-bit sums hold at most {INPUT_LIMIT}"));
    }
    let weights = layer.weights();
    let rows = || weights.chunks_exact(layer.columns());
    let scale = |(row, &bias)| weight_scale(precision.scale(row), bias, input);
    let mut weight_scales: Vec<f32> = rows().zip(&layer.bias).map(scale).collect();
    if precision.scales == Scales::PerLayer {
        weight_scales = vec![weight_scales.iter().copied().fold(0.0, f32::max)];
    }
    // A channel whose weights and bias are zero is zero at any scale.
    for scale in weight_scales.iter_mut().filter(|scale| **scale == 0.0) {
        *scale = 1.0;
    }
    if weight_scales.iter().any(|scale| !scale.is_finite()) {
        return Err("its bias is too large relative to its inputs".into());
    }
    let scales = || weight_scales.iter().copied().cycle();
    let bias = |(&bias, scale): (&f32, f32)| {
        (f64::from(bias) / (f64::from(input.scale) * f64::from(scale))).round() as i32
    };
    let codes: Vec<_> = rows().zip(scales()).map(|(row, scale)| precision.codes(row, scale)).collect();
    Ok(DenseI8 {
        weights: codes.iter().flat_map(|codes| &codes.products).copied().collect(),
        group_scales: codes.iter().flat_map(|codes| &codes.group_scales).copied().collect(),
        bias: layer.bias.iter().zip(scales()).map(bias).collect(),
        weight_scales,
        activation: layer.activation,
        sums,
        output,
    })
}

/// Returns `scale`, or a coarser one if the bias, with scale `s_in·s_w`, would exceed its limit. Zero for a channel
/// of zeros.
fn weight_scale(scale: f64, bias: f32, input: Codes) -> f32 {
    let scale = scale.max(f64::from(bias.abs()) / (f64::from(input.scale) * BIAS_LIMIT));
    if scale > 0.0 { (scale as f32).max(f32::MIN_POSITIVE) } else { 0.0 }
}
