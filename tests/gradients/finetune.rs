//! Gradients of partially trained networks: for trained parameters and for inputs, the same as in any other network.

use microdistill::activation::{Identity, Relu, Tanh};
use microdistill::finetune::{BiasOnly, Frozen};
use microdistill::layout::ByInput;
use microdistill::{Chain, Dense, FineTuned, Mlp, Network, Params};

use crate::layers::check;

microdistill::shipped!(Rectified: Mlp![4, 6, 5, 3; Relu, f64] = RECTIFIED);
microdistill::shipped!(Smooth: Mlp![4, 6, 5, 3; Tanh, f64] = SMOOTH);
microdistill::shipped!(Row: Dense<6, 2, Relu, f64> = ROW);
microdistill::shipped!(Column: Dense<6, 2, Tanh, f64, ByInput> = COLUMN);

static RECTIFIED: Mlp![4, 6, 5, 3; Relu, f64] = Network::new(
    Dense::new(weights(20), [0.1; 6])
        .then(Dense::new(weights(2), [0.2; 5]).then(Dense::new(weights(3), [-0.1; 3]))),
);
static SMOOTH: Mlp![4, 6, 5, 3; Tanh, f64] = Network::new(
    Dense::new(weights(4), [0.1; 6])
        .then(Dense::new(weights(5), [0.2; 5]).then(Dense::new(weights(6), [-0.1; 3]))),
);
static ROW: Dense<6, 2, Relu, f64> = Dense::new(weights(7), [0.3, -0.3]);
static COLUMN: Dense<6, 2, Tanh, f64, ByInput> = Dense::new(weights(8), [0.3, -0.3]);

/// Pseudorandom weights in ±1.
const fn weights<const I: usize, const O: usize>(seed: u32) -> [[f64; I]; O] {
    let (mut weights, mut state, mut index) = ([[0.0; I]; O], seed, 0);
    while index < I * O {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        weights[index / I][index % I] = state as f64 / (1u64 << 31) as f64 - 1.0;
        index += 1;
    }
    weights
}

/// A layer below, whose gradient is propagated through the frozen one.
type Below = Dense<3, 6, Relu, f64>;

pub(crate) fn frozen() {
    check(Frozen::<Row>::ZERO);
    check(Frozen::<Column>::ZERO);
    check(Chain(Below::ZERO, Frozen::<Row>::ZERO));
    check(Chain(Below::ZERO, Frozen::<Column>::ZERO));
    check(<FineTuned![Rectified; frozen]>::ZERO);
    check(<FineTuned![Rectified; frozen, trained]>::ZERO);
    check(<FineTuned![Rectified; frozen, frozen, trained]>::ZERO);
    check(<FineTuned![Smooth; frozen, trained]>::ZERO);
    check(<FineTuned![Smooth; trained, frozen]>::ZERO);
    check(<FineTuned![Smooth; trained, frozen, trained]>::ZERO);
    check(Chain(Frozen::<Row>::ZERO, Dense::<2, 3, Identity, f64>::ZERO));
}

pub(crate) fn bias_only() {
    check(BiasOnly::<Row>::ZERO);
    check(BiasOnly::<Column>::ZERO);
    check(Chain(Below::ZERO, BiasOnly::<Row>::ZERO));
    check(Chain(Below::ZERO, BiasOnly::<Column>::ZERO));
    check(<FineTuned![Rectified; biases, biases, biases]>::ZERO);
    check(<FineTuned![Smooth; biases, biases, biases]>::ZERO);
    check(<FineTuned![Smooth; frozen, biases, trained]>::ZERO);
}
