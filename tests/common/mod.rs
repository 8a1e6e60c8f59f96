//! Pseudorandom numbers for tests.

use rand_core::Rng;
use rand_pcg::Pcg32;

/// A generator of numbers in ±1. All are multiples of 2⁻²³, so `f32` holds them exactly.
pub(crate) fn numbers(seed: u64) -> impl FnMut() -> f64 {
    let mut rng = Pcg32::new(seed, 7);
    move || f64::from(rng.next_u32() >> 8) / f64::from(1 << 23) - 1.0
}
