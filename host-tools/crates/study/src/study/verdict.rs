//! Thresholds behind every sentence, answer and plot: when a difference is shown, and when a student overfits.

use super::results::Comparison;

/// Family-wise error rate of the verdicts: 5 %.
const LEVEL: f64 = 0.05;

/// Largest overfitting gap, as a share, that hardly counts as one.
const SMALL_GAP: f64 = 0.01;

/// Verdict on a mean difference, by its p-value corrected for the number of comparisons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Cannot tell: a single pair knows nothing of chance.
    Untestable,
    /// No difference beyond chance.
    NotShown,
    /// The first of the two has more.
    Higher,
    /// The first of the two has less.
    Lower,
}

impl Verdict {
    pub(crate) fn of(comparison: &Comparison) -> Self {
        match comparison.p_adjusted {
            None => Verdict::Untestable,
            p if !is_shown(p) => Verdict::NotShown,
            Some(_) if comparison.mean > 0.0 => Verdict::Higher,
            Some(_) => Verdict::Lower,
        }
    }
}

/// Returns true if a corrected p-value shows a difference.
pub(crate) fn is_shown(p: Option<f64>) -> bool {
    p.is_some_and(|p| p < LEVEL)
}

/// Returns true if a gap between the scores on training and test rows counts as overfitting.
pub(crate) fn overfits(gap: f64) -> bool {
    gap > SMALL_GAP
}
