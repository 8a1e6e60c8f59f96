//! The target columns of a file together: the task, and the class or the values of each row.

use nalgebra::DMatrix;

use super::origin::{self, Rounding};
use super::target::TargetColumn;
use super::{Kind, Target};
use crate::dataset::Task;
use crate::error::Result;
use crate::number::of_column;
use crate::table::{Table, counted};

/// The targets, and what they mean.
pub(super) struct Meaning {
    pub(super) task: Task,
    pub(super) target: Target,
    /// One per target; empty if none is needed.
    pub(super) target_origin: Vec<f64>,
    /// Rows without a target, ascending.
    pub(super) unlabelled: Vec<usize>,
}

/// Learns the task from the columns of a training file. Several columns are values.
///
/// # Errors
/// Labels among several columns; a cell that is neither a label nor a value.
pub(super) fn learn(file: &mut Table, columns: &[TargetColumn<'_>], kind: Option<Kind>) -> Result<Meaning> {
    let (kind, reason) = match (columns, kind) {
        ([column], None) => column.guess(file, &column.missing(file))?,
        ([_], Some(kind)) => (kind, "as asked".into()),
        (columns, kind) => {
            check_values(file, columns, kind)?;
            (Kind::Regression, format!("one of {} targets", columns.len()))
        }
    };
    let unlabelled = unlabelled(file, columns, kind);
    check_labelled(file, columns, &unlabelled)?;
    match (kind, columns) {
        (Kind::Classification, [column, ..]) => {
            let place = file.notes.len();
            let labels = column.labels(file, &unlabelled)?;
            file.notes
                .insert(place, format!("target {:?}: {} classes ({reason})", column.name, labels.len()));
            let classes = column.classes(file, &labels, &unlabelled)?;
            let task = Task::Classification { target: column.name.clone(), labels };
            Ok(Meaning { task, target: Target::Classes(classes), target_origin: Vec::new(), unlabelled })
        }
        _ => learn_values(file, columns, &reason, unlabelled),
    }
}

fn learn_values(
    file: &mut Table,
    columns: &[TargetColumn<'_>],
    reason: &str,
    unlabelled: Vec<usize>,
) -> Result<Meaning> {
    let values = values(file, columns, &unlabelled)?;
    let mut origins = Vec::with_capacity(columns.len());
    for (column, values) in columns.iter().zip(&values) {
        let labelled = (0..values.len()).filter(|row| unlabelled.binary_search(row).is_err());
        let (mut rounding, mut range) = (Rounding::default(), [f64::INFINITY, f64::NEG_INFINITY]);
        for value in labelled.map(|row| values[row]) {
            rounding.add(value);
            range = [range[0].min(value), range[1].max(value)];
        }
        let [least, most] = range.map(|value| of_column(value, range));
        file.notes.push(format!(
            "target {:?}: values, for regression ({reason}), from {least} to {most}",
            column.name
        ));
        file.notes.extend(origin::target_note(&column.name, rounding.origin(), &rounding));
        origins.push(rounding.origin());
    }
    if origins.iter().all(|origin| *origin == 0.0) {
        origins.clear();
    }
    let task = Task::Regression { targets: columns.iter().map(|column| column.name.clone()).collect() };
    Ok(Meaning { task, target: relative(&values, &origins), target_origin: origins, unlabelled })
}

/// Finds the columns of a known task in a further file; none if a target is absent and may be.
///
/// # Errors
/// A target is absent and may not be.
pub(super) fn find(file: &mut Table, task: &Task, optional: bool) -> Result<Option<Vec<usize>>> {
    let found: Vec<usize> = task.targets().iter().filter_map(|name| file.find(name)).collect();
    if found.len() == task.targets().len() {
        return Ok(Some(found));
    }
    if optional {
        if !found.is_empty() {
            let found: Vec<&String> = found.iter().map(|&column| &file.names[column]).collect();
            let note = format!(
                "only {found:?} of the targets {} are in the file: they are ignored",
                task.named_targets()
            );
            file.notes.push(note);
        }
        return Ok(None);
    }
    task.targets().iter().map(|name| file.column(name, "target")).collect::<Result<Vec<_>>>().map(Some)
}

/// Reads the targets of a known task from the columns of a further file; without columns they are absent.
///
/// # Errors
/// A label that the task does not have; a cell without a value, unless targets are `optional`.
pub(super) fn apply(
    file: &mut Table,
    columns: &[TargetColumn<'_>],
    task: &Task,
    origin: &[f64],
    optional: bool,
) -> Result<Meaning> {
    let meaning = |target, unlabelled| Meaning {
        task: task.clone(),
        target,
        target_origin: origin.to_vec(),
        unlabelled,
    };
    let [first, ..] = columns else { return Ok(meaning(Target::Absent, Vec::new())) };
    let mut unlabelled = union(columns.iter().map(|column| column.missing(file)));
    unlabelled.retain(|&row| !task.labels().contains(&first.texts[row]));
    if optional && !unlabelled.is_empty() {
        let rows = counted(unlabelled.len(), "row");
        let which = which(columns);
        let ignored = if columns.len() == 1 { "which is ignored" } else { "which are ignored" };
        file.notes.push(format!("{rows} without a value in {which}, {ignored}"));
        return Ok(meaning(Target::Absent, Vec::new()));
    }
    check_labelled(file, columns, &unlabelled)?;
    let target = match task {
        Task::Regression { .. } => relative(&values(file, columns, &unlabelled)?, origin),
        Task::Classification { labels, .. } => {
            let unknown = first.unknown(labels, &unlabelled);
            if optional && !unknown.is_empty() {
                file.notes.push(format!("the model does not know the labels {unknown:?} (with their rows): the target column is ignored"));
                return Ok(meaning(Target::Absent, unlabelled));
            }
            Target::Classes(first.classes(file, labels, &unlabelled)?)
        }
    };
    Ok(meaning(target, unlabelled))
}

/// `the target column`, or `one of the target columns`.
pub(super) fn which<T>(columns: &[T]) -> &'static str {
    if columns.len() == 1 { "the target column" } else { "one of the target columns" }
}

/// That several targets are values.
fn check_values(file: &Table, columns: &[TargetColumn<'_>], kind: Option<Kind>) -> Result<()> {
    if kind == Some(Kind::Classification) {
        let message = format!(
            "--task classification is for one target, but {} are named: several targets of labels are not supported",
            columns.len()
        );
        return Err(file.error(None, message));
    }
    let labels = columns.iter().find(|column| column.holds_text(file));
    let Some(TargetColumn { name, .. }) = labels else { return Ok(()) };
    let message = format!(
        "target {name:?} holds labels, and several targets of labels are not supported: give it as the only --target, or leave it out \
         of --target (and of the features by --ignore {})",
        crate::table::quoted(name)
    );
    Err(file.error(None, message))
}

/// Rows of which a target is missing, ascending.
fn unlabelled(file: &Table, columns: &[TargetColumn<'_>], kind: Kind) -> Vec<usize> {
    union(columns.iter().map(|column| match kind {
        Kind::Classification => {
            let mut missing = column.missing(file);
            // A word for missing numbers may well name a class.
            missing.retain(|&row| !column.texts[row].eq_ignore_ascii_case("null"));
            missing
        }
        Kind::Regression => column.without_value(file),
    }))
}

fn union(rows: impl Iterator<Item = Vec<usize>>) -> Vec<usize> {
    let mut rows = rows.flatten().collect::<Vec<_>>();
    rows.sort_unstable();
    rows.dedup();
    rows
}

/// That a row has all targets.
fn check_labelled(file: &Table, columns: &[TargetColumn<'_>], unlabelled: &[usize]) -> Result<()> {
    let rows = columns.first().map_or(0, |column| column.texts.len());
    if unlabelled.len() < rows {
        return Ok(());
    }
    let message = match columns {
        [column] => format!("no row has a value in the target column {:?}", column.name),
        columns => {
            let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
            format!("no row has a value in all of the target columns {names:?}")
        }
    };
    Err(file.error(None, message))
}

/// Values of each column; 0 for the rows left out.
fn values(file: &Table, columns: &[TargetColumn<'_>], unlabelled: &[usize]) -> Result<Vec<Vec<f64>>> {
    columns.iter().map(|column| column.values(file, unlabelled)).collect()
}

/// Values less their origins, rounded to f32.
fn relative(values: &[Vec<f64>], origins: &[f64]) -> Target {
    let rows = values.first().map_or(0, Vec::len);
    Target::Values(DMatrix::from_fn(values.len(), rows, |target, row| {
        (values[target][row] - origins.get(target).copied().unwrap_or(0.0)) as f32
    }))
}
