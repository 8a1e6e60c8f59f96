//! Models that are exported, and rows for them.

use microdistill_train::model::{Body, Model, Task};
use microdistill_train::network::Activation;
use microdistill_train::network::precision::{Bits, Precision, Scales};
use microdistill_train::quantize::quantize;

use super::{model, numbers, piecewise_linear, rows};

/// Models of every kind that can be exported, by name.
pub(crate) fn models() -> Vec<(&'static str, Model)> {
    let mut odd = model(&[3, 3], Activation::Relu, 4);
    if let Body::F32(network) = &mut odd.body {
        network.layers_mut()[0].set_weights(&[
            -0.0,
            f32::from_bits(1),
            f32::MAX,
            f32::MIN_POSITIVE,
            1.0,
            -1e-30,
            std::f32::consts::PI,
            0.0,
            -0.0,
        ]);
        network.layers_mut()[0].bias = vec![-0.0, -f32::from_bits(3), 1e16];
    }
    let activated = |widths: &[usize], hidden, precision: Precision| {
        quantize(&model(widths, hidden, 6), &rows(widths[0], 100, 8), precision).unwrap()
    };
    let codes = |widths: &[usize], precision| activated(widths, Activation::Relu, precision);
    let int8 = |widths: &[usize], scales: Scales| codes(widths, scales.into());
    let mut mixed = int8(&[7, 13, 5, 3], Scales::PerChannel);
    if let Body::Int8(network) = &mut mixed.body {
        network.layers[1].weight_scales.truncate(1);
    }
    let of_pieces = |widths: &[usize], hidden, scales: Scales| {
        quantize(&piecewise_linear(widths, hidden, 5), &rows(widths[0], 100, 5), scales).unwrap()
    };
    let values = |precision: Precision| {
        let mut values = model(&[7, 13, 1], Activation::Relu, 3);
        values.metadata.task = Task::Regression { targets: vec!["pressure".into()] };
        if let Body::F32(network) = &mut values.body {
            network.layers_mut()[1].bias = vec![101_325.0];
        }
        quantize(&values, &rows(7, 100, 8), precision).unwrap()
    };
    vec![
        ("int8 values", values(Precision::default())),
        ("int4 values", values(Precision::per_channel(Bits::Four))),
        ("int8 per channel", int8(&[7, 13, 5, 3], Scales::PerChannel)),
        ("int8 per layer", int8(&[7, 13, 5, 3], Scales::PerLayer)),
        ("int8 mixed", mixed),
        ("int8 single layer", int8(&[5, 3], Scales::PerChannel)),
        ("int4", codes(&[7, 13, 5, 3], Precision::per_channel(Bits::Four))),
        ("int4 by group", codes(&[65, 33, 3], Precision::per_group(Bits::Four))),
        ("int4 tanh", activated(&[7, 13, 5, 3], Activation::Tanh, Precision::per_channel(Bits::Four))),
        (
            "int4 sigmoid by group",
            activated(&[7, 5, 3], Activation::Sigmoid, Precision::per_group(Bits::Four)),
        ),
        ("int3", codes(&[40, 3], Precision::per_group(Bits::Three))),
        ("int8 relu6", activated(&[7, 13, 5, 3], Activation::Relu6, Scales::PerChannel.into())),
        ("int8 leaky relu", activated(&[7, 13, 5, 3], Activation::LeakyRelu, Scales::PerChannel.into())),
        ("int8 tanh", activated(&[7, 13, 5, 3], Activation::Tanh, Scales::PerChannel.into())),
        ("int8 tanh per layer", activated(&[4, 6, 2], Activation::Tanh, Scales::PerLayer.into())),
        ("int8 sigmoid", activated(&[4, 6, 2], Activation::Sigmoid, Scales::PerChannel.into())),
        ("pieces", piecewise_linear(&[7, 13, 5, 3], Activation::Relu, 1)),
        ("pieces tanh", piecewise_linear(&[6, 5, 2], Activation::Tanh, 2)),
        ("pieces single layer", piecewise_linear(&[5, 3], Activation::Identity, 3)),
        ("int8 pieces", of_pieces(&[7, 13, 5, 3], Activation::Relu, Scales::PerChannel)),
        ("int8 pieces per layer", of_pieces(&[6, 5, 3], Activation::Relu, Scales::PerLayer)),
        ("int8 pieces tanh", of_pieces(&[6, 6, 2], Activation::Tanh, Scales::PerChannel)),
        ("int8 pieces single layer", of_pieces(&[5, 3], Activation::Identity, Scales::PerChannel)),
        ("relu", model(&[7, 13, 5, 3], Activation::Relu, 1)),
        ("relu6", model(&[7, 13, 5, 3], Activation::Relu6, 1)),
        ("leaky relu", model(&[4, 6, 2], Activation::LeakyRelu, 2)),
        ("sigmoid", model(&[4, 6, 2], Activation::Sigmoid, 2)),
        ("tanh", model(&[4, 6, 2], Activation::Tanh, 2)),
        ("linear", model(&[4, 6, 2], Activation::Identity, 3)),
        ("odd weights", odd),
    ]
}

/// Random rows, and rows of numbers that targets might treat differently.
pub(crate) fn inputs(model: &Model) -> Vec<Vec<f32>> {
    let width = model.features().len();
    let mut number = numbers(9);
    let mut rows: Vec<Vec<f32>> = (0..200).map(|_| (0..width).map(|_| 40.0 * number()).collect()).collect();
    rows.extend(model.preparation.mean().chunks(width).map(<[f32]>::to_vec));
    for special in
        [0.0, -0.0, f32::from_bits(1), -f32::MIN_POSITIVE / 2.0, f32::MAX, f32::NEG_INFINITY, f32::NAN]
    {
        rows.push(vec![special; width]);
        let mut row: Vec<f32> = (0..width).map(|_| number()).collect();
        row[width / 2] = special;
        rows.push(row);
    }
    rows
}

/// Bits, in which any NaN equals any NaN.
pub(crate) fn canonical(value: f32) -> u32 {
    if value.is_nan() { f32::NAN.to_bits() } else { value.to_bits() }
}
