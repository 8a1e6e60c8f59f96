//! Approximations: outputs are within their stated errors, and gradients are exact functions of these outputs.

use microdistill::activation::{Activation, Sigmoid, Tanh};
use microdistill::fast::{Exp, FastSigmoid, FastSoftmax, FastTanh, Quartic};
use microdistill::loss::{Head, Softmax};

use crate::common::numbers;
use crate::difference::{assert_all_close, assert_close};

/// Asserts that the worst error is at most the stated one and not much smaller.
fn assert_stated(worst: f64, stated: f64) {
    assert!((0.4 * stated..=stated).contains(&worst), "{worst:.2e}, stated {stated:e}");
}

#[test]
fn exponentials_are_within_their_stated_error() {
    fn check<E: Exp>(stated: f64) {
        let mut worst = 0f64;
        for step in -87_000..=88_000 {
            let x = step as f32 / 1000.0;
            worst = worst.max((f64::from(E::exp(x)) / f64::from(x).exp() - 1.0).abs());
        }
        assert_stated(worst, stated);
        let ends = [f32::NEG_INFINITY, -1e30, -87.01, 0.0, -0.0, 88.01, f32::INFINITY].map(E::exp);
        assert_eq!(ends, [0.0, 0.0, 0.0, 1.0, 1.0, f32::INFINITY, f32::INFINITY]);
        assert!(E::exp(f32::NAN).is_nan());
        assert_eq!(E::exp(1.5f64), f64::from(E::exp(1.5f32)));
    }
    check::<Quartic>(1e-5);
    #[cfg(feature = "micromath")]
    check::<microdistill::fast::Micromath>(3e-3);
}

#[test]
fn logarithms_are_within_their_stated_error() {
    let mut worst = 0f64;
    // Every octave that a sum of exponentials can lie in, and both ends.
    for step in 0..=24_000 {
        let x = (step as f32 / 1000.0).exp2();
        worst = worst.max((f64::from(Quartic::ln(x)) - f64::from(x).ln()).abs());
    }
    assert_stated(worst, 2e-6);
    assert_eq!((Quartic::ln(1.0f32), Quartic::ln(1.0f64)), (0.0, 0.0));
}

/// Pins the bits, which a Cortex-M4F and a Cortex-M3 without an FPU computed too.
#[test]
fn approximations_keep_their_bits() {
    fn hash<Fast: Activation>() -> u32 {
        (0..20_000).fold(0xcbf2_9ce4, |hash, step| {
            let y = Fast::apply((step as f32 - 10_000.0) / 97.0);
            (hash ^ y.to_bits()).wrapping_mul(0x0100_0193)
        })
    }
    assert_eq!((hash::<FastTanh>(), hash::<FastSigmoid>()), (0x68ff_384a, 0xdd8f_3f01));
    #[cfg(feature = "micromath")]
    assert_eq!(hash::<FastTanh<microdistill::fast::Micromath>>(), 0x7438_3caa);
}

pub(crate) fn tanh() {
    activation::<FastTanh, Tanh>(2e-6, f64::tanh);
    #[cfg(feature = "micromath")]
    activation::<FastTanh<microdistill::fast::Micromath>, Tanh>(1.2e-3, f64::tanh);
}

pub(crate) fn sigmoid() {
    activation::<FastSigmoid, Sigmoid>(1e-6, crate::losses::sigmoid);
    #[cfg(feature = "micromath")]
    activation::<FastSigmoid<microdistill::fast::Micromath>, Sigmoid>(6e-4, crate::losses::sigmoid);
}

fn activation<Fast: Activation, Precise: Activation>(stated: f64, formula: fn(f64) -> f64) {
    let mut worst = 0f64;
    for step in -200_000..=200_000 {
        let z = step as f32 / 2_000.0;
        worst = worst.max((f64::from(Fast::apply(z)) - formula(f64::from(z))).abs());
    }
    assert_stated(worst, stated);
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
    head::<FastSoftmax>(2e-6);
    #[cfg(feature = "micromath")]
    head::<FastSoftmax<microdistill::fast::Micromath>>(1e-3);
}

fn head<Fast: Head>(stated: f64) {
    let (mut number, mut worst) = (numbers(2), 0f64);
    for classes in [1, 2, 3, 10, 100] {
        for _ in 0..2000 {
            let z: Vec<f64> = (0..classes).map(|_| 8.0 * number()).collect();
            let mut p: Vec<f32> = z.iter().map(|&z| z as f32).collect();
            Fast::apply(&mut p);
            let precise = crate::losses::softmax(&z, 1.0);
            worst = p.iter().zip(&precise).fold(worst, |worst, (&p, q)| worst.max((f64::from(p) - q).abs()));
        }
    }
    assert_stated(worst, stated);
    let mut p = [1000.0f32, -1000.0];
    Fast::apply(&mut p);
    assert_eq!(p, [1.0, 0.0]);
    let (y, dy) = ([0.2, 0.3, 0.5], [1.0, -2.0, 0.5]);
    let (mut fast, mut precise) = (dy, dy);
    Fast::backward(&y, &mut fast);
    Softmax::backward(&y, &mut precise);
    assert_all_close(&fast, &precise);
}
