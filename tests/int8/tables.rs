//! Tables over their whole domain, and the softmax, against f64 arithmetic.

use microdistill::quant::{Dequantize, Softmax, Stage as _, Table, exp};
use proptest::prelude::*;

use crate::reference;

fn codes() -> impl Strategy<Value = Dequantize> {
    (-14.0f32..4.0, any::<i8>()).prop_map(|(log2, zero)| Dequantize { scale: log2.exp2(), zero })
}

/// Asserts that every code is within half a step of the exact value, plus the roundoff of f32.
fn assert_nearest(table: &Table, z: Dequantize, y: Dequantize, f: impl Fn(f64) -> f64) {
    assert_eq!(table.zero(), z.zero);
    for code in i8::MIN..=i8::MAX {
        let z = (f64::from(code) - f64::from(z.zero)) * f64::from(z.scale);
        let exact = (f(z) / f64::from(y.scale) + f64::from(y.zero)).clamp(-128.0, 127.0);
        let found = f64::from(table.map(code));
        assert!((found - exact).abs() <= 0.5 + 1e-4, "{code}: f({z}) has the code {exact}, found {found}");
    }
}

proptest! {
    #[test]
    fn exp_errs_in_the_last_place(x in -708.0..709.0f64) {
        let (found, exact) = (exp(x), x.exp());
        prop_assert!((found - exact).abs() <= 3e-16 * exact, "e^{x}: {found:e}, not {exact:e}");
    }

    #[test]
    fn tanh_is_the_nearest_code(z in codes()) {
        assert_nearest(&Table::tanh(z), z, Table::TANH, f64::tanh);
    }

    #[test]
    fn sigmoid_is_the_nearest_code(z in codes()) {
        assert_nearest(&Table::sigmoid(z), z, Table::SIGMOID, |z| 1.0 / (1.0 + (-z).exp()));
    }

    /// Equal bit for bit, because a layer's sums are requantized in the same integer arithmetic.
    #[test]
    fn leaky_relu_requantizes_each_side(slope in 0.0f32..=1.0, z in codes(), y in codes()) {
        let factor = |factor: f32| {
            let factor = microdistill::quant::Requantize::from_factor(factor.into());
            (factor.multiplier(), factor.shift())
        };
        let (above, below) = (factor(z.scale / y.scale), factor(z.scale * slope / y.scale));
        let table = Table::leaky_relu(slope, z, y);
        for code in i8::MIN..=i8::MAX {
            let steps = i32::from(code) - i32::from(z.zero);
            let (multiplier, shift) = if steps < 0 { below } else { above };
            let exact = reference::multiply(steps, multiplier, shift) + i32::from(y.zero);
            prop_assert_eq!(i32::from(table.map(code)), exact.clamp(-128, 127));
        }
    }

    /// Tables and softmaxes can be made with scales of any bits.
    #[test]
    fn nothing_panics(bits: [u32; 3], zeros: [i8; 2], logits: [i8; 7]) {
        let [z_scale, y_scale, slope] = bits.map(f32::from_bits);
        let [z, y] = [(z_scale, zeros[0]), (y_scale, zeros[1])].map(|(scale, zero)| Dequantize { scale, zero });
        for table in [Table::tanh(z), Table::sigmoid(z), Table::leaky_relu(slope, z, y)] {
            prop_assert_eq!(table.zero(), z.zero);
        }
        let _ = Softmax::new(z_scale).apply(&logits);
    }

    #[test]
    fn probabilities_are_near_and_in_order(scale in (-9.0f32..1.0).prop_map(f32::exp2), logits: [i8; 10]) {
        let probabilities = Softmax::new(scale).apply(&logits);
        let top = logits.iter().copied().max().map_or(0.0, f64::from);
        let exps = logits.map(|code| ((f64::from(code) - top) * f64::from(scale)).exp());
        let sum: f64 = exps.iter().sum();
        for ((found, e), a) in probabilities.iter().zip(exps).zip(logits) {
            let exact = (256.0 * e / sum - 128.0).min(127.0);
            prop_assert!((f64::from(*found) - exact).abs() <= 0.51, "{found} for {exact}");
            for (other, b) in probabilities.iter().zip(logits) {
                prop_assert!(a < b || found >= other);
            }
        }
    }
}

#[test]
fn exp_at_the_limits() {
    assert_eq!(exp(0.0), 1.0);
    assert_eq!(exp(-708.1), 0.0);
    assert_eq!(exp(f64::NEG_INFINITY), 0.0);
    assert_eq!(exp(709.1), f64::INFINITY);
    assert!(exp(f64::NAN).is_nan());
    assert!(exp(-708.0) > 0.0 && exp(709.0) < f64::INFINITY);
}

/// The zero point of the input maps to the code of `f(0)`, and ties are rounded away from zero.
#[test]
fn tables_by_hand() {
    let z = Dequantize { scale: 0.125, zero: -3 };
    const TANH: Table = Table::tanh(Dequantize { scale: 0.125, zero: -3 });
    assert_eq!([-128, -4, -3, -2, 127].map(|code| TANH.map(code)), [-128, -16, 0, 16, 127]);
    let sigmoid = Table::sigmoid(z);
    assert_eq!([-128, -4, -3, -2, 127].map(|code| sigmoid.map(code)), [-128, -8, 0, 8, 127]);
    let leaky = Table::leaky_relu(0.25, z, Dequantize { scale: 0.25, zero: 1 });
    assert_eq!([-7, -3, -2, 0, 127].map(|code| leaky.map(code)), [0, 1, 2, 3, 66]);
}

#[test]
fn softmax_by_hand() {
    let softmax = Softmax::new(1.0);
    assert_eq!(softmax.apply(&[5]), [127]);
    assert_eq!(softmax.apply(&[7, 7, 7, 7]), [-64; 4]);
    assert_eq!(softmax.apply(&[-128, 127]), [-128, 127]);
    assert_eq!(softmax.apply(&[0, 1]), [-59, 59]); // 256 / (1 + e) = 68.8
}
