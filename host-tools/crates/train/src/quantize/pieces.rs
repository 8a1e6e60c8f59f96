//! Tables of piecewise-linear layers, before they are quantized.

use crate::dataset::Knots;
use crate::network::Network;

/// Returns a network with the same outputs whose table lies, feature by feature, as near to zero as it can: the middle of
/// what a feature adds to an output is in the bias instead. All rows of an output share a scale, which so is finer.
pub(super) fn centred(network: &Network, knots: &Knots) -> Network {
    let mut network = network.clone();
    if let Some(first) = network.layers_mut().first_mut() {
        let (columns, mut bias) = (first.columns(), first.bias.clone());
        first.edit_weights(|weights| {
            for (rows, bias) in weights.chunks_exact_mut(columns.max(1)).zip(&mut bias) {
                let mut sum = f64::from(*bias);
                for range in knots.features() {
                    let rows = &mut rows[range];
                    let extreme =
                        |pick: fn(f32, f32) -> f32| rows.iter().copied().reduce(pick).unwrap_or(0.0);
                    let middle = f64::midpoint(extreme(f32::min).into(), extreme(f32::max).into());
                    sum += middle;
                    rows.iter_mut().for_each(|row| *row = (f64::from(*row) - middle) as f32);
                }
                *bias = sum as f32;
            }
        });
        first.bias = bias;
    }
    network
}
