//! Numbers as people read them.

use microdistill_train::number::Scale;

use crate::study::figures;
use crate::study::results::{Condition, Estimate, MeanStd, SizePoint, Summary};

pub(super) use crate::study::figures::shown;

/// Without its spread: of several data sets, which differ more than arms do, whiskers say nothing.
pub(super) fn without_spread(of: &MeanStd) -> MeanStd {
    MeanStd { std: 0.0, n: 1, ..*of }
}

/// The scores that tell of overfitting.
#[derive(PartialEq, Eq)]
pub(super) struct Fit {
    pub(super) train: &'static str,
    pub(super) test: &'static str,
    /// Training minus test.
    pub(super) gap: &'static str,
    /// On test rows, less is better.
    pub(super) loss: &'static str,
    /// Label of an axis of training and test scores.
    pub(super) axis: &'static str,
}

/// The scores of classifiers.
pub(super) static CLASSES: Fit = Fit {
    train: "train accuracy",
    test: "test accuracy",
    gap: "gap",
    loss: "nll",
    axis: "accuracy, % of rows",
};
/// The scores of regressions.
pub(super) static VALUES: Fit = Fit {
    train: "train r2",
    test: "r2",
    gap: "r2 gap",
    loss: "rmse",
    axis: "R², share of the variance that is explained",
};

impl Fit {
    /// The kind of scores that a summary has.
    pub(super) fn of(summary: &Summary) -> &'static Fit {
        if summary.scores.contains_key(VALUES.test) { &VALUES } else { &CLASSES }
    }

    /// The kind of scores that students of other sizes have.
    pub(super) fn of_sizes(points: &[SizePoint]) -> &'static Fit {
        if points.iter().any(|point| point.r2.is_some()) { &VALUES } else { &CLASSES }
    }
}

/// Returns true for a metric that is training minus test.
pub(super) fn is_gap(metric: &str) -> bool {
    [CLASSES.gap, VALUES.gap].contains(&metric)
}

/// The head of a column, with the unit.
pub(super) fn head(metric: &str) -> String {
    match metric {
        "train accuracy" => "train accuracy, %".into(),
        "test accuracy" => "test accuracy, %".into(),
        "gap" => "gap, points".into(),
        "nll" => "NLL, nats".into(),
        "brier" => "Brier score".into(),
        "ece" => "ECE, %".into(),
        "flash" => "flash, bytes".into(),
        "train rmse" => "train RMSE".into(),
        "rmse" => "test RMSE".into(),
        "train r2" => "train R²".into(),
        "r2" => "test R²".into(),
        "r2 gap" => "gap of R²".into(),
        other => other.into(),
    }
}

/// A score's name in a heading.
pub(super) fn name(metric: &str) -> &str {
    match metric {
        "nll" => "NLL",
        "rmse" => "RMSE",
        "r2" => "R²",
        "r2 gap" => "gap of R²",
        "brier" => "Brier score",
        "ece" => "calibration error",
        other => other,
    }
}

/// The name of a difference's axis.
pub(super) fn difference_head(metric: &str) -> String {
    match metric {
        "nll" => head(metric),
        _ if figures::is_share(metric) => format!("{}, percentage points", name(metric)),
        _ => name(metric).into(),
    }
}

/// Returns true if more of the metric is better.
pub(super) fn more_is_better(metric: &str) -> bool {
    matches!(metric, "train accuracy" | "test accuracy" | "train r2" | "r2")
}

/// A score.
pub(super) fn value(metric: &str, value: f64) -> String {
    if figures::is_count(metric) {
        grouped(value)
    } else {
        finite(value, |value| figures::value(metric, value))
    }
}

/// A score over seeds, with the deviation where it is not of one number.
pub(super) fn mean_std(metric: &str, of: &MeanStd) -> String {
    if of.n < 2 || figures::is_count(metric) && of.std == 0.0 || !of.std.is_finite() {
        return value(metric, of.mean);
    }
    finite(of.mean, |_| figures::mean_std(metric, of))
}

/// A difference of scores, with its sign.
pub(super) fn difference(metric: &str, difference: f64) -> String {
    finite(difference, |difference| figures::difference(metric, difference))
}

/// A difference of scores and its interval, with their signs.
pub(super) fn estimate(metric: &str, of: &Estimate) -> (String, Option<[String; 2]>) {
    if !of.mean().is_finite() {
        return (difference(metric, of.mean()), None);
    }
    let (mean, ends) = figures::estimate(metric, of);
    (typographic(&mean), ends.map(|ends| ends.map(|end| typographic(&end))))
}

/// A probability that something is by chance.
pub(super) fn chance(p: Option<f64>) -> String {
    p.map_or(NONE.into(), figures::p_value)
}

/// The mark for a missing number.
pub(super) const NONE: &str = "–";

/// A finite number in this format, with a typographic minus; others have signs of their own.
fn finite(value: f64, format: impl Fn(f64) -> String) -> String {
    if value.is_nan() {
        NONE.into()
    } else if value.is_infinite() {
        if value > 0.0 { "∞".into() } else { "−∞".into() }
    } else {
        typographic(&format(value))
    }
}

/// A number of this scale, with a typographic minus.
pub(super) fn scaled(scale: Scale, value: f64) -> String {
    finite(value, |value| scale.format(value))
}

/// A whole number, with a typographic minus.
pub(super) fn whole(value: f64) -> String {
    finite(value, |value| figures::value("parameters", value))
}

/// Words with typographic minus signs before their numbers; percent signs and p-values stay on their line.
pub(super) fn typographic(text: &str) -> String {
    let mut last = ' ';
    let mut characters = text.chars().peekable();
    let mut written = String::with_capacity(text.len());
    while let Some(c) = characters.next() {
        let sign = c == '-'
            && matches!(last, ' ' | '(' | '[')
            && characters.peek().is_some_and(char::is_ascii_digit);
        written.push(if sign { '−' } else { c });
        last = c;
    }
    written.replace(" %", "\u{a0}%").replace("(p = ", "(p\u{a0}=\u{a0}").replace("(p < ", "(p\u{a0}<\u{a0}")
}

/// Thousands apart by a thin space that does not break.
pub(super) fn grouped(value: f64) -> String {
    let text = whole(value);
    let digits = text.trim_start_matches('−');
    if digits.len() < 5 || !digits.bytes().all(|c| c.is_ascii_digit()) {
        return text;
    }
    let groups: Vec<&[u8]> = digits.as_bytes().rchunks(3).rev().collect();
    let groups: Vec<_> = groups.into_iter().map(String::from_utf8_lossy).collect();
    format!("{}{}", &text[..text.len() - digits.len()], groups.join("\u{202f}"))
}

/// The condition in words; empty for unchanged data.
pub(super) fn condition(condition: &Condition) -> String {
    figures::condition(condition)
}

/// Widths as they are typed.
pub(super) fn widths(widths: &[usize]) -> String {
    widths.iter().map(usize::to_string).collect::<Vec<_>>().join("-")
}

/// At most `length` characters, of which the last then is an ellipsis.
pub(super) fn shortened(text: &str, length: usize) -> String {
    if text.chars().count() <= length {
        return text.into();
    }
    text.chars().take(length - 1).chain(['…']).collect()
}
