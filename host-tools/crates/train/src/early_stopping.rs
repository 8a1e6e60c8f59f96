//! Early stopping, of teachers and students alike.

/// The best epoch so far by validation loss, and how long to wait for a better one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EarlyStopping {
    /// Epochs without a better validation loss after which training stops; none: it never stops early.
    patience: Option<usize>,
    loss: f64,
    /// Epoch with the least loss, from 1; none before the first.
    best: Option<usize>,
}

impl EarlyStopping {
    pub(crate) fn new(patience: Option<usize>) -> Self {
        EarlyStopping { patience, loss: f64::INFINITY, best: None }
    }

    /// Records the validation loss of an epoch. Returns true if it is less than that of every epoch before.
    pub(crate) fn improves(&mut self, epoch: usize, loss: f64) -> bool {
        let improves = loss < self.loss;
        if improves {
            (self.loss, self.best) = (loss, Some(epoch));
        }
        improves
    }

    /// Returns true if `epoch` ends the training, because the patience is exhausted.
    pub(crate) fn is_due(&self, epoch: usize) -> bool {
        let waited = self.best.map_or(0, |best| epoch - best);
        self.patience.is_some_and(|patience| waited >= patience.max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::EarlyStopping;

    #[test]
    fn training_stops_after_as_many_worse_epochs() {
        let losses = [3.0, 1.0, 1.0, 2.0, 0.5];
        let stops = |patience| {
            let mut stopping = EarlyStopping::new(patience);
            losses.iter().zip(1..).position(|(&loss, epoch)| {
                stopping.improves(epoch, loss);
                stopping.is_due(epoch)
            })
        };
        assert_eq!(
            [None, Some(0), Some(1), Some(2), Some(3)].map(stops),
            [None, Some(2), Some(2), Some(3), None]
        );
    }

    #[test]
    fn nothing_is_waited_for_before_the_first_loss() {
        assert!(!EarlyStopping::new(Some(1)).is_due(9));
    }
}
