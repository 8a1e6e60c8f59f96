//! Gradient checks, for tests.

use super::{Batched, tensors};

/// The largest error of a gradient, beside one plus its size, against central differences in f64 of `loss`, which leaves
/// the gradients of its value in the `network` of `model`.
pub(crate) fn error<M>(
    model: &mut M,
    mut loss: impl FnMut(&mut M) -> f64,
    network: impl Fn(&mut M) -> &mut Batched<f64>,
) -> f64 {
    loss(model);
    let gradients: Vec<Vec<f64>> =
        tensors(&mut network(model).gradients).map(|(_, values)| values.to_vec()).collect();
    let mut worst = 0.0f64;
    for (tensor, gradients) in gradients.iter().enumerate() {
        for (index, &gradient) in gradients.iter().enumerate() {
            let mut at = |step: f64| {
                let nudge = |model: &mut M, by: f64| {
                    tensors(&mut network(model).layers).nth(tensor).unwrap().1[index] += by;
                };
                nudge(model, step);
                let loss = loss(model);
                nudge(model, -step);
                loss
            };
            let mut difference = |h: f64| (at(h) - at(-h)) / (2.0 * h);
            // Richardson's extrapolation takes out the error of second order.
            let h = 1e-4;
            let slope = (4.0 * difference(h / 2.0) - difference(h)) / 3.0;
            worst = worst.max((slope - gradient).abs() / (1.0 + gradient.abs()));
        }
    }
    worst
}

/// That the largest [`error`] is one of rounding.
#[track_caller]
pub(crate) fn assert_right<M>(
    model: &mut M,
    loss: impl FnMut(&mut M) -> f64,
    network: impl Fn(&mut M) -> &mut Batched<f64>,
) {
    let worst = error(model, loss, network);
    assert!(worst < 1e-7, "{worst:e}");
}
