//! How a rate falls during training.

/// From 1 at step 0 to 0 at step `steps`, along a half cosine (Loshchilov and Hutter 2017, without restarts).
pub(crate) fn half_cosine(step: usize, steps: usize) -> f32 {
    let share = step as f64 / steps as f64;
    (0.5 * (1.0 + libm::cos(core::f64::consts::PI * share))) as f32
}

#[cfg(test)]
mod tests {
    use super::half_cosine;

    #[test]
    fn falls_from_one_to_zero() {
        assert_eq!([0, 5, 10].map(|step| half_cosine(step, 10)), [1.0, 0.5, 0.0]);
        assert!((0..10).all(|step| half_cosine(step, 10) > half_cosine(step + 1, 10)));
    }
}
