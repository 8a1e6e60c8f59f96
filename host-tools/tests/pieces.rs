//! Students with piecewise-linear inputs: trained, saved, checked.

mod common;

use std::ops::ControlFlow;

use common::{bundled, piecewise_linear};
use microdistill_train::dataset::{Dataset, Preparation, Target};
use microdistill_train::hyperparameters::Length;
use microdistill_train::import::{Base, import_bytes};
use microdistill_train::metrics::{Scores, evaluate};
use microdistill_train::model::{Body, Knots, Model, Task};
use microdistill_train::network::Activation;
use microdistill_train::network::precision::{Bits, Precision, Scales};
use microdistill_train::quantize::{quantize, quantize_network};
use microdistill_train::student::{self, Inputs, Recipe, Settings, Taught, fit, fit_with_hints};
use microdistill_train::teacher;
use nalgebra::DMatrix;

fn settings(data: &Dataset, hidden: &[usize], recipe: Recipe) -> Settings {
    let mut settings = Settings::new(data.widths(hidden), recipe, data.rows(), 1);
    settings.inputs = Inputs::Pieces(6);
    settings.training.length = Length::Epochs(20);
    settings
}

fn trained(data: &Dataset, settings: &Settings) -> Model {
    fit(Taught { data, teacher: None }, None, settings, &mut |_| ControlFlow::Continue(())).unwrap()
}

fn knots(model: &mut Model) -> &mut Knots {
    let Preparation::Knots(knots) = &mut model.preparation else { panic!("no knots") };
    knots
}

#[test]
fn students_are_trained_saved_and_scored() {
    let (train, test) = bundled();
    let pieces = settings(&train, &[8], Recipe::HardLabels);
    let mut seen = 0;
    let progress = &mut |progress: microdistill_train::progress::Progress<'_, student::Epoch>| {
        let outputs = progress.network().predict_all(&progress.preparation().apply(&test.x));
        assert_eq!(outputs.shape(), (test.task.labels().len(), test.rows()));
        seen += 1;
        ControlFlow::Continue(())
    };
    let model = fit(Taught { data: &train, teacher: None }, None, &pieces, progress).unwrap();
    assert_eq!(seen, 20);
    let standardized = trained(&train, &Settings { inputs: Inputs::Standardized, ..pieces.clone() });
    assert_eq!(model.widths(), standardized.widths());
    assert!(model.parameters() > 2 * standardized.parameters());
    let loss = |model: &Model, data| evaluate(model, data).unwrap().loss();
    assert!(loss(&model, &train) < 0.8 * loss(&standardized, &train), "a more flexible student");
    assert_eq!(model, trained(&train, &pieces), "the same seed gives the same student");

    let read = Model::from_bytes(&model.to_bytes().unwrap()).unwrap();
    assert_eq!((&read, read.predict(&test)), (&model, model.predict(&test)));
    let mut gaps = test.clone();
    gaps.x.fill(f32::NAN);
    let mean = DMatrix::from_fn(test.x.nrows(), 1, |row, _| model.preparation.mean()[row]);
    let expected = model.logits(mean.as_slice());
    assert_eq!(read.predict(&gaps).column(0).as_slice(), expected, "missing features are the mean");

    // A device prints what it learned.
    let Body::F32(mut network) = model.body.clone() else { panic!("f32") };
    network.layers_mut()[0].edit_weights(|weights| weights[3] += 1.0);
    let mut printed = String::new();
    for (tensor, (_, values)) in network.tensors().enumerate() {
        for (line, values) in values.chunks(8).enumerate() {
            let bits: Vec<u32> = values.iter().map(|value| value.to_bits()).collect();
            printed += &format!("weights {tensor} {}: {bits:?}\n", 8 * line);
        }
    }
    let learned = import_bytes(printed.as_bytes(), Base::Like(&model)).unwrap();
    assert_eq!((learned.changed, learned.model.body), (1, Body::F32(network)));
}

#[test]
fn values_hints_and_no_hidden_layer() {
    let (mut data, _) = bundled();
    let Target::Classes(classes) = &data.target else { panic!("classes") };
    let teacher = teacher::fit(
        &data,
        None,
        &teacher::Settings {
            length: Length::Epochs(2),
            ..teacher::Settings::new(data.widths(&[16]), 100, 1)
        },
        &mut |_| ControlFlow::Continue(()),
    )
    .unwrap();
    let hints = teacher.hints(&data).unwrap();
    let hinted = settings(&data, &[8], Recipe::HardLabels);
    let taught = Taught { data: &data, teacher: None };
    let progress = &mut |_: microdistill_train::progress::Progress<'_, _>| ControlFlow::Continue(());
    let model = fit_with_hints(&hints, taught, None, &hinted, progress).unwrap();
    assert_eq!(model.widths(), data.widths(&[8]));
    assert_eq!(trained(&data, &settings(&data, &[], Recipe::HardLabels)).widths(), data.widths(&[]));

    let values = classes.iter().map(|&class| 1000.0 + 20.0 * class as f32);
    data.target = Target::Values(DMatrix::from_iterator(1, data.rows(), values));
    data.task = Task::Regression { targets: vec!["value".into()] };
    for hidden in [&[8][..], &[]] {
        let model = trained(&data, &settings(&data, hidden, Recipe::ValueMse));
        let Scores::Regression(scores) = evaluate(&model, &data).unwrap() else { panic!("values") };
        assert!(scores.rmse < 30.0, "{hidden:?}: {}", scores.rmse);
        let int8 = quantize(&model, &data.x, Scales::PerChannel).unwrap();
        let Scores::Regression(rounded) = evaluate(&int8, &data).unwrap() else { panic!("values") };
        assert!(rounded.rmse < 1.05 * scores.rmse, "{hidden:?}: {}", rounded.rmse);
    }
}

#[test]
fn int8_students_lose_little() {
    let (train, test) = bundled();
    let model = trained(&train, &settings(&train, &[16], Recipe::HardLabels));
    let accuracy = |model: &Model| match evaluate(model, &test).unwrap() {
        Scores::Classification(scores) => scores.accuracy,
        Scores::Regression(_) => panic!("classes"),
    };
    for scales in [Scales::PerChannel, Scales::PerLayer] {
        let int8 = quantize(&model, &train.x, scales).unwrap();
        assert!(accuracy(&int8) > accuracy(&model) - 0.02, "{} {}", accuracy(&int8), accuracy(&model));
        assert_eq!(int8.widths(), model.widths());
        let read = Model::from_bytes(&int8.to_bytes().unwrap()).unwrap();
        assert_eq!((&read, read.predict(&test)), (&int8, int8.predict(&test)));
    }
    let apart = |hidden: Activation, seed| {
        let model = piecewise_linear(&[9, 12, 3], hidden, seed);
        let rows = common::rows(9, 300, seed);
        let int8 = quantize(&model, &rows, Scales::PerChannel).unwrap();
        let outputs = [&model, &int8].map(|model| {
            let columns: Vec<f32> = rows.column_iter().flat_map(|raw| model.logits(raw.as_slice())).collect();
            DMatrix::from_vec(3, 300, columns)
        });
        let [expected, found] = &outputs;
        (found - expected).amax() / (expected.max() - expected.min())
    };
    for seed in 0..5 {
        for hidden in [Activation::Relu, Activation::Tanh] {
            assert!(apart(hidden, seed) < 0.05, "{hidden:?}: {}", apart(hidden, seed));
        }
    }
    let int4 = Precision::per_channel(Bits::Four);
    let error = quantize(&model, &train.x, int4).unwrap_err().to_string();
    assert!(error.contains("no form of less than 8 bits"), "{error}");
    let Body::F32(network) = &model.body else { panic!("f32") };
    let error = quantize_network(network, &train.x, Scales::PerChannel).unwrap_err().to_string();
    assert!(error.contains("quantize the model"), "{error}");
    let mut other = quantize(&model, &train.x, Scales::PerChannel).unwrap();
    knots(&mut other).knots.push(1e9);
    let error = other.to_bytes().unwrap_err().to_string();
    assert!(error.contains("the codes of their knots"), "{error}");
}

#[test]
fn what_does_not_fit_is_refused() {
    let (data, _) = bundled();
    let error = |change: fn(&mut Settings)| {
        let mut settings = settings(&data, &[8], Recipe::HardLabels);
        change(&mut settings);
        let taught = Taught { data: &data, teacher: None };
        fit(taught, None, &settings, &mut |_| ControlFlow::Continue(())).unwrap_err().to_string()
    };
    let found = error(|settings| settings.precision = Some(Precision::default()));
    assert!(found.contains("cannot be trained with rounded weights"), "{found}");
    let found = error(|settings| settings.training.widths[0] = 29);
    assert_eq!(found, "the data has 30 features, but the student has 29 inputs: change its first width");
    let found = error(|settings| settings.inputs = Inputs::Pieces(0));
    assert!(found.starts_with("0 pieces per feature"), "{found}");
}

#[test]
fn unusable_knots_are_refused() {
    type Damage = fn(&mut Model);
    let cases: [(Damage, &str); 8] = [
        (|model| knots(model).knots[1] = f32::NAN, "knots.values holds NaN at position 1"),
        (|model| knots(model).knots[1] = -1e9, "knots.starts must give each feature 1 to 256 knots"),
        (|model| knots(model).starts[0] = 1, "knots.starts must give each feature 1 to 256 knots"),
        (|model| knots(model).starts[2] = 9999, "knots.starts must give each feature 1 to 256 knots"),
        (|model| knots(model).mean.truncate(2), "knots.mean has 2 values, but the model has 7 features"),
        (|model| knots(model).knots.push(1e9), "layers.0.weights has"),
        (
            |model| model.preparation = common::model(&[7, 2], Activation::Relu, 1).preparation,
            "layer 0 must be piecewise linear if and only if",
        ),
        (
            |model| model.body = common::model(&[7, 2], Activation::Relu, 1).body,
            "layer 0 must be piecewise linear if and only if",
        ),
    ];
    for (change, message) in cases {
        let mut model = piecewise_linear(&[7, 5, 3], Activation::Relu, 1);
        change(&mut model);
        let error = model.to_bytes().unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    }
}
