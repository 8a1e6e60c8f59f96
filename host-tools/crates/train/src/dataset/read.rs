//! A data set from a file.

use std::path::Path;

use nalgebra::DMatrix;

use super::encoding::{self, Encoding};
use super::groups::groups_of;
use super::keys::keys_of;
use super::origin::{self, Rounding};
use super::target::{self, TargetColumn};
use super::targets::{self, Meaning};
use super::{Dataset, Kind, Text};
use crate::dataset::Task;
use crate::error::Result;
use crate::table::{Options, Table, counted};

/// Columns of a file that are not features, and how it is written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Columns {
    /// The targets, in the order of the outputs; the last column if empty. A text that is no column's name is a list,
    /// separated by commas. Several targets are values.
    pub targets: Vec<String>,
    /// Contents of the target; guessed if not given: numbers with a fraction, or more than 100 whole ones,
    /// are values.
    pub kind: Option<Kind>,
    /// The groups of rows: a column of the file, which is then no feature, or another CSV file of one column.
    pub groups: Option<String>,
    /// Column of the keys of rows, which is then no feature.
    pub key: Option<String>,
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
    let targets = target::choose(&mut file, &columns.targets)?;
    let groups = columns.groups.as_deref().and_then(|groups| file.find(groups));
    let key = columns.key.as_deref().map(|key| key_column(&file, key, &targets)).transpose()?;
    let taken: Vec<usize> = targets.iter().copied().chain(groups).chain(key).collect();
    let texts = texts(&file, &columns.text, &taken)?;
    let text = |column| texts.iter().any(|text| text.column() == column);
    let features: Vec<usize> =
        file.named().filter(|column| !taken.contains(column) && !text(*column)).collect();
    if features.is_empty() && texts.is_empty() {
        return Err(file.error(Some(1), "no column is left for a feature"));
    }
    let (mut encodings, notes) = encoding::learn(&file, &features)?;
    encodings.extend(texts);
    if encodings.is_empty() {
        return Err(file.error(None, format!("no column is left for a feature: {}", notes.join("; "))));
    }
    let rows = Rows::read(&mut file, &encodings, &taken, None)?;
    let target_columns = rows.columns(&file, &targets);
    let meaning = targets::learn(&mut file, &target_columns, columns.kind)?;
    file.notes.extend(notes);
    let mut features = rows.x.column_iter();
    let first = features.next();
    if rows.lines.len() > 1 && features.all(|other| Some(other) == first) {
        return Err(file.error(None, "all rows have the same features: nothing to learn"));
    }
    let own = groups.map(|_| rows.texts[targets.len()].clone());
    let groups = groups_of(&file, columns.groups.as_deref(), own, &rows.lines)?;
    let keys = rows.keys(&file, key)?;
    file.notes.extend(groups.iter().filter_map(|groups| {
        target::groups_spelled_alike(columns.groups.as_deref().unwrap_or("groups"), groups)
    }));
    Ok(rows.dataset(file, &encodings, meaning, groups, keys))
}

/// The column of the keys, which is none of the targets.
fn key_column(file: &Table, key: &str, targets: &[usize]) -> Result<usize> {
    let column = file.column(key, "key")?;
    if targets.contains(&column) {
        return Err(file.error(None, format!("the key {key:?} is the target: name the target by --target")));
    }
    Ok(column)
}

/// The text columns, none of which is another one's or among `others`.
fn texts(file: &Table, texts: &[Text], others: &[usize]) -> Result<Vec<Encoding>> {
    let mut encodings: Vec<Encoding> = Vec::new();
    for text in texts {
        let column = file.column(&text.column, "text")?;
        if others.contains(&column) || encodings.iter().any(|other| other.column() == column) {
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
    /// The targets and what they mean.
    pub task: &'a Task,
    /// What is subtracted from each target's values before they are rounded to f32; empty for nothing.
    pub target_origin: &'a [f64],
    /// True if a target may be absent, as in rows that are to be predicted.
    pub target_optional: bool,
    /// The column of groups, as in [`Columns`].
    pub groups: Option<&'a str>,
    /// True if a file without that column has no groups, instead of an error.
    pub groups_optional: bool,
    /// The column of keys, as in [`Columns`].
    pub key: Option<&'a str>,
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
    let Expected { features, origin, task, target_origin, target_optional, groups, .. } = expected;
    let mut file = Table::open(path, &expected.options)?;
    let groups = groups.filter(|column| !expected.groups_optional || file.find(column).is_some());
    let (encodings, notes) = encoding::find(&file, features)?;
    let targets = match with_target {
        true => targets::find(&mut file, task, target_optional)?.unwrap_or_default(),
        false => Vec::new(),
    };
    let group_column = groups.and_then(|groups| file.find(groups));
    let key = expected.key.map(|key| file.column(key, "key")).transpose()?;
    let own: Vec<usize> = task.targets().iter().filter_map(|name| file.find(name)).collect();
    let used = |column| encodings.iter().any(|encoding| encoding.column() == column);
    let names_rows = |column| [group_column, key].contains(&Some(column));
    let ignored: Vec<&str> = file
        .named()
        .filter(|&column| !used(column) && !own.contains(&column) && !names_rows(column))
        .map(|column| file.names[column].as_str())
        .collect();
    if !ignored.is_empty() {
        let note = format!("ignored the columns {ignored:?}: they are no features of the model");
        file.notes.push(note);
    }
    file.notes.extend(notes);
    let taken: Vec<usize> = targets.iter().copied().chain(group_column).chain(key).collect();
    let rows = Rows::read(&mut file, &encodings, &taken, Some(origin))?;
    let columns = rows.columns(&file, &targets);
    let meaning = targets::apply(&mut file, &columns, task, target_origin, target_optional)?;
    let own = group_column.map(|_| rows.texts[targets.len()].clone());
    let groups = groups_of(&file, groups, own, &rows.lines)?;
    let keys = rows.keys(&file, key)?;
    Ok(rows.dataset(file, &encodings, meaning, groups, keys))
}

/// The data of a file.
struct Rows {
    /// Shape (features × rows), relative to `origin`.
    x: DMatrix<f32>,
    origin: Vec<f64>,
    /// The cells of each column asked for.
    texts: Vec<Vec<String>>,
    /// Line on which each row begins, from 1.
    lines: Vec<u64>,
}

impl Rows {
    /// Reads all rows; where no `origin` is given, those that f32 needs are found.
    fn read(
        file: &mut Table,
        encodings: &[Encoding],
        columns: &[usize],
        origin: Option<&[f64]>,
    ) -> Result<Self> {
        let features: usize = encodings.iter().map(|encoding| encoding.features(file).len()).sum();
        let mut rows = Rows {
            x: DMatrix::zeros(0, 0),
            origin: origin.filter(|origin| !origin.is_empty()).map_or(vec![0.0; features], <[f64]>::to_vec),
            texts: vec![Vec::new(); columns.len()],
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
        texts: &[usize],
        roundings: &mut [Rounding],
    ) -> Result<Vec<f32>> {
        let mut x = Vec::with_capacity(file.rows * self.origin.len());
        file.each(|line, record| {
            for (&column, texts) in texts.iter().zip(&mut self.texts) {
                texts.push(record[column].to_owned());
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

    /// The first columns that were asked for, which are the targets.
    fn columns<'a>(&'a self, file: &Table, targets: &[usize]) -> Vec<TargetColumn<'a>> {
        let columns = targets.iter().zip(&self.texts);
        let column = |(&column, texts): (&usize, &'a Vec<String>)| {
            let name = file.names[column].clone();
            TargetColumn { name, texts, lines: &self.lines, column }
        };
        columns.map(column).collect()
    }

    /// The keys in the last column that was asked for, if `key` is that column.
    fn keys(&self, file: &Table, key: Option<usize>) -> Result<Option<Vec<String>>> {
        match (key, self.texts.last()) {
            (Some(key), Some(texts)) => keys_of(file, key, texts, &self.lines).map(Some),
            _ => Ok(None),
        }
    }

    fn dataset(
        self,
        file: Table,
        encodings: &[Encoding],
        meaning: Meaning,
        groups: Option<Vec<String>>,
        keys: Option<Vec<String>>,
    ) -> Dataset {
        let Meaning { task, target, target_origin, unlabelled } = meaning;
        let features = encodings.iter().flat_map(|encoding| encoding.features(&file)).collect();
        let data = Dataset {
            features,
            x: self.x,
            origin: self.origin,
            task,
            target,
            target_origin,
            left_out: Vec::new(),
            groups,
            keys,
            hash: file.hash,
            options: file.options,
            notes: file.notes,
        };
        if unlabelled.is_empty() {
            return data;
        }
        let labelled: Vec<usize> =
            (0..data.rows()).filter(|row| unlabelled.binary_search(row).is_err()).collect();
        let which = targets::which(data.task.targets());
        let note = format!("left out {} without a value in {which}", counted(unlabelled.len(), "row"));
        let notes = [data.notes.as_slice(), &[note]].concat();
        Dataset { notes, left_out: unlabelled, ..data.select(&labelled) }
    }
}
