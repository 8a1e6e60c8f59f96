//! Temperature schedules: annealing the distillation temperature over the epochs.

use microdistill::schedule::{HalfCosine, Schedule as _};

/// Temperature schedule of a recipe: from the recipe's own temperature in the first epoch to `last` in the last one
/// (annealing: Jafari et al. 2021).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Annealing {
    /// Temperature of the last epoch, above 0.
    pub last: f32,
    /// Shape of the schedule between the two.
    pub curve: Curve,
}

/// Shape of a temperature schedule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Curve {
    /// Changes by the same amount in every epoch.
    #[default]
    Linear,
    /// Follows a half cosine: slow at both ends, fast in the middle.
    Cosine,
}

impl Annealing {
    /// Temperature of `epoch`, counted from 1, in a training of `epochs` epochs that begins at temperature `first`.
    pub(super) fn temperature(self, first: f32, epoch: usize, epochs: usize) -> f32 {
        let (step, steps) = (epoch - 1, epochs - 1);
        if step == 0 {
            return first;
        }
        let left = match self.curve {
            Curve::Linear => 1.0 - step as f32 / steps as f32,
            Curve::Cosine => HalfCosine { steps }.share(step),
        };
        self.last + (first - self.last) * left
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_curves_go_from_the_first_to_the_last() {
        for curve in [Curve::Linear, Curve::Cosine] {
            let annealing = Annealing { last: 2.0, curve };
            assert_eq!([1, 6, 11].map(|epoch| annealing.temperature(8.0, epoch, 11)), [8.0, 5.0, 2.0]);
            assert_eq!(annealing.temperature(8.0, 1, 1), 8.0);
        }
        let quarter = |curve| Annealing { last: 2.0, curve }.temperature(8.0, 3, 9);
        assert_eq!(quarter(Curve::Linear), 6.5);
        assert!(quarter(Curve::Cosine) > 7.0);
    }
}
