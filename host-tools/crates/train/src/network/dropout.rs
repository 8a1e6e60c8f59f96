//! Dropout in the training of a student.

use microdistill::scalar::Scalar;
use rand_core::Rng;

/// Dropout of hidden units (Srivastava et al. 2014), inverted: `y·m/keep`, where `m` is 1 with probability `keep` and
/// else 0. Run-time counterpart of [`microdistill::Dropout`] after every hidden layer.
#[derive(Clone, Debug)]
pub(crate) struct Dropout {
    keep: f32,
    /// Masks of the hidden layers, true for a dropped unit. Empty if dropout is off.
    dropped: Vec<Vec<bool>>,
}

impl Dropout {
    /// Dropout that drops nothing.
    pub(crate) const OFF: Dropout = Dropout { keep: 1.0, dropped: Vec::new() };

    /// Creates dropout of a `share`, in [0, 1), of the hidden units of networks with these `widths`.
    pub(crate) fn new(share: f32, widths: &[usize]) -> Self {
        if share == 0.0 {
            return Dropout::OFF;
        }
        let hidden = widths.get(1..widths.len().saturating_sub(1)).unwrap_or_default();
        Dropout { keep: 1.0 - share, dropped: hidden.iter().map(|&width| vec![false; width]).collect() }
    }

    /// Returns true if nothing is ever dropped.
    pub(crate) fn is_off(&self) -> bool {
        self.dropped.is_empty()
    }

    /// Draws new masks, with one `u32` of `rng` per hidden unit.
    pub(crate) fn draw(&mut self, rng: &mut impl Rng) {
        for dropped in self.dropped.iter_mut().flatten() {
            *dropped = f32::unit_interval(rng.next_u32()) >= self.keep;
        }
    }

    /// Applies the mask of the hidden layer `layer` in place, to its outputs or to the gradient of them. Values of
    /// other layers stay unchanged.
    pub(crate) fn apply(&self, layer: usize, values: &mut [f32]) {
        for (value, &dropped) in values.iter_mut().zip(self.dropped.get(layer).into_iter().flatten()) {
            *value = if dropped { 0.0 } else { *value / self.keep };
        }
    }
}
