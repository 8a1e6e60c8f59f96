//! Optimizers against sums over all gradients so far, to which their recurrences are equal.

use microdistill::activation::{Identity, Tanh};
use microdistill::layer::Role;
use microdistill::optimizer::{Adam, AdamRates, Optimizer, Sgd, SgdRates};
use microdistill::{Chain, Dense, Params};

use crate::common::numbers;
use crate::difference::assert_close;

type Network = Chain<Dense<2, 3, Tanh, f64>, Dense<3, 1, Identity, f64>>;

const STEPS: usize = 8;

/// Factor of a batch's summed gradient: the mean of four samples.
const SCALE: f64 = 0.25;

/// `θ ← θ − rate·Σⱼ momentum^(t−j)·(gⱼ + decay·θⱼ₋₁)`: Polyak 1964, with the penalty
/// `decay/2·θ²` in the loss.
pub(crate) fn sgd() {
    for (momentum, weight_decay) in [(0.0, 0.0), (0.9, 0.0), (0.0, 0.1), (0.8, 0.05)] {
        let rates = SgdRates { rate: 0.3, momentum, weight_decay };
        check::<Sgd<Network>>(&rates, |decays, start, gradients| {
            let decay = if decays { weight_decay } else { 0.0 };
            let (mut parameter, mut all) = (start, Vec::new());
            for gradient in gradients {
                all.push(gradient + decay * parameter);
                parameter -= rates.rate * sum(momentum, &all);
            }
            parameter
        });
    }
}

/// `m̂ = (1−β₁) Σⱼ β₁^(t−j) gⱼ / (1−β₁ᵗ)`, `v̂` likewise of `gⱼ²` (Kingma and Ba 2015,
/// equation 1 and section 3); `θ ← θ − rate·(m̂ / (√v̂ + ε) + decay·θ)` (Loshchilov and Hutter 2019, algorithm 2).
pub(crate) fn adam() {
    for (beta1, beta2, epsilon, weight_decay) in
        [(0.9, 0.999, 1e-8, 0.0), (0.9, 0.999, 1e-8, 0.1), (0.0, 0.5, 0.2, 0.0), (0.5, 0.0, 0.1, 0.3)]
    {
        let rates = AdamRates { rate: 0.02, beta1, beta2, epsilon, weight_decay };
        check::<Adam<Network>>(&rates, |decays, start, gradients| {
            let decay = if decays { weight_decay } else { 0.0 };
            let squares: Vec<f64> = gradients.iter().map(|g| g * g).collect();
            let mean = |beta: f64, terms: &[f64]| {
                (1.0 - beta) * sum(beta, terms) / (1.0 - beta.powi(terms.len() as i32))
            };
            (1..=gradients.len()).fold(start, |parameter, step| {
                let (m, v) = (mean(beta1, &gradients[..step]), mean(beta2, &squares[..step]));
                parameter - rates.rate * (m / (v.sqrt() + epsilon) + decay * parameter)
            })
        });
    }
}

/// `Σⱼ factor^(t−j)·termsⱼ`, where t is the last term.
fn sum(factor: f64, terms: &[f64]) -> f64 {
    terms.iter().rev().enumerate().map(|(age, term)| factor.powi(age as i32) * term).sum()
}

/// Compares steps with random gradients with `reference(decays, start, gradients)`, which returns one parameter after
/// them.
fn check<O: Optimizer<Network>>(rates: &O::Rates, reference: impl Fn(bool, f64, &[f64]) -> f64) {
    let mut number = numbers(3);
    let (mut params, mut gradient, mut optimizer) = (Network::ZERO, Network::ZERO, O::ZERO);
    flat(&mut params).into_iter().for_each(|(_, parameter)| *parameter = number());
    let start: Vec<f64> = values(&mut params);
    let mut gradients = vec![Vec::new(); start.len()];
    for _ in 0..STEPS {
        for ((_, slot), gradients) in flat(&mut gradient).into_iter().zip(&mut gradients) {
            *slot = number();
            gradients.push(SCALE * *slot);
        }
        optimizer.step(&mut params, &mut gradient, SCALE, rates);
        assert_eq!(values(&mut gradient), vec![0.0; start.len()], "the gradient was not cleared");
        for (((decays, found), &start), gradients) in
            flat(&mut params).into_iter().zip(&start).zip(&gradients)
        {
            assert_close(*found, reference(decays, start, gradients));
        }
    }
}

/// Every parameter, paired with true if it is a weight and so decays.
fn flat(network: &mut Network) -> Vec<(bool, &mut f64)> {
    let tensor = |(role, tensor)| std::iter::repeat(role == Role::Weights).zip(tensor);
    network.tensors_mut().flat_map(tensor).collect()
}

fn values(network: &mut Network) -> Vec<f64> {
    flat(network).into_iter().map(|(_, value)| *value).collect()
}
