//! Nearest neighbours of training rows, and features of few distinct values.

use nalgebra::DMatrix;
use rayon::prelude::*;

/// Largest number of rows among which neighbours are looked for. Of more rows, evenly spaced ones are taken: the time
/// grows with the product of both numbers, and the nearest of so many is near.
const AMONG: usize = 20_000;

/// Largest number of distinct values of a [discrete](discrete) feature.
const DISCRETE: usize = 10;

/// Returns the indices of the `count` nearest other rows of each of `rows`, columns of `x`, by Euclidean distance, nearest
/// first; those of smaller index first on a tie. Fewer if there are not so many others, and the row itself if there are none.
pub(super) fn neighbours(x: &DMatrix<f32>, rows: &[usize], count: usize) -> Vec<Vec<usize>> {
    let among: Vec<usize> = match x.ncols() {
        ..=AMONG => (0..x.ncols()).collect(),
        all => (0..AMONG).map(|index| index * all / AMONG).collect(),
    };
    let by_feature = x.select_columns(&among).transpose();
    let nearest = |&row: &usize| {
        let mut distances = vec![0.0f32; among.len()];
        for (feature, &value) in by_feature.column_iter().zip(&x.column(row)) {
            for (distance, other) in distances.iter_mut().zip(feature.as_slice()) {
                *distance += (other - value) * (other - value);
            }
        }
        let mut others: Vec<(f32, usize)> =
            distances.into_iter().zip(among.iter().copied()).filter(|&(_, other)| other != row).collect();
        let order = |a: &(f32, usize), b: &(f32, usize)| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1));
        if others.len() > count {
            others.select_nth_unstable_by(count, order);
            others.truncate(count);
        }
        others.sort_by(order);
        match others.is_empty() {
            true => vec![row],
            false => others.into_iter().map(|(_, other)| other).collect(),
        }
    };
    rows.par_iter().map(nearest).collect()
}

/// Tells for each feature, a row of `x`, whether it has at most ten distinct values: a category, a switch or a small count. A
/// value between two of them may mean nothing.
pub(super) fn discrete(x: &DMatrix<f32>) -> Vec<bool> {
    let few = |feature: nalgebra::RowDVector<f32>| {
        let mut seen: Vec<f32> = Vec::with_capacity(DISCRETE);
        feature.iter().all(|value| {
            seen.contains(value) || {
                seen.push(*value);
                seen.len() <= DISCRETE
            }
        })
    };
    x.row_iter().map(|feature| few(feature.into_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_are_the_nearest_others() {
        let x = DMatrix::from_row_slice(2, 5, &[0.0, 3.0, 0.1, 3.0, 9.0, 0.0, 3.0, 0.0, 3.0, 9.0]);
        let all: Vec<usize> = (0..5).collect();
        assert_eq!(neighbours(&x, &all, 1).concat(), [2, 3, 0, 1, 1]);
        assert_eq!(neighbours(&x, &[0, 4], 2), [[2, 1], [1, 3]]);
        assert_eq!(neighbours(&x, &[0], 9)[0].len(), 4);
        assert_eq!(neighbours(&DMatrix::zeros(2, 1), &[0], 5), [[0]]);
    }

    #[test]
    fn ten_values_are_few_and_eleven_are_not() {
        let x = DMatrix::from_fn(2, 40, |feature, row| (row % (10 + feature)) as f32);
        assert_eq!(discrete(&x), [true, false]);
    }
}
