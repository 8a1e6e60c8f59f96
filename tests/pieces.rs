//! The small parts around a network: replay ring, scaler, metrics and schedules.

use std::array;
use std::convert::Infallible;

use microdistill::activation::Relu;
use microdistill::layout::{ByInput, ByOutput};
use microdistill::metric::{Accuracy, Brier, NegativeLogLikelihood};
use microdistill::quant::Quantize;
use microdistill::scalar::Fused;
use microdistill::scaler::{Missing, standardize};
use microdistill::schedule::{Constant, HalfCosine, Schedule, Step};
use microdistill::{Dense, Params, Prepare, Replay, Scaler, Strict, argmax};
use proptest::prelude::*;
use rand_core::{Rng, TryRng};
use rand_pcg::Pcg32;

/// A generator that returns the same number every time and counts the calls.
struct Fixed {
    number: u32,
    asked: u32,
}

impl TryRng for Fixed {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        self.asked += 1;
        Ok(self.number)
    }
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        unreachable!("the core draws 32 bits at a time")
    }
    fn try_fill_bytes(&mut self, _: &mut [u8]) -> Result<(), Infallible> {
        unreachable!("the core draws 32 bits at a time")
    }
}

#[test]
fn an_empty_ring_gives_nothing() {
    let replay = Replay::<u32, char, 3>::default();
    assert_eq!((replay.len(), replay.is_empty()), (0, true));
    assert_eq!(replay.draw(&mut Pcg32::new(1, 1)), None);
}

#[test]
fn a_ring_holds_the_last_pairs_and_draws_each_of_them() {
    let mut replay = Replay::<u32, u32, 5>::new();
    let mut rng = Pcg32::new(1, 1);
    for pushed in 1..=13 {
        replay.push(pushed, 10 * pushed);
        assert_eq!((replay.len(), replay.is_empty()), (pushed.min(5) as usize, false));
        let mut drawn: Vec<(u32, u32)> = (0..200).map(|_| *replay.draw(&mut rng).unwrap()).collect();
        drawn.sort_unstable();
        drawn.dedup();
        let oldest = pushed.saturating_sub(4).max(1);
        assert_eq!(drawn, (oldest..=pushed).map(|x| (x, 10 * x)).collect::<Vec<_>>());
    }
}

#[test]
fn draws_are_uniform() {
    let mut replay = Replay::<usize, (), 7>::new();
    (0..7).for_each(|x| replay.push(x, ()));
    let (mut rng, mut counts) = (Pcg32::new(1, 1), [0i32; 7]);
    for _ in 0..7000 {
        counts[replay.draw(&mut rng).unwrap().0] += 1;
    }
    assert!(counts.iter().all(|count| (count - 1000).abs() < 150), "{counts:?}");
}

#[test]
fn a_draw_takes_one_u32() {
    let mut replay = Replay::<u32, (), 3>::new();
    (0..3).for_each(|x| replay.push(x, ()));
    // Each slot has a third of the range of u32.
    for (number, slot) in [(0, 0), (u32::MAX / 3, 0), (u32::MAX / 3 + 1, 1), (u32::MAX / 2, 1), (u32::MAX, 2)]
    {
        let mut rng = Fixed { number, asked: 0 };
        assert_eq!(replay.draw(&mut rng), Some(&(slot, ())), "{number}");
        assert_eq!(rng.asked, 1);
    }
}

#[test]
fn an_initial_weight_takes_one_u32() {
    for (number, expected) in
        [(0, -1.0), (1 << 31, 0.0), (u32::MAX, 1.0 - 1.0 / f32::from(1u16 << 15) / 256.0)]
    {
        let (mut rng, mut weights) = (Fixed { number, asked: 0 }, [0.0f32; 4]);
        microdistill::initialize(&mut weights, 6, &mut rng);
        assert_eq!((weights, rng.asked), ([expected; 4], 4), "{number}");
    }
    let mut same = Pcg32::new(4, 5);
    let mut drawn = || (same.next_u32() >> 8) as f32 / f32::from(1u16 << 15) / 256.0 - 1.0;
    let expected: [[f32; 6]; 2] = array::from_fn(|_| array::from_fn(|_| drawn()));
    let mut weights = [0.0; 12];
    microdistill::initialize(&mut weights, 6, &mut Pcg32::new(4, 5));
    assert_eq!(weights, expected.as_flattened(), "not drawn in memory order");

    // Of layers an output's after the other's, wherever they lie.
    let mut by_output = Dense::<6, 2, Relu, f32, ByOutput>::ZERO;
    by_output.initialize(&mut Pcg32::new(4, 5));
    assert_eq!(by_output, Dense::new(expected, [0.0; 2]));
    let mut by_input = Dense::<6, 2, Relu, f32, ByInput>::ZERO;
    by_input.initialize(&mut Pcg32::new(4, 5));
    assert_eq!(by_input, Dense::new(expected, [0.0; 2]));
}

#[test]
fn argmax_is_the_first_maximum_and_never_nan() {
    let nan = f32::NAN;
    for (values, expected) in [
        (&[][..], 0),
        (&[-3.0], 0),
        (&[1.0, 3.0, 2.0], 1),
        (&[2.0, 1.0, 2.0], 0),
        (&[0.0, 1.0, 1.0], 1),
        (&[-0.0, 0.0], 0),
        (&[nan, nan], 0),
        (&[nan, -1.0, nan, 5.0], 3),
        (&[4.0, nan, 5.0, nan], 2),
        (&[nan, f32::NEG_INFINITY], 1),
        (&[f32::INFINITY, f32::INFINITY], 0),
    ] {
        assert_eq!(argmax(values), expected, "{values:?}");
    }
    assert_eq!(argmax(&[-128i8, 127, 127]), 1);
}

#[test]
fn accuracy_counts_right_answers() {
    let mut accuracy = Accuracy::default();
    assert!(accuracy.share().is_nan());
    accuracy.add(&[0.1, 0.9], 1);
    accuracy.add(&[0.1, 0.9], 0);
    accuracy.add(&[7i8, 3, 7], 0);
    accuracy.add(&[f32::NAN, 0.0], 1);
    assert_eq!(accuracy, Accuracy { correct: 3, total: 4 });
    assert_eq!(accuracy.share(), 0.75);
    let mut full = Accuracy { correct: u32::MAX, total: u32::MAX };
    full.add(&[1.0], 0);
    assert_eq!(full, Accuracy { correct: 0, total: 0 });
}

#[test]
fn likelihood_and_brier_have_their_closed_forms() {
    let (mut nll, mut brier) = (NegativeLogLikelihood::default(), Brier::default());
    assert!(nll.mean().is_nan() && brier.mean().is_nan());
    // The probabilities are ¼ and ¾.
    let logits = [0.0, 3f32.ln()];
    for (label, own, distance) in [(0, 0.25f32, 0.75f32), (1, 0.75, 0.25)] {
        let (mut one_nll, mut one_brier) = (NegativeLogLikelihood::default(), Brier::default());
        one_nll.add(&logits, label);
        one_brier.add(&logits, label);
        assert!((one_nll.mean() + own.ln()).abs() < 1e-6, "{}", one_nll.mean());
        assert!((one_brier.mean() - 2.0 * distance * distance).abs() < 1e-6, "{}", one_brier.mean());
        nll.add(&logits, label);
        brier.add(&logits, label);
    }
    nll.add(&logits, 2);
    brier.add(&logits, usize::MAX);
    nll.add(&[], 0);
    assert!((nll.mean() + (0.25f32 * 0.75).ln() / 2.0).abs() < 1e-6, "a label without a logit was counted");
    assert!((brier.mean() - (0.75f32 * 0.75 + 0.25 * 0.25)).abs() < 1e-6);
    // No overflow in between.
    let (mut nll, mut brier) = (NegativeLogLikelihood::default(), Brier::default());
    nll.add(&[1000.0, -1000.0], 1);
    brier.add(&[1000.0, -1000.0], 1);
    assert_eq!((nll.mean(), brier.mean()), (2000.0, 2.0));
}

#[test]
fn the_mean_of_many_rows_is_as_exact_as_that_of_few() {
    let logits = [0.1, 0.7, -0.3];
    let (mut one, mut many) = (NegativeLogLikelihood::default(), NegativeLogLikelihood::default());
    one.add(&logits, 0);
    (0..1_000_000).for_each(|_| many.add(&logits, 0));
    assert!(
        (many.mean() / one.mean() - 1.0).abs() < 3.0 * f32::EPSILON,
        "{} and {}",
        many.mean(),
        one.mean()
    );
}

#[test]
fn rates_fall_as_scheduled() {
    assert_eq!([0, 7, usize::MAX].map(|step| Constant.share(step)), [1.0; 3]);
    let step = Step { every: 10, factor: 0.5 };
    assert_eq!([0, 9, 10, 25, 70].map(|update| step.share(update)), [1.0, 1.0, 0.5, 0.25, 1.0 / 128.0]);
    assert_eq!(step.share(usize::MAX), 0.0);
    assert_eq!(Step { every: 0, factor: 0.25 }.share(2), 1.0 / 16.0);
    let cosine = HalfCosine { steps: 10 };
    assert_eq!([0, 5, 10, 11, usize::MAX].map(|step| cosine.share(step)), [1.0, 0.5, 0.0, 0.0, 0.0]);
    assert!((0..10).all(|step| cosine.share(step) > cosine.share(step + 1)));
    let expected = 0.5 * (1.0 + (core::f64::consts::PI * 0.3).cos());
    assert!((f64::from(cosine.share(3)) - expected).abs() < 1e-7);
    assert_eq!(HalfCosine { steps: 0 }.share(0), 0.0);
}

#[test]
fn a_scaler_subtracts_then_multiplies() {
    let scaler = Scaler::new([1.0, -2.0, 1e8, 5.0], [2.0, 0.25, 1.0, 0.0]);
    assert_eq!(scaler.apply(&[3.0, 2.0, 1e8 + 8.0, -7.0]), [4.0, 1.0, 8.0, 0.0]);
    // 0.1 and 0.3 round, and the difference is rounded before the product.
    assert_eq!(Scaler::new([0.1], [0.3]).apply(&[0.7]), [(0.7f32 - 0.1f32) * 0.3f32]);
    let mut x = [3.0f64, 4.0, 5.0];
    standardize(&mut x, &[1.0, 1.0, 1.0], &[2.0, 3.0]);
    assert_eq!(x, [4.0, 9.0, 5.0], "elements beyond the shortest slice were scaled");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    /// The rule for missing features: what is not finite is the mean, in f32, int8 and fused networks alike.
    #[test]
    fn features_that_are_not_finite_are_the_mean(
        bits: [u32; 4],
        special in prop::sample::select(vec![f32::NAN, -f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MAX, 1.0]),
        at in 0usize..4,
        mean in prop::array::uniform4(-1e3f32..1e3),
        scale in prop::array::uniform4(0.0f32..1e3),
    ) {
        let mut raw = bits.map(f32::from_bits);
        raw[at] = special;
        let scaler = Scaler::new(mean, scale);
        let is_missing = |index: usize| !((raw[index] - mean[index]) * scale[index]).is_finite();
        let filled: [f32; 4] = core::array::from_fn(|index| if is_missing(index) { mean[index] } else { raw[index] });
        let x = scaler.apply(&raw);
        prop_assert!(x.iter().all(|x| x.is_finite()));
        prop_assert_eq!(x.map(f32::to_bits), scaler.apply(&filled).map(f32::to_bits));
        let int8 = Quantize { scaler, scale: 0.05, zero: -7 };
        prop_assert_eq!(int8.apply(&raw), int8.apply(&filled));
        let mut fused = raw.map(Fused);
        standardize(&mut fused, &mean.map(Fused), &scale.map(Fused));
        prop_assert_eq!(fused, x.map(Fused));

        let first = (0..4).find(|&index| is_missing(index));
        let refused = first.map(|feature| Missing { feature });
        prop_assert_eq!(Strict(&scaler).apply(&raw), refused.map_or(Ok(x), Err));
        prop_assert_eq!(Strict(&int8).apply(&raw), refused.map_or(Ok(int8.apply(&raw)), Err));
    }
}

#[test]
fn a_missing_feature_is_named() {
    let error = Missing { feature: 3 }.to_string();
    assert_eq!(error, "feature 3 is missing: its value is not a finite number");
}
