//! Studies with values as targets.

use nalgebra::DMatrix;
use tempfile::TempDir;

use super::{PLAIN, QUIET, finished, rows, study};
use crate::study::arms::{Arm, always_of_values, by_name, names, others_of_values, taught_by_a_network};
use crate::study::diagnostics::predictions;
use crate::study::results::{Condition, Prediction, SetResults, SizePoint};
use crate::study::training::{Lessons, Setting, Training};
use crate::study::{Problem, Results, SIZES, Study};
use microdistill_train::dataset::{Dataset, Target};
use microdistill_train::effort::Effort;
use microdistill_train::metrics::Scores;
use microdistill_train::model::{Model, Task};

/// Values that follow from the features, in the hundreds.
fn values(count: usize, shift: usize) -> Dataset {
    let mut data = rows(count, shift);
    let value = |x: &[f32]| 500.0 + 100.0 * (x[0] + x[1] - 0.5 * x[2]);
    let values = data.x.column_iter().map(|x| value(x.as_slice()));
    data.target = Target::Values(DMatrix::from_iterator(1, count, values));
    data.task = Task::Regression { targets: vec!["value".into()] };
    data
}

fn study_of_values() -> Study {
    let problem = |name: &str| Problem::new(name, values(45, 0), values(30, 50), false).unwrap();
    let others = by_name(&others_of_values(), &["soft-l2".into(), "gaussian".into()]).unwrap();
    Study {
        problems: vec![problem("one"), problem("two")],
        arms: [taught_by_a_network(always_of_values()), others].concat(),
        ..study()
    }
}

#[test]
fn values_are_judged_by_r2_and_rmse() {
    let (study, folder) = (study_of_values(), TempDir::new().unwrap());
    study.check().unwrap();
    let results: Results = serde_json::from_str(&finished(&study, &folder)).unwrap();
    for set in &results.sets {
        for summary in &set.summaries {
            let score = |metric: &str| summary.scores[metric].mean;
            // These few steps are not enough for the teacher and its students.
            let least = if summary.arm == names::HARD { 0.8 } else { 0.0 };
            assert!(score("r2") > least, "{}: {summary:?}", set.name);
            assert!((score("r2 gap") - (score("train r2") - score("r2"))).abs() < 1e-9);
            // RMSE is in the unit of the target, although networks learn standardized values.
            assert!(score("rmse") > 0.5, "{summary:?}");
        }
        assert!(set.temperatures.is_empty());
        assert!(set.cells.iter().all(|cell| cell.reliability.is_empty()));
        assert!(set.comparisons.iter().any(|comparison| comparison.metric == "rmse"));
        curves_are_in_the_targets_unit(set);
        predictions_are_those_that_are_scored(set);
        sizes_are_judged_by_r2(set);
    }
    let [overall] = results.overall.as_slice() else { panic!("one condition") };
    assert!(overall.summaries.iter().all(|summary| !summary.scores.contains_key("rmse")));
    assert!(overall.comparisons.iter().all(|comparison| comparison.metric != "rmse"));
    assert!(overall.ratios.iter().all(|ratio| ratio.metric == "rmse" && ratio.ratio.is_finite()));
    assert!(
        results.sentences.iter().any(|sentence| sentence.starts_with("`default` against `hard-l2`: R² "))
    );
    assert!(results.sentences.iter().any(|sentence| sentence.contains("the gap of `hard`")));
    let page = crate::report::html(&results).unwrap();
    assert!(page.contains("Ratio of RMSE") && !page.contains("NaN"));
}

fn curves_are_in_the_targets_unit(set: &SetResults) {
    for cell in &set.cells {
        let steps = [names::LABELS, names::DEFAULT].contains(&cell.arm.as_str());
        assert_eq!(cell.curve.is_empty(), steps || cell.seed != 1, "{}", cell.arm);
        // On the same rows, 1 − R² is the squared error divided by the variance, which is constant.
        let variances: Vec<[f64; 2]> = cell
            .curve
            .iter()
            .map(|point| {
                assert_eq!((point.train_nll, point.validation_accuracy), (None, None));
                let variance =
                    |r2: Option<f64>, rmse: Option<f64>| rmse.unwrap().powi(2) / (1.0 - r2.unwrap());
                let train = variance(point.train_r2, point.train_rmse);
                [train, variance(point.validation_r2, point.validation_rmse)]
            })
            .collect();
        for [train, validation] in &variances {
            assert!((train / variances[0][0] - 1.0).abs() < 1e-9, "{}: {variances:?}", cell.arm);
            // Values are in the hundreds, and their standard deviation is in the tens.
            assert!((100.0..10_000.0).contains(train) && (100.0..10_000.0).contains(validation));
        }
        if cell.arm == names::HARD && cell.seed == 1 {
            let (first, last) = (cell.curve.first().unwrap(), cell.curve.last().unwrap());
            assert!(last.train_r2.unwrap() > 0.8 && last.train_r2 > first.train_r2, "{first:?}, {last:?}");
        }
    }
}

fn r2(predictions: &[Prediction]) -> f64 {
    let measured = || predictions.iter().map(|of| f64::from(of.measured));
    let mean = measured().sum::<f64>() / predictions.len() as f64;
    let variance: f64 = measured().map(|value| (value - mean).powi(2)).sum();
    let error: f64 =
        predictions.iter().map(|of| (f64::from(of.predicted) - f64::from(of.measured)).powi(2)).sum();
    1.0 - error / variance
}

fn predictions_are_those_that_are_scored(set: &SetResults) {
    for cell in &set.cells {
        if cell.seed == 1 {
            let Scores::Regression(test) = &cell.test else { panic!("values") };
            assert_eq!(cell.predictions.len(), 30);
            assert!((r2(&cell.predictions) - test.r2).abs() < 1e-9, "{}", cell.arm);
        } else {
            assert!(cell.predictions.is_empty());
        }
    }
}

fn sizes_are_judged_by_r2(set: &SetResults) {
    assert_eq!(set.sizes.len(), 3 * SIZES.len());
    for point in &set.sizes {
        assert_eq!((point.accuracy, point.nll), (None, None));
        let better = |other: &&SizePoint| other.r2.unwrap().mean > point.r2.unwrap().mean;
        let beaten = set.sizes.iter().filter(better).any(|other| other.flash_bytes <= point.flash_bytes);
        assert!(!(point.front && beaten), "{point:?}");
    }
    assert!(set.sizes.iter().any(|point| point.front));
    // The study's own width is among them, with the same seeds.
    for arm in [names::HARD, names::DEFAULT] {
        let own = set.sizes.iter().find(|point| point.arm == arm && point.widths == [3, 4, 1]).unwrap();
        let summary = set.summaries.iter().find(|summary| summary.arm == arm).unwrap();
        assert_eq!((own.r2, own.rmse), (Some(summary.scores["r2"]), Some(summary.scores["rmse"])));
    }
}

#[test]
fn of_many_rows_the_same_sample_is_shown_for_all_models() {
    let arms = taught_by_a_network(always_of_values());
    let model = |arm: &Arm| {
        let training = Training {
            arm,
            setting: Setting::Fixed,
            hidden: &[4],
            effort: Effort::Quick,
            seed: 5,
            watch: &QUIET,
        };
        training.run(&values(45, 0), Lessons::default(), &mut |_| {}).unwrap()
    };
    let test = values(400, 7);
    let Target::Values(all) = &test.target else { panic!("values") };
    let [teacher, hard] = [&arms[0], &arms[1]].map(|arm| (model(arm), predictions(&model(arm), &test)));
    let measured = |of: &[Prediction]| of.iter().map(|row| row.measured).collect::<Vec<_>>();
    assert_eq!(measured(&teacher.1), measured(&hard.1));
    assert_ne!(teacher.1, hard.1);
    assert_eq!(teacher.1.len(), 300);
    for (model, shown) in [teacher, hard] {
        // Each prediction belongs to a row of its own, in order.
        let outputs = model.predict(&test);
        let mut rows = all.iter().zip(outputs.iter());
        for of in &shown {
            assert!(rows.any(|row| row == (&of.measured, &of.predicted)), "{of:?}");
        }
    }
    assert!(predictions(&model(&arms[1]), &rows(9, 0)).is_empty());
}

#[test]
fn the_teacher_of_values_is_heard() {
    // A taught student differs from one trained on measured values. Both give values in the unit of the
    // target.
    let arms = taught_by_a_network(always_of_values());
    let of = |name: &str| arms.iter().find(|arm| arm.name == name).unwrap();
    let data = values(45, 0);
    let train = |arm: &Arm, teachers: &[Model]| {
        let training = Training {
            arm,
            setting: Setting::Fixed,
            hidden: &[6],
            effort: Effort::Quick,
            seed: 5,
            watch: &QUIET,
        };
        training.run(&data, teachers.into(), &mut |_| {}).unwrap()
    };
    let teacher = train(of(names::TEACHER), &[]);
    let mean = |model: &Model| model.predict(&data).mean();
    let (taught, alone) =
        (train(of(names::SOFT), std::slice::from_ref(&teacher)), train(of(names::HARD), &[]));
    assert_ne!(taught.body, alone.body);
    assert!([&taught, &alone, &teacher].iter().all(|model| (mean(model) - 550.0).abs() < 60.0));
}

#[test]
fn labels_and_values_are_studied_apart() {
    let error = |study: Study| study.check().unwrap_err().to_string();
    let problems = [study().problems, study_of_values().problems].concat();
    let message = error(Study { problems, ..study() });
    assert!(message.starts_with("toy and one: one has labels and the other values"), "{message}");
    let conditions = vec![Condition { label_noise: 0.1, ..PLAIN }];
    assert!(error(Study { conditions, ..study_of_values() }).starts_with("label noise needs class labels"));
    let message = by_name(&others_of_values(), &["dkd".into()]).unwrap_err().to_string();
    let known = "choose among hard-dropout, always-distilled, soft-l2, ensemble, jitter, gaussian, mixup, munge, interpolation, vae, \
                 gan, trees, forest, extra-trees, kernel, linear, mlp";
    assert!(message.ends_with(known), "{message}");
}
