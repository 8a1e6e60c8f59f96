//! A data set from a file.

use std::path::Path;

use nalgebra::DMatrix;

use super::encoding::{self, Encoding};
use super::groups::groups_of;
use super::origin::{self, Rounding};
use super::target::{self, TargetColumn};
use super::{Dataset, Kind, Target, Text};
use crate::dataset::Task;
use crate::error::Result;
use crate::table::{Options, Table, counted};

/// Columns of a file that are not features, and how it is written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Columns {
    /// The target; the last column if not given.
    pub target: Option<String>,
    /// Contents of the target; guessed if not given: numbers with a fraction, or more than 100 whole ones,
    /// are values.
    pub kind: Option<Kind>,
    /// The groups of rows: a column of the file, which is then no feature, or another CSV file of one column.
    pub groups: Option<String>,
    /// Columns of text, whose character n-grams are features, behind all others.
    pub text: Vec<Text>,
    /// Options of the file's format; what they leave open is detected.
    pub options: Options,
}

/// Reads a training file, in any dialect of CSV; `-` is standard input.
///
/// A column of numbers is a feature; a column of words is one feature per category, named `column=category`, or left out
/// where nothing can be learned from it, unless it is named as text. Dates and times are left out, and rows without a
/// target.
///
/// # Errors
/// Every file that cannot be used, with line and column, and every one that may be read in two ways, with the flag that
/// says how.
pub fn read(path: impl AsRef<Path>, columns: &Columns) -> Result<Dataset> {
    let mut file = Table::open(path.as_ref(), &columns.options)?;
    let target = target::choose(&mut file, columns.target.as_deref())?;
    let groups = columns.groups.as_deref().and_then(|groups| file.find(groups));
    let texts = texts(&file, &columns.text, [Some(target), groups])?;
    let text = |column| texts.iter().any(|text| text.column() == column);
    let features: Vec<usize> =
        file.named().filter(|&column| column != target && Some(column) != groups && !text(column)).collect();
    if features.is_empty() && texts.is_empty() {
        return Err(file.error(Some(1), "no column is left for a feature"));
    }
    let (mut encodings, notes) = encoding::learn(&file, &features)?;
    encodings.extend(texts);
    if encodings.is_empty() {
        return Err(file.error(None, format!("no column is left for a feature: {}", notes.join("; "))));
    }
    let rows = Rows::read(&mut file, &encodings, [Some(target), groups], None)?;
    let name = file.names[target].clone();
    let column = TargetColumn { name, texts: &rows.texts[0], lines: &rows.lines, column: Some(target) };
    let mut unlabelled = column.missing(&file);
    let (kind, reason) = match columns.kind {
        Some(kind) => (kind, "as asked"),
        None => column.guess(&file, &unlabelled)?,
    };
    match kind {
        // A word for missing numbers may well name a class.
        Kind::Classification => unlabelled.retain(|&row| !column.texts[row].eq_ignore_ascii_case("null")),
        Kind::Regression => unlabelled = column.without_value(&file),
    }
    if unlabelled.len() == column.texts.len() {
        return Err(file.error(None, format!("no row has a value in the target column {:?}", column.name)));
    }
    let mut target_origin = 0.0;
    let (task, target) = match kind {
        Kind::Classification => {
            let place = file.notes.len();
            let labels = column.labels(&mut file, &unlabelled)?;
            file.notes
                .insert(place, format!("target {:?}: {} classes ({reason})", column.name, labels.len()));
            let classes = column.classes(&file, &labels, &unlabelled)?;
            (Task::Classification { target: column.name, labels }, Target::Classes(classes))
        }
        Kind::Regression => {
            file.notes.push(format!("target {:?}: values, for regression ({reason})", column.name));
            let values = column.values(&file, &unlabelled)?;
            let mut rounding = Rounding::default();
            let labelled = (0..values.len()).filter(|row| unlabelled.binary_search(row).is_err());
            labelled.for_each(|row| rounding.add(values[row]));
            target_origin = rounding.origin();
            file.notes.extend(origin::target_note(&column.name, target_origin, &rounding));
            (
                Task::Regression { target: column.name },
                Target::Values(origin::relative(&values, target_origin)),
            )
        }
    };
    file.notes.extend(notes);
    let mut features = rows.x.column_iter();
    let first = features.next();
    if rows.lines.len() > 1 && features.all(|other| Some(other) == first) {
        return Err(file.error(None, "all rows have the same features: nothing to learn"));
    }
    let own = groups.map(|_| rows.texts[1].clone());
    let groups = groups_of(&file, columns.groups.as_deref(), own, &rows.lines)?;
    file.notes.extend(groups.iter().filter_map(|groups| {
        target::groups_spelled_alike(columns.groups.as_deref().unwrap_or("groups"), groups)
    }));
    Ok(rows.dataset(file, &encodings, Meaning { task, target, target_origin }, groups, &unlabelled))
}

/// The text columns, none of which is another one's or among `others`.
fn texts(file: &Table, texts: &[Text], others: [Option<usize>; 2]) -> Result<Vec<Encoding>> {
    let mut encodings: Vec<Encoding> = Vec::new();
    for text in texts {
        let column = file.column(&text.column, "text")?;
        if others.contains(&Some(column)) || encodings.iter().any(|other| other.column() == column) {
            let message =
                format!("the text column {:?} is the target, the groups or named twice", text.column);
            return Err(file.error(Some(1), message));
        }
        encodings.push(Encoding::Text { column, text: text.clone() });
    }
    Ok(encodings)
}

/// The contents required of a further file for a model. Columns are found by name, in any order.
#[derive(Clone, Debug)]
pub struct Expected<'a> {
    /// The features, in the model's order.
    pub features: &'a [String],
    /// What is subtracted from each feature before it is rounded to f32; empty for nothing.
    pub origin: &'a [f64],
    /// The target and what it means.
    pub task: &'a Task,
    /// What is subtracted from a target's values before they are rounded to f32.
    pub target_origin: f64,
    /// True if the target may be absent, as in rows that are to be predicted.
    pub target_optional: bool,
    /// The column of groups, as in [`Columns`].
    pub groups: Option<&'a str>,
    /// True if a file without that column has no groups, instead of an error.
    pub groups_optional: bool,
    /// Options of the file's format, as in [`Columns`].
    pub options: Options,
}

/// Reads a file for known features and a known task; other columns are ignored.
///
/// # Errors
/// Every file that cannot be used, with line and column; a label that the task does not have.
pub fn read_like(path: impl AsRef<Path>, expected: Expected<'_>) -> Result<Dataset> {
    read_expected(path.as_ref(), expected, true)
}

/// Reads a file of rows to be labelled by a model, for known features: a target column, too, is ignored.
///
/// # Errors
/// Every file that cannot be used, with line and column.
pub fn read_unlabelled(path: impl AsRef<Path>, expected: Expected<'_>) -> Result<Dataset> {
    read_expected(path.as_ref(), expected, false)
}

fn read_expected(path: &Path, expected: Expected<'_>, with_target: bool) -> Result<Dataset> {
    let Expected { features, origin, task, target_origin, target_optional, groups, groups_optional, options } =
        expected;
    let mut file = Table::open(path, &options)?;
    let groups = groups.filter(|column| !groups_optional || file.find(column).is_some());
    let (encodings, notes) = encoding::find(&file, features)?;
    let target = match file.find(task.target()) {
        _ if !with_target => None,
        None if target_optional => None,
        _ => Some(file.column(task.target(), "target")?),
    };
    let group_column = groups.and_then(|groups| file.find(groups));
    let own = file.find(task.target());
    let used = |column| encodings.iter().any(|encoding| encoding.column() == column);
    let ignored: Vec<&str> = file
        .named()
        .filter(|&column| !used(column) && ![own, group_column].contains(&Some(column)))
        .map(|column| file.names[column].as_str())
        .collect();
    if !ignored.is_empty() {
        let note = format!("ignored the columns {ignored:?}: they are no features of the model");
        file.notes.push(note);
    }
    file.notes.extend(notes);
    let rows = Rows::read(&mut file, &encodings, [target, group_column], Some(origin))?;
    let column = TargetColumn {
        name: task.target().to_owned(),
        texts: &rows.texts[0],
        lines: &rows.lines,
        column: target,
    };
    let mut unlabelled = column.missing(&file);
    unlabelled.retain(|&row| !task.labels().contains(&column.texts[row]));
    let unknown = column.unknown(task.labels(), &unlabelled);
    let target = match (target, task) {
        (None, _) => Target::Absent,
        (Some(_), _) if target_optional && !unlabelled.is_empty() => {
            let rows = counted(unlabelled.len(), "row");
            file.notes.push(format!("{rows} without a value in the target column, which is ignored"));
            unlabelled.clear();
            Target::Absent
        }
        (Some(_), Task::Classification { .. }) if target_optional && !unknown.is_empty() => {
            file.notes.push(format!("the model does not know the labels {unknown:?} (with their rows): the target column is ignored"));
            Target::Absent
        }
        (Some(_), Task::Regression { .. }) => {
            Target::Values(origin::relative(&column.values(&file, &unlabelled)?, target_origin))
        }
        (Some(_), Task::Classification { labels, .. }) => {
            Target::Classes(column.classes(&file, labels, &unlabelled)?)
        }
    };
    if unlabelled.len() == rows.lines.len() {
        return Err(file.error(None, format!("no row has a value in the target column {:?}", column.name)));
    }
    let own = group_column.map(|_| rows.texts[1].clone());
    let groups = groups_of(&file, groups, own, &rows.lines)?;
    Ok(rows.dataset(
        file,
        &encodings,
        Meaning { task: task.clone(), target, target_origin },
        groups,
        &unlabelled,
    ))
}

/// The target, and what it means.
struct Meaning {
    task: Task,
    target: Target,
    target_origin: f64,
}

/// The data of a file.
struct Rows<const TEXTS: usize> {
    /// Shape (features × rows), relative to `origin`.
    x: DMatrix<f32>,
    origin: Vec<f64>,
    /// The text columns asked for; empty where none was.
    texts: [Vec<String>; TEXTS],
    /// Line on which each row begins, from 1.
    lines: Vec<u64>,
}

impl<const TEXTS: usize> Rows<TEXTS> {
    /// Reads all rows; where no `origin` is given, those that f32 needs are found.
    fn read(
        file: &mut Table,
        encodings: &[Encoding],
        columns: [Option<usize>; TEXTS],
        origin: Option<&[f64]>,
    ) -> Result<Self> {
        let features: usize = encodings.iter().map(|encoding| encoding.features(file).len()).sum();
        let mut rows = Rows {
            x: DMatrix::zeros(0, 0),
            origin: origin.filter(|origin| !origin.is_empty()).map_or(vec![0.0; features], <[f64]>::to_vec),
            texts: columns.map(|_| Vec::new()),
            lines: Vec::with_capacity(file.rows),
        };
        let mut roundings = vec![Rounding::default(); features];
        let mut x = rows.pass(file, encodings, columns, &mut roundings)?;
        let found: Vec<f64> = roundings.iter().map(Rounding::origin).collect();
        if origin.is_none() && found.iter().any(|&origin| origin != 0.0) {
            let names = encodings.iter().flat_map(|encoding| encoding.features(file)).collect::<Vec<_>>();
            file.notes.extend(origin::feature_notes(&names, &found, &roundings));
            rows.origin = found;
            rows.texts.iter_mut().for_each(Vec::clear);
            rows.lines.clear();
            x = rows.pass(file, encodings, columns, &mut roundings)?;
        }
        let missing = x.iter().filter(|value| value.is_nan()).count();
        if missing > 0 {
            let values = counted(missing, "missing value");
            file.notes.push(format!("{values}: the training mean of the feature is put in"));
        }
        rows.x = DMatrix::from_vec(features, rows.lines.len(), x);
        Ok(rows)
    }

    /// Reads all rows once: adds their texts and lines, and returns their features, relative to the origins.
    fn pass(
        &mut self,
        file: &Table,
        encodings: &[Encoding],
        texts: [Option<usize>; TEXTS],
        roundings: &mut [Rounding],
    ) -> Result<Vec<f32>> {
        let mut x = Vec::with_capacity(file.rows * self.origin.len());
        file.each(|line, record| {
            for (column, texts) in texts.into_iter().zip(&mut self.texts) {
                texts.extend(column.map(|column| record[column].to_owned()));
            }
            self.lines.push(line);
            let mut columns = self.origin.iter().zip(&mut *roundings);
            for encoding in encodings {
                encoding.apply(file, record, |value| {
                    if let Some((origin, rounding)) = columns.next() {
                        rounding.add(value);
                        x.push((value - origin) as f32);
                    }
                });
            }
            Ok(())
        })?;
        Ok(x)
    }

    fn dataset(
        self,
        file: Table,
        encodings: &[Encoding],
        meaning: Meaning,
        groups: Option<Vec<String>>,
        unlabelled: &[usize],
    ) -> Dataset {
        let features = encodings.iter().flat_map(|encoding| encoding.features(&file)).collect();
        let data = Dataset {
            features,
            x: self.x,
            origin: self.origin,
            task: meaning.task,
            target: meaning.target,
            target_origin: meaning.target_origin,
            left_out: Vec::new(),
            groups,
            hash: file.hash,
            options: file.options,
            notes: file.notes,
        };
        if unlabelled.is_empty() {
            return data;
        }
        let labelled: Vec<usize> =
            (0..data.rows()).filter(|row| unlabelled.binary_search(row).is_err()).collect();
        let note =
            format!("left out {} without a value in the target column", counted(unlabelled.len(), "row"));
        let notes = [data.notes.as_slice(), &[note]].concat();
        Dataset { notes, left_out: unlabelled.to_vec(), ..data.select(&labelled) }
    }
}
