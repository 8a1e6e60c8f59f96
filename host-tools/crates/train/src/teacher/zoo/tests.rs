//! Tests of the zoo.

use std::ops::ControlFlow;

use nalgebra::DMatrix;
use rand_core::Rng;
use rand_pcg::Pcg32;

use super::{Boosting, Effort, Fitted, Learner, Rows, Settings, Species, fit};
use crate::blend::{Blend, LEAF, Member};
use crate::dataset::{Columns, Dataset, Kind, Target as Targets, Task, read};
use crate::metrics::nll;
use crate::model::{Body, Model};
use crate::quantize::quantize;
use crate::teacher::zoo::bins::Bins;
use crate::teacher::{Target, fit_like};

fn on() -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// Every fourth row of the bundled data, and some of its features.
fn watch() -> Dataset {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../examples/data/watch_small");
    let columns = Columns { groups: Some("person".into()), ..Columns::default() };
    let data = read(format!("{folder}/train.csv"), &columns).unwrap();
    let rows: Vec<usize> = (0..data.rows()).step_by(4).collect();
    data.select(&rows)
}

/// Two values that depend on four features, one of which is constant and one of which is sometimes missing.
fn values(rows: usize) -> Dataset {
    let mut rng = Pcg32::new(1, 2);
    let x = DMatrix::from_fn(4, rows, |feature, row| match (feature, row % 9) {
        (2, _) => 5.0,
        (3, 0) => f32::NAN,
        _ => (rng.next_u32() >> 8) as f32 / (1 << 23) as f32 - 1.0,
    });
    let y = DMatrix::from_fn(2, rows, |target, row| {
        if target == 0 { 100.0 + 10.0 * x[(0, row)] } else { x[(0, row)] * x[(1, row)] }
    });
    Dataset {
        features: ["a", "b", "c", "d"].map(String::from).into(),
        task: Task::Regression { targets: vec!["y".into(), "z".into()] },
        target: Targets::Values(y),
        groups: None,
        hash: String::new(),
        origin: Vec::new(),
        target_origin: Vec::new(),
        left_out: Vec::new(),
        keys: None,
        options: crate::table::Options::default(),
        notes: Vec::new(),
        x,
    }
}

fn quick(species: &[Species]) -> Settings {
    Settings { species: species.to_vec(), ..Settings::of(Effort::Quick, 1) }
}

fn fitted(data: &Dataset, settings: &Settings) -> Fitted {
    fit(data, settings, &|_| on()).unwrap()
}

fn blend(model: &Model) -> &Blend {
    let Body::Blend(blend) = &model.body else { panic!("no blend") };
    blend
}

#[test]
fn a_blend_is_at_least_as_good_as_its_best_member_and_its_file_holds_it() {
    for (data, species) in [(watch(), Species::ALL), (values(90), Species::ALL)] {
        let Fitted { model, out_of_fold } = fitted(&data, &quick(&species));
        let report = model.metadata.blend.clone().unwrap();
        let best = report.candidates.iter().map(|candidate| candidate.loss).fold(f64::INFINITY, f64::min);
        assert!(report.loss <= best + 1e-6, "{report:?}");
        assert_eq!(out_of_fold.shape(), (data.task.outputs(), data.rows()));
        if let Targets::Classes(classes) = &data.target {
            assert!((nll(&out_of_fold, classes, 1.0) - report.loss).abs() < 1e-9);
        }
        let loaded = Model::from_bytes(&model.to_bytes().unwrap()).unwrap();
        assert_eq!(loaded, model);
        let outputs = loaded.predict(&data);
        let first: Vec<f32> = data.x.column(0).iter().copied().collect();
        assert_eq!(outputs.column(0).as_slice(), loaded.logits(&first), "row by row as all at once");
        assert_eq!((loaded.kind(), loaded.outputs()), ("blend", data.task.outputs()));
        assert!(loaded.parameters() > 100 && loaded.hints(&data).is_none());
        let error = quantize(&model, &data.x, crate::network::precision::Precision::default()).unwrap_err();
        assert!(error.to_string().contains("distill a student from it"), "{error}");
        assert_eq!(fit_like(&model, &data, &on).unwrap(), model, "the same rows give the same blend");
        let half: Vec<usize> = (0..data.rows()).step_by(2).collect();
        let like = fit_like(&model, &data.select(&half), &on).unwrap();
        let weights = |model: &Model| -> Vec<(f32, f32)> {
            blend(model).members.iter().map(|part| (part.weight, part.temperature)).collect()
        };
        assert_eq!(weights(&like), weights(&model));
    }
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let data = watch();
    let settings = quick(&Species::ALL);
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| fitted(&data, &settings).model.to_bytes().unwrap())
    };
    assert_eq!(with(1), with(3));
}

#[test]
fn boosted_trees_learn_what_no_linear_model_can() {
    let mut rng = Pcg32::new(3, 4);
    let x = DMatrix::from_fn(2, 300, |_, _| (rng.next_u32() >> 8) as f32 / (1 << 23) as f32 - 1.0);
    let classes: Vec<usize> = x.column_iter().map(|x| usize::from(x[0] * x[1] > 0.0)).collect();
    let index: Vec<usize> = (0..200).collect();
    let bins = Bins::of(&x);
    for outputs in [2, 3] {
        let target = Target::Classes(&classes);
        let rows = Rows { x: &x, target, bins: &bins, index: &index, outputs, flow: &on };
        let learner = Boosting {
            rounds: 60,
            rate: 0.1,
            leaves: 15,
            fewest_rows: 5,
            lambda: 1.0,
            row_share: 0.8,
            feature_share: 1.0,
        };
        let logits = learner.fit(&rows, 1).unwrap().predict_all(&x, Kind::Classification);
        let right =
            (200..300).filter(|&row| microdistill::argmax(logits.column(row).as_slice()) == classes[row]);
        assert!(right.count() > 92, "{outputs} outputs");
    }
}

#[test]
fn few_rows_and_rare_classes_are_blended_too() {
    let mut data = values(12);
    let mut classes = vec![0; 12];
    (classes[3], classes[7]) = (1, 2);
    data.target = Targets::Classes(classes);
    data.task =
        Task::Classification { target: "y".into(), labels: ["a", "b", "c", "d"].map(String::from).into() };
    for groups in [None, Some(vec!["one".to_owned(); 12])] {
        data.groups = groups;
        let model = fitted(&data, &quick(&Species::ALL)).model;
        assert!(model.predict(&data).iter().all(|logit| logit.is_finite()));
    }
    let model = fitted(&values(4), &quick(&Species::ALL)).model;
    assert!(model.predict(&values(9)).iter().all(|value| value.is_finite()));
    let nothing = values(9).select(&[]);
    assert!(fit(&nothing, &quick(&Species::ALL), &|_| on()).is_err());
    let stopped = fit(&data, &quick(&Species::ALL), &|_| ControlFlow::Break(())).unwrap_err();
    assert_eq!(stopped.to_string(), "interrupted");
}

#[test]
fn damaged_blends_are_refused() {
    type Damage = fn(&mut Blend);
    fn trees(blend: &mut Blend) -> &mut crate::blend::Trees {
        let trees = blend.members.iter_mut().find_map(|part| match &mut part.member {
            Member::Trees(trees) => Some(trees),
            Member::Kernel(_) | Member::Networks(_) => None,
        });
        trees.unwrap()
    }
    let cases: [(Damage, &str); 9] = [
        (|blend| trees(blend).roots[0] = -7, "trees.roots holds -7"),
        (|blend| trees(blend).children[0] = 0, "trees.features and trees.children hold"),
        (|blend| trees(blend).features[0] = 99, "trees.features and trees.children hold 99"),
        (
            |blend| {
                let trees = trees(blend);
                (trees.features[0], trees.children[0]) = (LEAF, 1 << 20);
            },
            "trees.features and trees.children hold -1",
        ),
        (|blend| trees(blend).leaves[0] = f32::NAN, "trees.leaves holds NaN"),
        (|blend| trees(blend).thresholds.truncate(1), "differ in length"),
        (|blend| blend.members[0].weight = 0.0, "members.0.weight holds 0"),
        (|blend| blend.members[0].weight = 3.0, "they must sum to 1"),
        (|blend| blend.members.clear(), "a blend needs at least one member"),
    ];
    let model = fitted(&values(60), &quick(&[Species::Boosting])).model;
    for (damage, message) in cases {
        let mut damaged = model.clone();
        let Body::Blend(blend) = &mut damaged.body else { unreachable!() };
        damage(blend);
        let error = damaged.to_bytes().unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    }
}
