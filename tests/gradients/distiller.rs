//! A full training step against one written by hand: plain loops forward, finite differences backward.

use microdistill::loss::{Soft, SoftLabels};
use microdistill::optimizer::{Sgd, SgdRates};
use microdistill::{Distiller, Mlp, Network, Params};

use crate::common::numbers;
use crate::difference::{assert_close, derivative};
use crate::losses::softmax;

type Student = Mlp![2, 3, 2; microdistill::activation::Tanh, f64];

const LOSS: SoftLabels<f64> = SoftLabels { temperature: 3.0, alpha: 0.7 };
const RATES: SgdRates<f64> = SgdRates { rate: 0.5, momentum: 0.0, weight_decay: 0.0 };

/// An input, the teacher's logits and the class.
type Sample = ([f64; 2], [f64; 2], usize);

#[test]
fn an_update_moves_against_the_mean_gradient_of_its_batch() {
    let mut number = numbers(5);
    let mut distiller = Distiller::<Student, Sgd<Student>>::ZERO;
    distiller.student.tensors_mut().for_each(|(_, tensor)| tensor.fill_with(&mut number));
    // Nothing of a batch is left in the next.
    for size in [3, 1, 4] {
        let batch: Vec<Sample> =
            (0..size).map(|label| ([number(), number()], [number(), number()], label % 2)).collect();
        let before = parameters(&distiller.student);
        for sample @ (x, teacher, label) in &batch {
            let found = distiller.learn(x, &LOSS, Soft { teacher, label: Some(*label) });
            assert_close(found, loss(&before, sample));
        }
        assert_eq!(parameters(&distiller.student), before, "the student changed within a batch");
        distiller.update(&RATES);
        for (index, found) in parameters(&distiller.student).into_iter().enumerate() {
            let gradient = derivative(|h| {
                let mut shifted = before.clone();
                shifted[index] += h;
                batch.iter().map(|sample| loss(&shifted, sample)).sum::<f64>() / size as f64
            });
            assert_close(before[index] - found, RATES.rate * gradient);
        }
    }
}

#[test]
fn an_update_without_a_sample_does_nothing() {
    let mut distiller = Distiller::<Student, Sgd<Student>>::ZERO;
    distiller.student.tensors_mut().for_each(|(_, tensor)| tensor.fill_with(numbers(2)));
    let rates = SgdRates { momentum: 0.9, weight_decay: 0.1, ..RATES };
    distiller.learn(&[1.0, 2.0], &LOSS, Soft { teacher: &[1.0, 0.0], label: None });
    distiller.update(&rates);
    let student = distiller.student;
    distiller.update(&rates);
    assert_eq!(distiller.student, student, "momentum or decay was applied");
}

/// Parameters in order: weights (3, 2), bias (3), weights by input (3, 2), bias (2).
fn parameters(Network { layers }: &Student) -> Vec<f64> {
    let (first, second) = (&layers.0, &layers.1);
    [first.weights(), &first.bias, second.weights(), &second.bias].concat()
}

/// `α·T²·KL(q‖p) + (1−α)·CE` of the student with these parameters.
fn loss(parameters: &[f64], (x, teacher, label): &Sample) -> f64 {
    let (first, second) = parameters.split_at(9);
    let hidden: Vec<f64> =
        (0..3).map(|o| (first[2 * o] * x[0] + first[2 * o + 1] * x[1] + first[6 + o]).tanh()).collect();
    let logit = |o: usize| (0..3).map(|i| second[2 * i + o] * hidden[i]).sum::<f64>() + second[6 + o];
    let z = [logit(0), logit(1)];
    let SoftLabels { temperature, alpha } = LOSS;
    let (p, q) = (softmax(&z, temperature), softmax(teacher, temperature));
    let divergence: f64 = p.iter().zip(&q).map(|(p, q)| q * (q / p).ln()).sum();
    alpha * temperature * temperature * divergence - (1.0 - alpha) * softmax(&z, 1.0)[*label].ln()
}
