//! Every activation, head, layer, loss and optimizer against finite differences or a closed form, in f64.
//!
//! [`CHECKS`] is compared with the implementations in `src/`: an implementation without a check fails a test here, and
//! so does a check that is removed from the list.

#[path = "../common/mod.rs"]
mod common;
mod difference;
mod distiller;
mod fast;
mod finetune;
mod layers;
mod losses;
mod optimizers;
mod scan;

use std::collections::BTreeSet;

use microdistill::activation::{Identity, Relu, Relu6, Sigmoid, Tanh};
use microdistill::loss::{Centered, Linear, Softmax};

/// The traits whose implementations have or use a derivative.
const TRAITS: [&str; 5] = ["Activation", "Head", "Loss", "Optimizer", "Train"];

const CHECKS: &[(&str, fn())] = &[
    ("Activation for FastSigmoid", fast::sigmoid),
    ("Activation for FastTanh", fast::tanh),
    ("Activation for Identity", || layers::activation::<Identity>(|z| z)),
    ("Activation for LeakyRelu", layers::leaky_relu),
    ("Activation for Relu", || layers::activation::<Relu>(|z| (z + z.abs()) / 2.0)),
    ("Activation for Relu6", || layers::activation::<Relu6>(|z| ((z + z.abs()) / 2.0).min(6.0))),
    ("Activation for Sigmoid", layers::sigmoid),
    ("Activation for Tanh", || layers::activation::<Tanh>(|z| 1.0 - 2.0 / ((2.0 * z).exp() + 1.0))),
    ("Head for Centered", || losses::head::<Centered>(losses::centered)),
    ("Head for FastSoftmax", fast::softmax),
    ("Head for Linear", || losses::head::<Linear>(<[f64]>::to_vec)),
    ("Head for Sigmoid", || losses::head::<Sigmoid>(|z| z.iter().map(|&z| losses::sigmoid(z)).collect())),
    ("Head for Softmax", || losses::head::<Softmax>(|z| losses::softmax(z, 1.0))),
    ("Loss for BinaryCrossEntropy", losses::binary_cross_entropy),
    ("Loss for CrossEntropy", losses::cross_entropy),
    ("Loss for DecoupledSoftLabels", losses::decoupled_soft_labels),
    ("Loss for OutputMse", losses::output_mse),
    ("Loss for SmoothedCrossEntropy", losses::smoothed_cross_entropy),
    ("Loss for SoftCrossEntropy", losses::soft_cross_entropy),
    ("Loss for SoftLabels", losses::soft_labels),
    ("Optimizer for Adam", optimizers::adam),
    ("Optimizer for Sgd", optimizers::sgd),
    ("Train for BiasOnly", finetune::bias_only),
    ("Train for Chain", layers::chain),
    ("Train for Dense", layers::dense),
    ("Train for Dropout", layers::dropout),
    ("Train for Frozen", finetune::frozen),
    ("Train for Network", layers::network),
    ("Train for PiecewiseLinear", layers::piecewise_linear),
];

#[test]
fn every_check_passes() {
    for (name, check) in CHECKS {
        println!("{name}"); // printed if the check fails
        let before = difference::compared();
        check();
        assert!(difference::compared() > before, "the check compared nothing");
    }
}

#[test]
fn every_implementation_has_a_check() {
    let listed: BTreeSet<String> = CHECKS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(listed.len(), CHECKS.len(), "a name is listed twice");
    let found = scan::implementations(&TRAITS);
    let unchecked: Vec<_> = found.difference(&listed).collect();
    let unknown: Vec<_> = listed.difference(&found).collect();
    assert!(unchecked.is_empty(), "in src/, not in CHECKS: {unchecked:?}");
    assert!(unknown.is_empty(), "in CHECKS, not in src/: {unknown:?}");
}
