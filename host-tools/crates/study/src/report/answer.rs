//! The first screen: what a study says to its question, in a few words, a plot and a table of verdicts.

use serde::Serialize;

use super::gap;
use super::markup::{Piece, pieces};
use super::number::{self, Fit, VALUES, difference, value};
use super::svg::Plot;
use crate::study::advice;
use crate::study::names;
use crate::study::results::{ArmInfo, ArmKind, Comparison, MeanStd, Overall, Results, Summary};
use crate::study::verdict::{Doubt, Verdict, overfits};
use microdistill_train::error::Result;

/// The answer.
#[derive(Serialize)]
pub(super) struct Answer {
    /// Nothing where the figures do not answer the question.
    headline: Vec<Piece>,
    /// The figures behind the headline, or the remedy where there is no answer.
    reason: Vec<Piece>,
    /// The student to ship, where the headline is none: heading and reason.
    guess: Vec<Vec<Piece>>,
    /// The answer to the question of the title, where the headline has another: heading and reason.
    cure: Vec<Vec<Piece>>,
    plot: Option<Plot>,
    verdicts: Option<Verdicts>,
    /// All sentences of the study.
    told: Vec<Told>,
}

/// The student against each rival.
#[derive(Serialize)]
struct Verdicts {
    student: String,
    /// Names of scores.
    scores: Vec<String>,
    rows: Vec<(String, Vec<VerdictCell>)>,
}

/// On one score.
#[derive(Serialize)]
struct VerdictCell {
    words: &'static str,
    difference: String,
    /// True if the difference is beyond chance.
    shown: bool,
}

/// Sentences about the same data sets.
#[derive(Serialize)]
struct Told {
    title: String,
    sentences: Vec<Vec<Piece>>,
}

impl Answer {
    pub(super) fn new(results: &Results) -> Result<Answer> {
        let principal = principal(results);
        let doubt = principal.and_then(|overall| Doubt::about(results, overall));
        let advice = principal.and_then(|overall| advice::of(results, overall));
        let answered =
            doubt.map(Doubt::sentence).into_iter().chain(advice.as_ref().map(|advice| advice.sentence()));
        let told = told(results, &answered.collect::<Vec<_>>());
        let nothing = Answer {
            headline: Vec::new(),
            reason: Vec::new(),
            guess: Vec::new(),
            cure: Vec::new(),
            plot: None,
            verdicts: None,
            told,
        };
        let Some(overall) = principal else { return Ok(nothing) };
        let plot = gap_of(results, overall)?;
        let Some(student) = student(&results.arms).filter(|_| results.preset.is_none()) else {
            return Ok(Answer { plot, ..nothing });
        };
        let verdicts = verdicts(student, overall);
        let answer = Answer { plot, verdicts, ..nothing };
        let said = |headline: &str, reason: &str| [headline, reason].map(pieces);
        let cure = conclusion(student, overall).map(|(headline, reason)| said(headline, &reason));
        let advice = advice.map(|advice| said(&advice.headline(), &advice.reason()));
        Ok(match (doubt, advice, cure) {
            (Some(doubt), advice, _) => {
                let [headline, reason] = said(&doubt.headline(), &doubt.remedy());
                Answer { headline, reason, guess: advice.map_or(Vec::new(), Vec::from), ..answer }
            }
            (None, Some([headline, reason]), cure) => {
                Answer { headline, reason, cure: cure.map_or(Vec::new(), Vec::from), ..answer }
            }
            (None, None, Some([headline, reason])) => Answer { headline, reason, ..answer },
            (None, None, None) => answer,
        })
    }
}

/// The default recipe, or the last that was distilled.
pub(super) fn student(arms: &[ArmInfo]) -> Option<&ArmInfo> {
    let distilled = || arms.iter().filter(|arm| arm.kind == ArmKind::Distilled);
    distilled().find(|arm| arm.name == names::DEFAULT).or_else(|| distilled().next_back())
}

/// Over most sets, as they are, or as nearly so as was studied.
fn principal(results: &Results) -> Option<&Overall> {
    results.overall.iter().max_by(|a, b| {
        let (of, to) = (&a.condition, &b.condition);
        let cleaner = to.label_noise.total_cmp(&of.label_noise);
        let larger = of.training_share.total_cmp(&to.training_share);
        cleaner.then(larger).then(a.sets.len().cmp(&b.sets.len()))
    })
}

/// Without whiskers over several sets, which differ more than arms do.
fn gap_of(results: &Results, overall: &Overall) -> Result<Option<Plot>> {
    let plain = |of: &MeanStd| if overall.sets.len() > 1 { number::without_spread(of) } else { *of };
    let arms: Vec<gap::Arm> = results
        .arms
        .iter()
        .filter_map(|arm| gap::Arm::new(summary(overall, &arm.name)?, arm.kind))
        .map(|arm| gap::Arm { train: plain(&arm.train), test: plain(&arm.test), gap: plain(&arm.gap), ..arm })
        .collect();
    if arms.is_empty() { Ok(None) } else { gap::plot(&arms).map(Some) }
}

fn summary<'a>(overall: &'a Overall, arm: &str) -> Option<&'a Summary> {
    overall.summaries.iter().find(|summary| summary.arm == arm)
}

fn verdicts(student: &ArmInfo, overall: &Overall) -> Option<Verdicts> {
    let ours = || overall.comparisons.iter().filter(|of| of.a == student.name);
    let (mut scores, mut rivals): (Vec<&str>, Vec<&str>) = (Vec::new(), Vec::new());
    for of in ours() {
        if !scores.contains(&of.metric.as_str()) {
            scores.push(&of.metric);
        }
        if !rivals.contains(&of.b.as_str()) {
            rivals.push(&of.b);
        }
    }
    let row = |rival: &&str| {
        let found = scores.iter().map(|score| ours().find(|of| of.b == *rival && of.metric == *score));
        ((*rival).to_owned(), found.map(verdict).collect())
    };
    let rows: Vec<_> = rivals.iter().map(row).collect();
    let scores = scores.iter().map(|score| number::difference_head(score)).collect();
    (!rows.is_empty()).then(|| Verdicts { student: student.name.clone(), scores, rows })
}

fn verdict(of: Option<&Comparison>) -> VerdictCell {
    let Some(of) = of else {
        return VerdictCell { words: number::NONE, difference: String::new(), shown: false };
    };
    let verdict = Verdict::of(of);
    let words = match verdict {
        Verdict::Untestable | Verdict::NotShown => "not shown",
        Verdict::Higher if number::is_gap(&of.metric) => "larger",
        Verdict::Lower if number::is_gap(&of.metric) => "smaller",
        verdict if (verdict == Verdict::Higher) == number::more_is_better(&of.metric) => "better",
        Verdict::Higher | Verdict::Lower => "worse",
    };
    let shown = matches!(verdict, Verdict::Higher | Verdict::Lower);
    VerdictCell { words, difference: difference(&of.metric, of.estimate.mean()), shown }
}

/// Against the same student, left alone with the labels.
fn conclusion(student: &ArmInfo, overall: &Overall) -> Option<(&'static str, String)> {
    let alone = summary(overall, names::HARD)?;
    let distilled = summary(overall, &student.name)?;
    let comparison = |metric: &str| {
        let among = |of: &&Comparison| (of.a.as_str(), of.b.as_str()) == (&*student.name, names::HARD);
        overall.comparisons.iter().filter(among).find(|of| of.metric == metric)
    };
    let fit = Fit::of(alone);
    let (gap, test) = (comparison(fit.gap)?, comparison(fit.test)?);
    use Verdict::{Higher, Lower, NotShown, Untestable};
    let headline = match (Verdict::of(gap), Verdict::of(test)) {
        (Untestable, _) => return None,
        _ if !overfits(alone.scores.get(fit.gap)?.mean) => "There is hardly any overfitting to cure here.",
        (Lower, Higher) => "Yes: distilled students overfit less and do better on new rows.",
        (Lower, NotShown | Untestable) => {
            "In part: distilled students overfit less, but are not shown to do better on new rows."
        }
        (Lower, Lower) => "No: distilled students learn less by heart, and do worse on new rows.",
        (Higher, _) | (NotShown, Lower) => "No: distilled students do worse.",
        (NotShown, Higher) => {
            "In part: distilled students do better on new rows, but are not shown to overfit less."
        }
        (NotShown, NotShown | Untestable) => {
            "Not shown: overfitting and new rows differ by no more than chance would have it."
        }
    };
    let start = match overall.sets.len() {
        1 => "A".into(),
        sets => format!("Over {sets} data sets, a"),
    };
    let alone_with = if *fit == VALUES { "measured values" } else { "labels" };
    let mut reason = format!(
        "{start} student on {alone_with} alone (`{}`) {}. Distilled (`{}`), the same student {}.",
        names::HARD,
        figures(alone, fit)?,
        student.name,
        figures(distilled, fit)?
    );
    if let Some(figures) = summary(overall, names::LABELS).and_then(|labels| figures(labels, fit)) {
        reason += &format!(
            " On {alone_with} alone, but chosen as carefully as the distilled one (`{}`), it {figures}.",
            names::LABELS
        );
    }
    Some((headline, reason))
}

/// The figures of a model on both parts.
fn figures(of: &Summary, fit: &Fit) -> Option<String> {
    let score = |metric: &str| Some(value(metric, of.scores.get(metric)?.mean));
    let (train, test, gap) = (score(fit.train)?, score(fit.test)?, score(fit.gap)?);
    let mut words = if *fit == VALUES {
        format!("has an R² of {train} on its training rows and {test} on the test rows, a gap of {gap}")
    } else {
        format!(
            "is right in {train} % of its training rows and {test} % of the test rows, a gap of {gap} points"
        )
    };
    // Over data sets of several units there is no RMSE.
    if let Some(loss) = score(fit.loss) {
        words += &format!(", at an {} of {loss}", number::name(fit.loss));
    }
    Some(words)
}

/// The study's sentences, by what they are about, without those that the answer repeats.
fn told(results: &Results, answered: &[String]) -> Vec<Told> {
    let mut told: Vec<Told> = Vec::new();
    let is_new = |sentence: &&String| !answered.iter().any(|answered| sentence.ends_with(answered));
    for sentence in results.sentences.iter().filter(is_new) {
        // Where there are several parts, each sentence begins with its part's title.
        let part = sentence.split_once(": ").filter(|(title, _)| {
            results.overall.len() > 1
                && results.overall.iter().any(|overall| title.starts_with(&overall.title))
        });
        let (title, words) = part.unwrap_or(("", sentence));
        match told.last_mut() {
            Some(last) if last.title == title => last.sentences.push(pieces(words)),
            _ => told.push(Told { title: title.into(), sentences: vec![pieces(words)] }),
        }
    }
    told
}
