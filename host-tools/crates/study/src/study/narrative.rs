//! The figures in plain words: what they show, and what they do not.

use super::arms::names;
use super::results::{ArmKind, Comparison, Overall, Results, Summary};

/// Family-wise error of the verdicts: 5 %.
const LEVEL: f64 = 0.05;

pub(super) fn write(results: &Results) -> Vec<String> {
    let mut sentences = Vec::new();
    for overall in &results.overall {
        let about = About { results, overall };
        let said = if results.preset.is_some() { about.noise() } else { about.everything() };
        let title = if results.overall.len() > 1 { format!("{}: ", about.title()) } else { String::new() };
        sentences.extend(said.into_iter().map(|sentence| title.clone() + &sentence));
    }
    sentences.push(coverage(results));
    sentences
}

/// The meaning of the intervals.
fn coverage(results: &Results) -> String {
    let seeds = results.seeds.len();
    let rows = if results.preset.is_some() {
        "Each seed draws its own rows: intervals cover the choice of rows, initial weights and the order of samples."
    } else if results.settings.redrawn {
        "Each seed draws training and test rows anew: intervals of a data set cover that choice, initial weights and the \
         order of samples, widened for the rows that the draws share."
    } else {
        "The test rows are those given, for every seed: intervals of a data set cover initial weights and the order of samples \
         alone, neither other settings that tuning might have chosen nor other rows or people."
    };
    let sets = results.overall.iter().map(|overall| overall.sets.len()).max().unwrap_or_default();
    let over = if sets > 1 {
        format!(
            " Over data sets each counts once, as the mean of its {seeds} seeds, so that intervals are about other data sets like these {sets}."
        )
    } else {
        String::new()
    };
    rows.to_owned() + &over
}

struct About<'a> {
    results: &'a Results,
    overall: &'a Overall,
}

impl<'a> About<'a> {
    fn title(&self) -> String {
        let mut title = self.overall.title.clone();
        let condition = self.overall.condition;
        if condition.label_noise > 0.0 {
            title += &format!(", {:.0} % of the labels wrong", 100.0 * condition.label_noise);
        }
        if condition.training_share < 1.0 {
            title += &format!(", {:.0} % of the training rows", 100.0 * condition.training_share);
        }
        title
    }

    fn score(&self, arm: &str, metric: &str) -> Option<f64> {
        Some(find(&self.overall.summaries, arm)?.scores.get(metric)?.mean)
    }

    fn comparison(&self, a: &str, b: &str, metric: &str) -> Option<&'a Comparison> {
        let mut comparisons = self.overall.comparisons.iter();
        comparisons.find(|c| (c.a.as_str(), c.b.as_str(), c.metric.as_str()) == (a, b, metric))
    }

    fn everything(&self) -> Vec<String> {
        let mut sentences: Vec<String> =
            self.overfitting().or_else(|| self.overfitting_of_values()).into_iter().collect();
        let distilled = self.results.arms.iter().filter(|arm| arm.kind == ArmKind::Distilled);
        for arm in distilled.map(|arm| arm.name.as_str()) {
            for rival in self.results.arms.iter().filter(|rival| rival.kind == ArmKind::Hard) {
                sentences.extend(self.against(arm, &rival.name));
            }
            sentences.extend(self.memorizing(arm));
        }
        sentences
    }

    /// The overfitting of a student trained on labels alone.
    fn overfitting(&self) -> Option<String> {
        let score = |metric| self.score(names::HARD, metric);
        let (train, test, gap) = (score("train accuracy")?, score("test accuracy")?, score("gap")?);
        let how = if gap > 0.01 { "overfits" } else { "hardly overfits" };
        Some(format!(
            "A student on labels alone {how}: {:.1} % of its training rows are right and {:.1} % of the test rows, a gap of \
             {:.1} points.",
            100.0 * train,
            100.0 * test,
            100.0 * gap
        ))
    }

    /// The same of values.
    fn overfitting_of_values(&self) -> Option<String> {
        let score = |metric| self.score(names::HARD, metric);
        let (train, test, gap) = (score("train r2")?, score("r2")?, score("r2 gap")?);
        let how = if gap > 0.01 { "overfits" } else { "hardly overfits" };
        Some(format!(
            "A student on measured values alone {how}: R² is {train:.3} on its training rows and {test:.3} on the test rows."
        ))
    }

    /// The comparison of `a` with `b`, in words.
    fn against(&self, a: &str, b: &str) -> Option<String> {
        let ratio =
            self.overall.ratios.iter().find(|ratio| (ratio.a.as_str(), ratio.b.as_str()) == (a, b))?;
        if let Some(r2) = self.comparison(a, b, "r2") {
            return Some(format!(
                "`{a}` against `{b}`: R² {}, {}{}; RMSE × {:.2}.",
                share(r2),
                verdict(r2, "higher", "lower"),
                self.counts(r2),
                ratio.ratio
            ));
        }
        let accuracy = self.comparison(a, b, "test accuracy")?;
        let nll = self.comparison(a, b, "nll")?;
        Some(format!(
            "`{a}` against `{b}`: accuracy {}, {}{}; NLL × {:.2}, {}{}.",
            points(accuracy),
            verdict(accuracy, "higher", "lower"),
            self.counts(accuracy),
            ratio.ratio,
            verdict(nll, "higher", "lower"),
            self.counts(nll),
        ))
    }

    /// On how many data sets it is so, as one of them may make a mean.
    fn counts(&self, comparison: &Comparison) -> String {
        match self.overall.sets.len() {
            1 => String::new(),
            sets => {
                format!(", higher on {} and lower on {} of {sets}", comparison.larger, comparison.smaller)
            }
        }
    }

    /// A gap may shrink from above, which helps nobody.
    fn memorizing(&self, arm: &str) -> Option<String> {
        let of = |metric: &str| self.comparison(arm, names::HARD, metric);
        let of_classes = of("gap").zip(of("test accuracy"));
        let (gap, test) = of_classes.or_else(|| of("r2 gap").zip(of("r2")))?;
        if gap.mean >= 0.0 {
            let change = if of_classes.is_some() { points(gap) } else { share(gap) };
            return Some(format!("`{arm}` does not narrow the gap of `hard`: it changes by {change}."));
        }
        // The gap is training minus test rows: what the test rows did not gain, the training rows lost.
        let gained = 100.0 * test.mean.max(0.0).min(-gap.mean) / -gap.mean;
        let (by, more, fewer) = if of_classes.is_some() {
            (format!("{:.1} points", -100.0 * gap.mean), "more right test rows", "fewer right training rows")
        } else {
            (format!("{:.3} of R²", -gap.mean), "a higher R² on test rows", "a lower R² on training rows")
        };
        Some(format!("`{arm}` narrows the gap of `hard` by {by}, {}.", split(gained.round(), more, fewer)))
    }

    /// Sentences for data with nothing to learn.
    fn noise(&self) -> Vec<String> {
        let classes = self.results.sets.first().map_or(1, |set| set.labels.len().max(1));
        let chance = 100.0 / classes as f64;
        let mut sentences = vec![format!(
            "Labels are random here: whatever a model learns, it is right in {chance:.0} % of new rows, but for luck."
        )];
        for arm in self.results.arms.iter().map(|arm| arm.name.as_str()) {
            let score = |metric| self.score(arm, metric);
            if let (Some(train), Some(test), Some(nll)) =
                (score("train accuracy"), score("test accuracy"), score("nll"))
            {
                sentences.push(format!(
                    "`{arm}` knows {:.1} % of its training rows by heart and is right in {:.1} % of the test rows, at an NLL of \
                     {nll:.2}, where saying nothing, all classes alike, has {:.2}.",
                    100.0 * train,
                    100.0 * test,
                    (classes as f64).ln()
                ));
            }
        }
        sentences.extend(self.against(names::OUTPUT_MSE, names::HARD));
        sentences.push(
            "A smaller gap is all that distillation can show here: less was learned by heart. Whether it keeps what is worth \
             keeping, rows without anything to learn cannot tell; real ones can."
                .into(),
        );
        sentences
    }
}

fn find<'a>(summaries: &'a [Summary], arm: &str) -> Option<&'a Summary> {
    summaries.iter().find(|summary| summary.arm == arm)
}

fn points(comparison: &Comparison) -> String {
    interval(comparison, &|value| format!("{:+.1}", 100.0 * value), " points")
}

/// The sources of a change, `gained` percent of it from `more`.
fn split(gained: f64, more: &str, fewer: &str) -> String {
    match gained {
        0.0 => format!("all of it by {fewer}"),
        100.0 => format!("all of it by {more}"),
        _ => format!("{gained:.0} % of it by {more}, the rest by {fewer}"),
    }
}

/// The difference in R².
fn share(comparison: &Comparison) -> String {
    interval(comparison, &|value| format!("{value:+.3}"), "")
}

fn interval(comparison: &Comparison, number: &dyn Fn(f64) -> String, unit: &str) -> String {
    let mean = number(comparison.mean);
    match comparison.low.zip(comparison.high) {
        Some((low, high)) => format!("{mean}{unit} (95 % interval {} to {})", number(low), number(high)),
        None => format!("{mean}{unit}"),
    }
}

/// The verdict on a difference, corrected for the number of comparisons.
fn verdict(comparison: &Comparison, above: &str, below: &str) -> String {
    match comparison.p_adjusted {
        None => "of which one pair shows nothing".into(),
        Some(p) if p < LEVEL => {
            format!("shown to be {} (p = {})", if comparison.mean > 0.0 { above } else { below }, p_value(p))
        }
        Some(p) => format!("no difference shown (p = {})", p_value(p)),
    }
}

fn p_value(p: f64) -> String {
    if p < 0.001 { "below 0.001".into() } else { format!("{p:.3}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn comparison(mean: f64, p: f64) -> Comparison {
        Comparison {
            a: "default".into(),
            b: "hard".into(),
            metric: "test accuracy".into(),
            mean,
            larger: 1,
            smaller: 0,
            low: Some(mean - 0.01),
            high: Some(mean + 0.01),
            p: Some(p),
            p_adjusted: Some(p),
        }
    }

    #[test]
    fn a_change_may_have_one_source() {
        let say = |gained| split(gained, "more", "fewer");
        assert_eq!([0.0, 100.0].map(say), ["all of it by fewer", "all of it by more"]);
        assert_eq!(say(40.0), "40 % of it by more, the rest by fewer");
    }

    #[test]
    fn a_loss_is_said_as_a_gain_is() {
        let say = |mean, p| verdict(&comparison(mean, p), "higher", "lower");
        assert_eq!(say(0.02, 0.01), "shown to be higher (p = 0.010)");
        assert_eq!(say(-0.02, 0.0001), "shown to be lower (p = below 0.001)");
        assert_eq!(say(0.02, 0.06), "no difference shown (p = 0.060)");
        let single = Comparison { low: None, high: None, p: None, p_adjusted: None, ..comparison(0.02, 1.0) };
        assert_eq!(verdict(&single, "higher", "lower"), "of which one pair shows nothing");
        assert_eq!(points(&single), "+2.0 points");
        assert_eq!(points(&comparison(-0.02, 0.5)), "-2.0 points (95 % interval -3.0 to -1.0)");
    }
}
