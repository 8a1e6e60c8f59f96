//! MUNGE: training rows with some features moved near those of the nearest neighbour (Bucilă, Caruana and
//! Niculescu-Mizil 2006).

use nalgebra::DMatrix;
use rand_core::Rng;
use rayon::prelude::*;

use super::{draw, normal, unit_interval};

/// Probability `p` that a feature is exchanged.
const EXCHANGE: f32 = 0.5;

/// Local variance parameter `s`. A larger one keeps values closer to those of the neighbour.
const CLOSENESS: f32 = 1.0;

/// Generates rows from a standardized row `e` and its nearest neighbour `e′`: with probability `p` feature `i`
/// becomes `e′ᵢ + |eᵢ − e′ᵢ| / s · N(0, 1)`, else it stays `eᵢ`. Shape (features × count).
///
/// The paper changes row and neighbour together and in place. Here each row is changed separately, so that no
/// generated row depends on another.
pub(super) fn generate(x: &DMatrix<f32>, count: usize, rng: &mut impl Rng) -> DMatrix<f32> {
    let neighbours = neighbours(x);
    let drawn = draw(x.ncols(), count, rng);
    let mut made = x.select_columns(&drawn);
    for (mut row, from) in made.column_iter_mut().zip(drawn) {
        for (value, &near) in row.iter_mut().zip(&x.column(neighbours[from])) {
            if unit_interval(rng) < EXCHANGE {
                *value = near + (*value - near).abs() / CLOSENESS * normal(rng);
            }
        }
    }
    made
}

/// Returns the index of each row's nearest other row by Euclidean distance; the first one on a tie. A single row is
/// its own neighbour.
fn neighbours(x: &DMatrix<f32>) -> Vec<usize> {
    let by_feature = x.transpose();
    let nearest =
        |row: usize| {
            let mut distances = vec![0.0f32; x.ncols()];
            for (feature, &value) in by_feature.column_iter().zip(&x.column(row)) {
                for (distance, other) in distances.iter_mut().zip(feature.as_slice()) {
                    *distance += (other - value) * (other - value);
                }
            }
            distances[row] = f32::INFINITY;
            distances.iter().enumerate().fold(row, |nearest, (other, distance)| {
                if *distance < distances[nearest] { other } else { nearest }
            })
        };
    (0..x.ncols()).into_par_iter().map(nearest).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_pcg::Pcg32;

    #[test]
    fn neighbours_are_the_nearest_others() {
        let x = DMatrix::from_row_slice(2, 5, &[0.0, 3.0, 0.1, 3.0, 9.0, 0.0, 3.0, 0.0, 3.0, 9.0]);
        assert_eq!(neighbours(&x), [2, 3, 0, 1, 1]);
        assert_eq!(neighbours(&DMatrix::zeros(2, 1)), [0]);
    }

    #[test]
    fn values_are_those_of_the_row_or_near_the_neighbours() {
        // Two pairs of neighbours; the second feature is the same within a pair.
        let x = DMatrix::from_row_slice(2, 4, &[0.0, 1.0, 10.0, 11.0, -4.0, -4.0, 4.0, 4.0]);
        let made = generate(&x, 8000, &mut Pcg32::new(1, 1));
        let mut noise = Vec::new();
        for (column, made) in made.column_iter().enumerate() {
            assert_eq!(made[1].abs(), 4.0, "no variance where neighbours agree");
            let start = if made[1] < 0.0 { 0.0 } else { 10.0 };
            assert!((made[0] - start - 0.5).abs() < 6.0, "row {column} is near its pair");
            let kept = made[0] == start || made[0] == start + 1.0;
            noise.extend((!kept).then_some(made[0] - start - 0.5));
        }
        let exchanged = noise.len() as f32 / 8000.0;
        assert!((exchanged - EXCHANGE).abs() < 0.02, "{exchanged}");
        // The variance of two values around their midpoint, and the local variance.
        let variance = noise.iter().map(|noise| noise * noise).sum::<f32>() / noise.len() as f32;
        assert!((variance / (0.25 + 1.0 / (CLOSENESS * CLOSENESS)) - 1.0).abs() < 0.06, "{variance}");
    }
}
