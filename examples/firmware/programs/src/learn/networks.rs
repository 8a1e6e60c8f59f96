//! Networks a, b and c with random weights, in flash.

use microdistill::{Dense, Mlp, Network};

pub(super) static NETWORK_A: Mlp![10, 32, 10] =
    Network::new(Dense::new(weights(1), [0.0; 32]).then(Dense::new(weights(2), [0.0; 10])));
pub(super) static NETWORK_B: Mlp![64, 32, 10] =
    Network::new(Dense::new(weights(3), [0.0; 32]).then(Dense::new(weights(4), [0.0; 10])));
pub(super) static NETWORK_C: Mlp![128, 64, 64, 12] = Network::new(
    Dense::new(weights(5), [0.0; 64])
        .then(Dense::new(weights(6), [0.0; 64]).then(Dense::new(weights(7), [0.0; 12]))),
);

/// Random weights, uniform in ±√(6 / inputs), from a linear congruential generator (Numerical Recipes, chapter 7.1).
const fn weights<const I: usize, const O: usize>(seed: u32) -> [[f32; I]; O] {
    let limit = root(6.0 / I as f32);
    let mut weights = [[0.0; I]; O];
    let mut state = seed;
    let mut rest = weights.as_flattened_mut();
    while let [weight, behind @ ..] = rest {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        *weight = limit * (state as f32 / (1u32 << 31) as f32 - 1.0);
        rest = behind;
    }
    weights
}

/// `√x` for x from 0.04 to 1, by Newton's method.
const fn root(x: f32) -> f32 {
    let (mut root, mut step) = (1.0, 0);
    while step < 8 {
        root = (root + x / root) / 2.0;
        step += 1;
    }
    root
}
