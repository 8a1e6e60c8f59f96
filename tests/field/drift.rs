//! Drift detection: when learning starts and stops.

use microdistill::drift::{Drift, DriftLimits, PageHinkley, PageHinkleyLimits, disagreement};
use microdistill::loss::softmax;
use proptest::array::uniform3;
use proptest::collection::vec;
use proptest::num::f32::ANY;
use proptest::prelude::*;

use crate::common::numbers;

const LIMITS: DriftLimits = DriftLimits::DEFAULT;

/// Simulated disagreements between student and teacher, scattered around `mean`.
fn around(mean: f32, seed: u64) -> impl Iterator<Item = f32> {
    let mut number = numbers(seed);
    std::iter::repeat_with(move || (mean + 0.1 * number() as f32).clamp(0.0, 1.0))
}

#[test]
fn disagreement_is_half_the_absolute_difference_of_probabilities() {
    let log = |p: [f32; 3]| p.map(f32::ln);
    let (a, b) = (log([0.5, 0.25, 0.25]), log([0.25, 0.25, 0.5]));
    assert!((disagreement(&a, &b) - 0.25).abs() < 1e-6);
    assert_eq!(disagreement(&[0.0, 9.0], &[0.0, 9.0]), 0.0);
    assert_eq!(disagreement(&[1000.0, 0.0], &[0.0, 1000.0]), 1.0);
    assert!(disagreement(&[f32::NAN, 0.0], &[0.0, 1.0]).is_nan());
}

#[test]
fn a_steady_level_raises_no_alarm_and_a_rise_does() {
    for seed in 0..50 {
        let mut drift = Drift::expecting(0.1, 64);
        for disagreement in around(0.1, seed).take(10_000) {
            assert!(!drift.add(disagreement, &LIMITS));
        }
        let late = around(0.4, seed).position(|disagreement| drift.add(disagreement, &LIMITS)).unwrap();
        assert!((5..30).contains(&late), "{late} samples late");
    }
}

#[test]
fn drift_from_the_first_sample_is_noticed_if_the_level_is_known() {
    let alarm = |mut drift: Drift| around(0.4, 1).take(1000).position(|x| drift.add(x, &LIMITS));
    assert!(alarm(Drift::expecting(0.1, 64)).unwrap() < 30);
    assert_eq!(alarm(Drift::ZERO), None, "the first numbers were not taken as the norm");
}

#[test]
fn learning_stops_when_it_has_helped_and_can_start_again() {
    let mut drift = Drift::expecting(0.1, 64);
    for round in 0..5 {
        assert!(around(0.5, round).take(100).any(|x| drift.add(x, &LIMITS)), "round {round}");
        // The level falls slowly as long as the device learns.
        let mut level = 0.5;
        let mut noise = around(0.0, 9);
        let samples = (1..).find(|_| {
            level = 0.1 + (level - 0.1) * 0.995;
            !drift.add(level + noise.next().unwrap(), &LIMITS)
        });
        assert!(level < 0.2, "stopped at {level} after {samples:?}");
        assert!(around(0.1, round).take(2000).all(|x| !drift.add(x, &LIMITS)));
    }
}

#[test]
fn a_level_that_learning_does_not_lower_becomes_the_norm() {
    let mut drift = Drift::expecting(0.1, 64);
    assert!(around(0.4, 1).take(100).any(|x| drift.add(x, &LIMITS)));
    let samples = around(0.4, 2).position(|x| !drift.add(x, &LIMITS)).unwrap() as u32 + 1;
    // The first block is the lowest so far; then patience runs out.
    assert_eq!(samples, LIMITS.block * (1 + LIMITS.patience));
    assert!(around(0.4, 3).take(5000).all(|x| !drift.add(x, &LIMITS)));
}

proptest! {
    #[test]
    fn the_alarm_equals_the_page_hinkley_test(
        numbers in vec(0f32..1.0, 1..200), tolerance in 0f32..0.2, threshold in 0.1f32..5.0,
    ) {
        let limits = PageHinkleyLimits { tolerance, threshold };
        let mut test = PageHinkley::ZERO;
        // The formulation of the papers, in f64.
        let (mut sum, mut cumulated, mut lowest) = (0.0, 0.0, 0f64);
        for (count, &x) in (1..).zip(&numbers) {
            sum += f64::from(x);
            cumulated += f64::from(x) - sum / f64::from(count) - f64::from(tolerance);
            lowest = lowest.min(cumulated);
            let gap = cumulated - lowest;
            let alarm = test.add(x, &limits);
            if (gap - f64::from(threshold)).abs() > 1e-3 {
                prop_assert_eq!(alarm, gap > f64::from(threshold), "gap {}", gap);
            }
        }
    }

    #[test]
    fn no_number_breaks_the_detector(numbers in vec(ANY, 0..300)) {
        let mut drift = Drift::expecting(0.1, 64);
        for x in numbers {
            drift.add(if x.abs() > 1.0 { f32::NAN } else { x }, &LIMITS);
        }
        // Learning, if it is under way, ends and can start again.
        prop_assert!(around(0.1, 1).take(2000).any(|x| !drift.add(x, &LIMITS)) );
        prop_assert!(vec![1.0; 200].iter().any(|&x| drift.add(x, &LIMITS)));
    }

    #[test]
    fn numbers_that_are_not_finite_are_ignored(numbers in vec(0f32..1.0, 1..300)) {
        let (mut with, mut without) = (Drift::ZERO, Drift::ZERO);
        for &x in &numbers {
            for nothing in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
                prop_assert_eq!(with.add(nothing, &LIMITS), without.is_learning());
            }
            prop_assert_eq!(with.add(x, &LIMITS), without.add(x, &LIMITS));
        }
        prop_assert_eq!(with, without);
    }

    #[test]
    fn disagreement_is_a_distance(a in uniform3(-30f32..30.0), b in uniform3(-30f32..30.0)) {
        let found = disagreement(&a, &b);
        prop_assert!((0.0..=1.0 + 1e-6).contains(&found));
        prop_assert_eq!(found, disagreement(&b, &a));
        let (mut p, mut q) = (a.map(f64::from), b.map(f64::from));
        softmax(&mut p, 1.0);
        softmax(&mut q, 1.0);
        let expected = 0.5 * p.iter().zip(&q).map(|(p, q)| (p - q).abs()).sum::<f64>();
        prop_assert!((f64::from(found) - expected).abs() < 1e-5);
    }
}
