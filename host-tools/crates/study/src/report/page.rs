//! The input of the page's template: a study as tables and plots.

use serde::Serialize;

use super::answer::Answer;
use super::levels::{self, Sweep};
use super::markup::{Piece, pieces};
use super::number;
use super::overall::Whole;
use super::set::Set;
use super::svg::{Named, palette};
use crate::study::results::{ArmInfo, ArmKind, Condition, Results, Summary};
use microdistill_train::error::Result;

/// The page.
#[derive(Serialize)]
pub(super) struct Page<'a> {
    results: &'a Results,
    palette: Vec<Named>,
    /// Widths of the teacher and the student.
    widths: [String; 2],
    answer: Answer,
    arms: Vec<Arm<'a>>,
    /// Sections about several data sets. A single set has a section of its own.
    overall: Vec<Whole>,
    levels: Option<Levels>,
    sets: Vec<Set<'a>>,
}

/// A quantity studied at several levels.
#[derive(Serialize)]
struct Levels {
    title: &'static str,
    /// The quantity, in words.
    over: &'static str,
    wrong_labels: bool,
    sweeps: Vec<Sweep>,
}

impl Levels {
    /// None of a study at one level.
    fn new(results: &Results) -> Result<Option<Self>> {
        let sweeps = sweeps(results)?;
        let wrong_labels = results.sets.iter().any(|set| set.condition.label_noise > 0.0);
        let fewer = results.sets.iter().any(|set| set.condition.training_share < 1.0);
        let (title, over) = match (wrong_labels, fewer) {
            (true, true) => (
                "Wrong labels, fewer rows",
                "the share of training rows with wrong labels, and of those that are used",
            ),
            (true, false) => ("Wrong labels", "the share of training rows with wrong labels"),
            (false, _) => ("Fewer rows", "the share of the training rows that is used"),
        };
        Ok((!sweeps.is_empty()).then_some(Levels { title, over, wrong_labels, sweeps }))
    }
}

/// An arm of the comparison.
#[derive(Serialize)]
struct Arm<'a> {
    name: &'a str,
    kind: ArmKind,
    description: Vec<Piece>,
}

impl<'a> Arm<'a> {
    fn new(of: &'a ArmInfo) -> Self {
        Arm { name: &of.name, kind: of.kind, description: pieces(&of.description) }
    }
}

impl<'a> Page<'a> {
    pub(super) fn new(results: &'a Results) -> Result<Self> {
        let several = results.overall.iter().filter(|overall| overall.sets.len() > 1);
        let overall = several.map(|overall| Whole::new(results, overall)).collect::<Result<_>>()?;
        let sets = results.sets.iter().map(|set| Set::new(results, set)).collect::<Result<_>>()?;
        let widths =
            [&results.settings.teacher_hidden, &results.settings.hidden].map(|hidden| number::widths(hidden));
        let answer = Answer::new(results)?;
        let levels = Levels::new(results)?;
        let arms = results.arms.iter().map(Arm::new).collect();
        Ok(Page { results, palette: palette(), widths, answer, arms, overall, levels, sets })
    }
}

/// The plots of several sets together, then of each.
fn sweeps(results: &Results) -> Result<Vec<Sweep>> {
    let mut sweeps = Vec::new();
    let several = results.overall.iter().filter(|overall| overall.sets.len() > 1);
    let together = several.map(|of| (of.title.as_str(), of.condition, of.summaries.as_slice()));
    for (name, conditions) in by_name(together) {
        sweeps.extend(levels::sweeps(name, &results.arms, &conditions, false)?);
    }
    let each = results.sets.iter().map(|of| (of.name.as_str(), of.condition, of.summaries.as_slice()));
    for (name, conditions) in by_name(each) {
        sweeps.extend(levels::sweeps(name, &results.arms, &conditions, true)?);
    }
    Ok(sweeps)
}

type Conditions<'a> = Vec<(Condition, &'a [Summary])>;

/// In the order of their first.
fn by_name<'a>(
    of: impl Iterator<Item = (&'a str, Condition, &'a [Summary])>,
) -> Vec<(&'a str, Conditions<'a>)> {
    let mut groups: Vec<(&str, Conditions)> = Vec::new();
    for (name, condition, summaries) in of {
        match groups.iter_mut().find(|(known, _)| *known == name) {
            Some((_, group)) => group.push((condition, summaries)),
            None => groups.push((name, vec![(condition, summaries)])),
        }
    }
    groups
}
