//! What the template is given: a study as tables and plots.

use serde::Serialize;

use super::answer::Answer;
use super::levels::{self, Sweep};
use super::number;
use super::overall::Whole;
use super::set::Set;
use super::svg::{Named, palette};
use crate::error::Result;
use crate::study::results::{Condition, Results, Summary};

/// The page.
#[derive(Serialize)]
pub(super) struct Page<'a> {
    results: &'a Results,
    palette: Vec<Named>,
    /// Of the teacher and the student.
    widths: [String; 2],
    answer: Answer,
    /// Of several data sets each: a single one has its own section.
    overall: Vec<Whole>,
    sweeps: Vec<Sweep>,
    sets: Vec<Set<'a>>,
}

impl<'a> Page<'a> {
    pub(super) fn new(results: &'a Results) -> Result<Self> {
        let several = results.overall.iter().filter(|overall| overall.sets.len() > 1);
        let overall = several.map(|overall| Whole::new(results, overall)).collect::<Result<_>>()?;
        let sets = results.sets.iter().map(|set| Set::new(results, set)).collect::<Result<_>>()?;
        let widths =
            [&results.settings.teacher_hidden, &results.settings.hidden].map(|hidden| number::widths(hidden));
        let answer = Answer::new(results)?;
        let sweeps = sweeps(results)?;
        Ok(Page { results, palette: palette(), widths, answer, overall, sweeps, sets })
    }
}

/// Of several sets together, then of each.
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
