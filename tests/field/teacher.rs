//! Teachers of every kind, and the decision to query them.

use microdistill::loss::{Loss, Soft, SoftLabels, log_softmax, softmax};
use microdistill::quant::DequantizeEach;
use microdistill::teacher::{Ensemble, Quantized, Stored, Teacher, Unsure, margin};
use microdistill::{Mlp, Params, Prepare};
use proptest::array::uniform4;
use proptest::collection::vec;
use proptest::num::f32::ANY;
use proptest::prelude::*;
use rand_pcg::Pcg32;

use crate::watch::{student, teacher_int8 as int8, test as rows};

fn ask<I: ?Sized, O>(teacher: &(impl Teacher<I, O> + ?Sized), input: &I) -> O {
    teacher.teach(input)
}

#[test]
fn a_network_a_function_and_a_closure_teach_alike() {
    for raw in &rows::ROWS {
        let x = student::INPUT.apply(raw);
        let logits: [f32; 7] = ask(&student::STUDENT, &x);
        assert_eq!(ask(&student::predict, raw), logits);
        assert_eq!(ask(&|x: &[f32; 30]| student::STUDENT.predict(x), &x), logits);
    }
}

#[test]
fn an_int8_network_teaches_in_real_numbers() {
    let teacher = Quantized { input: &int8::INPUT, network: &int8::TEACHER, output: &int8::OUTPUT };
    for raw in &rows::ROWS {
        let expected = int8::predict(raw);
        assert_eq!(ask::<[f32; 30], _>(&teacher, raw), expected);
        let codes = int8::INPUT.apply(raw);
        assert_eq!(ask::<[i8; 30], _>(&teacher, &codes), expected, "codes give another answer");
        let x = int8::INPUT.decode(&codes);
        let half = 0.5 * int8::INPUT.scale;
        for (x, exact) in x.iter().zip(int8::INPUT.scaler.apply(raw)) {
            let range = |code: i32| (code - i32::from(int8::INPUT.zero)) as f32 * int8::INPUT.scale;
            let exact = exact.max(range(-128)).min(range(127));
            assert!((x - exact).abs() <= half * 1.001, "{x} for {exact}");
        }
        assert_eq!(
            int8::OUTPUT.apply(&int8::OUTPUT.encode(&expected)),
            expected,
            "outputs are not on the code grid"
        );
    }
}

#[test]
fn an_int8_regression_teaches_its_values() {
    let output = DequantizeEach { lowest: [101_000.0; 7], scale: [2.0; 7] };
    let teacher = Quantized { input: &int8::INPUT, network: &int8::TEACHER, output: &output };
    let raw = &rows::ROWS[0];
    assert_eq!(ask::<[f32; 30], _>(&teacher, raw), output.apply(&int8::run(&int8::INPUT.apply(raw))));
}

#[test]
fn stored_answers_are_given_back() {
    assert_eq!(ask(&Stored, &("a sample", [1.0, 2.0])), [1.0, 2.0]);
}

#[test]
fn an_ensemble_may_mix_kinds_of_teachers() {
    type Small = Mlp![2, 4, 3];
    let (mut network, rule) = (Small::ZERO, |x: &[f32; 2]| [x[0], x[1], 0.5]);
    network.initialize(&mut Pcg32::new(1, 1));
    let ensemble = Ensemble::<dyn Teacher<[f32; 2], [f32; 3]>> { members: &[&network, &rule] };
    let x = [0.3, -0.2];
    let (mut found, mut expected) = (ensemble.teach(&x), [network.predict(&x), rule(&x)]);
    softmax(&mut found, 1.0);
    expected.iter_mut().for_each(|answer| _ = softmax(answer, 1.0));
    for (class, p) in found.iter().enumerate() {
        assert!((p - (expected[0][class] + expected[1][class]) / 2.0).abs() < 1e-6);
    }
    assert_eq!(Ensemble::<Small> { members: &[] }.teach(&x), [0.0; 3], "an empty ensemble has a preference");
}

#[test]
fn a_confident_but_wrong_member_is_outvoted() {
    // With mean logits, the first class would win.
    let one = |_: &()| [100.0, 0.0];
    let other = |_: &()| [0.0, 4.0];
    let ensemble = Ensemble::<dyn Teacher<(), [f32; 2]>> { members: &[&one, &other, &other] };
    let [a, b] = ensemble.teach(&());
    assert!(b > a, "{a} {b}");
}

proptest! {
    #[test]
    fn an_ensemble_averages_probabilities(answers in vec(uniform4(-30f32..30.0), 1..6)) {
        let members: Vec<_> = answers.iter().map(|answer| move |_: &()| *answer).collect();
        let members: Vec<_> = members.iter().collect();
        let mut found = Ensemble { members: &members }.teach(&()).map(f64::from);
        for (class, found) in found.iter().enumerate() {
            let probabilities = answers.iter().map(|answer| {
                let mut p = answer.map(f64::from);
                softmax(&mut p, 1.0);
                p[class]
            });
            let expected = (probabilities.sum::<f64>() / answers.len() as f64).ln();
            prop_assert!((found - expected).abs() < 1e-5 * expected.abs().max(1.0), "{found} for {expected}");
        }
        let log_sum = softmax(&mut found, 1.0);
        prop_assert!(log_sum.is_finite());
    }

    #[test]
    fn answers_are_finite_even_if_probabilities_underflow(answers in vec(uniform4(-1e30f32..1e30), 1..4)) {
        let members: Vec<_> = answers.iter().map(|answer| move |_: &()| *answer).collect();
        let members: Vec<_> = members.iter().collect();
        let teacher = Ensemble { members: &members }.teach(&());
        prop_assert!(teacher.iter().all(|z| z.is_finite()), "{teacher:?}");
        let (mut dz, mut work) = ([0.0; 4], [0.0; 4]);
        let soft = Soft { teacher: &teacher, label: None };
        let loss: f32 = SoftLabels::DEFAULT.gradient(&[0.0, 1.0, 2.0, 3.0], soft, &mut dz, &mut work);
        prop_assert!(loss.is_finite() && dz.iter().all(|dz| dz.is_finite()));
    }

    #[test]
    fn log_softmax_is_the_logarithm_of_softmax(z in uniform4(-20f64..20.0)) {
        let (mut p, mut log) = (z, z);
        softmax(&mut p, 1.0);
        log_softmax(&mut log);
        for (p, log) in p.iter().zip(log) {
            prop_assert!((p.ln() - log).abs() < 1e-12);
        }
    }

    #[test]
    fn the_margin_is_that_of_the_two_largest_probabilities(z in vec(-8f32..8.0, 2..7)) {
        let mut p: Vec<f64> = z.iter().copied().map(f64::from).collect();
        softmax(&mut p, 1.0);
        p.sort_by(f64::total_cmp);
        let expected = p[p.len() - 1] - p[p.len() - 2];
        prop_assert!((f64::from(margin(&z)) - expected).abs() < 1e-6, "{}", margin(&z));
    }

    #[test]
    fn every_sample_is_counted_as_asked_or_saved(
        samples in vec(uniform4(ANY), 0..60), threshold in -0.1f32..1.1, audit in 0u32..10,
    ) {
        let mut queries = Unsure::new(threshold, audit);
        let mut since = 0;
        for (index, z) in (1..).zip(&samples) {
            let answer = queries.ask(&|z: &[f32; 4]| *z, z, z);
            let sure = margin(z) >= threshold;
            prop_assert_eq!(answer.is_some(), !sure || since == audit);
            since = if answer.is_some() { 0 } else { since + 1 };
            prop_assert_eq!(queries.asked() + queries.saved(), index);
        }
    }
}

#[test]
fn margins_at_the_edges() {
    let nan = f32::NAN;
    assert_eq!(margin(&[3.0]), 1.0, "a single class");
    assert_eq!(margin(&[2.0, 2.0]), 0.0);
    assert_eq!(margin(&[1000.0, -1000.0]), 1.0);
    for z in [&[nan, 1.0][..], &[1.0, nan], &[nan, nan], &[f32::INFINITY; 2], &[f32::NEG_INFINITY; 2]] {
        assert!(margin(z).is_nan(), "{z:?}");
    }
    let mut queries = Unsure::new(0.5, u32::MAX);
    assert_eq!(queries.ask(&|_: &()| 7, &(), &[nan, 1.0]), Some(7), "NaN counts as unsure");
}
