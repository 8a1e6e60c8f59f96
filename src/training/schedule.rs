//! Learning-rate schedules: shares of the base rate, by the number of the update.
//!
//! ```
//! use microdistill::optimizer::AdamRates;
//! use microdistill::schedule::{HalfCosine, Schedule};
//!
//! let schedule = HalfCosine { steps: 1000 };
//! let rate = |update| AdamRates::DEFAULT.rate * schedule.share(update);
//! assert_eq!((rate(0), rate(500), rate(1000)), (1e-3, 5e-4, 0.0));
//! ```

/// A share of the base rate for each update.
pub trait Schedule {
    /// The share at update `step`, from 0; the same bits on every target.
    fn share(&self, step: usize) -> f32;
}

/// 1, always.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Constant;

/// `factor^⌊step / every⌋`
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Step {
    /// Updates between two falls, at least 1; zero counts as 1.
    pub every: usize,
    /// Factor that remains after a fall, in [0, 1].
    pub factor: f32,
}

/// `½ (1 + cos(π·step / steps))`: from 1 to 0 along a half cosine (Loshchilov and Hutter 2017, equation 5, without
/// restarts), then 0.
///
/// Computed in f64, whose cosine takes 6 kB of flash on a Cortex-M4F.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct HalfCosine {
    /// The update at which nothing is left, at least 1.
    pub steps: usize,
}

impl Schedule for Constant {
    fn share(&self, _step: usize) -> f32 {
        1.0
    }
}

impl Schedule for Step {
    /// By repeated squaring.
    fn share(&self, step: usize) -> f32 {
        let (mut falls, mut power, mut share) = (step / self.every.max(1), self.factor, 1.0);
        while falls > 0 {
            if falls % 2 == 1 {
                share *= power;
            }
            power *= power;
            falls /= 2;
        }
        share
    }
}

impl Schedule for HalfCosine {
    fn share(&self, step: usize) -> f32 {
        if step >= self.steps {
            return 0.0;
        }
        let progress = step as f64 / self.steps as f64;
        (0.5 * (1.0 + libm::cos(core::f64::consts::PI * progress))) as f32
    }
}
