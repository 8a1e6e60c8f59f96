//! Samples a device has seen, with what the teacher said of them, so that the teacher runs once a sample.

use heapless::Vec;
use rand_core::Rng;

/// A ring of the last `N` (sample, teacher's answer) pairs; a new pair takes the oldest one's place.
///
/// `X` is the network's input, `Y` the teacher's logits, alone or with a label.
#[derive(Debug)]
pub struct Replay<X, Y, const N: usize> {
    pairs: Vec<(X, Y), N>,
    /// Where the next pair goes once the ring is full.
    oldest: usize,
}

impl<X, Y, const N: usize> Replay<X, Y, N> {
    /// An empty ring.
    pub const fn new() -> Self {
        const { assert!(N > 0, "a replay ring holds at least one sample") };
        Replay { pairs: Vec::new(), oldest: 0 }
    }

    /// Keeps a pair, in place of the oldest one if the ring is full.
    pub fn push(&mut self, x: X, y: Y) {
        // Not heapless's `HistoryBuf`, whose `write` keeps a panic.
        if let Err(pair) = self.pairs.push((x, y))
            && let Some(oldest) = self.pairs.get_mut(self.oldest)
        {
            *oldest = pair;
            self.oldest = (self.oldest + 1) % N;
        }
    }

    /// Number of pairs held, 0..=N.
    pub fn len(&self) -> usize {
        self.pairs.len()
    }

    /// Whether nothing has been kept yet.
    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    /// A pair drawn uniformly, with one `u32` of `rng`; `None` while the ring is empty.
    pub fn draw(&self, rng: &mut impl Rng) -> Option<&(X, Y)> {
        // The high half of a product scales 32 random bits to 0..len (Lemire 2019, without the rejection: its bias
        // is below N / 2³²).
        let index = (u64::from(rng.next_u32()) * self.pairs.len() as u64) >> 32;
        self.pairs.as_slice().get(index as usize)
    }
}

impl<X, Y, const N: usize> Default for Replay<X, Y, N> {
    fn default() -> Self {
        Self::new()
    }
}
