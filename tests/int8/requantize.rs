//! `Requantize` and `Clamp`.

use microdistill::kernel::int8::{hold, release};
use microdistill::quant::{Clamp, Requantize, Stage as _};
use proptest::num::f64::{NORMAL, POSITIVE, SUBNORMAL, ZERO};
use proptest::prelude::*;

use crate::reference;

const EXTREMES: [i32; 12] =
    [i32::MIN, i32::MIN + 1, -(1 << 30), -3, -2, -1, 0, 1, 2, 1 << 30, i32::MAX - 1, i32::MAX];

/// Numbers of every magnitude.
pub(crate) fn sums() -> impl Strategy<Value = i32> {
    prop_oneof![
        1 => prop::sample::select(&EXTREMES[..]),
        4 => (any::<i32>(), 0..32u32).prop_map(|(number, bits)| number >> bits),
    ]
}

/// Any mantissa, and ½ more often, because every odd sum is then a tie.
fn multipliers() -> impl Strategy<Value = i32> {
    prop_oneof![Just(1 << 30), 1 << 30..=i32::MAX, any::<i32>()]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn requantization_equals_its_definition(sum in sums(), multiplier in multipliers(), shift in -31i8..=30) {
        let expected = reference::multiply(sum, multiplier, shift);
        prop_assert_eq!(Requantize::new(multiplier, shift).apply(sum), expected);
    }

    #[test]
    fn the_result_is_within_one_of_the_real_product(sum in -1_000_000..1_000_000i32, log2 in -30.0..10.0f64) {
        let factor = log2.exp2();
        let (found, exact) = (Requantize::from_factor(factor).apply(sum), f64::from(sum) * factor);
        let bound = 1.0 + exact.abs() / f64::from(1 << 30);
        prop_assert!((f64::from(found) - exact).abs() <= bound, "{found} for {exact}");
    }

    #[test]
    fn a_clamp_keeps_codes_in_its_range(code: i8, zero: i8, a: i8, b: i8) {
        let (lowest, highest) = (a.min(b), a.max(b));
        let mut word = [hold(code)];
        Clamp { zero, lowest, highest }.apply(&mut word);
        prop_assert_eq!(release(word[0]), code.clamp(lowest, highest));
    }

    /// `QuantizeMultiplier`: the mantissa and exponent of the nearest 31-bit number.
    #[test]
    fn factors_are_rounded_to_31_bits(mantissa in 0.5..1.0f64, exponent in -31..=30) {
        let factor = mantissa * 2f64.powi(exponent);
        let found = Requantize::from_factor(factor);
        prop_assert!((1 << 30..=i32::MAX).contains(&found.multiplier()));
        // Both differences are exact, because the numbers are within a factor of two.
        prop_assert!((real(found) - factor).abs() <= factor / 2f64.powi(31), "{found:?} for {factor:e}");
    }

    #[test]
    fn any_positive_factor_is_in_range(factor in POSITIVE | NORMAL | SUBNORMAL | ZERO) {
        let found = Requantize::from_factor(factor);
        if factor >= 2f64.powi(30) {
            prop_assert_eq!(found, Requantize::new(i32::MAX, 30));
        } else if factor < 2f64.powi(-32) * (1.0 - 2f64.powi(-32)) {
            prop_assert_eq!(found, Requantize::new(0, 0));
        } else {
            prop_assert!((1 << 30..=i32::MAX).contains(&found.multiplier()));
            prop_assert!((-31..=30).contains(&found.shift()));
        }
    }
}

fn real(factor: Requantize) -> f64 {
    f64::from(factor.multiplier()) * 2f64.powi(i32::from(factor.shift()) - 31)
}

#[test]
fn requantization_equals_its_definition_at_every_extreme() {
    for sum in EXTREMES {
        for multiplier in EXTREMES {
            for shift in -31..=30 {
                let expected = reference::multiply(sum, multiplier, shift);
                let found = Requantize::new(multiplier, shift).apply(sum);
                assert_eq!(found, expected, "{sum} · {multiplier} · 2^({shift} − 31)");
            }
        }
    }
}

/// Cases computed by hand, which test the reference too.
#[test]
fn each_rounding_treats_halves_in_its_own_way() {
    let half = 1 << 30;
    for (sum, multiplier, shift, expected) in [
        (1, half, 0, 1),  // ½, up
        (-1, half, 0, 0), // −½, up
        (-3, half, 0, -1),
        (3, half, 0, 2),
        (2, half, -1, 1), // 1 / 2, away from zero
        (-2, half, -1, -1),
        (-6, half, -1, -2),
        (5, half, -1, 2), // the product 1¼ is rounded twice: 2½ becomes 3, then 3 / 2 becomes 2
        (i32::MIN, i32::MIN, 0, i32::MAX),
        (i32::MAX, i32::MAX, 30, i32::MAX - 1), // the shift saturates; the multiplier is just below one
        (i32::MIN, i32::MAX, 30, -i32::MAX),
        (-2, half, 30, i32::MIN / 2),
        (-4, half, 30, i32::MIN / 2),  // saturated
        (i32::MIN, i32::MAX, -31, -1), // 1 − 2⁻³¹, away from zero
        (i32::MIN, half, -31, -1),     // −½
        (i32::MAX, half, -31, 1),
        (i32::MAX, half, -30, 1),
        (i32::MAX, 0, 30, 0),
    ] {
        assert_eq!(
            reference::multiply(sum, multiplier, shift),
            expected,
            "{sum} · {multiplier} · 2^({shift} − 31)"
        );
        assert_eq!(Requantize::new(multiplier, shift).apply(sum), expected);
    }
}

#[test]
fn shifts_out_of_range_are_clamped() {
    for (shift, cut) in [(i8::MIN, -31), (-32, -31), (-31, -31), (0, 0), (30, 30), (31, 30), (i8::MAX, 30)] {
        let found = Requantize::new(5, shift);
        assert_eq!((found.multiplier(), found.shift()), (5, cut));
    }
}

#[test]
fn factors_at_the_limits() {
    let (half, top) = (1 << 30, i32::MAX);
    for (factor, multiplier, shift) in [
        (0.0, 0, 0),
        (f64::from_bits(1), 0, 0),
        (2f64.powi(-33), 0, 0),
        (2f64.powi(-32), half, -31),
        (2f64.powi(-31), half, -30),
        (0.5, half, 0),
        (0.75, 3 << 29, 0),
        (1.0, half, 1),
        (1.0 - 2f64.powi(-31), top, 0),
        (1.0 - 2f64.powi(-33), half, 1), // rounds up to one
        (2f64.powi(29), half, 30),
        (2f64.powi(30) - 0.5, top, 30),
        (2f64.powi(30) - 0.125, top, 30), // rounds up to 2³⁰, which saturates
        (2f64.powi(30), top, 30),
        (f64::MAX, top, 30),
        (f64::INFINITY, top, 30),
    ] {
        assert_eq!(Requantize::from_factor(factor), Requantize::new(multiplier, shift), "{factor:e}");
    }
}
