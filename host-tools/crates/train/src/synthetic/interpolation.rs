//! Rows between a training row and one of its nearest neighbours (SMOTE, Chawla et al. 2002). Labels are not kept, because
//! the teacher labels the new rows.

use nalgebra::DMatrix;
use rand_core::Rng;

use super::neighbours::{discrete, neighbours};
use super::{draw, unit_interval};
use crate::random::below;

/// Number of nearest neighbours, of which one is drawn.
const NEIGHBOURS: usize = 5;

/// Generates `λ·a + (1−λ)·b` from a standardized row and one of its five nearest neighbours, with λ uniform in [0, 1). A
/// discrete feature takes the value of the row with probability λ, else that of the neighbour. Shape (features × count).
pub(super) fn generate(x: &DMatrix<f32>, count: usize, rng: &mut impl Rng) -> DMatrix<f32> {
    let drawn = draw(x.ncols(), count, rng);
    let near = neighbours(x, &drawn, NEIGHBOURS);
    let discrete = discrete(x);
    let mut made = x.select_columns(&drawn);
    for (mut row, near) in made.column_iter_mut().zip(near) {
        let other = x.column(near[below(near.len(), rng)]);
        let share = unit_interval(rng);
        for ((value, &other), &discrete) in row.iter_mut().zip(&other).zip(&discrete) {
            *value = match discrete {
                false => share * *value + (1.0 - share) * other,
                true if unit_interval(rng) < share => *value,
                true => other,
            };
        }
    }
    made
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_pcg::Pcg32;

    #[test]
    fn stays_between_neighbours_and_among_categories() {
        // Two clusters far apart, and a switch.
        let x = DMatrix::from_fn(2, 40, |feature, row| match feature {
            0 => (row / 20) as f32 * 100.0 + (row % 20) as f32 / 20.0,
            _ => (row % 2) as f32,
        });
        let made = generate(&x, 500, &mut Pcg32::new(1, 1));
        assert!(made.row(0).iter().all(|x| (0.0..1.0).contains(x) || (100.0..101.0).contains(x)));
        assert!(made.row(1).iter().all(|x| [0.0, 1.0].contains(x)));
        let new = made.row(0).iter().filter(|made| !x.row(0).iter().any(|x| x == *made)).count();
        assert!(new > 400, "{new} rows are new");
    }
}
