//! The order in which rows of a file arrive at a device.

use core::iter;

/// Repeats the rows forever in strides. The file is sorted by person and class, so the strides keep neighbours apart.
pub(crate) fn arrivals<R>(rows: &[R]) -> impl Iterator<Item = &R> {
    let stride = stride(rows.len());
    let indices = iter::successors(Some(0), move |index| (index + stride).checked_rem(rows.len()));
    indices.map_while(|index| rows.get(index))
}

/// Index of the row that arrives at position `number`, counted from 0, among `count` rows; 0 if there are none.
pub(crate) fn place(number: usize, count: usize) -> usize {
    (number * stride(count)).checked_rem(count).unwrap_or(0)
}

/// A stride around a circle of `count` rows that visits all of them before repeating any, because the two share no divisor.
/// It is close to the golden section of the circle, which spreads the visits most evenly.
fn stride(count: usize) -> usize {
    let golden = count * 34 / 55;
    (golden..count).find(|&stride| common_divisor(stride, count) == 1).unwrap_or(1)
}

/// Greatest common divisor, by Euclid's algorithm.
fn common_divisor(a: usize, b: usize) -> usize {
    if b == 0 { a } else { common_divisor(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::{arrivals, place};
    use std::collections::BTreeSet;

    #[test]
    fn every_row_arrives_before_any_again() {
        for count in 0..300 {
            let rows: std::vec::Vec<usize> = (0..count).collect();
            let pass: BTreeSet<&usize> = arrivals(&rows).take(count).collect();
            assert_eq!(pass.len(), count);
            assert!(arrivals(&rows).take(count).eq(arrivals(&rows).skip(count).take(count)));
            assert!(arrivals(&rows).take(2 * count).copied().eq((0..2 * count).map(|n| place(n, count))));
        }
    }
}
