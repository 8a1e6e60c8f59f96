//! Rows between two training rows: mixup (Zhang, Cissé, Dauphin and Lopez-Paz 2018). Labels are not mixed, because
//! the teacher labels the new rows.

use nalgebra::DMatrix;
use rand_core::Rng;

use super::{draw, unit_interval};

/// Generates `λ·a + (1−λ)·b` from two standardized rows. λ is uniform, the paper's Beta(1, 1). Shape (features ×
/// count).
pub(super) fn generate(x: &DMatrix<f32>, count: usize, rng: &mut impl Rng) -> DMatrix<f32> {
    let mut made = x.select_columns(&draw(x.ncols(), count, rng));
    let others = draw(x.ncols(), count, rng);
    for (mut a, other) in made.column_iter_mut().zip(others) {
        let share = unit_interval(rng);
        a.axpy(1.0 - share, &x.column(other), share);
    }
    made
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_pcg::Pcg32;

    #[test]
    fn stays_on_the_lines_between_rows() {
        // The rows are corners of a triangle, so the lines between them are its edges.
        let x = DMatrix::from_row_slice(2, 3, &[0.0, 1.0, 0.0, 0.0, 0.0, 1.0]);
        let made = generate(&x, 500, &mut Pcg32::new(1, 1));
        let on_an_edge = |x: f32, y: f32| x.min(y).min(1.0 - x - y).abs() < 1e-6;
        assert!(made.column_iter().all(|made| on_an_edge(made[0], made[1])));
        let inside = made.column_iter().filter(|made| made.iter().any(|x| (0.1..0.9).contains(x))).count();
        assert!(inside > 200, "{inside} rows are new");
    }
}
