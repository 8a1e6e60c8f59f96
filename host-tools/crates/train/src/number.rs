//! Numbers as people read them.

/// A number with this many significant digits: `0.02240`, `101300`, `1.90e-6`.
///
/// Numbers with more than six digits before the point, or more than three zeros behind it, have an exponent.
pub fn significant(value: f64, digits: usize) -> String {
    let digits = digits.max(1);
    if value == 0.0 || !value.is_finite() {
        return format!("{value}");
    }
    let scientific = format!("{value:.*e}", digits - 1);
    // The exponent after rounding: 9.996 with three digits is 10.0.
    let exponent: i32 = scientific.rsplit('e').next().and_then(|exponent| exponent.parse().ok()).unwrap_or(0);
    if !(-4..7).contains(&exponent) {
        return scientific;
    }
    let decimals = digits as i32 - 1 - exponent;
    if decimals >= 0 {
        return format!("{value:.*}", decimals as usize);
    }
    let unit = 10f64.powi(-decimals);
    format!("{:.0}", (value / unit).round() * unit)
}

#[cfg(test)]
mod tests {
    use super::significant;

    #[test]
    fn digits_are_significant_and_no_number_is_longer_than_it_needs() {
        for (value, digits, expected) in [
            (0.0, 4, "0"),
            (0.022_404, 4, "0.02240"),
            (9.996, 3, "10.0"),
            (-1234.5, 3, "-1230"),
            (101_325.4, 4, "101300"),
            (1.904e-6, 3, "1.90e-6"),
            (1e30, 4, "1.000e30"),
            (99_999_999.0, 3, "1.00e8"),
            (0.5, 2, "0.50"),
        ] {
            assert_eq!(significant(value, digits), expected);
        }
    }
}
