//! An f32 network as PyTorch stores an `nn.Sequential`: safetensors named by the place of each layer.
//!
//! The input is folded in. Standardized features become part of the first layer; piecewise-linear ones become a linear layer
//! that scales each piece and a `Hardtanh(0, 1)` that cuts it.

use safetensors::Dtype;
use safetensors::tensor::TensorView;
use serde::Serialize;

use super::format::{Exported, single_f32};
use super::pieces::Pieces;
use crate::dataset::Task;
use crate::error::{Error, Result};
use crate::model::{Knots, Model, Preparation, Scaler};
use crate::network::{Activation, Dense};

/// The only metadata key, because several would be written in random order.
const KEY: &str = "sequential";

/// Description of the network, which the tensors alone do not give.
#[derive(Serialize)]
struct Sequential<'a> {
    /// Widths from input to output.
    widths: Vec<usize>,
    /// Module behind each linear layer, by its name in PyTorch; none behind the last one.
    activations: Vec<&'static str>,
    features: &'a [String],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    labels: &'a [String],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    targets: &'a [String],
    /// Mean of each feature, less its origin, which takes the place of a missing value.
    mean: &'a [f32],
    /// To be subtracted from the features in double.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    origin: &'a [f64],
    /// To be added to the outputs in double.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    target_origin: &'a [f64],
}

/// A linear layer, shape (outputs, inputs), and the module behind it.
struct Linear {
    weights: Vec<f32>,
    bias: Vec<f32>,
    activation: &'static str,
}

/// The file. The network takes raw features and gives logits or values.
///
/// # Errors
/// Fails if the model is not a single f32 network, and if a number is not finite.
pub(super) fn export(model: &Model) -> Result<Exported> {
    model.check().map_err(Error::Invalid)?;
    let network =
        single_f32(model, "PyTorch's layers hold f32 weights: export the f32 model that it was made from")?;
    let mut layers = Vec::new();
    for (index, layer) in network.layers().iter().enumerate() {
        match &model.preparation {
            Preparation::Scaler(scaler) if index == 0 => layers.push(scaled(scaler, layer)),
            Preparation::Knots(knots) if index == 0 => layers.extend(piecewise(knots, layer)),
            _ => layers.push(Linear {
                weights: layer.weights().into_owned(),
                bias: layer.bias.clone(),
                activation: module(layer.activation),
            }),
        }
    }
    let finite = |numbers: &[f32]| numbers.iter().all(|number| number.is_finite());
    if layers.iter().any(|layer| !finite(&layer.weights) || !finite(&layer.bias)) {
        return Err(Error::Invalid(
            "the scaler does not fit into the first layer, whose weights would exceed f32: train on features of moderate range".into(),
        ));
    }
    Ok(Exported { bytes: file(model, &layers)?, notes: notes(model, &layers) })
}

/// Notes for programs that use the file.
fn notes(model: &Model, layers: &[Linear]) -> Vec<String> {
    let mut modules = Vec::new();
    let mut inputs = model.features().len();
    for layer in layers {
        modules.push(format!("Linear({inputs}, {})", layer.bias.len()));
        modules.push(layer.activation.to_owned());
        inputs = layer.bias.len();
    }
    // There is none behind the last layer.
    modules.pop();
    let mut notes = vec![
        format!("in PyTorch: Sequential({})", modules.join(", ")),
        "the network has no rule for missing values: put in the mean of the feature, which the metadata hold"
            .to_owned(),
    ];
    if !model.metadata.origin.is_empty() {
        notes.push(
            "some features have an origin, to be subtracted in double first: see `origin` in the metadata"
                .to_owned(),
        );
    }
    notes
}

fn file(model: &Model, layers: &[Linear]) -> Result<Vec<u8>> {
    let mut tensors = Vec::new();
    let mut widths = vec![model.features().len()];
    for (index, layer) in layers.iter().enumerate() {
        let outputs = layer.bias.len();
        // Activations have a number, too.
        let place = 2 * index;
        let shape = vec![outputs, layer.weights.len() / outputs.max(1)];
        tensors.push((format!("{place}.weight"), shape, bytes(&layer.weights)));
        tensors.push((format!("{place}.bias"), vec![outputs], bytes(&layer.bias)));
        widths.push(outputs);
    }
    let metadata = &model.metadata;
    let header = Sequential {
        widths,
        activations: layers
            .iter()
            .take(layers.len().saturating_sub(1))
            .map(|layer| layer.activation)
            .collect(),
        features: model.features(),
        labels: model.labels(),
        targets: match &metadata.task {
            Task::Classification { .. } => &[],
            Task::Regression { targets } => targets,
        },
        mean: model.preparation.mean(),
        origin: &metadata.origin,
        target_origin: &metadata.target_origin,
    };
    let header = serde_json::to_string(&header).map_err(|error| Error::Invalid(error.to_string()))?;
    let views = tensors
        .iter()
        .map(|(name, shape, bytes)| Ok((name, TensorView::new(Dtype::F32, shape.clone(), bytes)?)))
        .collect::<Result<Vec<_>, safetensors::SafeTensorError>>();
    views
        .and_then(|views| safetensors::serialize(views, Some([(KEY.to_owned(), header)].into())))
        .map_err(|error| Error::Invalid(error.to_string()))
}

/// `weights·((x − mean)·scale) + bias` as a linear layer of raw features; sums are in f64.
fn scaled(scaler: &Scaler, layer: &Dense) -> Linear {
    let (weights, mut bias) = (layer.weights(), Vec::new());
    let mut folded = Vec::with_capacity(weights.len());
    for (row, &offset) in weights.chunks_exact(layer.columns().max(1)).zip(&layer.bias) {
        let mut sum = f64::from(offset);
        for ((&weight, &mean), &scale) in row.iter().zip(&scaler.mean).zip(&scaler.scale) {
            let weight = f64::from(weight) * f64::from(scale);
            sum -= weight * f64::from(mean);
            folded.push(weight as f32);
        }
        bias.push(sum as f32);
    }
    Linear { weights: folded, bias, activation: module(layer.activation) }
}

/// The two linear layers of a piecewise-linear one.
fn piecewise(knots: &Knots, layer: &Dense) -> [Linear; 2] {
    let Pieces { features, low, width, weights, bias } = Pieces::of(knots, layer);
    let inputs = knots.mean.len();
    let mut selection = vec![0.0; features.len() * inputs];
    for ((row, &feature), &width) in selection.chunks_exact_mut(inputs.max(1)).zip(&features).zip(&width) {
        if let Some(weight) = row.get_mut(feature) {
            *weight = (1.0 / f64::from(width)) as f32;
        }
    }
    let offset = |(&low, &width): (&f32, &f32)| (-f64::from(low) / f64::from(width)) as f32;
    let offsets = low.iter().zip(&width).map(offset).collect();
    [
        Linear { weights: selection, bias: offsets, activation: "Hardtanh(0, 1)" },
        Linear { weights, bias, activation: module(layer.activation) },
    ]
}

/// The module of PyTorch.
fn module(activation: Activation) -> &'static str {
    match activation {
        // No format holds a curve.
        Activation::Identity | Activation::Curve(_) => "Identity()",
        Activation::Relu => "ReLU()",
        Activation::Relu6 => "ReLU6()",
        Activation::LeakyRelu => "LeakyReLU(0.01)",
        Activation::Tanh => "Tanh()",
        Activation::Sigmoid => "Sigmoid()",
    }
}

fn bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}
