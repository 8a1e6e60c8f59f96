//! How good a student is.

/// The index of the largest element, the first of equals; zero for an empty slice. NaN is never the largest.
pub fn argmax<T: PartialOrd>(values: &[T]) -> usize {
    let mut best: Option<(usize, &T)> = None;
    for (index, value) in values.iter().enumerate() {
        let comparable = value.partial_cmp(value).is_some();
        if comparable && best.is_none_or(|(_, top)| value > top) {
            best = Some((index, value));
        }
    }
    best.map_or(0, |(index, _)| index)
}

/// Counts of right and all answers; they wrap after 2³².
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
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
    pub fn share(&self) -> f32 {
        self.correct as f32 / self.total as f32
    }
}
