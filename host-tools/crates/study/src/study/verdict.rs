//! Thresholds behind every sentence, answer and plot: when a difference is shown, when a student overfits, and when a study
//! has seen too little to say anything.

use super::results::{Comparison, Division, Overall, Results, SetResults};

/// Largest overfitting gap, as a share, that hardly counts as one.
const SMALL_GAP: f64 = 0.01;

/// Fewest seeds, groups or data sets that can answer a question.
pub(crate) const ENOUGH: usize = 5;

/// Fewest groups of which each can be left out: of the others, one judges the candidates.
pub(crate) const FEWEST_LEFT_OUT: usize = 3;

/// Verdict on a mean difference, by its p-value corrected for the number of comparisons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Cannot tell: a single pair knows nothing of chance.
    Untestable,
    /// No difference beyond chance.
    NotShown,
    /// The first of the two has more.
    Higher,
    /// The first of the two has less.
    Lower,
}

impl Verdict {
    pub(crate) fn of(comparison: &Comparison) -> Self {
        let estimate = &comparison.estimate;
        match estimate.p() {
            None => Verdict::Untestable,
            Some(_) if !estimate.is_shown() => Verdict::NotShown,
            Some(_) if estimate.mean() > 0.0 => Verdict::Higher,
            Some(_) => Verdict::Lower,
        }
    }
}

/// Returns true if a gap between the scores on training and test rows counts as overfitting.
pub(crate) fn overfits(gap: f64) -> bool {
    gap > SMALL_GAP
}

/// A reason why a study cannot answer its question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Doubt {
    /// The test holds so many groups, or all rows do.
    FewGroups { held: usize, by_test: bool, all: usize },
    /// There are so few pairs of the kind that intervals are about.
    FewPairs { count: usize, what: &'static str },
}

impl Doubt {
    /// The doubt about these data sets, if there is one.
    pub(crate) fn about(results: &Results, overall: &Overall) -> Option<Doubt> {
        if overall.sets.len() > 1 {
            return few_pairs(overall.sets.len(), "data set");
        }
        let division = results.settings.division;
        let among =
            |set: &&SetResults| overall.sets.contains(&set.name) && set.condition == overall.condition;
        if let Some(groups) = results.sets.iter().find(among).and_then(|set| set.groups) {
            let by_test = division == Division::Given;
            let held = if by_test { groups.test } else { groups.all };
            if held < ENOUGH {
                return Some(Doubt::FewGroups { held, by_test, all: groups.all });
            }
        }
        match division {
            Division::LeaveOneGroupOut => None,
            Division::Given | Division::Redrawn => few_pairs(results.seeds.len(), "seed"),
        }
    }

    /// The reason as a headline.
    pub(crate) fn headline(self) -> String {
        match self {
            Doubt::FewGroups { held, by_test: true, .. } => {
                format!("This cannot tell: the test holds {}.", counted(held, "group"))
            }
            Doubt::FewGroups { held, by_test: false, .. } => {
                format!("This cannot tell: all rows come from {}.", counted(held, "group"))
            }
            Doubt::FewPairs { count, what } => {
                let (what, verb) = if count == 1 { (what, "is") } else { (&*format!("{what}s"), "are") };
                format!("This cannot tell: {count} {what} {verb} too few.")
            }
        }
    }

    /// Headline and remedy.
    pub(crate) fn sentence(self) -> String {
        format!("{} {}", self.headline(), self.remedy())
    }

    /// The remedy, in a sentence or two.
    pub(crate) fn remedy(self) -> String {
        match self {
            Doubt::FewGroups { by_test: true, all, .. } if all >= FEWEST_LEFT_OUT => format!(
                "What holds for fewer than {ENOUGH} groups, such as people, may not hold for the next one. \
                 `--leave-one-group-out` makes each of the {all} groups the test once."
            ),
            Doubt::FewGroups { .. } => format!(
                "What holds for fewer than {ENOUGH} groups, such as people, may not hold for the next one. Collect rows of \
                 more groups; `--leave-one-group-out` then makes each of them the test once."
            ),
            Doubt::FewPairs { what, .. } => {
                format!("Gains cannot be told from chance by fewer than {ENOUGH} {what}s.")
            }
        }
    }
}

fn few_pairs(count: usize, what: &'static str) -> Option<Doubt> {
    (count < ENOUGH).then_some(Doubt::FewPairs { count, what })
}

fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("only one {what}") } else { format!("only {count} {what}s") }
}
