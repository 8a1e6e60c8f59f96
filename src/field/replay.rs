//! Samples a device has seen, with what the teacher said of them, so that the teacher runs once a sample.
//!
//! A byte a number is enough to remember a sample by:
//!
//! ```
//! use microdistill::quant::{Dequantize, Quantize};
//! use microdistill::replay::{Answer, Replay, Reservoir};
//! use microdistill::{Prepare, Scaler};
//! use rand_pcg::Pcg32;
//!
//! static INPUT: Quantize<3> = Quantize { scaler: Scaler::new([0.0; 3], [1.0; 3]), scale: 0.03, zero: 0 };
//! static LOGITS: Dequantize = Dequantize { scale: 0.1, zero: 0 };
//!
//! let mut rng = Pcg32::new(1, 2);
//! let mut replay = Replay::<[i8; 3], Answer<2>, 64, Reservoir>::reservoir();
//! let (raw, teacher) = ([0.5, -1.0, 2.0], [1.23, -0.5]);
//! replay.push(INPUT.apply(&raw), Answer { logits: LOGITS.encode(&teacher), label: None }, &mut rng);
//!
//! let (input, answer) = replay.draw(&mut rng).unwrap();
//! let x = INPUT.decode(input); // standardized, what an f32 student takes
//! assert!((x[2] - 2.0).abs() <= 0.015);
//! let logits = LOGITS.apply(&answer.logits);
//! assert!((logits[0] - 1.23).abs() <= 0.05);
//! ```
//!
//! A missing feature is remembered as the mean, which [`Prepare`](crate::Prepare) makes of it.

use heapless::Vec;
use rand_core::Rng;

/// At most `N` (sample, teacher's answer) pairs; the `Policy` decides which, when there have been more: the last ones
/// ([`Ring`]), any as likely ([`Reservoir`]), or of each class as many ([`Balanced`]).
///
/// `X` is the network's input, `Y` the teacher's logits, alone or with a label; [`Answer`] is both in bytes.
#[derive(Debug)]
pub struct Replay<X, Y, const N: usize, Policy = Ring> {
    pairs: Vec<(X, Y), N>,
    policy: Policy,
}

/// The teacher's answer, in `C + 2` bytes: codes of its logits, and the class if it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Answer<const C: usize> {
    /// By [`Dequantize::encode`](crate::quant::Dequantize::encode), real again by its `apply`.
    pub logits: [i8; C],
    /// The class.
    pub label: Option<u8>,
}

impl<X, Y, const N: usize, Policy> Replay<X, Y, N, Policy> {
    const fn with(policy: Policy) -> Self {
        const { assert!(N > 0, "a replay holds at least one sample") };
        Replay { pairs: Vec::new(), policy }
    }

    /// Number of pairs held, 0..=N.
    pub fn len(&self) -> usize {
        self.pairs.len()
    }

    /// Returns true if nothing has been kept yet.
    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    /// The pair in a slot, from 0, in no order that means anything; `None` from [`len`](Replay::len) on.
    #[must_use]
    pub fn get(&self, slot: usize) -> Option<&(X, Y)> {
        self.pairs.as_slice().get(slot)
    }

    /// A pair drawn uniformly, with one `u32` of `rng`; `None` while nothing is held.
    #[must_use]
    pub fn draw(&self, rng: &mut impl Rng) -> Option<&(X, Y)> {
        self.get(below(self.len() as u32, rng) as usize)
    }

    /// Keeps a pair in place of the one in `slot`.
    fn replace(&mut self, slot: usize, pair: (X, Y)) {
        if let Some(old) = self.pairs.get_mut(slot) {
            *old = pair;
        }
    }
}

/// Keeps the last pairs: a new one takes the oldest one's place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ring {
    /// Index of the oldest pair, which the next one replaces once the ring is full.
    oldest: usize,
}

impl<X, Y, const N: usize> Replay<X, Y, N> {
    /// An empty ring.
    pub const fn new() -> Self {
        Replay::with(Ring { oldest: 0 })
    }

    /// Keeps a pair, in place of the oldest one if the ring is full.
    pub fn push(&mut self, x: X, y: Y) {
        // Not heapless's `HistoryBuf`, whose `write` keeps a panic.
        if let Err(pair) = self.pairs.push((x, y)) {
            self.replace(self.policy.oldest, pair);
            self.policy.oldest = (self.policy.oldest + 1) % N;
        }
    }
}

impl<X, Y, const N: usize> Default for Replay<X, Y, N> {
    fn default() -> Self {
        Self::new()
    }
}

/// Keeps each pair that has been seen with the same probability (Vitter 1985, algorithm R), so that what was seen long
/// ago is not forgotten.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reservoir {
    seen: u32,
}

impl<X, Y, const N: usize> Replay<X, Y, N, Reservoir> {
    /// An empty reservoir.
    pub const fn reservoir() -> Self {
        Replay::with(Reservoir { seen: 0 })
    }

    /// Keeps a pair with probability `N / seen`, in place of any of the others, with one `u32` of `rng` once the
    /// reservoir is full. After 2³² pairs the probability stays.
    pub fn push(&mut self, x: X, y: Y, rng: &mut impl Rng) {
        self.policy.seen = self.policy.seen.saturating_add(1);
        if let Err(pair) = self.pairs.push((x, y)) {
            self.replace(below(self.policy.seen, rng) as usize, pair);
        }
    }
}

/// Keeps as many pairs of each of `C` classes as it can, and of a class each pair that has been seen with the same
/// probability (Chrysakis and Moens 2020, algorithm 1): what is rare is not crowded out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Balanced<const N: usize, const C: usize> {
    /// Class of each pair held.
    classes: [u8; N],
    held: [u32; C],
    seen: [u32; C],
    /// Classes that were the largest once: they take only their own places.
    full: [bool; C],
}

impl<X, Y, const N: usize, const C: usize> Replay<X, Y, N, Balanced<N, C>> {
    /// Nothing held, of any class.
    pub const fn balanced() -> Self {
        const { assert!(0 < C && C <= 256, "a class is a byte") };
        Replay::with(Balanced { classes: [0; N], held: [0; C], seen: [0; C], full: [false; C] })
    }

    /// Keeps a pair of class `class`, the label or what the teacher says, or does not; one that is not in `0..C` never.
    /// Takes one `u32` of `rng` or two, once all places are taken.
    pub fn push(&mut self, x: X, y: Y, class: usize, rng: &mut impl Rng) {
        let Some(seen) = self.policy.seen.get_mut(class) else { return };
        *seen = seen.saturating_add(1);
        let seen = *seen;
        let slot = self.pairs.len();
        let Err(pair) = self.pairs.push((x, y)) else {
            self.policy.enter(slot, class);
            return;
        };
        if let Some(slot) = self.policy.choose(class, seen, rng) {
            self.policy.leave(slot);
            self.policy.enter(slot, class);
            self.replace(slot, pair);
        }
    }

    /// Pairs held of each class.
    pub fn held(&self) -> &[u32; C] {
        &self.policy.held
    }
}

impl<const N: usize, const C: usize> Balanced<N, C> {
    /// Whose place a pair of `class` takes, the `seen`-th of it, when all are taken.
    fn choose(&mut self, class: usize, seen: u32, rng: &mut impl Rng) -> Option<usize> {
        let (mut largest, mut most) = (0, 0);
        for (class, &held) in self.held.iter().enumerate() {
            if held > most {
                (largest, most) = (class, held);
            }
        }
        for (full, &held) in self.full.iter_mut().zip(&self.held) {
            *full |= held == most;
        }
        let (of, among) = if *self.full.get(class)? {
            let own = *self.held.get(class)?;
            // Algorithm R among its own places.
            if below(seen, rng) >= own {
                return None;
            }
            (class, own)
        } else {
            (largest, most)
        };
        let nth = below(among, rng) as usize;
        let mut slots = self.classes.iter().enumerate().filter(|&(_, &held)| usize::from(held) == of);
        slots.nth(nth).map(|(slot, _)| slot)
    }

    /// Notes that `slot` has a pair of `class` from now on.
    fn enter(&mut self, slot: usize, class: usize) {
        if let (Some(of), Some(held)) = (self.classes.get_mut(slot), self.held.get_mut(class)) {
            *of = class as u8;
            *held = held.saturating_add(1);
        }
    }

    /// Notes that the pair in `slot` leaves.
    fn leave(&mut self, slot: usize) {
        if let Some(held) = self.classes.get(slot).and_then(|&of| self.held.get_mut(usize::from(of))) {
            *held = held.saturating_sub(1);
        }
    }
}

/// A number in `0..count`, 0 for none, with one `u32` of `rng`.
///
/// The high half of a product scales 32 random bits (Lemire 2019, without the rejection: its bias is below
/// `count / 2³²`).
fn below(count: u32, rng: &mut impl Rng) -> u32 {
    ((u64::from(rng.next_u32()) * u64::from(count)) >> 32) as u32
}
