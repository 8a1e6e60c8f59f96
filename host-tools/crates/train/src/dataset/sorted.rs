//! A feature in the order of its values, which most questions about a column come down to.

use nalgebra::DMatrix;

/// A feature's values, and its rows in ascending order of value, then of row; rows with a missing value are last.
pub(super) struct Sorted {
    /// Values in the order of the rows; zero is positive.
    pub(super) values: Vec<f32>,
    order: Vec<u32>,
    /// Number of values that are not missing.
    present: usize,
}

impl Sorted {
    /// A feature of `x`, shape (features × rows).
    pub(super) fn new(x: &DMatrix<f32>, feature: usize) -> Self {
        let values: Vec<f32> = x.row(feature).iter().map(|&value| value + 0.0).collect();
        // Whole numbers are sorted in half the time: a key in the order of the value, above the row.
        let mut keys: Vec<u64> =
            values.iter().zip(0u64..).map(|(&value, row)| u64::from(key(value)) << 32 | row).collect();
        keys.sort_unstable();
        let order = keys.into_iter().map(|key| key as u32).collect();
        let present = values.iter().filter(|value| !value.is_nan()).count();
        Sorted { values, order, present }
    }

    /// Rows with a value, in its order.
    pub(super) fn rows(&self) -> impl DoubleEndedIterator<Item = usize> + ExactSizeIterator {
        self.order[..self.present].iter().map(|&row| row as usize)
    }

    /// The value with this number of values before it.
    pub(super) fn value(&self, place: usize) -> Option<f32> {
        self.order[..self.present].get(place).map(|&row| self.values[row as usize])
    }

    /// Number of values that are not missing.
    pub(super) fn present(&self) -> usize {
        self.present
    }

    /// Rows of each different value, in its order; rows with a missing value are the last ones.
    pub(super) fn runs(&self) -> impl Iterator<Item = &[u32]> {
        let (present, missing) = self.order.split_at(self.present);
        let equal = |a: &u32, b: &u32| self.values[*a as usize] == self.values[*b as usize];
        present.chunk_by(equal).chain(Some(missing).filter(|rows| !rows.is_empty()))
    }

    /// Number of different values.
    pub(super) fn different(&self) -> usize {
        self.runs().count() - usize::from(self.present < self.values.len())
    }
}

/// A whole number in the order of the values, NaN last.
fn key(value: f32) -> u32 {
    let bits = if value.is_nan() { f32::NAN.to_bits() } else { value.to_bits() };
    if bits >> 31 == 0 { bits | 1 << 31 } else { !bits }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_in_the_order_of_their_values() {
        let x = DMatrix::from_row_slice(1, 7, &[2.0, -f32::NAN, -0.0, -1.5, 0.0, f32::INFINITY, 2.0]);
        let sorted = Sorted::new(&x, 0);
        assert_eq!(sorted.rows().collect::<Vec<_>>(), [3, 2, 4, 0, 6, 5]);
        assert_eq!(sorted.runs().collect::<Vec<_>>(), [&[3][..], &[2, 4], &[0, 6], &[5], &[1]]);
        assert_eq!((sorted.present(), sorted.different()), (6, 4));
        assert_eq!((sorted.value(0), sorted.value(6)), (Some(-1.5), None));
    }
}
