//! MUNGE: training rows with some features moved near those of the nearest neighbour (Bucilă, Caruana and
//! Niculescu-Mizil 2006).

use nalgebra::DMatrix;
use rand_core::Rng;

use super::neighbours::{discrete, neighbours};
use super::{draw, normal, unit_interval};

/// Probability `p` that a feature is exchanged.
const EXCHANGE: f32 = 0.5;

/// Local variance parameter `s`. A larger one keeps values closer to those of the neighbour.
const CLOSENESS: f32 = 1.0;

/// Generates rows from a standardized row `e` and its nearest neighbour `e′`: with probability `p` feature `i`
/// becomes `e′ᵢ + |eᵢ − e′ᵢ| / s · N(0, 1)`, else it stays `eᵢ`. A discrete feature becomes `e′ᵢ`, as the paper has it.
/// Shape (features × count).
///
/// The paper changes row and neighbour together and in place. Here each row is changed separately, so that no
/// generated row depends on another.
pub(super) fn generate(x: &DMatrix<f32>, count: usize, rng: &mut impl Rng) -> DMatrix<f32> {
    let drawn = draw(x.ncols(), count, rng);
    let nearest = neighbours(x, &drawn, 1);
    let discrete = discrete(x);
    let mut made = x.select_columns(&drawn);
    for (mut row, nearest) in made.column_iter_mut().zip(nearest) {
        for ((value, &near), &discrete) in row.iter_mut().zip(&x.column(nearest[0])).zip(&discrete) {
            if unit_interval(rng) < EXCHANGE {
                *value = if discrete { near } else { near + (*value - near).abs() / CLOSENESS * normal(rng) };
            }
        }
    }
    made
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_pcg::Pcg32;

    #[test]
    fn values_are_those_of_the_row_or_near_the_neighbours() {
        // Twelve pairs of neighbours; the second feature is the same within a pair.
        let x = DMatrix::from_fn(2, 24, |feature, row| {
            let pair = row / 2;
            if feature == 0 { (10 * pair + row % 2) as f32 } else { (pair % 2) as f32 * 8.0 - 4.0 }
        });
        let made = generate(&x, 8000, &mut Pcg32::new(1, 1));
        let mut noise = Vec::new();
        for (column, made) in made.column_iter().enumerate() {
            assert_eq!(made[1].abs(), 4.0, "no variance where neighbours agree");
            let start = ((made[0] - 0.5) / 10.0).round() * 10.0;
            let pair = start as usize / 10;
            assert_eq!(made[1] < 0.0, pair.is_multiple_of(2), "row {column} is near its pair");
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
