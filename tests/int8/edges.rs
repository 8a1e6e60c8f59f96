//! `Quantize`, `Dequantize` and `DequantizeEach`.

use microdistill::quant::{Decode, Dequantize, DequantizeEach, Quantize, quantize};
use microdistill::{Prepare, Scaler};
use proptest::prelude::*;

/// Normal numbers whose neighbourhood of 256 codes is finite and normal too.
fn scales() -> impl Strategy<Value = f32> {
    (1.0f32..2.0, -100..100i32).prop_map(|(mantissa, exponent)| mantissa * 2f32.powi(exponent))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    /// `AffineQuantize` of TensorFlow Lite: `round(x / scale) + zero`, clamped, where only the division rounds to f32.
    #[test]
    fn codes_equal_their_definition(bits: u32, steps in -400.0f32..400.0, scale in scales(), zero: i8) {
        for x in [f32::from_bits(bits), steps * scale, steps.round() * scale, (steps.round() + 0.5) * scale] {
            let quotient = f64::from(x / scale);
            let code = (quotient.round() + f64::from(zero)).clamp(-128.0, 127.0);
            let expected = if x.is_nan() { zero } else { code as i8 };
            prop_assert_eq!(quantize(x, scale, zero), expected, "{} / {} + {}", x, scale, zero);
        }
    }

    /// The bound is half a step plus the roundoff of two f32 operations on at most 256 steps.
    #[test]
    fn a_round_trip_errs_by_half_a_step(code in -128.0f64..=127.0, scale in scales(), zero: i8) {
        let x = ((code - f64::from(zero)) * f64::from(scale)) as f32;
        let [back] = Dequantize { scale, zero }.apply(&[quantize(x, scale, zero)]);
        let steps = (f64::from(back) - f64::from(x)).abs() / f64::from(scale);
        prop_assert!(steps <= 0.5 + 2.0 * 256.0 / 2f64.powi(24), "{x} comes back as {back}: {steps} steps");
    }

    #[test]
    fn every_code_survives_a_round_trip(scale in scales(), zero: i8) {
        for code in i8::MIN..=i8::MAX {
            let [real] = Dequantize { scale, zero }.apply(&[code]);
            let exact = (f64::from(code) - f64::from(zero)) * f64::from(scale);
            prop_assert_eq!(real, exact as f32);
            prop_assert_eq!(quantize(real, scale, zero), code);
        }
    }

    /// Far from zero, a value is as close as half a step and the roundoff of f32 there allow.
    #[test]
    fn values_err_by_half_a_step_whatever_their_offset(
        share in 0.0f64..=1.0,
        width in 1e-3f64..1e6,
        lowest in prop_oneof![Just(0.0f32), -1e9f32..1e9, -1.0f32..1.0],
    ) {
        let scale = (width / 255.0) as f32;
        let output = DequantizeEach { lowest: [lowest], scale: [scale] };
        let value = (f64::from(lowest) + share * 255.0 * f64::from(scale)) as f32;
        let [back] = output.apply(&output.encode(&[value]));
        let roundoff = 4.0 * f64::from(f32::EPSILON) * (f64::from(lowest.abs()) + width);
        let error = (f64::from(back) - f64::from(value)).abs();
        prop_assert!(error <= 0.5 * f64::from(scale) + roundoff, "{value} comes back as {back}");
    }
}

#[test]
fn each_output_has_its_own_range() {
    let outputs = DequantizeEach { lowest: [101_000.0, -2.0], scale: [2.0, 0.5] };
    assert_eq!(outputs.apply(&[-128, 127]), [101_000.0, 125.5]);
    assert_eq!(outputs.apply(&[-28, -124]), [101_200.0, 0.0]);
    assert_eq!(outputs.encode(&[101_200.9, 0.3]), [-28, -123]);
    assert_eq!(outputs.encode(&[0.0, 1e9]), [-128, 127]);
    assert_eq!(Decode::decode(&outputs, &[0, 0]), outputs.apply(&[0, 0]));
}

#[test]
fn halves_are_rounded_away_from_zero_and_nan_is_the_zero_point() {
    for (x, code) in [
        (0.25, 11),
        (-0.25, 9),
        (0.249_999_99, 10),
        (0.75, 12),
        (-0.75, 8),
        (-0.0, 10),
        (f32::NAN, 10),
        (-f32::NAN, 10),
        (f32::INFINITY, 127),
        (f32::NEG_INFINITY, -128),
        (f32::MAX, 127),
        (58.25, 127),
        (58.75, 127),
        (-69.0, -128),
        (-69.5, -128),
    ] {
        assert_eq!(quantize(x, 0.5, 10), code, "{x}");
    }
}

#[test]
fn quantization_standardizes_first() {
    let scaler = Scaler::new([1.0, -2.0, 0.0], [2.0, 0.5, 0.0]);
    let edge = Quantize { scaler, scale: 0.25, zero: -3 };
    assert_eq!(edge.apply(&[2.0, 0.0, 1e30]), [5, 1, -3]); // 2, 1 and 0 before quantization
    assert_eq!(edge.apply(&[f32::INFINITY, f32::NAN, f32::NEG_INFINITY]), [-3; 3]); // missing
    assert_eq!(edge.apply(&[1e30, -1e30, 0.0]), [127, -128, -3]); // beyond the codes
}
