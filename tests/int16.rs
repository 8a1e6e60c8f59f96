//! `DenseI16`: against its definition in integers that cannot overflow, and against TensorFlow Lite's codes.

use microdistill::kernel::int16::{Affine, affine};
use microdistill::quant::{ClampI16, DenseI16, DequantizeI16, QuantizeI16, Requantize};
use microdistill::{MlpI16, Network, Prepare, Scaler};
use proptest::prelude::*;
use rand_core::Rng;
use rand_pcg::Pcg32;

/// `MultiplyByQuantizedMultiplier` of TensorFlow Lite for an int64: a mantissa of 15 bits, one rounding, halves upwards.
fn multiply(sum: i128, multiplier: i32, shift: i8) -> i128 {
    let mantissa = (i128::from(multiplier) + (1 << 15)).div_euclid(1 << 16).min(0x7FFF);
    let unit = 1i128 << (15 - i32::from(shift.min(7)));
    let result = (2 * sum * mantissa + unit).div_euclid(2 * unit);
    result.clamp(i32::MIN.into(), i32::MAX.into())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn requantization_equals_its_definition(
        sum in -(1i64 << 47)..1 << 47,
        bits in 0..48,
        multiplier in prop_oneof![1 << 30..=i32::MAX, 0x7FFE_0000..=i32::MAX, 0..=i32::MAX],
        shift in -31i8..=10,
    ) {
        let sum = sum >> bits;
        let found = Requantize::new(multiplier, shift).apply_i64(sum);
        prop_assert_eq!(i128::from(found), multiply(sum.into(), multiplier, shift));
    }

    #[test]
    fn the_result_is_close_to_the_real_product(sum in -(1i64 << 40)..1 << 40, log2 in -31.0..-20.0f64) {
        let factor = log2.exp2();
        let (found, exact) = (Requantize::from_factor(factor).apply_i64(sum), sum as f64 * factor);
        // Half a code, and half a step of a mantissa of 15 bits, which is at least 2¹⁴.
        prop_assert!((f64::from(found) - exact).abs() <= 0.501 + exact.abs() / f64::from(1 << 15));
    }
}

/// A random layer of these shapes against its definition.
fn check<const I: usize, const O: usize, const S: usize, const SCRATCH: usize>(rng: &mut Pcg32) {
    let lowest = rng.next_u32().is_multiple_of(8);
    let weights: [[i8; I]; O] = std::array::from_fn(|_| {
        std::array::from_fn(|_| if lowest { -127 } else { (rng.next_u32() as i8).max(-127) })
    });
    let bias: [i64; O] = std::array::from_fn(|_| i64::from(rng.next_u32() as i32) << (rng.next_u32() % 12));
    let factors: [(i32, i8); S] =
        std::array::from_fn(|_| ((rng.next_u32() >> 2 | 1 << 30) as i32, -((rng.next_u32() % 20) as i8)));
    let clamp = ClampI16 { lowest: if rng.next_u32() & 1 == 0 { 0 } else { i16::MIN }, highest: i16::MAX };
    let requantize = factors.map(|(multiplier, shift)| Requantize::new(multiplier, shift));
    let network: Network<_, SCRATCH> =
        Network::new(DenseI16::<I, O, S>::new(weights, bias, requantize, clamp));
    for _ in 0..4 {
        let x: [i16; I] = std::array::from_fn(|_| if lowest { i16::MIN } else { rng.next_u32() as i16 });
        let expected: [i16; O] = std::array::from_fn(|o| {
            let products = weights[o].iter().zip(&x).map(|(&w, &x)| i128::from(w) * i128::from(x));
            let (multiplier, shift) = factors[o % S];
            let code = multiply(i128::from(bias[o]) + products.sum::<i128>(), multiplier, shift);
            code.clamp(clamp.lowest.into(), clamp.highest.into()) as i16
        });
        assert_eq!(network.predict(&x), expected, "{I} inputs, {O} outputs");
    }
}

macro_rules! check_shapes {
    ($rng:expr; $([$i:literal, $o:literal]),+) => {$(
        check::<$i, $o, $o, { microdistill::scratch::<i16>(&[$i, $o]) }>($rng);
        check::<$i, $o, 1, { microdistill::scratch::<i16>(&[$i, $o]) }>($rng);
    )+};
}

proptest! {
    #[test]
    fn layers_of_any_width_equal_their_definition(seed: u64) {
        let rng = &mut Pcg32::new(seed, 1);
        check_shapes!(rng; [1, 1], [3, 5], [8, 16], [16, 1], [33, 2], [257, 3], [511, 1], [512, 2], [1025, 1]);
    }

    #[test]
    fn slices_of_any_length_are_taken(
        lengths in [0usize..70, 0..9, 0..9, 0..9, 0..70, 0..9],
        number: i64,
    ) {
        let [weights, bias, multipliers, shifts, x, y] = lengths;
        let layer = Affine {
            weights: &vec![number as i8; weights],
            bias: &vec![number; bias],
            multipliers: &vec![number as i32; multipliers],
            shifts: &vec![number as i8; shifts],
            lowest: number as i16,
            highest: (number >> 16) as i16,
        };
        affine(&layer, &vec![number as i16; x], &mut vec![0; y]);
    }
}

/// One input doubled, in steps of 1/1000.
#[test]
fn edges_quantize_and_dequantize() {
    let clamp = ClampI16 { lowest: i16::MIN, highest: i16::MAX };
    let network: MlpI16![1, 1] =
        Network::new(DenseI16::new([[100]], [0], [Requantize::from_factor(2.0 / 100.0)], clamp));
    let input = QuantizeI16 { scaler: Scaler::new([1.0], [1.0]), scale: 1e-3 };
    let output = DequantizeI16 { scale: 1e-3 };
    for (raw, expected) in [(1.0, 0.0), (2.5, 3.0), (-1.0, -4.0), (100.0, 32.767), (f32::NAN, 0.0)] {
        let [found] = output.apply(&network.predict(&input.apply(&[raw])));
        assert!((found - expected).abs() < 2e-3, "{found} for {raw}");
    }
}
