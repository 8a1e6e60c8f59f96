//! int8 and int4 regressions are as good as f32 whatever the offset and the unit of their values.

mod common;

use std::fmt::Write as _;
use std::ops::ControlFlow;

use common::{model, numbers, rows};
use microdistill_train::dataset::{Columns, Dataset, Kind, read, split};
use microdistill_train::hyperparameters::Length;
use microdistill_train::metrics::{Scores, evaluate};
use microdistill_train::model::{Body, Model, Task};
use microdistill_train::network::int8::{NetworkI8, Values};
use microdistill_train::network::precision::{Bits, Precision, Scales};
use microdistill_train::network::{Activation, Network};
use microdistill_train::quantize::{quantize, quantize_network, quantize_values};
use microdistill_train::student::{Recipe, Settings, Taught, fit};
use nalgebra::DMatrix;
use proptest::prelude::*;
use tempfile::TempDir;

const INT8: Precision = Precision::per_channel(Bits::Eight);
const INT4: Precision = Precision::per_channel(Bits::Four);

/// Rows of three features whose target is `offset` plus a smooth function of them, of about this deviation.
fn data(offset: f64, deviation: f64) -> Dataset {
    let mut number = numbers(3);
    let mut text = String::from("a,b,c,value\n");
    for _ in 0..300 {
        let [a, b, c] = [(); 3].map(|()| f64::from(number()));
        let value = offset + deviation * ((2.0 * a).sin() + b * c - 0.5 * b + 0.05 * f64::from(number()));
        writeln!(text, "{a},{b},{c},{value}").unwrap();
    }
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("data.csv");
    std::fs::write(&path, text).unwrap();
    read(path, &Columns { kind: Some(Kind::Regression), ..Columns::default() }).unwrap()
}

fn trained(data: &Dataset, precision: Option<Precision>) -> Model {
    let mut settings = Settings::new(data.widths(&[16]), Recipe::ValueMse, data.rows(), 1);
    settings.training.length = Length::Epochs(60);
    settings.precision = precision;
    fit(Taught { data, teacher: None }, None, &settings, &mut |_| ControlFlow::Continue(())).unwrap()
}

fn r2(model: &Model, data: &Dataset) -> f64 {
    let Scores::Regression(scores) = evaluate(model, data).unwrap() else { unreachable!() };
    scores.r2
}

/// Offsets with deviations; the last have an origin in f64, because f32 cannot hold them.
const TARGETS: [(f64, f64); 13] = [
    (0.0, 400.0),
    (1e3, 400.0),
    (101_325.0, 400.0),
    (1e5, 400.0),
    (-1e5, 400.0),
    (1e7, 400.0),
    (1e9, 20_000.0),
    (0.0, 1e-6),
    (1.0, 1e-4),
    (-1e-3, 1e-8),
    (1e7, 1.0),
    (1e9, 400.0),
    (-1e9, 1e-3),
];

#[test]
fn quantized_values_are_as_good_as_f32_whatever_their_offset() {
    let mut least_int4 = f64::INFINITY;
    for (offset, deviation) in TARGETS {
        let (train, test) = parts(offset, deviation);
        let student = trained(&train, None);
        let score = r2(&student, &test);
        assert!(score > 0.9, "{offset} ± {deviation}: f32 {score}");
        for precision in [INT8, Scales::PerLayer.into(), INT4] {
            let quantized = quantize(&student, &train.x, precision).unwrap();
            let found = r2(&quantized, &test);
            let lost = if precision == INT4 { 0.1 } else { 0.01 };
            assert!(found > score - lost, "{offset} ± {deviation}: {score} in f32, {found} in {precision:?}");
            if precision == INT4 {
                if offset == 0.0 && deviation == 400.0 {
                    least_int4 = found - 0.01;
                }
                assert!(found > least_int4, "{offset} ± {deviation}: int4 {found}");
            }
            let bytes = quantized.to_bytes().unwrap();
            assert_eq!(Model::from_bytes(&bytes).unwrap(), quantized, "the file holds the whole model");
        }
    }
}

#[test]
fn so_are_those_of_students_trained_for_codes() {
    for precision in [INT8, INT4, Precision::per_group(Bits::Four)] {
        let mut without_offset = None;
        for (offset, deviation) in [(0.0, 400.0), (101_325.0, 400.0), (-1e9, 20_000.0), (1e9, 1e-3)] {
            let (train, test) = parts(offset, deviation);
            let student = trained(&train, Some(precision));
            let (exact, quantized) = (r2(&student, &test), quantize(&student, &train.x, precision).unwrap());
            let found = r2(&quantized, &test);
            assert!(found > 0.9 && found > exact - 0.01, "{offset} ± {deviation}: {exact}, {found}");
            let plain: f64 = *without_offset.get_or_insert(found);
            assert!(found > plain - 0.01, "{offset} ± {deviation}: {found}, without the offset {plain}");
        }
    }
}

fn parts(offset: f64, deviation: f64) -> (Dataset, Dataset) {
    let data = data(offset, deviation);
    let parts = split(&data, &[0.7, 0.3], 1).unwrap();
    (data.select(&parts[0]), data.select(&parts[1]))
}

fn random(widths: &[usize], seed: u64) -> Network {
    let Body::F32(network) = model(widths, Activation::Relu, seed).body else { unreachable!() };
    network
}

/// The network with outputs `y·unit + offset`.
fn moved(network: &Network, unit: f32, offset: f32) -> Network {
    let mut moved = network.clone();
    let last = moved.layers_mut().last_mut().unwrap();
    last.edit_weights(|weights| weights.iter_mut().for_each(|weight| *weight *= unit));
    last.bias.iter_mut().for_each(|bias| *bias = *bias * unit + offset);
    moved
}

fn step(network: &NetworkI8) -> f32 {
    network.values.as_ref().map_or(network.output().scale, |values| values.scale[0])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    /// int8 outputs are those of the network without the offset, plus the offset: within the steps, as the grids of the
    /// codes need not coincide, and the roundoff of f32 at the offset.
    #[test]
    fn an_offset_is_added_to_the_same_outputs(
        seed: u64,
        hidden in 1usize..12,
        unit_power in -20i32..20,
        ratio in prop_oneof![-4.0f32..4.0, -1e3f32..1e3, -1e5f32..1e5],
        per_layer: bool,
    ) {
        let (base, x) = (random(&[4, hidden, 1], seed), rows(4, 40, seed));
        let unit = 2f32.powi(unit_power);
        let offset = ratio * unit;
        let precision = if per_layer { Scales::PerLayer } else { Scales::PerChannel };
        let plain = moved(&base, unit, 0.0);
        let expected = quantize_values(&plain, &x, precision).unwrap();
        let found = quantize_values(&moved(&base, unit, offset), &x, precision).unwrap();
        // Both round to half a step of the output, and the weights that make up the rest of the error are the same.
        let roundoff = 40.0 * f32::EPSILON * offset.abs();
        prop_assert!((step(&found) - step(&expected)).abs() <= 0.02 * step(&expected) + roundoff);
        let bound = 2.0 * step(&expected) + roundoff;
        for x in x.column_iter() {
            let (y, y0) = (found.predict(x.as_slice())[0], expected.predict(x.as_slice())[0]);
            prop_assert!((y - offset - y0).abs() <= bound, "{} + {} became {}, step {}", y0, offset, y, step(&expected));
        }
    }

    /// Every output has its own unit and its own offset, and is as close as without them.
    #[test]
    fn outputs_of_different_units_keep_their_resolution(
        seed: u64,
        powers in prop::array::uniform3(-20i32..20),
        ratio in -1e4f32..1e4,
    ) {
        let (base, x) = (random(&[4, 6, 3], seed), rows(4, 40, seed));
        let mut network = base.clone();
        let last = network.layers_mut().last_mut().unwrap();
        last.edit_weights(|weights| {
            for (row, power) in weights.chunks_exact_mut(6).zip(powers) {
                row.iter_mut().for_each(|weight| *weight *= 2f32.powi(power));
            }
        });
        for (bias, power) in last.bias.iter_mut().zip(powers) {
            *bias = 2f32.powi(power) * (*bias + ratio);
        }
        let (plain, moved) = (errors(&base, &x), errors(&network, &x));
        for (plain, moved) in plain.into_iter().zip(moved) {
            prop_assert!(moved <= plain + 0.01, "{} of the range instead of {}", moved, plain);
        }
    }
}

/// Largest error of each int8 output as a share of its range, which counts as no narrower than f32 can hold well.
fn errors(network: &Network, x: &DMatrix<f32>) -> Vec<f32> {
    let int8 = quantize_values(network, x, INT8).unwrap();
    let (expected, found) = (network.predict_all(x), int8.predict_all(x));
    let outputs = expected.row_iter().zip(found.row_iter());
    let share = outputs.map(|(expected, found)| {
        let width = expected.max() - expected.min();
        (expected - found).abs().max() / width.max(1e-3 * expected.abs().max()).max(f32::MIN_POSITIVE)
    });
    share.collect()
}

#[test]
fn a_range_that_holds_zero_has_the_codes_of_tensorflow_lite() {
    let (network, x) = (moved(&random(&[4, 6, 1], 1), 1.0, 0.0), rows(4, 40, 1));
    let outputs = network.predict_all(&x);
    let middle = 0.5 * (outputs.max() + outputs.min());
    let around_zero = moved(&network, 1.0, -middle);
    let plain = quantize_network(&around_zero, &x, INT8).unwrap();
    assert_eq!(quantize_values(&around_zero, &x, INT8).unwrap(), plain);
    assert_eq!(plain.values, None);
    let above = moved(&network, 1.0, 1.0 - outputs.min());
    let Values { lowest, scale } = quantize_values(&above, &x, INT8).unwrap().values.unwrap();
    assert!((lowest[0] - 1.0).abs() < 1e-5 && scale[0] > 0.0);
}

#[test]
fn zero_has_an_exact_code_where_several_ranges_hold_it() {
    let (network, x) = (random(&[4, 6, 2], 3), rows(4, 40, 3));
    let int8 = quantize_values(&network, &x, INT8).unwrap();
    let Values { lowest, scale } = int8.values.as_ref().unwrap();
    let outputs = network.predict_all(&x);
    for (output, row) in
        outputs.row_iter().enumerate().filter(|(_, row)| row.min() <= 0.0 && row.max() >= 0.0)
    {
        let steps = -lowest[output] / scale[output];
        assert_eq!(lowest[output] + steps.round() * scale[output], 0.0, "{row}");
    }
}

#[test]
fn equal_values_are_kept() {
    let mut network = moved(&random(&[4, 6, 1], 5), 0.0, 101_325.0);
    let x = rows(4, 10, 5);
    assert_eq!(quantize_values(&network, &x, INT8).unwrap().predict(x.column(0).as_slice()), [101_325.0]);
    network.layers_mut()[1].bias[0] = f32::INFINITY;
    let error = quantize_values(&network, &x, INT8).unwrap_err().to_string();
    assert!(error.contains("layer 1's output is not finite for calibration row 1"), "{error}");
}

/// A regression in int8 with a range of its own.
fn pressure() -> Model {
    let mut f32_model = model(&[3, 4, 1], Activation::Relu, 2);
    f32_model.metadata.task = Task::Regression { targets: vec!["pressure".into()] };
    if let Body::F32(network) = &mut f32_model.body {
        *network = moved(network, 400.0, 101_325.0);
    }
    quantize(&f32_model, &rows(3, 50, 2), INT8).unwrap()
}

fn ranges(model: &mut Model) -> &mut Values {
    let Body::Int8(network) = &mut model.body else { unreachable!() };
    network.values.as_mut().unwrap()
}

#[test]
fn ranges_that_no_file_can_have_are_refused() {
    type Change = fn(&mut Model);
    let cases: [(Change, &str); 6] = [
        (|model| ranges(model).lowest.push(0.0), "values.lowest has 2 values"),
        (|model| ranges(model).scale.clear(), "values.scale has 0 values"),
        (|model| ranges(model).scale[0] = 0.0, "values.scale holds 0"),
        (|model| ranges(model).lowest[0] = f32::NAN, "values.lowest holds NaN"),
        (
            |model| {
                let labels = vec!["a".into()];
                model.metadata.task = Task::Classification { target: "class".into(), labels };
            },
            "the model has labels",
        ),
        (
            |model| {
                let Body::Int8(network) = &mut model.body else { unreachable!() };
                network.layers[1].output.zero = 0;
            },
            "the last layer must have the scale 1 and the zero point -128",
        ),
    ];
    for (change, message) in cases {
        let mut model = pressure();
        change(&mut model);
        let error = model.to_bytes().unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    }
}
