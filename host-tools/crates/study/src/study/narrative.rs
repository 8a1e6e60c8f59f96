//! The findings in plain words: what the figures show, and what they do not show.

use super::arms::names;
use super::results::{ArmKind, Comparison, Overall, Results, Summary};
use super::verdict::{Verdict, overfits};

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

/// The scope of the confidence intervals.
fn coverage(results: &Results) -> String {
    let seeds = results.seeds.len();
    let rows = if results.preset.is_some() {
        "Each seed draws its own rows: intervals cover the choice of rows, the initial weights and the order of \
         samples."
    } else if results.settings.redrawn {
        "Each seed draws new training and test rows. Intervals of a data set cover that draw, the initial weights and \
         the order of samples, and they are widened because the draws share rows."
    } else {
        "Every seed uses the given test rows. Intervals of a data set cover only the initial weights and the order of \
         samples, neither other settings that tuning might have chosen nor other rows or people."
    };
    let sets = results.overall.iter().map(|overall| overall.sets.len()).max().unwrap_or_default();
    let over = if sets > 1 {
        format!(
            " Over data sets, each set counts once, as the mean of its {seeds} seeds, so these intervals are about \
             other data sets like these {sets}."
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
            title += &format!(", {:.0} % of the labels are wrong", 100.0 * condition.label_noise);
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

    /// The overfitting of a student trained on labels only.
    fn overfitting(&self) -> Option<String> {
        let score = |metric| self.score(names::HARD, metric);
        let (train, test, gap) = (score("train accuracy")?, score("test accuracy")?, score("gap")?);
        let how = if overfits(gap) { "overfits" } else { "hardly overfits" };
        Some(format!(
            "A student trained on labels only {how}: it is right on {:.1} % of its training rows and {:.1} % of the \
             test rows, a gap of {:.1} points.",
            100.0 * train,
            100.0 * test,
            100.0 * gap
        ))
    }

    /// The overfitting of a student trained on measured values only.
    fn overfitting_of_values(&self) -> Option<String> {
        let score = |metric| self.score(names::HARD, metric);
        let (train, test, gap) = (score("train r2")?, score("r2")?, score("r2 gap")?);
        let how = if overfits(gap) { "overfits" } else { "hardly overfits" };
        Some(format!(
            "A student trained on measured values only {how}: R² is {train:.3} on its training rows and {test:.3} on \
             the test rows."
        ))
    }

    /// The comparison of `a` with `b`.
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

    /// The number of data sets with each sign of the difference, because a single one may dominate the mean.
    fn counts(&self, comparison: &Comparison) -> String {
        match self.overall.sets.len() {
            1 => String::new(),
            sets => {
                format!(", higher on {} and lower on {} of {sets}", comparison.larger, comparison.smaller)
            }
        }
    }

    /// The cause of a smaller gap. A gap that shrinks only because training scores fall is no gain.
    fn memorizing(&self, arm: &str) -> Option<String> {
        let of = |metric: &str| self.comparison(arm, names::HARD, metric);
        let of_classes = of("gap").zip(of("test accuracy"));
        let (gap, test) = of_classes.or_else(|| of("r2 gap").zip(of("r2")))?;
        if gap.mean >= 0.0 {
            let change = if of_classes.is_some() { points(gap) } else { share(gap) };
            return Some(format!("`{arm}` does not narrow the gap of `hard`: it changes by {change}."));
        }
        // The gap is training minus test score: the part that the test rows did not gain, the training rows
        // lost.
        let gained = 100.0 * test.mean.max(0.0).min(-gap.mean) / -gap.mean;
        let (by, more, fewer) = if of_classes.is_some() {
            (
                format!("{:.1} points", -100.0 * gap.mean),
                "more correct test rows",
                "fewer correct training rows",
            )
        } else {
            (format!("{:.3} of R²", -gap.mean), "a higher R² on test rows", "a lower R² on training rows")
        };
        Some(format!("`{arm}` narrows the gap of `hard` by {by}, {}.", split(gained.round(), more, fewer)))
    }

    /// Findings on data without anything to learn.
    fn noise(&self) -> Vec<String> {
        let classes = self.results.sets.first().map_or(1, |set| set.labels.len().max(1));
        let chance = 100.0 / classes as f64;
        let mut sentences = vec![format!(
            "The labels are random: whatever a model learns, its expected accuracy on new rows is {chance:.0} %."
        )];
        for arm in self.results.arms.iter().map(|arm| arm.name.as_str()) {
            let score = |metric| self.score(arm, metric);
            if let (Some(train), Some(test), Some(nll)) =
                (score("train accuracy"), score("test accuracy"), score("nll"))
            {
                sentences.push(format!(
                    "`{arm}` memorizes {:.1} % of its training rows and is right on {:.1} % of the test rows, with an NLL of \
                     {nll:.2}; equal probabilities for all classes have {:.2}.",
                    100.0 * train,
                    100.0 * test,
                    (classes as f64).ln()
                ));
            }
        }
        sentences.extend(self.against(names::OUTPUT_MSE, names::HARD));
        sentences.push(
            "A smaller gap only shows that less was memorized. Rows without anything to learn cannot show whether \
             distillation keeps what is worth keeping; real data can."
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

/// The sources of a change, with `gained` percent of it from `more`.
fn split(gained: f64, more: &str, fewer: &str) -> String {
    match gained {
        0.0 => format!("all of it through {fewer}"),
        100.0 => format!("all of it through {more}"),
        _ => format!("{gained:.0} % of it through {more}, the rest through {fewer}"),
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

/// The verdict on a difference, with a p-value corrected for the number of comparisons.
fn verdict(comparison: &Comparison, above: &str, below: &str) -> String {
    let p = comparison.p_adjusted.map_or_else(String::new, p_value);
    match Verdict::of(comparison) {
        Verdict::Untestable => "not testable with a single pair".into(),
        Verdict::NotShown => format!("no difference shown (p = {p})"),
        Verdict::Higher => format!("shown to be {above} (p = {p})"),
        Verdict::Lower => format!("shown to be {below} (p = {p})"),
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
        assert_eq!([0.0, 100.0].map(say), ["all of it through fewer", "all of it through more"]);
        assert_eq!(say(40.0), "40 % of it through more, the rest through fewer");
    }

    #[test]
    fn a_loss_is_said_as_a_gain_is() {
        let say = |mean, p| verdict(&comparison(mean, p), "higher", "lower");
        assert_eq!(say(0.02, 0.01), "shown to be higher (p = 0.010)");
        assert_eq!(say(-0.02, 0.0001), "shown to be lower (p = below 0.001)");
        assert_eq!(say(0.02, 0.06), "no difference shown (p = 0.060)");
        let single = Comparison { low: None, high: None, p: None, p_adjusted: None, ..comparison(0.02, 1.0) };
        assert_eq!(verdict(&single, "higher", "lower"), "not testable with a single pair");
        assert_eq!(points(&single), "+2.0 points");
        assert_eq!(points(&comparison(-0.02, 0.5)), "-2.0 points (95 % interval -3.0 to -1.0)");
    }
}
