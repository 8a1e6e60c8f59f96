//! How long a training is.

/// `most` passes over `rows`, or as many as make two million samples, but at least five.
pub(crate) fn epochs(most: usize, rows: usize) -> usize {
    most.min((2_000_000 / rows.max(1)).max(5))
}

#[cfg(test)]
mod tests {
    use super::epochs;

    #[test]
    fn many_rows_are_passed_over_less_often() {
        assert_eq!([0, 785, 40_000, 1_000_000].map(|rows| epochs(100, rows)), [100, 100, 50, 5]);
    }
}
