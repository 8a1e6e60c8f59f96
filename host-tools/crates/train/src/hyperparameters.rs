//! Hyperparameters common to teachers and students: number of epochs, learning rate, batch size and dropout.

use microdistill::optimizer::AdamRates;

use crate::error::{Error, Result};

/// Returns the default number of epochs for `rows` rows: `most`, or fewer so that at most two million samples are
/// seen, but at least five.
pub(crate) fn epochs(most: usize, rows: usize) -> usize {
    most.min((2_000_000 / rows.max(1)).max(5))
}

/// Checks the hyperparameters that every training has.
pub(crate) fn check(rates: &AdamRates, batch: usize, epochs: usize, dropout: f32) -> Result<()> {
    let invalid = |message: String| Err(Error::Invalid(message));
    let &AdamRates { rate, weight_decay, .. } = rates;
    if batch == 0 || epochs == 0 {
        return invalid("batch and epochs must be at least 1".into());
    }
    if !(rate.is_finite() && rate > 0.0) {
        return invalid(format!("rate {rate}: it must be above 0"));
    }
    if !(weight_decay.is_finite() && weight_decay >= 0.0) {
        return invalid(format!("weight decay {weight_decay}: it must be at least 0"));
    }
    if !(0.0..1.0).contains(&dropout) {
        return invalid(format!("dropout {dropout}: it must be at least 0 and below 1"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::epochs;

    #[test]
    fn many_rows_are_passed_over_less_often() {
        assert_eq!([0, 785, 40_000, 1_000_000].map(|rows| epochs(100, rows)), [100, 100, 50, 5]);
    }
}
