//! How long a training is, and how its rate falls.

/// `most` passes over `rows`, or as many as make two million samples, but at least five.
pub(crate) fn epochs(most: usize, rows: usize) -> usize {
    most.min((2_000_000 / rows.max(1)).max(5))
}

/// From 1 at step 0 to 0 at step `steps`, along a half cosine (Loshchilov and Hutter 2017, without restarts).
pub(crate) fn half_cosine(step: usize, steps: usize) -> f32 {
    let share = step as f64 / steps as f64;
    (0.5 * (1.0 + libm::cos(core::f64::consts::PI * share))) as f32
}

#[cfg(test)]
mod tests {
    use super::{epochs, half_cosine};

    #[test]
    fn many_rows_are_passed_over_less_often() {
        assert_eq!([0, 785, 40_000, 1_000_000].map(|rows| epochs(100, rows)), [100, 100, 50, 5]);
    }

    #[test]
    fn falls_from_one_to_zero() {
        assert_eq!([0, 5, 10].map(|step| half_cosine(step, 10)), [1.0, 0.5, 0.0]);
        assert!((0..10).all(|step| half_cosine(step, 10) > half_cosine(step + 1, 10)));
    }
}
