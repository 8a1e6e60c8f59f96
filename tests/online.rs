//! Online learning without memory for a gradient, and learning with fused multiply-adds.

#[path = "common/mod.rs"]
mod common;

use common::numbers;
use microdistill::activation::{Relu, Tanh};
use microdistill::fast::Libm;
use microdistill::layer::Array;
use microdistill::loss::SoftCrossEntropy;
use microdistill::optimizer::{Sgd, SgdRates};
use microdistill::scalar::{Element as _, Fused, Scalar};
use microdistill::{Distiller, Mlp, OnlineDistiller, Params, Train, softmax};
use rand_pcg::Pcg32;

const LOSS: SoftCrossEntropy<Libm> = SoftCrossEntropy::NEW;

/// An input and a teacher's probabilities.
fn sample<X: Array<Item: Scalar>, Y: Array<Item = X::Item>>(number: &mut impl FnMut() -> f64) -> (X, Y) {
    let (mut x, mut soft) = (X::ZEROED, Y::ZEROED);
    x.as_mut_slice().fill_with(|| X::Item::from_f32(number() as f32));
    soft.as_mut_slice().fill_with(|| X::Item::from_f32(3.0 * number() as f32));
    softmax(soft.as_mut_slice(), X::Item::ONE);
    (x, soft)
}

/// Both students after learning the same samples one by one.
fn taught<S: Train + Copy>(rate: f32, samples: usize) -> [S; 2] {
    let mut number = numbers(1);
    let (mut online, mut batched) = (OnlineDistiller::<S>::ZERO, Distiller::<S, Sgd<S>>::ZERO);
    online.student.initialize(&mut Pcg32::new(1, 2));
    batched.student = online.student;
    let zero = S::Scalar::ZERO;
    let rates = SgdRates { rate: S::Scalar::from_f32(rate), momentum: zero, weight_decay: zero };
    for _ in 0..samples {
        let (x, soft) = sample::<S::Input, S::Output>(&mut number);
        let found = online.learn(&x, &LOSS, &soft, rates.rate);
        let expected = batched.learn(&x, &LOSS, &soft);
        batched.update(&rates);
        assert!((found - expected).to_f32().abs() < 1e-4, "{found:?} for {expected:?}");
    }
    [online.student, batched.student]
}

/// The largest difference between two corresponding parameters, and the largest parameter.
fn apart<S: Params>([a, b]: &[S; 2]) -> (f64, f64) {
    let pairs = a.tensors().zip(b.tensors()).flat_map(|((_, a), (_, b))| a.iter().zip(b));
    pairs.fold((0.0, 0.0), |(apart, top): (f64, f64), (&a, &b)| {
        (apart.max((a - b).to_f32().abs().into()), top.max(a.to_f32().abs().into()))
    })
}

#[test]
fn online_descent_equals_descent_with_batch_size_1() {
    fn check<S: Train<Scalar = f64> + Copy>() {
        let (apart, top) = apart(&taught::<S>(0.1, 100));
        assert!(apart < 1e-12 && top > 0.1, "{apart} of {top}");
    }
    check::<Mlp![4, 3; Relu, f64]>();
    check::<Mlp![4, 9, 3; Relu, f64]>();
    check::<Mlp![4, 9, 7, 3; Relu, f64]>();
    check::<Mlp![4, 9, 7, 3; Tanh, f64]>();
}

#[test]
fn fused_sums_learn_the_same_up_to_rounding() {
    let [plain, _] = taught::<Mlp![4, 9, 3]>(0.1, 100);
    let [fused, batched] = taught::<Mlp![4, 9, 3; Relu, Fused]>(0.1, 100);
    assert!(apart(&[fused, batched]).0 < 1e-5);
    let mut as_plain = plain;
    as_plain.copy_from(&fused);
    assert_ne!(as_plain, plain, "nothing was fused");
    assert!(apart(&[as_plain, plain]).0 < 1e-5);
}

#[test]
fn a_fused_sum_is_rounded_once() {
    // 1 + 2⁻¹², squared, is 1 + 2⁻¹¹ + 2⁻²⁴, which f32 rounds to 1 + 2⁻¹¹.
    let x = 1.0 + f32::EPSILON * 2048.0;
    let square_less = (-(x * x)).plus_product(x, x);
    assert_eq!(square_less, 0.0);
    assert_eq!(Fused(-(x * x)).plus_product(Fused(x), Fused(x)), Fused(2f32.powi(-24)));
}
