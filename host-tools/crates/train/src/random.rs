//! Reproducible random numbers: the same seed gives the same numbers on every machine.

use rand_core::Rng;

/// Returns the seed of training number `index`, where a single seed covers several trainings. Training 0 has `seed`
/// itself. The seeds lie far apart, so that neighbouring seeds have none in common.
pub fn nth_seed(seed: u64, index: usize) -> u64 {
    // The constant is 2⁶⁴ divided by the golden ratio.
    seed.wrapping_add((index as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15))
}

/// Shuffles `items` in place (Fisher and Yates).
pub fn shuffle<T>(items: &mut [T], rng: &mut impl Rng) {
    for last in (1..items.len()).rev() {
        let other = below(last + 1, rng);
        items.swap(last, other);
    }
}

/// Draws a number in `0..bound`, where `bound` > 0, from one `u64` of `rng`. Its bias is below `bound / 2⁶⁴`.
pub fn below(bound: usize, rng: &mut impl Rng) -> usize {
    ((u128::from(rng.next_u64()) * bound as u128) >> 64) as usize
}
