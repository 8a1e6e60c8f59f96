//! The contents of the parts of a data set: rows, groups such as people, and the balance of the classes.

use std::collections::BTreeMap;

use microdistill_train::dataset::{Dataset, Target};
use microdistill_train::number::percent;
use serde::Serialize;

/// Fewest groups in a test whose score says something about other groups.
const ENOUGH_GROUPS: usize = 5;

/// Most groups and classes that are named one by one.
const NAMED: usize = 8;

/// A part of a data set, as `--json` prints it.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Part {
    name: &'static str,
    rows: usize,
    /// Rows per group, such as a person.
    #[serde(skip_serializing_if = "Option::is_none")]
    groups: Option<BTreeMap<String, usize>>,
    /// Rows per label; empty for values.
    classes: BTreeMap<String, usize>,
}

impl Part {
    pub(crate) fn of(name: &'static str, data: &Dataset) -> Self {
        let mut classes: BTreeMap<String, usize> =
            data.task.labels().iter().map(|label| (label.clone(), 0)).collect();
        if let Target::Classes(rows) = &data.target {
            for &class in rows {
                *classes.entry(data.task.labels()[class].clone()).or_default() += 1;
            }
        }
        Part { name, rows: data.rows(), groups: data.groups.as_deref().map(counts), classes }
    }

    /// One line: rows, groups with their names if they are few, and the share of each class.
    pub(crate) fn line(&self) -> String {
        let mut line = format!("{}: {}", self.name, counted(self.rows, "row"));
        if let Some(groups) = &self.groups {
            line += &format!(" of {}", counted(groups.len(), "group"));
            if groups.len() <= NAMED {
                let names: Vec<&str> = groups.keys().map(String::as_str).collect();
                line += &format!(" ({})", names.join(", "));
            }
        }
        let share = |rows: usize| percent(rows as f64 / self.rows.max(1) as f64, 2);
        if self.classes.len() > NAMED {
            let (least, most) = (self.classes.values().min(), self.classes.values().max());
            let [least, most] = [least, most].map(|rows| share(rows.copied().unwrap_or_default()));
            line += &format!("; {} classes, each {least} to {most} % of the rows", self.classes.len());
        } else if !self.classes.is_empty() {
            let shares = self.classes.iter().map(|(label, &rows)| format!("{label} {} %", share(rows)));
            line += &format!("; {}", shares.collect::<Vec<_>>().join(", "));
        }
        line
    }

    /// Warnings about a test of few groups, or of groups that are trained on, too.
    pub(crate) fn doubts(&self, training: &Part) -> Vec<String> {
        let Some(groups) = &self.groups else { return Vec::new() };
        let mut doubts = Vec::new();
        let known: Vec<&str> = match &training.groups {
            Some(trained) => {
                groups.keys().filter(|group| trained.contains_key(*group)).map(String::as_str).collect()
            }
            None => Vec::new(),
        };
        if !known.is_empty() {
            let named = known.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
            doubts.push(format!(
                "WARNING: {} of the {} of the test {} trained on, too, so its score says nothing about others: {named}{}",
                known.len(),
                counted(groups.len(), "group"),
                if known.len() == 1 { "is" } else { "are" },
                if known.len() > NAMED { ", …" } else { "" }
            ));
        }
        if groups.len() < ENOUGH_GROUPS {
            doubts.push(format!(
                "the test holds only {}, so its score says little about others; `study --leave-one-group-out` makes each \
                 group the test once",
                counted(groups.len(), "group")
            ));
        }
        doubts
    }
}

/// Number of rows of each name.
pub(crate) fn counts(names: &[String]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::<String, usize>::new();
    names.iter().for_each(|name| *counts.entry(name.clone()).or_default() += 1);
    counts
}

fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}
