//! Approximations: outputs within their stated errors, gradients the precise functions of these outputs.

use microdistill::activation::{Activation, Sigmoid, Tanh};
use microdistill::fast::{FastSigmoid, FastSoftmax, FastTanh};
use microdistill::loss::{Head, Softmax};
use microdistill::scalar::Scalar;

use crate::common::numbers;
use crate::difference::{assert_all_close, assert_close};

/// Infinity and zero at the ends, never a NaN or a panic between.
#[test]
fn exp_errs_by_less_than_three_thousandths() {
    let mut worst = 0f64;
    for step in -87_000..=88_000 {
        let x = step as f32 / 1000.0;
        worst = worst.max((f64::from(x.fast_exp()) / f64::from(x).exp() - 1.0).abs());
    }
    assert!((1.5e-3..3e-3).contains(&worst), "{worst:.1e}");
    assert_eq!(
        [-1e30, -87.01, 0.0, 88.01, 1e30].map(f32::fast_exp),
        [0.0, 0.0, 1.0, f32::INFINITY, f32::INFINITY]
    );
    assert_eq!(1.5f64.fast_exp(), f64::from(1.5f32.fast_exp()));
}

pub(crate) fn tanh() {
    activation::<FastTanh, Tanh>(1.2e-3, f64::tanh);
}

pub(crate) fn sigmoid() {
    activation::<FastSigmoid, Sigmoid>(6e-4, |z| 1.0 / (1.0 + (-z).exp()));
}

fn activation<Fast: Activation, Precise: Activation>(bound: f64, formula: fn(f64) -> f64) {
    let mut worst = 0f64;
    for step in -200_000..=200_000 {
        let z = step as f32 / 2_000.0;
        worst = worst.max((f64::from(Fast::apply(z)) - formula(f64::from(z))).abs());
    }
    assert!((bound / 2.0..bound).contains(&worst), "{worst:.1e}");
    for z in [-1e30f32, -1000.0, 1000.0, 1e30, f32::NEG_INFINITY, f32::INFINITY] {
        assert_eq!(Fast::apply(z), formula(f64::from(z)) as f32);
    }
    assert!(Fast::apply(f32::NAN).is_nan());
    let mut number = numbers(1);
    for _ in 0..20 {
        let (y, dy) = (number(), number());
        assert_close(Fast::backward(y, dy), Precise::backward(y, dy));
    }
    assert_eq!(Fast::fan(30, 20), Precise::fan(30, 20));
}

pub(crate) fn softmax() {
    let (mut number, mut worst) = (numbers(2), 0f64);
    for classes in [1, 2, 3, 10, 100] {
        for _ in 0..2000 {
            let z: Vec<f64> = (0..classes).map(|_| 8.0 * number()).collect();
            let mut p: Vec<f32> = z.iter().map(|&z| z as f32).collect();
            FastSoftmax::apply(&mut p);
            let precise = crate::losses::softmax(&z, 1.0);
            worst = p.iter().zip(&precise).fold(worst, |worst, (&p, q)| worst.max((f64::from(p) - q).abs()));
        }
    }
    assert!((5e-4..1e-3).contains(&worst), "{worst:.1e}");
    let mut p = [1000.0f32, -1000.0];
    FastSoftmax::apply(&mut p);
    assert_eq!(p, [1.0, 0.0]);
    let (y, dy) = ([0.2, 0.3, 0.5], [1.0, -2.0, 0.5]);
    let (mut fast, mut precise) = (dy, dy);
    FastSoftmax::backward(&y, &mut fast);
    Softmax::backward(&y, &mut precise);
    assert_all_close(&fast, &precise);
}
