//! Soft labels: the outputs of any teacher, which may run anywhere.

mod kind;
mod layout;

use std::collections::{HashMap, HashSet};
use std::path::Path;

use nalgebra::DMatrix;

pub use self::kind::OutputKind;
pub(super) use self::layout::Layout;
use super::Task;
use super::keys::keys_of;
use crate::error::Result;
use crate::outputs::TeacherOutputs;
use crate::table::{Notation, Options, Record, Table, counted};

/// Column that `predict` writes: the predicted label, or the value of a single target.
pub const PREDICTION: &str = "prediction";

/// Names of the columns that `predict` writes for the values of `targets`: `prediction`, or `prediction(TARGET)` for each of
/// several.
pub fn prediction_columns(targets: &[String]) -> Vec<String> {
    match targets {
        [_] => vec![PREDICTION.to_owned()],
        targets => targets.iter().map(|target| Form::Prediction.column(target)).collect(),
    }
}

/// Form of the soft labels, told by the names of the columns.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Column `p(LABEL)`, a probability.
    Probability,
    /// Column `logit(LABEL)`, a logit.
    Logit,
    /// Column `LABEL`, a number of any kind.
    Plain,
    /// Column `prediction(TARGET)`, a value.
    Prediction,
    /// Column `TARGET`, a value.
    Value,
    /// Column `prediction`, the value of the only target.
    Single,
}

impl Form {
    /// The forms for a task, of which the first that is found counts.
    fn all(task: &Task) -> &'static [Form] {
        match task {
            Task::Classification { .. } => &[Form::Probability, Form::Logit, Form::Plain],
            Task::Regression { targets } if targets.len() == 1 => {
                &[Form::Prediction, Form::Value, Form::Single]
            }
            Task::Regression { .. } => &[Form::Prediction, Form::Value],
        }
    }

    fn column(self, output: &str) -> String {
        match self {
            Form::Probability => format!("p({output})"),
            Form::Logit => format!("logit({output})"),
            Form::Prediction => format!("{PREDICTION}({output})"),
            Form::Plain | Form::Value => output.to_owned(),
            Form::Single => PREDICTION.to_owned(),
        }
    }

    /// Names of the columns of all outputs of a task.
    fn columns(self, task: &Task) -> impl Iterator<Item = String> {
        let outputs = match task {
            Task::Classification { labels, .. } => labels,
            Task::Regression { targets } => targets,
        };
        outputs.iter().map(move |output| self.column(output))
    }

    /// What the numbers mean; none if the name does not tell.
    fn kind(self) -> Option<OutputKind> {
        match self {
            Form::Probability => Some(OutputKind::Probabilities),
            Form::Logit => Some(OutputKind::Logits),
            Form::Plain => None,
            Form::Prediction | Form::Value | Form::Single => Some(OutputKind::Values),
        }
    }
}

/// How the lines of a file belong to the rows of the data.
#[derive(Clone, Copy, Debug)]
pub enum Join<'a> {
    /// By their order. If the file also has a line for each of the rows that were left out of the data, those lines are
    /// ignored.
    Order {
        /// Number of rows.
        rows: usize,
        /// Positions of the rows that were left out of the data, ascending.
        left_out: &'a [usize],
    },
    /// By a column that names the rows.
    Key {
        /// The column.
        column: &'a str,
        /// Key of each row.
        keys: &'a [String],
        /// Keys of rows that need no soft labels, but may have them.
        others: &'a [String],
    },
}

/// Outputs of a teacher that were read from a file.
#[derive(Clone, Debug)]
pub struct SoftLabels {
    /// The outputs, in the order of the rows.
    pub outputs: TeacherOutputs,
    /// Notes for the user: what was guessed and passed over.
    pub notes: Vec<String>,
}

/// Reads the outputs of a teacher from a table with one column per label or target, in any order. Columns `p(LABEL)` hold
/// probabilities, columns `logit(LABEL)` logits, and columns `LABEL` or without names what `kind` says or the numbers tell;
/// columns `prediction(TARGET)` and `TARGET`, and `prediction` if there is one target, hold values in the target's unit, from
/// which `target_origin` is subtracted. The output of `predict` can be read, because its column `prediction` of labels is
/// ignored.
///
/// # Errors
/// Fails if the file cannot be read, if a column is missing or belongs to no label or target, if a cell is not a valid
/// number, if the probabilities of a row do not sum to 1, if it is unclear what the numbers mean, and if the rows are not
/// those of the data. The message names the line and the column.
pub fn read_soft_labels(
    path: impl AsRef<Path>,
    task: &Task,
    target_origin: &[f64],
    kind: Option<OutputKind>,
    join: Join<'_>,
) -> Result<SoftLabels> {
    let file = File::open(path.as_ref(), task, kind, join)?;
    let read = file.read()?;
    let kind = match file.layout.kind() {
        Some(kind) => kind,
        None => file.layout.guess(&read.numbers).map_err(|(row, message)| file.error(&read, row, message))?,
    };
    let width = file.layout.columns().len();
    let mut outputs = Vec::with_capacity(task.outputs().saturating_mul(read.lines.len()));
    for (place, row) in read.numbers.chunks_exact(width).enumerate() {
        let row = file.layout.outputs(kind, row).map_err(|message| file.error(&read, place, message))?;
        let origins = target_origin.iter().copied().chain(std::iter::repeat(0.0));
        outputs.extend(row.iter().zip(origins).map(|(output, origin)| (output - origin) as f32));
    }
    let (places, passed_over) = file.places(&read, join)?;
    let outputs = DMatrix::from_vec(task.outputs(), read.lines.len(), outputs).select_columns(&places);
    let mut notes = file.table.notes.clone();
    notes.extend(file.layout.note().map(str::to_owned));
    if file.layout.kind().is_none() {
        notes.push(format!("its numbers are taken for {kind}; --soft-labels-are says it otherwise"));
    }
    notes.extend(passed_over);
    Ok(SoftLabels { outputs: outputs.into(), notes })
}

/// A file of soft labels, and the layout of its columns.
struct File {
    table: Table,
    layout: Layout,
    /// Column of the keys.
    key: Option<usize>,
}

/// The rows of a file.
struct Rows {
    /// Row by row, those of the layout's columns.
    numbers: Vec<f64>,
    /// Keys, if there is a column of them.
    keys: Vec<String>,
    lines: Vec<u64>,
    /// Number of rows without any value, which are not among them.
    empty: usize,
}

impl File {
    /// Opens a file whose first line has names or, if the rows then fit, is a row.
    fn open(path: &Path, task: &Task, kind: Option<OutputKind>, join: Join<'_>) -> Result<Self> {
        let named = File::open_as(true, path, task, kind, join);
        let Join::Order { rows, left_out } = join else { return named };
        let fits = |file: &File| file.table.rows == rows || file.table.rows == rows + left_out.len();
        if named.as_ref().is_ok_and(fits) {
            return named;
        }
        match File::open_as(false, path, task, kind, join) {
            Ok(file) if file.is_numbers() && (named.is_err() || fits(&file)) => Ok(file),
            _ => named,
        }
    }

    fn open_as(
        header: bool,
        path: &Path,
        task: &Task,
        kind: Option<OutputKind>,
        join: Join<'_>,
    ) -> Result<Self> {
        let table = Table::open(path, &Options { header: Some(header), ..Options::default() })?;
        let key = match join {
            Join::Order { .. } => None,
            Join::Key { column, .. } => Some(table.column(column, "key")?),
        };
        let mut names = table.names.clone();
        key.into_iter().for_each(|key| names[key].clear());
        let layout = Layout::find(&names, task, kind).map_err(|message| table.error(Some(1), message))?;
        Ok(File { table, layout, key })
    }

    /// Returns true if no cell of the columns is a word.
    fn is_numbers(&self) -> bool {
        self.layout.columns().iter().all(|&column| self.table.numbers(column).is_ok())
    }

    fn error(&self, rows: &Rows, row: usize, message: String) -> crate::error::Error {
        self.table.error(rows.lines.get(row).copied(), message)
    }

    fn read(&self) -> Result<Rows> {
        let notation = |column| self.table.numbers(column).map_or(Notation::PLAIN, |(notation, _)| notation);
        let columns: Vec<_> =
            self.layout.columns().iter().map(|&column| (column, notation(column))).collect();
        let (mut rows, mut texts) =
            (Rows { numbers: Vec::new(), keys: Vec::new(), lines: Vec::new(), empty: 0 }, Vec::new());
        let skipped = self.table.each(|line, record| {
            for (column, notation) in &columns {
                rows.numbers.push(self.number(line, record, *column, notation)?);
            }
            texts.extend(self.key.map(|key| record[key].to_owned()));
            rows.lines.push(line);
            Ok(())
        })?;
        rows.empty = skipped.empty;
        if let Some(key) = self.key {
            rows.keys = keys_of(&self.table, key, &texts, &rows.lines)?;
        }
        Ok(rows)
    }

    fn number(&self, line: u64, record: Record<'_>, column: usize, notation: &Notation) -> Result<f64> {
        let (name, text) = (&self.table.names[column], &record[column]);
        let number = notation.number(text);
        if number.is_nan() && text.parse::<f32>().is_err() {
            return Err(self.table.error(Some(line), format!("column {name:?}: {text:?} is not a number")));
        }
        Ok(number)
    }

    /// Indices of the file's rows in the order of the data's, and a note on those that are passed over.
    fn places(&self, read: &Rows, join: Join<'_>) -> Result<(Vec<usize>, Option<String>)> {
        let found = read.lines.len();
        let (column, keys, others) = match join {
            Join::Order { rows, left_out } => {
                let passed_over = if found == rows + left_out.len() { left_out } else { &[] };
                if found != rows + passed_over.len() {
                    let empty = match read.empty {
                        0 => String::new(),
                        empty => format!(" ({} without any value)", counted(empty, "further row")),
                    };
                    let message = format!(
                        "soft labels for {found} rows{empty}, but the data has {rows}: give one line per row, in the order of \
                         the data, or join them by --key"
                    );
                    return Err(self.table.error(None, message));
                }
                let kept = (0..found).filter(|place| passed_over.binary_search(place).is_err());
                return Ok((kept.collect(), None));
            }
            Join::Key { column, keys, others } => (column, keys, others),
        };
        let place: HashMap<&str, usize> = read.keys.iter().map(String::as_str).zip(0..).collect();
        let missing: Vec<&String> = keys.iter().filter(|key| !place.contains_key(key.as_str())).collect();
        if let [first, more @ ..] = missing.as_slice() {
            let more = if more.is_empty() { String::new() } else { format!(", and {} more", more.len()) };
            let message = format!(
                "no soft labels for the row whose {column:?} is {first:?}{more}: add them, or leave such rows out of the data"
            );
            return Err(self.table.error(None, message));
        }
        let known: HashSet<&String> = keys.iter().chain(others).collect();
        let mut extra = read.keys.iter().filter(|key| !known.contains(key));
        let note = extra.next().map(|first| {
            let rows = counted(1 + extra.count(), "row");
            format!("passed over {rows} of keys that the data do not have, such as {first:?}")
        });
        Ok((keys.iter().filter_map(|key| place.get(key.as_str()).copied()).collect(), note))
    }
}

#[cfg(test)]
mod tests;
