//! The findings in plain words: what the figures show, and what they do not show.

use microdistill_train::number::significant;

use super::arms::names;
use super::results::{ArmKind, Comparison, Division, Overall, Results, Summary};
use super::verdict::{Doubt, Verdict, overfits};
use super::{advice, figures};

pub(super) fn write(results: &Results) -> Vec<String> {
    let mut sentences = Vec::new();
    for overall in &results.overall {
        let about = About { results, overall };
        let said = if results.preset.is_some() { about.noise() } else { about.everything() };
        let title = if results.overall.len() > 1 { format!("{}: ", about.title()) } else { String::new() };
        sentences.extend(said.into_iter().map(|sentence| title.clone() + &sentence));
    }
    sentences.push(coverage(results));
    sentences.extend(correction(results));
    sentences
}

/// The correction of intervals and p-values.
fn correction(results: &Results) -> Option<String> {
    let tested = results.overall.iter().flat_map(|overall| &overall.comparisons);
    let family = tested.filter(|of| of.estimate.p().is_some()).map(|of| of.estimate.family()).max()?;
    Some(format!(
        "Intervals and p-values of differences are corrected for the {family} comparisons of a table (Bonferroni), so \
         they never contradict each other: p is below 0.05 where the 95 % interval does not hold zero."
    ))
}

/// The scope of the confidence intervals.
fn coverage(results: &Results) -> String {
    let seeds = results.seeds.len();
    let rows = if results.preset.is_some() {
        "Each seed draws its own rows: intervals cover the choice of rows, the initial weights and the order of \
         samples."
    } else {
        match results.settings.division {
            Division::Redrawn => {
                "Each seed draws new training and test rows. Intervals of a data set cover that draw, the initial weights \
                 and the order of samples, and they are widened because the draws share rows."
            }
            Division::LeaveOneGroupOut => {
                "Each group is the test once, by models that are trained on the other groups. Scores are means over groups, \
                 and intervals are about other groups like these; they are widened because the models share training rows."
            }
            Division::Given => {
                "Every seed uses the given test rows. Intervals of a data set cover only the initial weights and the order \
                 of samples, neither other settings that tuning might have chosen nor other rows or people."
            }
        }
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
        let title = self.overall.title.clone();
        let condition = figures::condition(&self.overall.condition);
        if condition.is_empty() { title } else { format!("{title}, {condition}") }
    }

    fn score(&self, arm: &str, metric: &str) -> Option<f64> {
        Some(find(&self.overall.summaries, arm)?.scores.get(metric)?.mean)
    }

    fn comparison(&self, a: &str, b: &str, metric: &str) -> Option<&'a Comparison> {
        let mut comparisons = self.overall.comparisons.iter();
        comparisons.find(|c| (c.a.as_str(), c.b.as_str(), c.metric.as_str()) == (a, b, metric))
    }

    fn everything(&self) -> Vec<String> {
        let doubt = Doubt::about(self.results, self.overall);
        let mut sentences: Vec<String> = doubt.map(Doubt::sentence).into_iter().collect();
        let guess = if sentences.is_empty() { "" } else { "The best guess so far: " };
        sentences.extend(
            advice::of(self.results, self.overall).map(|advice| format!("{guess}{}", advice.sentence())),
        );
        sentences.extend(self.overfitting().or_else(|| self.overfitting_of_values()));
        let distilled = self.results.arms.iter().filter(|arm| arm.kind == ArmKind::Distilled);
        for arm in distilled.map(|arm| arm.name.as_str()) {
            for rival in self.results.arms.iter().filter(|rival| rival.kind == ArmKind::Hard) {
                sentences.extend(self.against(arm, &rival.name));
            }
            sentences.extend(self.memorizing(arm));
            sentences.extend(self.ceiling(arm));
        }
        sentences
    }

    /// What a student could still gain from its teacher.
    fn ceiling(&self, arm: &str) -> Option<String> {
        let of = |metric: &str| self.comparison(arm, names::TEACHER, metric);
        let behind = of("test accuracy").or_else(|| of("r2"))?;
        let what = if figures::is_share(&behind.metric) { "accuracy" } else { "R²" };
        Some(format!(
            "`{arm}` against its teacher, which is the most that it could learn: {what} {}, {}.",
            change(behind),
            verdict(behind, "higher", "lower")
        ))
    }

    /// The overfitting of a student trained on labels only.
    fn overfitting(&self) -> Option<String> {
        let score = |metric| self.score(names::HARD, metric);
        let (train, test, gap) = (score("train accuracy")?, score("test accuracy")?, score("gap")?);
        let how = if overfits(gap) { "overfits" } else { "hardly overfits" };
        Some(format!(
            "A student trained on labels only {how}: it is right on {} % of its training rows and {} % of the \
             test rows, a gap of {} points.",
            figures::value("train accuracy", train),
            figures::value("test accuracy", test),
            figures::value("gap", gap)
        ))
    }

    /// The overfitting of a student trained on measured values only.
    fn overfitting_of_values(&self) -> Option<String> {
        let score = |metric| self.score(names::HARD, metric);
        let (train, test, gap) = (score("train r2")?, score("r2")?, score("r2 gap")?);
        let how = if overfits(gap) { "overfits" } else { "hardly overfits" };
        Some(format!(
            "A student trained on measured values only {how}: R² is {} on its training rows and {} on the test rows.",
            figures::value("train r2", train),
            figures::value("r2", test)
        ))
    }

    /// The comparison of `a` with `b`.
    fn against(&self, a: &str, b: &str) -> Option<String> {
        let ratio =
            self.overall.ratios.iter().find(|ratio| (ratio.a.as_str(), ratio.b.as_str()) == (a, b))?;
        if let Some(r2) = self.comparison(a, b, "r2") {
            return Some(format!(
                "`{a}` against `{b}`: R² {}, {}{}; RMSE × {}.",
                change(r2),
                verdict(r2, "higher", "lower"),
                self.counts(r2),
                figures::value("", ratio.ratio)
            ));
        }
        let accuracy = self.comparison(a, b, "test accuracy")?;
        let nll = self.comparison(a, b, "nll")?;
        Some(format!(
            "`{a}` against `{b}`: accuracy {}, {}{}; NLL × {}, {}{}.",
            change(accuracy),
            verdict(accuracy, "higher", "lower"),
            self.counts(accuracy),
            figures::value("", ratio.ratio),
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
        let narrowed = -gap.estimate.mean();
        if narrowed <= 0.0 {
            return Some(format!(
                "`{arm}` does not narrow the gap of `hard`: it changes by {}.",
                change(gap)
            ));
        }
        // The gap is training minus test score: the part that the test rows did not gain, the training rows
        // lost.
        let gained = 100.0 * test.estimate.mean().max(0.0).min(narrowed) / narrowed;
        let narrowed = figures::value(&gap.metric, narrowed);
        let (by, more, fewer) = if of_classes.is_some() {
            (format!("{narrowed} points"), "more correct test rows", "fewer correct training rows")
        } else {
            (format!("{narrowed} of R²"), "a higher R² on test rows", "a lower R² on training rows")
        };
        Some(format!("`{arm}` narrows the gap of `hard` by {by}, {}.", split(gained.round(), more, fewer)))
    }

    /// Findings on data without anything to learn.
    fn noise(&self) -> Vec<String> {
        let classes = self.results.sets.first().map_or(1, |set| set.labels.len().max(1));
        let chance = significant(100.0 / classes as f64, 3);
        let mut sentences = vec![format!(
            "The labels are random: whatever a model learns, its expected accuracy on new rows is {chance} %."
        )];
        for arm in self.results.arms.iter().map(|arm| arm.name.as_str()) {
            let score = |metric| self.score(arm, metric);
            if let (Some(train), Some(test), Some(nll)) =
                (score("train accuracy"), score("test accuracy"), score("nll"))
            {
                sentences.push(format!(
                    "`{arm}` memorizes {} % of its training rows and is right on {} % of the test rows, with an NLL of \
                     {}; equal probabilities for all classes have {}.",
                    figures::value("train accuracy", train),
                    figures::value("test accuracy", test),
                    figures::value("nll", nll),
                    figures::value("nll", (classes as f64).ln())
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

/// The sources of a change, with `gained` percent of it from `more`.
fn split(gained: f64, more: &str, fewer: &str) -> String {
    match gained {
        0.0 => format!("all of it through {fewer}"),
        100.0 => format!("all of it through {more}"),
        _ => format!("{} % of it through {more}, the rest through {fewer}", significant(gained, 2)),
    }
}

/// A difference with its interval.
fn change(comparison: &Comparison) -> String {
    let unit = if figures::is_share(&comparison.metric) { " points" } else { "" };
    match figures::estimate(&comparison.metric, &comparison.estimate) {
        (mean, Some([low, high])) => format!("{mean}{unit} (95 % interval {low} to {high})"),
        (mean, None) => format!("{mean}{unit}"),
    }
}

/// The verdict on a difference, with a p-value corrected for the number of comparisons.
fn verdict(comparison: &Comparison, above: &str, below: &str) -> String {
    let p = comparison.estimate.p().map_or_else(String::new, |p| match figures::p_value(p) {
        p if p.starts_with('<') => format!("p {p}"),
        p => format!("p = {p}"),
    });
    match Verdict::of(comparison) {
        Verdict::Untestable => "not testable with a single pair".into(),
        Verdict::NotShown => format!("no difference shown ({p})"),
        Verdict::Higher => format!("shown to be {above} ({p})"),
        Verdict::Lower => format!("shown to be {below} ({p})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::results::Estimate;

    fn comparison(differences: &[f64]) -> Comparison {
        Comparison {
            a: "default".into(),
            b: "hard".into(),
            metric: "test accuracy".into(),
            larger: 1,
            smaller: 0,
            estimate: Estimate::of(differences, 0.0, 1),
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
        let say = |differences: &[f64]| verdict(&comparison(differences), "higher", "lower");
        assert_eq!(say(&[0.01, 0.03, 0.02, 0.025]), "shown to be higher (p = 0.016)");
        assert_eq!(say(&[-0.02, -0.0201, -0.0202, -0.0199]), "shown to be lower (p < 0.001)");
        assert_eq!(say(&[0.01, -0.03, 0.02, 0.025]), "no difference shown (p = 0.65)");
        assert_eq!(say(&[0.02]), "not testable with a single pair");
        assert_eq!(change(&comparison(&[0.02])), "+2.00 points");
        let interval = change(&comparison(&[-0.02, -0.021, -0.019]));
        assert_eq!(interval, "-2.00 points (95 % interval -2.25 to -1.75)");
    }
}
