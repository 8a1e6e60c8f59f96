//! int8 networks are as close to f32 as their step sizes allow, and degenerate networks work or are refused.

mod common;

use std::ops::ControlFlow;

use common::{bundled, model, numbers, rows};
use microdistill_train::hyperparameters::Length;
use microdistill_train::model::Body;
use microdistill_train::network::int8::{Codes, DenseI8, NetworkI8};
use microdistill_train::network::precision::{Bits, Precision, Scales};
use microdistill_train::network::{Activation, Dense, Network};
use microdistill_train::quantize::{quantize, quantize_network};
use microdistill_train::student::{Recipe, Settings, Taught, fit};
use nalgebra::DMatrix;
use proptest::prelude::*;

fn network(widths: &[usize], seed: u64) -> Network {
    activated(widths, Activation::Relu, seed)
}

fn activated(widths: &[usize], hidden: Activation, seed: u64) -> Network {
    let Body::F32(network) = model(widths, hidden, seed).body else { unreachable!() };
    network
}

fn samples(inputs: usize, count: usize, seed: u64) -> DMatrix<f32> {
    let mut number = numbers(seed);
    DMatrix::from_fn(inputs, count, |_, _| 3.0 * number())
}

/// Bound on `|int8 − f32|` of each output for calibration rows: the sum of half a step of rounding for every weight, bias and
/// activation.
fn assert_bounded(network: &Network, int8: &NetworkI8, x: &[f32]) {
    // Half a step of rounding, and half a step because the zero point is rounded too.
    let mut error = vec![f64::from(int8.input.scale); x.len()];
    let mut before = int8.input;
    let outputs = network.activations(x);
    let inputs = std::iter::once(x).chain(outputs.iter().map(Vec::as_slice));
    for ((layer, layer_i8), x) in network.layers().iter().zip(&int8.layers).zip(inputs) {
        let weights = layer.weights();
        let rows = weights.chunks_exact(layer.inputs());
        let scales = layer_i8.weight_scales.iter().cycle();
        let bound = |(row, &scale): (&[f32], &f32)| {
            let half = 0.5 * f64::from(scale);
            let products = row.iter().zip(x).zip(&error).map(|((&weight, &x), error)| {
                f64::from(weight.abs()) * error + half * (f64::from(x.abs()) + error)
            });
            let exact = products.sum::<f64>() + half * f64::from(before.scale);
            // No activation has a slope above one.
            let steps = layer_i8.output.scale + layer_i8.sums.map_or(0.0, |sums| sums.scale);
            1.001 * exact + 1.01 * f64::from(steps)
        };
        error = rows.zip(scales).map(bound).collect();
        before = layer_i8.output;
    }
    let expected = network.predict(x);
    for ((found, expected), bound) in int8.predict(x).iter().zip(&expected).zip(&error) {
        assert!(f64::from((found - expected).abs()) <= *bound, "{found} for {expected}, bound {bound}");
    }
}

/// Magnitudes from subnormal to nearly overflowing.
fn wild() -> impl Strategy<Value = f32> {
    prop_oneof![
        1 => Just(0.0),
        8 => (-1.0f32..1.0, -120i32..30).prop_map(|(mantissa, exponent)| mantissa * 2f32.powi(exponent)),
        1 => any::<u32>().prop_map(f32::from_bits),
    ]
}

const ACTIVATIONS: [Activation; 6] = [
    Activation::Identity,
    Activation::Relu,
    Activation::Relu6,
    Activation::LeakyRelu,
    Activation::Tanh,
    Activation::Sigmoid,
];

proptest! {
    #[test]
    fn errors_are_bounded_by_the_steps(
        widths in prop::collection::vec(1usize..12, 2..5),
        seed: u64,
        magnitude in -12i32..12,
        per_layer: bool,
        hidden in prop::sample::select(&ACTIVATIONS[..]),
    ) {
        let mut network = activated(&widths, hidden, seed);
        for layer in network.layers_mut() {
            layer.edit_weights(|weights| weights.iter_mut().for_each(|weight| *weight *= 2f32.powi(magnitude)));
            layer.bias.iter_mut().for_each(|bias| *bias *= 2f32.powi(magnitude));
        }
        let x = samples(widths[0], 30, seed);
        let scales = if per_layer { Scales::PerLayer } else { Scales::PerChannel };
        let int8 = quantize_network(&network, &x, scales).unwrap();
        for x in x.column_iter() {
            assert_bounded(&network, &int8, x.as_slice());
        }
    }

    #[test]
    fn any_finite_network_is_quantized_or_refused(
        numbers in prop::collection::vec(wild(), 3 * 4 + 4 * 2 + 6),
        x in prop::collection::vec(wild(), 12),
        hidden in prop::sample::select(&ACTIVATIONS[..]),
    ) {
        let mut network = activated(&[3, 4, 2], hidden, 1);
        let mut numbers = numbers.into_iter();
        for layer in network.layers_mut() {
            layer.edit_weights(|weights| weights.iter_mut().zip(&mut numbers).for_each(|(to, from)| *to = from));
            layer.bias.iter_mut().zip(&mut numbers).for_each(|(to, from)| *to = from);
        }
        let x = DMatrix::from_vec(3, 4, x);
        if let Ok(int8) = quantize_network(&network, &x, Scales::PerChannel) {
            let outputs = int8.predict_all(&x);
            prop_assert!(outputs.iter().all(|output| output.is_finite()));
            prop_assert_eq!(int8.predict(x.column(1).as_slice()), &outputs.as_slice()[2..4]);
        }
    }
}

/// Real values of a layer's weights.
fn weights(layer: &DenseI8) -> Vec<f32> {
    let scales = layer.weight_scales.iter().flat_map(|&scale| vec![scale; layer.inputs()]);
    layer.weights.iter().zip(scales).map(|(&code, scale)| f32::from(code) * scale).collect()
}

#[test]
fn a_student_trained_for_codes_gets_them() {
    let (train, _) = bundled();
    let train = train.select(&(0..200).collect::<Vec<_>>());
    for precision in [
        Precision::default(),
        Precision::per_channel(Bits::Four),
        Precision::per_group(Bits::Four),
        Precision::per_group(Bits::Three),
    ] {
        let widths = train.widths(&[40, 6]);
        let mut settings = Settings::new(widths, Recipe::HardLabels, train.rows(), 1);
        settings.training.length = Length::Epochs(5);
        settings.precision = Some(precision);
        let student =
            fit(Taught { data: &train, teacher: None }, None, &settings, &mut |_| ControlFlow::Continue(()))
                .unwrap();
        assert_eq!(student.metadata.precision, Some(precision));
        let quantized = quantize(&student, &train.x, precision).unwrap();
        assert_eq!(quantized.kind(), if precision.bits == Bits::Eight { "int8" } else { "int4" });
        let Body::F32(network) = &student.body else { unreachable!() };
        let (Body::Int8(codes) | Body::Int4(codes)) = &quantized.body else { unreachable!() };
        for (layer, codes) in network.layers().iter().zip(&codes.layers) {
            // A scale is rounded to f32 in training, and again when it is derived from the weights.
            let close = |a: &f32, b: &f32| (a - b).abs() <= 2.0 * f32::EPSILON * a.abs();
            assert!(layer.weights().iter().zip(&weights(codes)).all(|(a, b)| close(a, b)), "{precision:?}");
        }
    }
}

#[test]
fn groups_are_closer_where_some_are_small() {
    let mut network = network(&[96, 5], 3);
    network.layers_mut()[0].edit_weights(|weights| {
        for (index, weight) in weights.iter_mut().enumerate() {
            *weight *= 2f32.powi(-3 * (index % 96 / 32) as i32);
        }
    });
    // Small groups count as much as the large one.
    let mut x = samples(96, 200, 5);
    x.row_iter_mut().enumerate().for_each(|(input, mut row)| row *= 2f32.powi(3 * (input / 32) as i32));
    let expected = network.predict_all(&x);
    let error = |precision: fn(Bits) -> Precision| {
        let int4 = quantize_network(&network, &x, precision(Bits::Four)).unwrap();
        (int4.predict_all(&x) - &expected).abs().mean()
    };
    let (group, channel) = (error(Precision::per_group), error(Precision::per_channel));
    assert!(group < 0.5 * channel, "{group} and {channel}");
}

#[test]
fn precisions_that_no_layer_has_are_refused() {
    let (model, rows) = (model(&[2, 3, 2], Activation::Relu, 1), rows(2, 9, 1));
    for (bits, scales, message) in [
        (Bits::Eight, Scales::PerGroup, "groups are for weights of 4 or 3 bits"),
        (Bits::Four, Scales::PerLayer, "one scale per layer is for weights of 8 bits"),
    ] {
        let error = quantize(&model, &rows, Precision { bits, scales }).unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    }
}

#[test]
fn a_scale_an_output_is_closer_than_one_a_layer() {
    let mut network = network(&[8, 12, 4], 3);
    network.layers_mut()[0].edit_weights(|weights| {
        for (row, channel) in weights.chunks_exact_mut(8).enumerate() {
            channel.iter_mut().for_each(|weight| *weight *= 2f32.powi(row as i32 - 8));
        }
    });
    // Small channels count as much as large ones.
    network.layers_mut()[1].edit_weights(|weights| {
        for (index, weight) in weights.iter_mut().enumerate() {
            *weight *= 2f32.powi(8 - (index % 12) as i32);
        }
    });
    let x = samples(8, 200, 5);
    let expected = network.predict_all(&x);
    let error = |scales| {
        let int8 = quantize_network(&network, &x, scales).unwrap();
        (int8.predict_all(&x) - &expected).abs().mean()
    };
    let (channel, layer) = (error(Scales::PerChannel), error(Scales::PerLayer));
    assert!(channel < 0.9 * layer, "{channel} and {layer}");
}

fn single(weights: Vec<f32>, bias: Vec<f32>) -> Network {
    Network::new([Dense::new(weights, bias, Activation::Identity)])
}

#[test]
fn ranges_hold_zero_exactly() {
    let x = DMatrix::from_vec(1, 2, vec![2.0, 5.1]);
    let int8 = quantize_network(&single(vec![1.0], vec![0.0]), &x, Scales::PerChannel).unwrap();
    assert_eq!(int8.input, Codes { scale: 0.02, zero: -128 });
    assert_eq!(int8.predict(&[0.0]), [0.0]);
}

#[test]
fn dead_channels_keep_their_bias() {
    let x = samples(2, 20, 1);
    for scales in [Scales::PerChannel, Scales::PerLayer] {
        let network = single(vec![0.0, 0.0, 0.0, 0.0, 1.0, -1.0], vec![0.75, 0.0, 0.0]);
        let int8 = quantize_network(&network, &x, scales).unwrap();
        let y = int8.predict(x.column(0).as_slice());
        let step = int8.output().scale;
        assert!((y[0] - 0.75).abs() <= 0.5 * step && y[1] == 0.0, "{y:?}");
    }
}

#[test]
fn a_bias_far_above_the_weights_is_kept() {
    let network = single(vec![1e-20, 1e-20], vec![3.0]);
    let x = samples(2, 20, 1);
    let int8 = quantize_network(&network, &x, Scales::PerChannel).unwrap();
    assert!((int8.predict(&[1.0, 1.0])[0] - 3.0).abs() <= 0.5 * int8.output().scale);
}

#[test]
fn a_silent_network_stays_silent() {
    let network = single(vec![0.0], vec![0.0]);
    let int8 = quantize_network(&network, &DMatrix::zeros(1, 3), Scales::PerChannel).unwrap();
    assert_eq!(int8.predict(&[7.0]), [0.0]);
}

#[test]
fn relu6_ends_at_the_codes_of_zero_and_six() {
    let layer = |activation| Dense::new(vec![1.0], vec![0.0], activation);
    let network = Network::new([layer(Activation::Relu6), layer(Activation::Identity)]);
    let x = DMatrix::from_vec(1, 3, vec![-9.0, 3.0, 9.0]);
    let int8 = quantize_network(&network, &x, Scales::PerChannel).unwrap();
    assert_eq!(int8.layers[0].output, Codes { scale: 6.0 / 255.0, zero: -128 });
    let step = int8.layers[0].output.scale;
    for (x, expected) in [(-9.0, 0.0), (3.0, 3.0), (6.0, 6.0), (9.0, 6.0)] {
        let found = int8.predict(&[x])[0];
        assert!((found - expected).abs() <= 2.0 * step, "{found} for {x}");
    }
    // If the layer's range exceeds six, only the clamp limits it.
    let mut wider = int8.clone();
    wider.layers[0].output = Codes { scale: 0.1, zero: -100 };
    assert_eq!([7.0, 9.0, -9.0].map(|x| wider.predict(&[x])), [6.0, 6.0, 0.0].map(|x| wider.predict(&[x])));
}

/// The input of a table is as fine as the table can resolve, however large the sums are.
#[test]
fn saturated_activations_keep_their_resolution() {
    let layer = |activation| Dense::new(vec![1.0], vec![0.0], activation);
    for (activation, low, high) in [(Activation::Tanh, -3.2f32, 2.6f32), (Activation::Sigmoid, -6.3, 5.2)] {
        let network = Network::new([layer(activation), layer(Activation::Identity)]);
        let x = DMatrix::from_vec(1, 4, vec![-90.0, -0.5, 0.5, 90.0]);
        let int8 = quantize_network(&network, &x, Scales::PerChannel).unwrap();
        let sums = int8.layers[0].sums.unwrap();
        assert_eq!(sums.scale, ((f64::from(high) - f64::from(low)) / 255.0) as f32);
        for x in x.iter() {
            let (found, expected) = (int8.predict(&[*x])[0], network.predict(&[*x])[0]);
            assert!((found - expected).abs() < 0.2, "{found} for {expected}: the input has steps of 0.7");
        }
    }
}

/// TensorFlow Lite computes 34; with the product of the scales in f64 it would be 33.
#[test]
fn the_product_of_a_single_scale_is_rounded() {
    let layer = DenseI8 {
        group_scales: Vec::new(),
        weights: vec![1],
        bias: vec![7_816_666],
        weight_scales: vec![0.0001],
        activation: Activation::Identity,
        sums: None,
        output: Codes { scale: 0.7, zero: 0 },
    };
    let network =
        NetworkI8 { input: Codes { scale: 0.03, zero: 0 }, table: None, layers: vec![layer], values: None };
    assert_eq!(network.predict(&[0.0]), [34.0 * 0.7]);
}

#[test]
fn what_cannot_be_quantized_is_said() {
    let f32_model = model(&[2, 3, 2], Activation::Relu, 1);
    let calibration = rows(2, 9, 1);
    let int8 = quantize(&f32_model, &calibration, Scales::PerChannel).unwrap();
    assert_eq!(int8.parameters(), f32_model.parameters());
    assert!(int8.metadata.scores.is_empty(), "the scores of f32 are not those of int8");
    assert_eq!(int8.metadata.features, f32_model.metadata.features);
    let cases = [
        (&int8, &calibration, "int8 already"),
        (&f32_model, &DMatrix::zeros(2, 0), "needs calibration rows"),
        (&f32_model, &rows(3, 9, 1), "the rows have 3 features, but the model has 2 inputs"),
    ];
    for (model, rows, message) in cases {
        let error = quantize(model, rows, Scales::PerChannel).unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    }
}

#[test]
fn a_missing_feature_is_the_mean_in_calibration_and_in_inference() {
    let f32_model = model(&[2, 3, 2], Activation::Relu, 1);
    let mut calibration = rows(2, 9, 1);
    calibration[(1, 4)] = f32_model.preparation.mean()[1];
    let int8 = quantize(&f32_model, &calibration, Scales::PerChannel).unwrap();
    let mean = calibration.column(4).clone_owned();
    for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        calibration[(1, 4)] = value;
        assert_eq!(quantize(&f32_model, &calibration, Scales::PerChannel).unwrap(), int8);
        for model in [&f32_model, &int8] {
            assert_eq!(model.logits(calibration.column(4).as_slice()), model.logits(mean.as_slice()));
        }
    }
    // Rows that are standardized already have no missing features.
    let Body::F32(network) = &f32_model.body else { unreachable!() };
    let error = quantize_network(network, &calibration, Scales::PerChannel).unwrap_err().to_string();
    assert!(error.contains("the input is not finite for calibration row 5"), "{error}");
}
