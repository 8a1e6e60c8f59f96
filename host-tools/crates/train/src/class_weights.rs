//! Class weights: weight of each row in the loss, by its label.

use microdistill::loss::Loss;
use microdistill::scalar::Scalar;
use serde::{Deserialize, Serialize};

/// Weights of the classes in the loss.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClassWeights {
    /// All rows have the same weight.
    #[default]
    None,
    /// All classes have the same total weight: a row weighs `rows / (classes · rows of its class)`, so that the mean
    /// over the rows is 1.
    Balanced,
}

impl ClassWeights {
    /// Returns one weight per class, or none if all rows weigh the same. `labels` holds the class index of each
    /// labelled row. Classes without rows do not count.
    pub(crate) fn of(self, labels: impl IntoIterator<Item = usize>) -> Option<Vec<f32>> {
        if self == ClassWeights::None {
            return None;
        }
        let mut counts = Vec::<usize>::new();
        for label in labels {
            counts.resize(counts.len().max(label + 1), 0);
            counts[label] += 1;
        }
        let rows: usize = counts.iter().sum();
        let classes = counts.iter().filter(|&&count| count > 0).count();
        let weight = |&count: &usize| (rows as f64 / (classes * count.max(1)) as f64) as f32;
        (rows > 0).then(|| counts.iter().map(weight).collect())
    }
}

/// A loss multiplied, like its gradient, by the weight of a row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Weighted<'a, L, T> {
    pub(crate) loss: &'a L,
    pub(crate) weight: T,
}

impl<T: Scalar, L: Loss<T>> Loss<T> for Weighted<'_, L, T> {
    type Target<'b> = L::Target<'b>;

    fn gradient(&self, z: &[T], target: Self::Target<'_>, dz: &mut [T], work: &mut [T]) -> T {
        let loss = self.loss.gradient(z, target, dz, work);
        weigh(loss, dz, self.weight)
    }
}

/// Multiplies a loss, which is returned, and its gradient `dz` by `weight`.
pub(crate) fn weigh<T: Scalar>(loss: T, dz: &mut [T], weight: T) -> T {
    dz.iter_mut().for_each(|dz| *dz *= weight);
    loss * weight
}

#[cfg(test)]
mod tests {
    use super::*;
    use microdistill::loss::CrossEntropy;

    #[test]
    fn balanced_classes_count_alike() {
        let labels = [0, 0, 0, 2];
        assert_eq!(ClassWeights::None.of(labels), None);
        assert_eq!(ClassWeights::Balanced.of([]), None);
        let weights = ClassWeights::Balanced.of(labels).unwrap();
        assert_eq!((weights[0], weights[2]), (4.0 / 6.0, 2.0));
        let sum: f32 = labels.iter().map(|&label| weights[label]).sum();
        assert_eq!(sum, 4.0);
    }

    #[test]
    fn loss_and_gradient_are_weighted() {
        let (mut plain, mut weighted, mut work) = ([0.0f32; 2], [0.0; 2], [0.0; 2]);
        let z = [0.5, -0.25];
        let loss = Loss::<f32, [f32]>::gradient(&CrossEntropy, &z, 1, &mut plain, &mut work);
        let twice = Weighted { loss: &CrossEntropy, weight: 2.0 }.gradient(&z, 1, &mut weighted, &mut work);
        assert_eq!((twice, weighted), (2.0 * loss, plain.map(|dz| 2.0 * dz)));
    }
}
