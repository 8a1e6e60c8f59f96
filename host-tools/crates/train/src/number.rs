//! Numbers as people read them. The desktop tools format a number that was measured here and nowhere else.

/// A number with this many significant digits: `0.02240`, `101300`, `1.90e-6`.
///
/// Numbers with more than six digits before the point, or more than three zeros behind it, have an exponent.
pub fn significant(value: f64, digits: usize) -> String {
    if value == 0.0 { "0".into() } else { Scale::of([value], digits).format(value) }
}

/// A number of a column whose values go from `least` to `most`: six significant digits, or as many as tell such values apart.
/// Times in seconds since 1970 need ten and more.
pub fn of_column(value: f64, [least, most]: [f64; 2]) -> String {
    let largest = least.abs().max(most.abs());
    // Three digits of the width, and those before it.
    let needed = 3.0 + (largest / (most - least)).log10().ceil();
    if value == 0.0 || !(7.0..=17.0).contains(&needed) {
        return significant(value, 6);
    }
    let needed = needed as i32;
    let exponent = exponent_of(largest, needed);
    let scale = match exponent {
        0..16 => Scale { decimals: (needed - 1 - exponent).max(0), exponent: 0 },
        _ => Scale::of([largest], needed as usize),
    };
    scale.format(value)
}

/// A share in [0, 1] in percent, with this many significant digits and without the sign.
pub fn percent(share: f64, digits: usize) -> String {
    significant(100.0 * share, digits)
}

/// Decimal places, and an exponent for very large and very small numbers, that several numbers have in common: a mean and
/// its deviation, the ends of an interval, the ticks of an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scale {
    /// Places behind the point of the number divided by 10^`exponent`; those before the point are negative.
    decimals: i32,
    exponent: i32,
}

/// Most significant digits that [`Scale::resolving`] gives to the largest number.
const MOST_DIGITS: i32 = 6;

/// Most decimal places of a tick.
const TICK_DECIMALS: i32 = 9;

impl Scale {
    /// The scale that gives `digits` significant digits to the largest of these numbers. Numbers that are not finite do not
    /// count.
    pub fn of(values: impl IntoIterator<Item = f64>, digits: usize) -> Scale {
        let digits = digits.max(1) as i32;
        let largest = values.into_iter().map(f64::abs).filter(|value| value.is_finite()).fold(0.0, f64::max);
        // The exponent after rounding: 9.996 with three digits is 10.0.
        let exponent = exponent_of(largest, digits);
        if (-4..7).contains(&exponent) {
            Scale { decimals: digits - 1 - exponent, exponent: 0 }
        } else {
            Scale { decimals: digits - 1, exponent }
        }
    }

    /// The same scale with more decimals, where `value` would otherwise be shown as zero.
    pub fn resolving(self, largest: f64, value: f64) -> Scale {
        if value == 0.0 || !value.is_finite() {
            return self;
        }
        let finest = MOST_DIGITS - 1 - exponent_of(largest.abs(), MOST_DIGITS);
        let wanted = (-exponent_of(value.abs(), 1)).min(finest) + self.exponent;
        Scale { decimals: self.decimals.max(wanted), ..self }
    }

    /// The scale of an axis: as few decimals as tell these ticks apart, each of which may be off by `error`.
    pub fn of_ticks(ticks: &[f64], error: f64) -> Scale {
        let scale = Scale::of(ticks.iter().copied(), 1);
        let near = in_units(error, scale.exponent);
        let suffice = |decimals: &i32| {
            let place = 10f64.powi(*decimals);
            let shown = |tick: f64| (tick * place).round() / place;
            ticks
                .iter()
                .map(|&tick| in_units(tick, scale.exponent))
                .all(|tick| (tick - shown(tick)).abs() < near)
        };
        Scale { decimals: (0..TICK_DECIMALS).find(suffice).unwrap_or(TICK_DECIMALS), ..scale }
    }

    /// A number of this scale.
    pub fn format(self, value: f64) -> String {
        if !value.is_finite() {
            return format!("{value}");
        }
        let value = in_units(value, self.exponent);
        let text = match usize::try_from(self.decimals) {
            Ok(decimals) => format!("{value:.decimals$}"),
            Err(_) => {
                let unit = 10f64.powi(-self.decimals);
                format!("{:.0}", (value / unit).round() * unit)
            }
        };
        // Zero has no sign.
        let is_zero = !text.contains(|digit: char| ('1'..='9').contains(&digit));
        let text = if is_zero { text.trim_start_matches('-') } else { &text };
        if self.exponent == 0 { text.to_owned() } else { format!("{text}e{}", self.exponent) }
    }

    /// The same with the sign of what it was before rounding, as differences have it.
    pub fn signed(self, value: f64) -> String {
        let sign = if value > 0.0 {
            "+"
        } else if value < 0.0 {
            "-"
        } else {
            ""
        };
        format!("{sign}{}", self.format(value.abs()))
    }
}

/// The number divided by 10^`exponent`, also where that is too small for an f64.
fn in_units(value: f64, exponent: i32) -> f64 {
    let half = exponent / 2;
    value / 10f64.powi(half) / 10f64.powi(exponent - half)
}

/// Exponent of a number that is not negative, after rounding to `digits` significant digits; 0 for zero.
fn exponent_of(value: f64, digits: i32) -> i32 {
    let scientific = format!("{value:.*e}", digits.max(1) as usize - 1);
    scientific.rsplit('e').next().and_then(|exponent| exponent.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::{Scale, of_column, percent, significant};

    #[test]
    fn values_of_a_column_are_told_apart() {
        for (value, range, expected) in [
            (1_732_800_012.5, [1_732_800_000.0, 1_732_800_100.0], "1732800012.5"),
            (52.123_458, [52.123_4, 52.123_9], "52.1234580"),
            (101_325.0, [100_000.0, 102_000.0], "101325"),
            (0.5, [0.0, 1.0], "0.500000"),
            (5.0, [5.0, 5.0], "5.00000"),
            (1e20, [1e20, 2e20], "1.00000e20"),
            (-1e-9, [-1e-9, 1e-9], "-1.00000e-9"),
            (f64::NAN, [f64::NAN, 1.0], "NaN"),
        ] {
            assert_eq!(of_column(value, range), expected);
        }
    }

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
            (-2.5e-9, 2, "-2.5e-9"),
            (5e-324, 2, "4.9e-324"),
            (99_999_999.0, 3, "1.00e8"),
            (0.5, 2, "0.50"),
            (f64::INFINITY, 2, "inf"),
        ] {
            assert_eq!(significant(value, digits), expected);
        }
        assert_eq!([percent(0.8604, 3), percent(1.0, 3), percent(0.0012, 2)], ["86.0", "100", "0.12"]);
    }

    #[test]
    fn numbers_of_one_scale_have_their_last_digit_in_common() {
        let say = |values: [f64; 2]| {
            let scale = Scale::of(values, 3).resolving(values[0], values[1]);
            values.map(|value| scale.format(value)).join(" ± ")
        };
        for (values, expected) in [
            ([86.04, 1.21], "86.0 ± 1.2"),
            ([86.04, 0.021], "86.04 ± 0.02"),
            ([0.4123, 0.0], "0.412 ± 0.000"),
            ([-0.01, 12.34], "0.0 ± 12.3"),
            ([2.24e-5, 1.04e-6], "2.24e-5 ± 0.10e-5"),
            ([1e30, 2.2e28], "1.00e30 ± 0.02e30"),
            ([101_325.0, 412.0], "101300 ± 400"),
            ([1e6, 1e-9], "1000000 ± 0"),
        ] {
            assert_eq!(say(values), expected);
        }
    }

    #[test]
    fn a_sign_tells_on_which_side_of_zero_a_difference_lies() {
        let scale = Scale::of([12.3], 3);
        assert_eq!(
            [0.001, -0.001, 0.0, 1.26].map(|value| scale.signed(value)),
            ["+0.0", "-0.0", "0.0", "+1.3"]
        );
    }

    #[test]
    fn ticks_are_told_apart_and_no_digit_is_idle() {
        for (step, expected) in [
            (50.0, ["0", "50"]),
            (1.0, ["0", "1"]),
            (0.05, ["0.00", "0.05"]),
            (1e-12, ["0e-12", "1e-12"]),
            (5e29, ["0.0e30", "0.5e30"]),
        ] {
            let ticks: Vec<f64> = (0..6).map(|tick| f64::from(tick) * step).collect();
            let scale = Scale::of_ticks(&ticks, 5e-3 * step);
            assert_eq!([0, 1].map(|tick| scale.format(ticks[tick])), expected, "{step}");
        }
    }
}
