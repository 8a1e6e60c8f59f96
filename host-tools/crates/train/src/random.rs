//! Randomness that repeats: the same seed, the same numbers, on every machine.

use rand_core::Rng;

/// The seed of the `index`-th training that one seed is for; the first has the seed itself. They lie far apart, so that
/// neighbouring seeds share none.
pub fn nth_seed(seed: u64, index: usize) -> u64 {
    // 2⁶⁴ divided by the golden ratio.
    seed.wrapping_add((index as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15))
}

/// Shuffles in place (Fisher and Yates).
pub fn shuffle<T>(items: &mut [T], rng: &mut impl Rng) {
    for last in (1..items.len()).rev() {
        let other = below(last + 1, rng);
        items.swap(last, other);
    }
}

/// A number in `0..bound`, `bound` > 0, from one `u64` of `rng`; its bias is below `bound / 2⁶⁴`.
pub fn below(bound: usize, rng: &mut impl Rng) -> usize {
    ((u128::from(rng.next_u64()) * bound as u128) >> 64) as usize
}
