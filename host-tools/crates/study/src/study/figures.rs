//! The figures of a study as people read them: scores, differences and p-values, each with the digits that mean something.

use microdistill_train::number::{Scale, significant};

use super::results::{Condition, Estimate, MeanStd};
use super::statistics::LEVEL;

/// Significant digits of a figure.
const DIGITS: usize = 3;

/// Format of a score.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Unit {
    /// A share in [0, 1], shown in percent.
    Percent,
    /// A number of something.
    Count,
    /// Any other.
    Plain,
}

fn unit(metric: &str) -> Unit {
    match metric {
        "train accuracy" | "test accuracy" | "gap" | "ece" => Unit::Percent,
        "parameters" | "flash" => Unit::Count,
        _ => Unit::Plain,
    }
}

/// Returns true if the metric is a share, which is shown in percent.
pub fn is_share(metric: &str) -> bool {
    unit(metric) == Unit::Percent
}

/// Returns true if the metric counts something.
pub fn is_count(metric: &str) -> bool {
    unit(metric) == Unit::Count
}

/// The number that is shown: a share as percent.
pub fn shown(metric: &str, value: f64) -> f64 {
    if is_share(metric) { 100.0 * value } else { value }
}

/// A score, without the percent sign of a share.
pub fn value(metric: &str, value: f64) -> String {
    // A count is exact as long as an f64 is.
    if is_count(metric) && value.abs() < 1e15 {
        return format!("{}", value.round());
    }
    let value = shown(metric, value);
    scale(metric, [value]).format(value)
}

/// The scale of these numbers, as they are shown. All percentages of a column have a decimal if most have one: `100.0`.
fn scale<const N: usize>(metric: &str, values: [f64; N]) -> Scale {
    let most = if is_share(metric) { 99.9 } else { f64::INFINITY };
    let below = |value: f64| if value.abs() <= 100.0 { value.abs().min(most) } else { value };
    Scale::of(values.map(below), DIGITS)
}

/// A mean and its standard deviation, unless that is of a single number.
pub fn mean_std(metric: &str, of: &MeanStd) -> String {
    if of.n < 2 || (is_count(metric) && of.std == 0.0) {
        return value(metric, of.mean);
    }
    let [mean, std] = [of.mean, of.std].map(|number| shown(metric, number));
    let scale = scale(metric, [mean, std]).resolving(mean.abs().max(std), std);
    format!("{} ± {}", scale.format(mean), scale.format(std))
}

/// A difference with its sign.
pub fn difference(metric: &str, difference: f64) -> String {
    let difference = shown(metric, difference);
    Scale::of([difference], DIGITS).signed(difference)
}

/// A difference and the ends of its interval, with their signs.
pub fn estimate(metric: &str, of: &Estimate) -> (String, Option<[String; 2]>) {
    match of.interval() {
        None => (difference(metric, of.mean()), None),
        Some(ends) => {
            let [mean, low, high] = [of.mean(), ends.0, ends.1].map(|number| shown(metric, number));
            let scale = scale_of(mean, low, high);
            (scale.signed(mean), Some([low, high].map(|end| scale.signed(end))))
        }
    }
}

/// A score and the ends of its interval.
pub fn score(metric: &str, mean: f64, ends: Option<(f64, f64)>) -> (String, Option<[String; 2]>) {
    let Some((low, high)) = ends else { return (value(metric, mean), None) };
    let [mean, low, high] = [mean, low, high].map(|number| shown(metric, number));
    let scale = scale(metric, [mean]).resolving(mean, high - low);
    (scale.format(mean), Some([low, high].map(|end| scale.format(end))))
}

/// The scale at which neither end of an interval is rounded to zero.
fn scale_of(mean: f64, low: f64, high: f64) -> Scale {
    let largest = low.abs().max(high.abs());
    Scale::of([mean, low, high], DIGITS).resolving(largest, low).resolving(largest, high)
}

/// A p-value. One below 0.05 is never rounded to it.
pub fn p_value(p: f64) -> String {
    if p < 0.001 {
        return "< 0.001".into();
    }
    let shown = |digits: usize| significant(p, digits);
    let keeps_its_side = |text: &str| text.parse().is_ok_and(|shown: f64| (shown < LEVEL) == (p < LEVEL));
    (2..12).map(shown).find(|text| keeps_its_side(text)).unwrap_or_else(|| shown(12))
}

/// The condition in words; empty for unchanged data.
pub fn condition(condition: &Condition) -> String {
    let mut words = Vec::new();
    if condition.label_noise > 0.0 {
        words.push(format!("{} % wrong labels", setting(100.0 * condition.label_noise)));
    }
    if condition.training_share < 1.0 {
        words.push(format!("{} % of the training rows", setting(100.0 * condition.training_share)));
    }
    words.join(", ")
}

/// A number that the user set: `20`, not `20.0`.
pub fn setting(value: f64) -> String {
    let text = significant(value, DIGITS);
    if text.contains('.') && !text.contains('e') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_the_digits_that_mean_something() {
        let of = |mean, std| MeanStd { mean, std, n: 10 };
        for (metric, score, expected) in [
            ("test accuracy", of(0.8604, 0.0123), "86.0 ± 1.2"),
            ("test accuracy", of(1.0, 0.0), "100.0 ± 0.0"),
            ("nll", of(0.4123, 0.0071), "0.412 ± 0.007"),
            ("rmse", of(2.24e-5, 1.04e-6), "2.24e-5 ± 0.10e-5"),
            ("rmse", of(1.5e-9, 2e-10), "1.50e-9 ± 0.20e-9"),
            ("rmse", of(1.2e30, 2e28), "1.20e30 ± 0.02e30"),
            ("flash", of(1036.0, 0.0), "1036"),
            ("parameters", of(1_234_567.0, 0.0), "1234567"),
        ] {
            assert_eq!(mean_std(metric, &score), expected, "{metric}");
        }
        assert_eq!(difference("gap", -0.0342), "-3.42");
        assert_eq!(score("test accuracy", 0.941, Some((0.932, 0.95))).1.unwrap(), ["93.2", "95.0"]);
    }

    #[test]
    fn what_is_shown_never_contradicts_the_verdict() {
        for (p, expected) in [
            (0.0004, "< 0.001"),
            (0.0012, "0.0012"),
            (0.0496, "0.0496"),
            (0.05, "0.050"),
            (0.43, "0.43"),
            (1.0, "1.0"),
        ] {
            assert_eq!(p_value(p), expected);
        }
        // The lower end is above zero, and is shown so.
        let differences = [0.012, 0.0011, 0.02, 0.0015, 0.0147];
        let (_, ends) = estimate("test accuracy", &Estimate::of(&differences, 0.0, 1));
        let [low, _] = ends.unwrap();
        let low: f64 = low.parse().unwrap();
        assert_eq!(low > 0.0, Estimate::of(&differences, 0.0, 1).is_shown(), "{low}");
    }

    #[test]
    fn conditions_are_shown_as_they_were_typed() {
        let of = |label_noise, training_share| condition(&Condition { label_noise, training_share });
        assert_eq!(of(0.2, 1.0), "20 % wrong labels");
        assert_eq!(of(0.125, 0.05), "12.5 % wrong labels, 5 % of the training rows");
        assert_eq!(of(0.0, 1.0), "");
    }
}
