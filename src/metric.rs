//! Scores of a student, updated sample by sample: only sums are kept.

use crate::loss::maximum;
use crate::scalar::Scalar;

/// The index of the largest element, the first of equals; zero for an empty slice. NaN is never the largest.
#[must_use]
pub fn argmax<T: PartialOrd>(values: &[T]) -> usize {
    let mut comparable = values.iter().enumerate().filter(|(_, value)| value.partial_cmp(value).is_some());
    let Some((mut best, mut top)) = comparable.next() else {
        return 0;
    };
    for (index, value) in comparable {
        if value > top {
            (best, top) = (index, value);
        }
    }
    best
}

/// Counts of right and all answers; they wrap after 2³².
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Accuracy {
    /// Right answers.
    pub correct: u32,
    /// All answers.
    pub total: u32,
}

impl Accuracy {
    /// Counts the answer `argmax(outputs)` against the class `label`.
    pub fn add<T: PartialOrd>(&mut self, outputs: &[T], label: usize) {
        self.correct = self.correct.wrapping_add(u32::from(argmax(outputs) == label));
        self.total = self.total.wrapping_add(1);
    }

    /// The share of right answers, in [0, 1]; NaN before the first.
    #[must_use]
    pub fn share(&self) -> f32 {
        self.correct as f32 / self.total as f32
    }
}

/// Mean negative log-likelihood `−ln softmax(z)_y`, in nats.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct NegativeLogLikelihood(Mean);

impl NegativeLogLikelihood {
    /// Before the first sample.
    pub const ZERO: Self = NegativeLogLikelihood(Mean { sum: 0.0, excess: 0.0, count: 0 });

    /// Adds the logits of a sample of class `label`; one that is not among them is not counted.
    pub fn add(&mut self, logits: &[f32], label: usize) {
        if let Some(own) = logits.get(label) {
            let (top, sum) = top_and_sum(logits);
            self.0.add(Scalar::ln(sum) - (own - top));
        }
    }

    /// The mean so far, ≥ 0; NaN before the first sample.
    #[must_use]
    pub fn mean(&self) -> f32 {
        self.0.value()
    }
}

/// Mean squared distance between probabilities and label, `Σ (softmax(z) − onehot(y))²` (Brier 1950).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Brier(Mean);

impl Brier {
    /// Adds the logits of a sample of class `label`; one that is not among them is not counted.
    pub fn add(&mut self, logits: &[f32], label: usize) {
        if label < logits.len() {
            let (top, sum) = top_and_sum(logits);
            let square = |(class, z): (usize, &f32)| {
                let distance = Scalar::exp(z - top) / sum - if class == label { 1.0 } else { 0.0 };
                distance * distance
            };
            self.0.add(logits.iter().enumerate().map(square).sum());
        }
    }

    /// The mean so far, in [0, 2]; NaN before the first sample.
    #[must_use]
    pub fn mean(&self) -> f32 {
        self.0.value()
    }
}

/// `max z` and `Σ exp(z − max z)`
fn top_and_sum(z: &[f32]) -> (f32, f32) {
    let top = maximum(z);
    (top, z.iter().map(|z| Scalar::exp(z - top)).sum())
}

/// A mean whose sum keeps what rounding takes (Kahan 1965), so that many samples count like few.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
struct Mean {
    sum: f32,
    /// Rounding error of the last addition.
    excess: f32,
    count: u32,
}

impl Mean {
    fn add(&mut self, number: f32) {
        let number = number - self.excess;
        let sum = self.sum + number;
        self.excess = (sum - self.sum) - number;
        self.sum = sum;
        self.count = self.count.wrapping_add(1);
    }

    fn value(&self) -> f32 {
        self.sum / self.count as f32
    }
}
