use std::ops::ControlFlow;

use microdistill::loss::{DecoupledSoftLabels, SoftLabels};
use nalgebra::DMatrix;
use rand_core::Rng;
use rand_pcg::Pcg32;

use super::*;
use crate::class_weights::ClassWeights;
use crate::hyperparameters::Length;
use crate::network::Activation;
use crate::student::Blend;

const CLASSES: usize = 5;
const ROWS: usize = 39;

/// Random rows; some features are zero.
struct Rows {
    x: DMatrix<f32>,
    labels: Vec<Option<usize>>,
    teachers: [TeacherOutputs; 2],
    weights: [Vec<f32>; 2],
}

impl Rows {
    fn new(inputs: usize, rows: usize) -> Self {
        let mut rng = Pcg32::new(7, 5);
        let mut number = || (rng.next_u32() >> 8) as f32 / (1 << 23) as f32 - 1.0;
        let mut outputs = || DMatrix::from_fn(CLASSES, rows, |_, _| 3.0 * number());
        let teacher = TeacherOutputs::from(outputs());
        let both = TeacherOutputs::of([(1.0, outputs().into()), (2.0, outputs().into())]).unwrap();
        let x = DMatrix::from_fn(inputs, rows, |_, _| (2.0 * number()).max(-0.5).abs() - 0.5);
        let labels = (0..rows).map(|_| Some((2.5 + 2.5 * number()) as usize % CLASSES)).collect();
        let mut weights = || (0..rows).map(|_| (1.5 * number()).max(0.0)).collect();
        Rows { x, labels, teachers: [teacher, both], weights: [weights(), weights()] }
    }

    fn samples(&self) -> Samples<'_> {
        Samples { x: &self.x, labels: &self.labels, teacher: Some(&self.teachers[0]), weights: None }
    }
}

fn settings(widths: &[usize]) -> Settings {
    let mut settings = Settings::new(widths.to_vec(), Recipe::HardLabels, ROWS, 3);
    settings.training.batch = 11;
    settings.training.length = Length::Epochs(6);
    settings
}

const SOFT: Recipe = Recipe::SoftLabels(SoftLabels { temperature: 2.0, alpha: 0.7 });

const RECIPES: [Recipe; 8] = [
    Recipe::HardLabels,
    SOFT,
    Recipe::SoftLabels(SoftLabels { temperature: 1.0, alpha: 0.5 }),
    Recipe::SoftLabels(SoftLabels { temperature: 3.5, alpha: 1.0 }),
    Recipe::OutputMse,
    Recipe::LogitMse,
    Recipe::ValueMse,
    Recipe::Decoupled(DecoupledSoftLabels::DEFAULT),
];

/// Lanes that differ in rate and decay.
fn lanes(count: usize, recipe: impl Fn(usize) -> Recipe) -> Vec<Lane<'static>> {
    let lane = |index| Lane {
        recipe: recipe(index),
        rate: 0.01 * (1.0 + index as f32 / 7.0),
        weight_decay: 0.3 * index as f32,
        ..Lane::of(&settings(&[6, CLASSES]))
    };
    (0..count).map(lane).collect()
}

fn bits(network: &Network) -> Vec<u32> {
    network.parameter_values().map(f32::to_bits).collect()
}

/// Compares the lanes with students that are trained alone, at every level of this machine.
#[track_caller]
fn assert_same(settings: &Settings, lanes: &[Lane<'_>], samples: Samples<'_>) {
    let go = || ControlFlow::Continue(());
    let expected: Vec<_> = lanes.iter().map(|lane| alone(settings, lane, samples, &go)).collect();
    for level in levels() {
        let found = train_at(level, settings, lanes, samples, &go);
        assert_eq!(found.len(), expected.len());
        for (index, (found, expected)) in found.iter().zip(&expected).enumerate() {
            match (found, expected) {
                (Ok(found), Ok(expected)) => {
                    assert_eq!(found.epoch, expected.epoch);
                    assert!(bits(&found.network) == bits(&expected.network), "lane {index}, {level:?}");
                }
                (Err(found), Err(expected)) => assert_eq!(found.to_string(), expected.to_string()),
                _ => panic!("lane {index}, {level:?}: {found:?}, alone {expected:?}"),
            }
        }
    }
}

/// Fails if a lane with this loss is trained alone.
fn assert_in_lanes(settings: &Settings, lanes: &[Lane<'_>], samples: Samples<'_>) {
    for lane in lanes {
        assert!(fits(settings, lane, samples));
        let kind = Kind::of(lane.recipe).unwrap();
        let group = Group { settings, kind, lanes: &[*lane], samples, by_class: None };
        let trained = dispatch!(Level::new(), simd => group.train(simd, &|| ControlFlow::Continue(())));
        assert!(trained.unwrap().iter().all(Option::is_some), "{lane:?}");
    }
}

#[test]
fn every_recipe_has_the_bits_of_the_single_student() {
    let rows = Rows::new(6, ROWS);
    for recipe in RECIPES {
        assert_same(&settings(&[6, 9, CLASSES]), &lanes(5, |_| recipe), rows.samples());
    }
    let mixed = lanes(17, |index| RECIPES[index % RECIPES.len()]);
    assert_same(&settings(&[6, 9, CLASSES]), &mixed, rows.samples());
    let laned = lanes(7, |index| RECIPES[index]);
    assert_in_lanes(&settings(&[6, 9, CLASSES]), &laned, rows.samples());
}

#[test]
fn every_shape_and_activation_has_the_bits_of_the_single_student() {
    for widths in [
        &[6, CLASSES][..],
        &[6, 1, CLASSES],
        &[6, 16, CLASSES],
        &[6, 13, 7, CLASSES],
        &[17, 8, 3, 10, CLASSES],
    ] {
        let rows = Rows::new(widths[0], ROWS);
        assert_same(&settings(widths), &lanes(3, |_| SOFT), rows.samples());
    }
    let rows = Rows::new(6, ROWS);
    for activation in [
        Activation::Identity,
        Activation::Relu,
        Activation::Relu6,
        Activation::LeakyRelu,
        Activation::Tanh,
        Activation::Sigmoid,
    ] {
        let mut settings = settings(&[6, 9, 4, CLASSES]);
        settings.training.activation = activation;
        assert_same(&settings, &lanes(3, |_| SOFT), rows.samples());
    }
}

#[test]
fn any_number_of_lanes_has_the_bits_of_the_single_student() {
    let rows = Rows::new(6, ROWS);
    for count in 0..=20 {
        assert_same(&settings(&[6, 4, CLASSES]), &lanes(count, |_| SOFT), rows.samples());
    }
}

#[test]
fn smoothing_and_weights_have_the_bits_of_the_single_student() {
    let rows = Rows::new(6, ROWS);
    for recipe in [Recipe::HardLabels, SOFT] {
        for class_weights in [ClassWeights::None, ClassWeights::Balanced] {
            for weights in [None, Some(&rows.weights[0][..])] {
                let mut settings = settings(&[6, 9, CLASSES]);
                settings.training.class_weights = class_weights;
                let mut lanes = lanes(5, |_| recipe);
                lanes[1].label_smoothing = 0.1;
                lanes[3].label_smoothing = 0.4;
                let samples = Samples { weights, ..rows.samples() };
                assert_same(&settings, &lanes, samples);
                lanes[2].weights = Some(&rows.weights[1]);
                assert_same(&settings, &lanes, samples);
            }
        }
    }
}

#[test]
fn own_teachers_starts_and_blends_have_the_bits_of_the_single_student() {
    let mut rows = Rows::new(6, ROWS);
    let [first, second] = [1, 2].map(|seed| {
        let mut rng = Pcg32::new(seed, 3);
        Network::random(&[6, 9, CLASSES], Activation::Relu, &mut rng)
    });
    let begun = Network::random(&[6, 9], Activation::Relu, &mut Pcg32::new(3, 3));
    rows.labels[30..].fill(None);
    for blend in [None, Some(Blend { own: 30, share: 0.4 })] {
        let settings = Settings { blend, ..settings(&[6, 9, CLASSES]) };
        for recipe in
            [SOFT, Recipe::SoftLabels(SoftLabels { temperature: 1.0, alpha: 0.5 }), Recipe::LogitMse]
        {
            let mut lanes = lanes(6, |_| recipe);
            lanes[1].teacher = Some(&rows.teachers[1]);
            lanes[2].start = Some(&first);
            lanes[3].start = Some(&second);
            lanes[4].start = Some(&begun);
            assert_same(&settings, &lanes, rows.samples());
        }
    }
}

#[test]
fn errors_and_what_lanes_do_not_have_are_those_of_the_single_student() {
    let rows = Rows::new(6, ROWS);
    let wrong = Network::random(&[6, 8], Activation::Relu, &mut Pcg32::new(3, 3));
    let base = settings(&[6, 9, CLASSES]);
    let mut lanes = lanes(7, |_| SOFT);
    lanes[1].rate = f32::NAN;
    lanes[2].rate = 1e30;
    lanes[3].label_smoothing = 2.0;
    lanes[4].weights = Some(&rows.weights[0][1..]);
    lanes[5].rate = 3e3;
    assert_same(&base, &lanes, rows.samples());
    lanes[6].start = Some(&wrong);
    assert_same(&base, &lanes, rows.samples());
    for change in [
        |settings: &mut Settings| settings.training.dropout = 0.2,
        |settings: &mut Settings| settings.mixup = Some(0.4),
        |settings: &mut Settings| settings.blend = Some(Blend { own: ROWS, share: 0.4 }),
        |settings: &mut Settings| settings.training.patience = Some(3),
    ] {
        let mut settings = base.clone();
        change(&mut settings);
        assert_same(&settings, &lanes[..1], rows.samples());
    }
    let mut rows = rows;
    rows.labels[3] = None;
    assert_same(&base, &super::tests::lanes(3, |index| RECIPES[index]), rows.samples());
    rows.x[(2, 2)] = f32::INFINITY;
    assert_same(&base, &super::tests::lanes(3, |_| SOFT), rows.samples());
}

#[test]
fn lanes_end_when_they_are_told_to() {
    let rows = Rows::new(6, ROWS);
    let trained = train_lanes(&settings(&[6, 9, CLASSES]), &lanes(3, |_| SOFT), rows.samples(), &|| {
        ControlFlow::Break(())
    });
    assert!(trained.iter().all(|trained| trained.as_ref().unwrap().epoch == 1));
}
