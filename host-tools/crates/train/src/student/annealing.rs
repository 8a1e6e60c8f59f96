//! A temperature that falls, or rises, over the epochs.

use microdistill::schedule::{HalfCosine, Schedule as _};

/// Temperature schedule of a recipe. In the first epoch the temperature is the recipe's (annealing: Jafari et
/// al. 2021).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cooling {
    /// T > 0 of the last epoch.
    pub last: f32,
    /// The way there.
    pub curve: Curve,
}

/// The way between two temperatures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Curve {
    /// The same change every epoch.
    #[default]
    Linear,
    /// Slow at both ends: along a half cosine.
    Cosine,
}

impl Cooling {
    /// T of an epoch, from 1, of so many, where `first` is that of the first.
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
            let cooling = Cooling { last: 2.0, curve };
            assert_eq!([1, 6, 11].map(|epoch| cooling.temperature(8.0, epoch, 11)), [8.0, 5.0, 2.0]);
            assert_eq!(cooling.temperature(8.0, 1, 1), 8.0);
        }
        let quarter = |curve| Cooling { last: 2.0, curve }.temperature(8.0, 3, 9);
        assert_eq!(quarter(Curve::Linear), 6.5);
        assert!(quarter(Curve::Cosine) > 7.0);
    }
}
