//! Training rows with added Gaussian noise.

use nalgebra::DMatrix;
use rand_core::Rng;

use super::{draw, normal};

/// Standard deviation of the noise, relative to that of the feature.
const DEVIATION: f32 = 0.3;

/// Generates `x + 0.3·ε`, `ε ~ N(0, I)`, from standardized rows `x`. Shape (features × count).
pub(super) fn generate(x: &DMatrix<f32>, count: usize, rng: &mut impl Rng) -> DMatrix<f32> {
    let mut made = x.select_columns(&draw(x.ncols(), count, rng));
    made.iter_mut().for_each(|value| *value += DEVIATION * normal(rng));
    made
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_pcg::Pcg32;

    #[test]
    fn noise_has_its_variance() {
        let x = DMatrix::from_row_slice(2, 2, &[-1.0, 1.0, 5.0, 5.0]);
        let made = generate(&x, 20_000, &mut Pcg32::new(1, 1));
        let noise: Vec<f32> = made
            .column_iter()
            .flat_map(|made| [made[0] - made[0].signum(), made[1] - 5.0])
            // Noise rarely moves a value past the midpoint to the other one: 1 time in 2,000.
            .collect();
        let variance = noise.iter().map(|noise| noise * noise).sum::<f32>() / noise.len() as f32;
        assert!((variance / (DEVIATION * DEVIATION) - 1.0).abs() < 0.03, "{variance}");
    }
}
