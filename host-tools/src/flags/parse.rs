//! Parsers for the numbers of flags. Errors name the allowed range.

use std::fmt::Display;
use std::str::FromStr;

/// Parses a count: at least 1.
pub(crate) fn count<T: FromStr + PartialOrd + Display + From<u8>>(text: &str) -> Result<T, String> {
    at_least(1.into(), text)
}

/// Parses the folds of a cross-validation: at least 2.
pub(crate) fn folds(text: &str) -> Result<usize, String> {
    at_least(2, text)
}

fn at_least<T: FromStr + PartialOrd + Display>(least: T, text: &str) -> Result<T, String> {
    let number = text.parse().ok().filter(|number| *number >= least);
    number.ok_or_else(|| format!("it must be a whole number of at least {least}"))
}

/// Parses a seed of random numbers.
pub(crate) fn seed(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("it must be a whole number from 0 to {}", u64::MAX))
}

/// Parses a share: in (0, 1).
pub(crate) fn share(text: &str) -> Result<f64, String> {
    let share = text.parse().ok().filter(|share| *share > 0.0 && *share < 1.0);
    share.ok_or_else(|| "it must be above 0 and below 1, such as 0.5".into())
}
