//! Training a student: it learns from its teacher, repeats bit for bit, and does not update inactive units.

mod common;

use common::numbers;
use microdistill::activation::{Activation, Identity, LeakyRelu, Relu, Relu6, Sigmoid, Tanh};
use microdistill::layer::InputGradient;
use microdistill::layout::ByInput;
use microdistill::loss::{Linear, OutputMse, Soft, SoftLabels};
use microdistill::metric::Accuracy;
use microdistill::optimizer::{Adam, AdamRates, Optimizer, Sgd, SgdRates};
use microdistill::{Dense, Distiller, Mlp, Params, Replay, Train};
use rand_pcg::Pcg32;

type Student = Mlp![2, 8, 3];

const SGD: SgdRates = SgdRates { rate: 0.1, momentum: 0.9, weight_decay: 1e-4 };
const ADAM: AdamRates = AdamRates { rate: 0.02, ..AdamRates::DEFAULT };

/// A point of cluster `label`, one of three slightly overlapping clusters at the corners of a triangle.
fn sample(number: &mut impl FnMut() -> f64, label: usize) -> [f32; 2] {
    let [x, y] = CENTERS[label];
    [x + number() as f32, y + number() as f32]
}

const CENTERS: [[f32; 2]; 3] = [[1.0, 0.0], [-0.5, 0.87], [-0.5, -0.87]];

/// The teacher's logits: the closer the center of the cluster, the larger its logit.
fn teach(x: &[f32; 2]) -> [f32; 3] {
    CENTERS.map(|[a, b]| 4.0 * (a * x[0] + b * x[1]))
}

/// 200 batches of 8 from a replay ring, without labels.
fn train<O: Optimizer<Student>>(seed: u64, rates: &O::Rates) -> Student {
    let (mut rng, mut number) = (Pcg32::new(seed, 1), numbers(1));
    let mut replay = Replay::<[f32; 2], [f32; 3], 64>::new();
    for index in 0..64 {
        let x = sample(&mut number, index % 3);
        replay.push(x, teach(&x));
    }
    let mut distiller = Distiller::<Student, O>::ZERO;
    distiller.student.initialize(&mut rng);
    for _ in 0..200 {
        for _ in 0..8 {
            let (x, teacher) = replay.draw(&mut rng).unwrap();
            distiller.learn(x, &SoftLabels::DEFAULT, Soft { teacher, label: None });
        }
        distiller.update(rates);
    }
    distiller.student
}

/// Share of new samples on which the student predicts the same class as its teacher.
fn agreement(student: &Student) -> f32 {
    let (mut number, mut accuracy) = (numbers(2), Accuracy::default());
    for index in 0..999 {
        let x = sample(&mut number, index % 3);
        accuracy.add(&student.predict(&x), microdistill::argmax(&teach(&x)));
    }
    accuracy.share()
}

fn bits(student: &Student) -> Vec<u32> {
    student.tensors().flat_map(|(_, tensor)| tensor).map(|number| number.to_bits()).collect()
}

#[test]
fn a_student_learns_its_teachers_answers() {
    let before = agreement(&Student::ZERO);
    assert!(before < 0.5, "{before} before training");
    for student in [train::<Sgd<Student>>(1, &SGD), train::<Adam<Student>>(1, &ADAM)] {
        let after = agreement(&student);
        assert!(after > 0.9, "{after} after training");
    }
}

#[test]
fn training_repeats_bit_for_bit_with_the_same_seed() {
    let sgd = |seed| bits(&train::<Sgd<Student>>(seed, &SGD));
    let adam = |seed| bits(&train::<Adam<Student>>(seed, &ADAM));
    assert_eq!(sgd(1), sgd(1));
    assert_eq!(adam(1), adam(1));
    assert_ne!(sgd(1), sgd(2));
    assert_ne!(adam(1), adam(2));
}

#[test]
fn an_inactive_unit_gets_no_gradient() {
    // If the unit were not skipped, 0 · ∞ would give NaN.
    let layer = Dense::<2, 2, Relu>::new([[1.0, -1.0], [-1.0, -f32::INFINITY]], [0.0, 0.0]);
    let x = [f32::INFINITY, 1.0];
    let mut y = Dense::<2, 2, Relu>::TAPE;
    layer.record(&x, &mut y);
    assert_eq!(y, [f32::INFINITY, 0.0], "the second unit is inactive");
    let mut gradient = Dense::new([[0.0; 2], [0.25, -0.0]], [0.0, 0.5]);
    let (mut dz, mut dx) = ([2.0, 3.0], [f32::NAN; 2]);
    Dense::<2, 2, Relu>::through_activation(&y, &mut dz);
    layer.backward(&x, &y, &dz, &mut gradient, InputGradient::All(&mut dx));
    assert_eq!(gradient, Dense::new([[f32::INFINITY, 2.0], [0.25, -0.0]], [2.0, 0.5]));
    assert!(gradient.weights()[3].is_sign_negative(), "something was added, if only zero");
    assert_eq!(dx, [2.0, -2.0], "not the gradient of the first unit alone");
}

#[test]
fn a_zero_input_gets_no_gradient() {
    type Layer = Dense<2, 1, Identity, f32, ByInput>;
    // The input is not multiplied either: 0 · ∞ would give NaN.
    let mut layer = Layer::new([[f32::INFINITY, 2.0]], [1.0]);
    let (x, mut y) = ([0.0, 3.0], Layer::TAPE);
    layer.record(&x, &mut y);
    assert_eq!(y, [7.0]);
    let (mut gradient, mut dx) = (Layer::new([[-0.0, 0.5]], [0.0]), [f32::NAN; 2]);
    layer.backward(&x, &y, &[f32::INFINITY], &mut gradient, InputGradient::Active(&mut dx));
    assert_eq!(gradient, Layer::new([[-0.0, f32::INFINITY]], [f32::INFINITY]));
    assert!(gradient.weights()[0].is_sign_negative(), "something was added, if only zero");
    assert_eq!(dx, [0.0, f32::INFINITY]);
    layer.descend(&x, &y, &[-0.5], InputGradient::Active(&mut dx));
    assert_eq!((layer, dx), (Layer::new([[f32::INFINITY, 0.5]], [0.5]), [0.0, -1.0]));
}

#[test]
fn a_unit_that_is_never_active_is_never_updated() {
    let mut distiller = Distiller::<Student, Sgd<Student>>::ZERO;
    distiller.student.initialize(&mut Pcg32::new(1, 1));
    distiller.student.layers.0.bias[5] = -100.0;
    let before = distiller.student.layers;
    let mut number = numbers(3);
    for index in 0..100 {
        let x = sample(&mut number, index % 3);
        let target = Soft { teacher: &teach(&x), label: Some(index % 3) };
        distiller.learn(&x, &SoftLabels::DEFAULT, target);
        distiller.update(&SgdRates { weight_decay: 0.0, ..SGD });
    }
    let after = distiller.student.layers;
    assert_eq!(after.0.weights()[10..12], before.0.weights()[10..12]);
    assert_eq!(after.0.bias[5], -100.0);
    assert_ne!(after.0.weights(), before.0.weights(), "the other units did not learn");
    assert_eq!(after.1.weights()[15..18], before.1.weights()[15..18], "its outgoing weights were updated");
}

#[test]
fn initial_weights_are_uniform_within_the_limit_of_their_activation() {
    fn check<A: Activation + PartialEq>(fan: f32) {
        let mut layer = Dense::<30, 20, A>::new([[9.0; 30]; 20], [9.0; 20]);
        layer.initialize(&mut Pcg32::new(1, 2));
        let (weights, limit) = (layer.weights(), (6.0 / fan).sqrt());
        let largest = weights.iter().fold(0.0, |top: f32, weight| top.max(weight.abs()));
        assert!((0.98 * limit..=limit).contains(&largest), "{largest} of {limit}");
        let variance = weights.iter().map(|weight| weight * weight).sum::<f32>() / 600.0;
        assert!((variance / (limit * limit / 3.0) - 1.0).abs() < 0.1, "{variance}");
        assert!((weights.iter().sum::<f32>() / 600.0).abs() < 0.1 * limit);
        assert_eq!(layer.bias, [0.0; 20]);
    }
    check::<Relu>(30.0);
    check::<Relu6>(30.0);
    check::<LeakyRelu<1, 2>>(37.0);
    check::<Sigmoid>(50.0);
    check::<Tanh>(50.0);
    check::<Identity>(50.0);
}

#[test]
fn a_batch_may_be_of_any_length() {
    type Single = Mlp![1, 1; Identity, f64];
    let mut distiller = Distiller::<Single, Sgd<Single>>::ZERO;
    for _ in 0..131_070 {
        distiller.learn(&[0.0], &OutputMse::<Linear>::new(), &[1.0]);
    }
    distiller.update(&SgdRates { rate: 0.25, momentum: 0.0, weight_decay: 0.0 });
    assert_eq!(distiller.student.layers.bias, [0.5]);
}
