//! When to learn: a test on how much student and teacher disagree starts learning, and stops it.
//!
//! ```
//! use microdistill::drift::{Drift, DriftLimits};
//!
//! let mut drift = Drift::expecting(0.1, 50); // a tenth, as on the desktop's test rows
//! let limits = DriftLimits::DEFAULT;
//! assert!((0..500).all(|_| !drift.add(0.1, &limits)));
//! let late = (1..).find(|_| drift.add(0.5, &limits)).unwrap(); // the user changes
//! assert!(late < 30);
//! let learned = (1..).find(|_| !drift.add(0.12, &limits)).unwrap(); // the student follows
//! assert_eq!(learned, limits.block);
//! ```
//!
//! A disagreement that is NaN counts for nothing. Missing features do not make it NaN, because the
//! [scaler](crate::scaler) gives their mean to student and teacher.

use crate::loss::softmax;

/// Disagreement of two answers: the total variation distance of their probabilities, `½ Σ |p − q|`, `p =
/// softmax(z)`,
/// `q = softmax(v)`, in [0, 1]. NaN if a logit is, or infinite.
#[must_use]
pub fn disagreement<const C: usize>(student: &[f32; C], teacher: &[f32; C]) -> f32 {
    let (mut p, mut q) = (*student, *teacher);
    softmax(&mut p, 1.0);
    softmax(&mut q, 1.0);
    0.5 * p.iter().zip(&q).map(|(p, q)| if p > q { p - q } else { q - p }).sum::<f32>()
}

/// The Page–Hinkley test for a mean that rises (Page 1954; in the form of Gama et al. 2014, section 3.2.1, "A survey on
/// concept drift adaptation"): `m_t = Σ (x_i − x̄_i − δ)`, alarm where `m_t − min m > λ`.
///
/// The difference is kept itself, `g ← max(0, g + x − x̄ − δ)`, which is the same and loses no digits in a long life.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct PageHinkley {
    mean: f32,
    count: u32,
    gap: f32,
    /// The mean while the gap was last zero.
    norm: f32,
}

/// Sensitivity of [`PageHinkley`].
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct PageHinkleyLimits {
    /// δ ≥ 0, in units of what is watched: a rise of the mean that is tolerated.
    pub tolerance: f32,
    /// λ > 0, in the same units: the sum of what is above it that is too much. Higher is later and less often wrong.
    pub threshold: f32,
}

impl PageHinkley {
    /// Before the first number.
    pub const ZERO: Self = PageHinkley::expecting(0.0, 0);

    /// Begins as if `count` numbers of this mean had been seen. With a count of 0, the first numbers that come are the
    /// norm, whatever they are.
    pub const fn expecting(mean: f32, count: u32) -> Self {
        PageHinkley { mean, count, gap: 0.0, norm: mean }
    }

    /// Adds a number and tells whether the mean has risen. A number that is not finite is ignored.
    #[must_use = "it tells that the mean has risen"]
    pub fn add(&mut self, x: f32, limits: &PageHinkleyLimits) -> bool {
        if x.is_finite() {
            self.count = self.count.saturating_add(1);
            self.mean += (x - self.mean) / self.count as f32;
            let gap = self.gap + (x - self.mean - limits.tolerance);
            if gap > 0.0 {
                self.gap = gap;
            } else {
                (self.gap, self.norm) = (0.0, self.mean);
            }
        }
        self.gap > limits.threshold
    }

    /// The mean before the rise that is being watched.
    pub fn norm(&self) -> f32 {
        self.norm
    }
}

/// Switches learning on where [`PageHinkley`] gives alarm, and off where it has helped, or helps no more.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Drift {
    test: PageHinkley,
    learning: bool,
    /// Sum over the current block, while learning.
    sum: f32,
    count: u32,
    /// The lowest mean of a block, and how many blocks ago it was.
    best: f32,
    since: u32,
}

/// When [`Drift`] starts and stops.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct DriftLimits {
    /// Limits that start learning.
    pub start: PageHinkleyLimits,
    /// Samples over which disagreements are averaged while learning, > 0. Learning stops after a block whose mean is at
    /// most the one before the alarm plus the test's tolerance.
    pub block: u32,
    /// Learning also stops after so many blocks in a row, > 0, whose mean was not below the lowest by the tolerance.
    pub patience: u32,
}

impl DriftLimits {
    /// For [`disagreement`]: a rise of 0.05 is tolerated, ten times a rise by 0.35 is not; blocks of 64, 4 of them in vain.
    ///
    /// False alarms are rare over a long life, but a life of some hundred samples may end before learning starts: on the
    /// streams of `docs/results/field.md` it never does. There, a tolerance of 0.02 and a threshold of 0.5 tell the
    /// streams that learning helps from the others. Their false alarms cost work, but not the student, where a
    /// [`Guard`](crate::guard::Guard) judges.
    pub const DEFAULT: DriftLimits =
        DriftLimits { start: PageHinkleyLimits { tolerance: 0.05, threshold: 3.0 }, block: 64, patience: 4 };
}

impl Drift {
    /// Not learning; the first numbers will be the norm.
    pub const ZERO: Self = Drift::expecting(0.0, 0);

    /// Not learning; a mean disagreement of `mean`, on the desktop's test rows say, counts as the norm like `count`
    /// samples of it, so that a device that is different from its first day on is seen to be.
    pub const fn expecting(mean: f32, count: u32) -> Self {
        Drift {
            test: PageHinkley::expecting(mean, count),
            learning: false,
            sum: 0.0,
            count: 0,
            best: f32::INFINITY,
            since: 0,
        }
    }

    /// Learning, and as [`expecting`](Drift::expecting): for a start after a power cut, which may have met a device that
    /// had not yet learned enough.
    pub const fn learning(mean: f32, count: u32) -> Self {
        Drift { learning: true, ..Drift::expecting(mean, count) }
    }

    /// Adds a sample's disagreement and tells whether it is time to learn. A number that is not finite is ignored.
    pub fn add(&mut self, disagreement: f32, limits: &DriftLimits) -> bool {
        if !self.learning {
            self.learning = self.test.add(disagreement, &limits.start);
        } else if disagreement.is_finite() {
            self.sum += disagreement;
            self.count = self.count.saturating_add(1);
            if self.count >= limits.block {
                self.end_block(limits);
            }
        }
        self.learning
    }

    /// Returns true while the student should learn.
    #[must_use]
    pub fn is_learning(&self) -> bool {
        self.learning
    }

    fn end_block(&mut self, limits: &DriftLimits) {
        let mean = self.sum / self.count as f32;
        let tolerance = limits.start.tolerance;
        (self.sum, self.count) = (0.0, 0);
        if mean < self.best - tolerance {
            (self.best, self.since) = (mean, 0);
        } else {
            self.since = self.since.saturating_add(1);
        }
        if mean <= self.test.norm + tolerance {
            // The norm stays what it was: or each stop would allow a little more.
            *self = Drift::expecting(self.test.norm, limits.block);
        } else if self.since >= limits.patience {
            // What cannot be helped is the norm from here on.
            *self = Drift::expecting(mean, limits.block);
        }
    }
}
