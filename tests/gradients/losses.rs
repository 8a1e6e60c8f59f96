//! Heads and losses: values against the formulas of `src/loss/`, gradients against their finite differences.

use microdistill::activation::Sigmoid;
use microdistill::fast::Libm;
use microdistill::loss::{
    BinaryCrossEntropy, CenteredLogitMse, CrossEntropy, DecoupledSoftLabels, Head, Linear, LogitMse, Loss,
    OutputMse, SmoothedCrossEntropy, Soft, SoftCrossEntropy, SoftLabels, Softmax,
};
use microdistill::scalar::Scalar;

use crate::common::numbers;
use crate::difference::{assert_all_close, assert_close, derivative};

const CLASSES: [usize; 4] = [1, 2, 3, 10];

/// `exp(z / T) / Σ exp(z / T)`
pub(crate) fn softmax(z: &[f64], temperature: f64) -> Vec<f64> {
    let sum: f64 = z.iter().map(|z| (z / temperature).exp()).sum();
    z.iter().map(|z| (z / temperature).exp() / sum).collect()
}

/// `1 / (1 + exp(−z))`
pub(crate) fn sigmoid(z: f64) -> f64 {
    1.0 / (1.0 + (-z).exp())
}

/// `z − mean(z)`
pub(crate) fn centered(z: &[f64]) -> Vec<f64> {
    let mean = z.iter().sum::<f64>() / z.len() as f64;
    z.iter().map(|z| z - mean).collect()
}

/// Compares `apply` with `formula` and `backward` with finite differences of `Σ dy·formula(z)`.
pub(crate) fn head<H: Head>(formula: fn(&[f64]) -> Vec<f64>) {
    for (seed, classes) in CLASSES.into_iter().enumerate() {
        let (z, dy) = (logits(seed, classes), logits(seed + 10, classes));
        let mut y = z.clone();
        H::apply(&mut y);
        assert_all_close(&y, &formula(&z));
        let mut dz = dy.clone();
        H::backward(&y, &mut dz);
        let value = |z: &[f64]| formula(z).iter().zip(&dy).map(|(y, dy)| y * dy).sum();
        assert_all_close(&dz, &gradient(&z, value));
    }
}

pub(crate) fn output_mse() {
    fn mean_square(a: &[f64], b: &[f64]) -> f64 {
        a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum::<f64>() / a.len() as f64
    }
    let sigmoids = |z: &[f64]| z.iter().map(|&z| sigmoid(z)).collect::<Vec<_>>();
    for (seed, classes) in CLASSES.into_iter().enumerate() {
        let (z, v) = (logits(seed, classes), logits(seed + 10, classes));
        check(&OutputMse::<Sigmoid>::new(), &z, &v, |z| mean_square(&sigmoids(z), &sigmoids(&v)));
        check(&OutputMse::<Linear>::new(), &z, &v, |z| mean_square(z, &v));
        check(&CenteredLogitMse::new(), &z, &v, |z| mean_square(&centered(z), &centered(&v)));
        check(&OutputMse::<Softmax>::new(), &z, &v, |z| mean_square(&softmax(z, 1.0), &softmax(&v, 1.0)));
    }
}

/// The closed form of the gradient from Ba and Caruana 2014.
#[test]
fn logit_mse_has_its_closed_form() {
    let (mut dz, mut work) = ([0.0; 4], [0.0; 4]);
    let loss = LogitMse::new().gradient(&[1.0, 2.0, 3.0, -1.0], &[1.0, 0.0, 4.0, -1.0], &mut dz, &mut work);
    assert_eq!((loss, dz), (5.0 / 4.0, [0.0, 1.0, -0.5, 0.0]));
}

pub(crate) fn soft_cross_entropy() {
    for (seed, classes) in CLASSES.into_iter().enumerate() {
        let (z, q) = (logits(seed, classes), softmax(&logits(seed + 10, classes), 1.5));
        let loss = SoftCrossEntropy::<Libm>::NEW;
        check(&loss, &z, &q, |z| -softmax(z, 1.0).iter().zip(&q).map(|(p, q)| q * p.ln()).sum::<f64>());
        // The gradient equals that of the logits, and the loss differs by the teacher's entropy.
        let v: Vec<f64> = q.iter().map(|q| q.ln()).collect();
        let soft = SoftLabels { temperature: 1.0, alpha: 1.0 };
        let [mut by_logits, mut by_shares, mut work] = [(); 3].map(|()| vec![0.0; classes]);
        let target = Soft { teacher: &v[..], label: None };
        let divergence = soft.gradient(&z, target, &mut by_logits, &mut work);
        let value = loss.gradient(&z, &q[..], &mut by_shares, &mut work);
        assert_all_close(&by_shares, &by_logits);
        assert_close(value + q.iter().map(|q| q * q.ln()).sum::<f64>(), divergence);
    }
}

pub(crate) fn binary_cross_entropy() {
    for z in [-30.0, -3.0, -0.4, 0.0, 1.3, 8.0f64] {
        check(&BinaryCrossEntropy, &[z], true, |z| -sigmoid(z[0]).ln());
        check(&BinaryCrossEntropy, &[z], false, |z| -sigmoid(-z[0]).ln());
    }
    for (z, label, loss, gradient) in [
        (1000.0, false, 1000.0, 1.0),
        (1000.0, true, 0.0, 0.0),
        (-1000.0, false, 0.0, 0.0),
        (-1000.0, true, 1000.0, -1.0f32),
    ] {
        let mut dz = [f32::NAN];
        assert_eq!(value(&BinaryCrossEntropy, &[z], label, &mut dz), loss);
        assert_eq!(dz, [gradient]);
    }
    // Further logits get no gradient, and an empty output causes no failure.
    let mut dz = [f64::NAN; 2];
    value(&BinaryCrossEntropy, &[0.0, 5.0], true, &mut dz);
    assert_eq!(dz, [-0.5, 0.0]);
    assert_close(value(&BinaryCrossEntropy, &[], true, &mut []), 2f64.ln());
}

pub(crate) fn smoothed_cross_entropy() {
    for (seed, classes) in CLASSES.into_iter().enumerate() {
        let z = logits(seed, classes);
        for smoothing in [0.0, 0.1, 0.5, 1.0] {
            let loss = SmoothedCrossEntropy { smoothing };
            for label in 0..classes {
                check(&loss, &z, label, |z| {
                    let nll: Vec<f64> = softmax(z, 1.0).iter().map(|p| -p.ln()).collect();
                    (1.0 - smoothing) * nll[label] + smoothing * nll.iter().sum::<f64>() / classes as f64
                });
            }
            check(&loss, &z, classes, |_| 0.0);
        }
    }
    let loss = SmoothedCrossEntropy { smoothing: 0.5 };
    assert_close(value(&loss, &[1000.0, -1000.0], 1, &mut [0.0; 2]), 1500.0);
}

pub(crate) fn cross_entropy() {
    for (seed, classes) in CLASSES.into_iter().enumerate() {
        let z = logits(seed, classes);
        for label in 0..classes {
            check(&CrossEntropy, &z, label, |z| -softmax(z, 1.0)[label].ln());
        }
        check(&CrossEntropy, &z, classes, |_| 0.0);
    }
    // No overflow in between: `−ln(e⁻²⁰⁰⁰ / (1 + e⁻²⁰⁰⁰))` is 2000.
    assert_close(value(&CrossEntropy, &[1000.0, -1000.0], 1, &mut [0.0; 2]), 2000.0);
}

pub(crate) fn soft_labels() {
    for (seed, classes) in CLASSES.into_iter().enumerate() {
        let (z, v) = (logits(seed, classes), logits(seed + 10, classes));
        for temperature in [0.7, 1.0, 2.0, 5.0, 20.0] {
            for alpha in [0.0, 0.3, 0.9, 1.0] {
                let loss = SoftLabels { temperature, alpha };
                let divergence = |z: &[f64]| {
                    let (p, q) = (softmax(z, temperature), softmax(&v, temperature));
                    p.iter().zip(&q).map(|(p, q)| q * (q / p).ln()).sum::<f64>()
                };
                let soft = |z: &[f64]| alpha * temperature * temperature * divergence(z);
                let target = |label| Soft { teacher: v.as_slice(), label };
                for label in 0..classes {
                    let hard = |z: &[f64]| -softmax(z, 1.0)[label].ln();
                    check(&loss, &z, target(Some(label)), |z| soft(z) + (1.0 - alpha) * hard(z));
                }
                for label in [None, Some(classes)] {
                    check(&loss, &z, target(label), soft);
                }
            }
        }
    }
    // No overflow in between: q is nearly (1, 0), and ln(1 / p₀) is 2000 / T.
    let (loss, teacher) = (SoftLabels { temperature: 2.0, alpha: 1.0 }, &[1000.0, -1000.0][..]);
    let target = Soft { teacher, label: None };
    assert_close(value(&loss, &[-1000.0, 1000.0], target, &mut [0.0; 2]), 4.0 * 1000.0);
}

pub(crate) fn decoupled_soft_labels() {
    for (seed, classes) in CLASSES.into_iter().enumerate().skip(1) {
        let (z, v) = (logits(seed, classes), logits(seed + 10, classes));
        for temperature in [0.7, 1.0, 4.0] {
            for (alpha, beta) in [(0.0, 2.0), (0.5, 4.0), (1.0, 0.0), (0.9, 0.3)] {
                let loss = DecoupledSoftLabels { temperature, alpha, beta };
                for label in 0..classes {
                    let target = Soft { teacher: v.as_slice(), label: Some(label) };
                    check(&loss, &z, target, |z| {
                        let (p, q) = (softmax(z, temperature), softmax(&v, temperature));
                        let others = |p: &[f64]| -> Vec<f64> {
                            let others = (0..classes).filter(|&class| class != label);
                            others.map(|class| p[class] / (1.0 - p[label])).collect()
                        };
                        let two = |p: &[f64]| [p[label], 1.0 - p[label]];
                        let target = divergence(&two(&q), &two(&p));
                        let non_target = divergence(&others(&q), &others(&p));
                        let soft = temperature * temperature * (alpha * target + beta * non_target);
                        soft - (1.0 - alpha) * softmax(z, 1.0)[label].ln()
                    });
                    // Section 3.1 of the paper: plain soft labels weight the other classes by the probability that
                    // the teacher leaves to them.
                    let q = softmax(&v, temperature);
                    let coupled = DecoupledSoftLabels { beta: alpha * (1.0 - q[label]), ..loss };
                    let (mut found, mut expected) = (vec![0.0; classes], vec![0.0; classes]);
                    let whole = SoftLabels { temperature, alpha };
                    assert_close(
                        value(&coupled, &z, target, &mut found),
                        value(&whole, &z, target, &mut expected),
                    );
                    assert_all_close(&found, &expected);
                }
                // Without a label there is nothing to decouple.
                let whole = SoftLabels { temperature, alpha };
                for label in [None, Some(classes)] {
                    let target = Soft { teacher: v.as_slice(), label };
                    let expected = value(&whole, &z, target, &mut vec![0.0; classes]);
                    assert_close(value(&loss, &z, target, &mut vec![0.0; classes]), expected);
                }
            }
        }
    }
    // No overflow in between: TCKD is ln(1 / p₀) = 2000 / T, and NCKD is 0 because both agree on the other classes.
    let loss = DecoupledSoftLabels { temperature: 2.0, alpha: 1.0, beta: 8.0 };
    let target = Soft { teacher: &[1000.0, -1000.0, -9000.0][..], label: Some(0) };
    assert_close(value(&loss, &[-1000.0, 1000.0, -9000.0], target, &mut [0.0; 3]), 4.0 * 1000.0);
    let single = Soft { teacher: &[3.0][..], label: Some(0) };
    assert_close(value(&loss, &[1.0], single, &mut [0.0]), 0.0);
}

/// Hinton, Vinyals and Dean 2015, section 2.1: at a high temperature the gradient is `1/C (z − v)` of centered logits.
/// Without the factor T² of the loss it would shrink by T².
#[test]
fn the_gradients_size_does_not_depend_on_the_temperature() {
    let (z, v) = (logits(1, 5), logits(2, 5));
    let (mut dz, mut limit) = (vec![0.0; 5], vec![0.0; 5]);
    value(&CenteredLogitMse::new(), &z, &v[..], &mut limit);
    for temperature in [1e3, 1e4] {
        let loss = SoftLabels { temperature, alpha: 1.0 };
        value(&loss, &z, Soft { teacher: &v[..], label: None }, &mut dz);
        for (dz, limit) in dz.iter().zip(&limit) {
            assert!((dz - 0.5 * limit).abs() < 10.0 / temperature, "{dz} for {}", 0.5 * limit);
        }
    }
}

/// `KL(q‖p)` of the teacher's `q` = (½, ½) and `p` = (¾, ¼) is `½ ln(4/3)`; the reverse, `KL(p‖q)`, is `¾ ln 3 − ln 2`.
#[test]
fn the_teacher_comes_first_in_the_divergence() {
    let (student, teacher) = ([3f64.ln(), 0.0], [0.0, 0.0]);
    let target = Soft { teacher: &teacher[..], label: None };
    let loss = SoftLabels { temperature: 1.0, alpha: 1.0 };
    assert_close(value(&loss, &student, target, &mut [0.0; 2]), 0.5 * (4.0f64 / 3.0).ln());
    let loss = DecoupledSoftLabels { temperature: 1.0, alpha: 1.0, beta: 1.0 };
    let target = Soft { label: Some(1), ..target };
    assert_close(value(&loss, &student, target, &mut [0.0; 2]), 0.5 * (4.0f64 / 3.0).ln());
}

/// `KL(q‖p)`
fn divergence(q: &[f64], p: &[f64]) -> f64 {
    q.iter().zip(p).map(|(q, p)| q * (q / p).ln()).sum()
}

/// The value of `loss` at `z`; its gradient goes to `dz`.
fn value<T: Scalar, L: Loss<T>>(loss: &L, z: &[T], target: L::Target<'_>, dz: &mut [T]) -> T {
    loss.gradient(z, target, dz, &mut vec![T::ZERO; z.len()])
}

/// Compares the value of `loss` at `z` with `formula`, and its gradient with the formula's finite differences.
fn check<L: Loss<f64>>(loss: &L, z: &[f64], target: L::Target<'_>, formula: impl Fn(&[f64]) -> f64) {
    // The previous contents of the buffers are overwritten.
    let (mut dz, mut work) = (vec![f64::NAN; z.len()], vec![f64::NAN; z.len()]);
    assert_close(loss.gradient(z, target, &mut dz, &mut work), formula(z));
    assert_all_close(&dz, &gradient(z, formula));
}

/// `∂f/∂z` by finite differences.
fn gradient(z: &[f64], f: impl Fn(&[f64]) -> f64) -> Vec<f64> {
    let along = |index: usize| {
        derivative(|h| {
            let mut z = z.to_vec();
            z[index] += h;
            f(&z)
        })
    };
    (0..z.len()).map(along).collect()
}

fn logits(seed: usize, classes: usize) -> Vec<f64> {
    let mut number = numbers(seed as u64);
    (0..classes).map(|_| 3.0 * number()).collect()
}
