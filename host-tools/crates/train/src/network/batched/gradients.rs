//! Gradient checks, for tests.

use super::{Batched, tensors};

/// Returns the largest error of a gradient, divided by one plus its size. The reference are central differences in
/// f64 of `loss`, which leaves its gradients in the `network` of `model`.
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
            // Richardson extrapolation removes the second-order error.
            let h = 1e-4;
            let slope = (4.0 * difference(h / 2.0) - difference(h)) / 3.0;
            worst = worst.max((slope - gradient).abs() / (1.0 + gradient.abs()));
        }
    }
    worst
}

/// Asserts that the largest [`error`] is a rounding error.
#[track_caller]
pub(crate) fn assert_right<M>(
    model: &mut M,
    loss: impl FnMut(&mut M) -> f64,
    network: impl Fn(&mut M) -> &mut Batched<f64>,
) {
    let worst = error(model, loss, network);
    assert!(worst < 1e-7, "{worst:e}");
}
