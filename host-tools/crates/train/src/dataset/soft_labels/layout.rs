//! Columns of a teacher's outputs: the label or target that each one belongs to.

use super::kind::{Fault, OutputKind};
use super::{Form, PREDICTION};
use crate::dataset::Task;

/// Columns of a teacher's outputs, and what their numbers mean.
#[derive(Clone, Debug)]
pub(in crate::dataset) struct Layout {
    /// Column of each output, in the order of the outputs, or the only column.
    columns: Vec<usize>,
    /// Names of these columns.
    names: Vec<String>,
    /// Index of the label that the only column tells about, if there are two labels.
    only: Option<usize>,
    /// What the numbers mean, if names or the user tell.
    kind: Option<OutputKind>,
    /// True if the names of the columns tell it.
    told_by_names: bool,
    /// What was guessed.
    note: Option<String>,
}

impl Layout {
    /// Finds the columns of the labels or targets of `task` among `names`; a column without a name is left out. Columns go by
    /// their names. If these only count, as those of arrays do, columns go by the order of the labels or targets. `kind` is
    /// what the user says about the numbers.
    ///
    /// # Errors
    /// Fails if a column is missing or belongs to no label or target, and if `kind` contradicts the names.
    pub(in crate::dataset) fn find(
        names: &[String],
        task: &Task,
        kind: Option<OutputKind>,
    ) -> Result<Self, String> {
        let classes = matches!(task, Task::Classification { .. });
        match kind {
            Some(OutputKind::Values) if classes => {
                return Err("the target holds labels, which need probabilities or logits, not values".into());
            }
            Some(kind) if !classes && kind != OutputKind::Values => {
                return Err(format!(
                    "the target holds values, not labels with {kind}: leave out --soft-labels-are"
                ));
            }
            _ => {}
        }
        let is_there = |&&form: &&Form| form.columns(task).any(|name| names.contains(&name));
        match Form::all(task).iter().find(is_there) {
            Some(&form) => Layout::by_name(names, task, form, kind),
            None => Layout::by_order(names, task, kind),
        }
    }

    fn by_name(names: &[String], task: &Task, form: Form, kind: Option<OutputKind>) -> Result<Self, String> {
        let (what, outputs) = outputs_of(task);
        let wanted: Vec<String> = form.columns(task).collect();
        let found: Vec<Option<usize>> =
            wanted.iter().map(|name| names.iter().position(|other| other == name)).collect();
        let is_stranger = |(column, name): &(usize, &String)| {
            !(name.is_empty() || found.contains(&Some(*column)) || (what == "label" && *name == PREDICTION))
        };
        let stranger = names.iter().enumerate().find(is_stranger).map(|(_, name)| name);
        let columns: Vec<usize> = found.iter().copied().flatten().collect();
        let is_one_of_two = what == "label" && outputs.len() == 2 && columns.len() == 1 && stranger.is_none();
        let only = found.iter().position(Option::is_some).filter(|_| is_one_of_two);
        if let (Some(missing), None) = (found.iter().position(Option::is_none), only) {
            let names: Vec<&String> = names.iter().filter(|name| !name.is_empty()).collect();
            return Err(format!("no soft label column {:?}: the columns are {names:?}", wanted[missing]));
        }
        if let Some(name) = stranger {
            return Err(format!(
                "the column {name:?} belongs to none of the {what}s {outputs:?}: rename or remove it, or give --key {} if it \
                 names the rows",
                crate::table::quoted(name)
            ));
        }
        let told = form.kind();
        if let (Some(told), Some(kind)) = (told, kind.filter(|kind| Some(*kind) != told)) {
            return Err(format!(
                "the column {:?} holds {told} by its name, not {kind}: rename it, or leave out --soft-labels-are",
                names[columns[0]]
            ));
        }
        let names = columns.iter().map(|&column| names[column].clone()).collect();
        Ok(Layout { columns, names, only, kind: told.or(kind), told_by_names: told.is_some(), note: None })
    }

    fn by_order(names: &[String], task: &Task, kind: Option<OutputKind>) -> Result<Self, String> {
        let (what, outputs) = outputs_of(task);
        let columns: Vec<usize> = (0..names.len()).filter(|&column| !names[column].is_empty()).collect();
        let found: Vec<String> = columns.iter().map(|&column| names[column].clone()).collect();
        let is_one_of_two = what == "label" && outputs.len() == 2;
        // One column of any name, if it can only be meant for one output.
        let is_alone = found.len() == 1 && !found[0].contains('(') && (outputs.len() == 1 || is_one_of_two);
        if !is_alone && !only_count(&found) {
            let form = if what == "label" { "p(LABEL)" } else { "prediction(TARGET)" };
            return Err(format!(
                "no column of soft labels: give one per {what}, such as {form}, for {outputs:?}; the columns are {found:?}"
            ));
        }
        let only = (is_one_of_two && found.len() == 1).then_some(1);
        if found.len() != outputs.len() && only.is_none() {
            return Err(format!(
                "{} for the {what}s {outputs:?}: give one per {what}, and one row per row of the data (an array that lies on \
                 its side is turned by NumPy's `x.T`)",
                crate::table::counted(found.len(), "column")
            ));
        }
        let note = match only {
            Some(label) => format!(
                "the only column is taken for the label {:?}, the second of the two: name it p(LABEL) or logit(LABEL) if it \
                 is for the other",
                outputs[label]
            ),
            None => format!("the columns are taken for the {what}s in the order {outputs:?}"),
        };
        let kind = if what == "label" { kind } else { Some(OutputKind::Values) };
        Ok(Layout { columns, names: found, only, kind, told_by_names: false, note: Some(note) })
    }

    /// Columns of a row's numbers, in the order that [`outputs`](Layout::outputs) takes them.
    pub(in crate::dataset) fn columns(&self) -> &[usize] {
        &self.columns
    }

    /// Returns what the numbers mean, if their names or the user tell.
    pub(in crate::dataset) fn kind(&self) -> Option<OutputKind> {
        self.kind
    }

    /// Returns a note on what was guessed.
    pub(in crate::dataset) fn note(&self) -> Option<&str> {
        self.note.as_deref()
    }

    /// Returns the logits or values of a row, one per output.
    ///
    /// # Errors
    /// Fails if a number is not what it should be. The message names the column.
    pub(in crate::dataset) fn outputs(&self, kind: OutputKind, row: &[f64]) -> Result<Vec<f64>, String> {
        let outputs = match (self.only, row) {
            (Some(label), &[number]) => kind.two_outputs(number, label),
            _ => kind.outputs(row),
        };
        outputs.map_err(|fault| match fault {
            Fault::Number(place, what) => {
                let name = self.names.get(place).map_or("", String::as_str);
                let hint = if kind == OutputKind::Probabilities { self.hint() } else { "" };
                format!("column {name:?}: {:?} is {what}{hint}", row[place].to_string())
            }
            Fault::Sum(sum) => format!("the probabilities sum to {}, not 1{}", sum as f32, self.hint()),
        })
    }

    fn hint(&self) -> &'static str {
        match self.told_by_names {
            true => "; if the columns hold logits, name them logit(LABEL)",
            false => "; if these are logits, give --soft-labels-are logits",
        }
    }

    /// Returns what the numbers of all rows mean, if neither their names nor the user tell.
    ///
    /// # Errors
    /// Fails if it is unclear, with the index of a row.
    pub(super) fn guess(&self, numbers: &[f64]) -> Result<OutputKind, (usize, String)> {
        let rows = || numbers.chunks_exact(self.columns.len());
        let fits = |kind| rows().all(|row| self.outputs(kind, row).is_ok());
        let is_margin = |row: &[f64]| row.iter().all(|number| number.is_finite());
        if fits(OutputKind::Probabilities) {
            return Ok(OutputKind::Probabilities);
        }
        if self.only.is_some() && rows().all(is_margin) {
            // Numbers below 0 alone may be of either kind.
            if !fits(OutputKind::LogProbabilities) {
                return Ok(OutputKind::Logits);
            }
            let message =
                "the only column holds log-probabilities or logits (margins): say which by --soft-labels-are";
            return Err((0, message.into()));
        }
        if self.only.is_none() && fits(OutputKind::LogProbabilities) {
            return Ok(OutputKind::LogProbabilities);
        }
        let faults = rows().map(|row| self.outputs(OutputKind::Probabilities, row).err());
        let first = faults.enumerate().find_map(|(row, fault)| Some((row, fault?)));
        Err(first.unwrap_or_default())
    }
}

/// The outputs of a task, and what they are called.
fn outputs_of(task: &Task) -> (&'static str, &[String]) {
    match task {
        Task::Classification { labels, .. } => ("label", labels),
        Task::Regression { targets } => ("target", targets),
    }
}

/// Returns true if names are a common word and the numbers from 0 or 1 on: `0`, `1`, … or `column1`, `column2`, ….
fn only_count(names: &[String]) -> bool {
    let divide = |name: &String| {
        let word = name.trim_end_matches(|character: char| character.is_ascii_digit());
        Some((word.to_owned(), name[word.len()..].parse::<usize>().ok()?))
    };
    let Some(parts) = names.iter().map(divide).collect::<Option<Vec<_>>>() else { return false };
    let Some((word, first)) = parts.first().filter(|(_, first)| *first <= 1) else { return false };
    parts.iter().zip(*first..).all(|((other, number), expected)| other == word && *number == expected)
}
