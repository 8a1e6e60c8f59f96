//! Several targets of values: each is learned in its own unit, by teachers, ensembles, students and quantized students.

use std::ops::ControlFlow;

use microdistill_train::dataset::{Dataset, Target, Task};
use microdistill_train::metrics::{Regression, Scores, evaluate};
use microdistill_train::model::Model;
use microdistill_train::network::precision::{Bits, Precision, Scales};
use microdistill_train::quantize::quantize;
use microdistill_train::student::{self, Recipe, Taught};
use microdistill_train::table::Options;
use microdistill_train::teacher;
use nalgebra::DMatrix;

/// A pressure in Pa far from zero, a thickness in m close to it, and a plain number.
fn data(rows: usize) -> Dataset {
    let x = DMatrix::from_fn(3, rows, |feature, row| (row * [17, 29, 41][feature] % 97) as f32 / 48.0 - 1.0);
    let values = DMatrix::from_fn(3, rows, |target, row| {
        let [a, b, c] = [x[(0, row)], x[(1, row)], x[(2, row)]];
        [101_325.0 + 400.0 * (a - b * b), 1e-6 * (a * c + 2.0), b - c][target]
    });
    Dataset {
        features: ["a", "b", "c"].map(str::to_owned).into(),
        x,
        origin: Vec::new(),
        task: Task::Regression { targets: ["p", "d", "n"].map(str::to_owned).into() },
        target: Target::Values(values),
        target_origin: Vec::new(),
        left_out: Vec::new(),
        keys: None,
        groups: None,
        hash: String::new(),
        options: Options::default(),
        notes: Vec::new(),
    }
}

/// R² of each target.
fn r2(model: &Model, data: &Dataset) -> Vec<f64> {
    let Scores::Regression(Regression { targets, r2, .. }) = evaluate(model, data).unwrap() else {
        panic!("values")
    };
    let each: Vec<f64> = targets.iter().map(|target| target.r2).collect();
    assert!((each.iter().sum::<f64>() / 3.0 - r2).abs() < 1e-12);
    each
}

fn student(data: &Dataset, teacher: Option<&Model>, precision: Option<Precision>) -> Model {
    let mut settings = student::Settings::new(data.widths(&[24]), Recipe::ValueMse, data.rows(), 1);
    settings.training.rates.weight_decay = 1e-3;
    settings.precision = precision;
    let outputs = teacher.map(|teacher| teacher.teacher_outputs(data));
    let rows = Taught { data, teacher: outputs.as_ref() };
    student::fit(rows, None, &settings, &mut |_| ControlFlow::Continue(())).unwrap()
}

#[test]
fn all_are_learned_whatever_their_units() {
    let data = data(300);
    let mut settings = teacher::Settings::new(data.widths(&[32]), data.rows(), 1);
    settings.length = microdistill_train::hyperparameters::Length::Epochs(300);
    settings.rates.rate = 0.01;
    let ensemble = teacher::fit_ensemble(&data, None, &settings, 2, &|_| ControlFlow::Continue(())).unwrap();
    assert!(r2(&ensemble, &data).iter().all(|r2| *r2 > 0.98), "{:?}", r2(&ensemble, &data));
    let taught = student(&data, Some(&ensemble), None);
    let alone = student(&data, None, None);
    for model in [&taught, &alone] {
        assert!(r2(model, &data).iter().all(|r2| *r2 > 0.97), "{:?}", r2(model, &data));
        assert_eq!(Model::from_bytes(&model.to_bytes().unwrap()).unwrap(), *model);
    }
    assert_ne!(taught.body, alone.body);
}

#[test]
fn the_order_of_targets_is_that_of_the_outputs() {
    let data = data(200);
    let turned = {
        let Target::Values(values) = &data.target else { unreachable!() };
        let values = DMatrix::from_fn(3, 200, |target, row| values[(2 - target, row)]);
        let targets = ["n", "d", "p"].map(str::to_owned).into();
        Dataset { task: Task::Regression { targets }, target: Target::Values(values), ..data.clone() }
    };
    let model = student(&turned, None, None);
    let Scores::Regression(scores) = evaluate(&model, &turned).unwrap() else { panic!("values") };
    assert_eq!(scores.targets[2].target, "p");
    assert!(scores.targets[2].rmse > 1.0 && scores.targets[1].rmse < 1e-6, "{scores:?}");
}

#[test]
fn codes_cost_no_target_its_resolution() {
    let data = data(300);
    let (plain, aware) =
        (student(&data, None, None), student(&data, None, Some(Precision::per_channel(Bits::Eight))));
    for (name, model) in [("plain", &plain), ("quantization-aware", &aware)] {
        for scales in [Scales::PerChannel, Scales::PerLayer] {
            let int8 = quantize(model, &data.x, scales).unwrap();
            for (int8, f32) in r2(&int8, &data).iter().zip(r2(model, &data)) {
                assert!((int8 - f32).abs() < 0.01, "{name}, {scales:?}: {int8} and {f32}");
            }
            assert_eq!(Model::from_bytes(&int8.to_bytes().unwrap()).unwrap(), int8);
        }
    }
}
