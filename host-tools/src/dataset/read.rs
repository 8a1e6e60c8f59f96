//! CSV files: what is in them, or exactly where they are wrong.

use std::collections::{BTreeSet, HashMap};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use csv::StringRecord;
use nalgebra::DMatrix;
use sha2::{Digest as _, Sha256};

use super::{Dataset, Target};
use crate::error::{Error, Result};
use crate::model::Task;

/// What a target column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Labels.
    Classification,
    /// Values.
    Regression,
}

/// Which columns of a file are not features.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Columns {
    /// The target; the last column if not given.
    pub target: Option<String>,
    /// What it holds; guessed if not given: numbers with a fraction, or more than 100 whole ones, are values.
    pub kind: Option<Kind>,
    /// The groups of rows: a column of the file, which is then no feature, or another CSV file of one column.
    pub groups: Option<String>,
}

/// Reads a training file: CSV with a header, separated by commas, semicolons or tabs; `-` is standard input.
///
/// # Errors
/// Every file that cannot be used, with line and column.
pub fn read(path: impl AsRef<Path>, columns: &Columns) -> Result<Dataset> {
    let mut file = File::open(path.as_ref())?;
    let target = match &columns.target {
        Some(name) => file.column(name, "target")?,
        None => file.header.len() - 1,
    };
    let groups = columns.groups.as_deref().and_then(|groups| file.find(groups));
    let features: Vec<usize> =
        (0..file.header.len()).filter(|&column| column != target && Some(column) != groups).collect();
    if features.is_empty() {
        return Err(file.error(Some(1), "no column is left for a feature"));
    }
    let Rows { x, texts: [texts, group], lines } = file.rows(&features, [Some(target), groups])?;
    if let Some(row) = texts.iter().position(|text| is_missing(text)) {
        let message = format!("no value in the target column {:?}: remove the row", file.header[target]);
        return Err(file.error(Some(lines[row]), message));
    }
    let column = file.header[target].clone();
    let (kind, reason) = match columns.kind {
        Some(kind) => (kind, "as asked"),
        None => guess(&texts),
    };
    let (task, target) = match kind {
        Kind::Classification => {
            let labels = sorted_labels(&texts);
            if labels.len() < 2 {
                let message =
                    format!("all rows have the label {:?} in {column:?}: nothing to learn", labels[0]);
                return Err(file.error(None, message));
            }
            file.notes.push(format!("target {column:?}: {} classes ({reason})", labels.len()));
            let index: HashMap<&str, usize> = labels.iter().map(String::as_str).zip(0..).collect();
            let classes = texts.iter().map(|text| index[text.as_str()]).collect();
            (Task::Classification { target: column, labels }, Target::Classes(classes))
        }
        Kind::Regression => {
            file.notes.push(format!("target {column:?}: values, for regression ({reason})"));
            let values = file.values(&column, &texts, &lines)?;
            (Task::Regression { target: column }, Target::Values(values))
        }
    };
    let groups = file.groups(columns.groups.as_deref(), groups, group, lines.len())?;
    Ok(file.dataset(&features, x, task, target, groups))
}

/// What a further file of a model must hold: columns are found by name, in any order.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// The features, in the model's order.
    pub features: &'a [String],
    /// The target and what it means.
    pub task: &'a Task,
    /// Whether the target column may be absent, as it is where rows are to be predicted.
    pub target_optional: bool,
    /// As in [`Columns`].
    pub groups: Option<&'a str>,
}

/// Reads a file for known features and a known task; other columns are ignored.
///
/// # Errors
/// Every file that cannot be used, with line and column; a label that the task does not have.
pub fn read_like(path: impl AsRef<Path>, expected: Expected<'_>) -> Result<Dataset> {
    let Expected { features, task, target_optional, groups } = expected;
    let mut file = File::open(path.as_ref())?;
    let missing: Vec<&str> =
        features.iter().filter(|name| file.find(name).is_none()).map(String::as_str).collect();
    if !missing.is_empty() {
        let message = format!("the columns {missing:?} are missing: the model needs them as features");
        return Err(file.error(Some(1), message));
    }
    let columns: Vec<usize> = features.iter().filter_map(|name| file.find(name)).collect();
    let target = match file.find(task.target()) {
        None if target_optional => None,
        _ => Some(file.column(task.target(), "target")?),
    };
    let group_column = groups.and_then(|groups| file.find(groups));
    let ignored: Vec<&str> = (0..file.header.len())
        .filter(|column| !columns.contains(column) && ![target, group_column].contains(&Some(*column)))
        .map(|column| file.header[column].as_str())
        .collect();
    if !ignored.is_empty() {
        file.notes.push(format!("ignored the columns {ignored:?}: they are no features of the model"));
    }
    let Rows { x, texts: [targets, group], lines } = file.rows(&columns, [target, group_column])?;
    let target = match (target, task) {
        (None, _) => Target::Absent,
        (Some(_), Task::Regression { target }) => Target::Values(file.values(target, &targets, &lines)?),
        (Some(_), Task::Classification { target, labels }) => {
            let class = |(text, &line): (&String, &u64)| {
                labels.iter().position(|label| label == text).ok_or_else(|| {
                    let message =
                        format!("unknown label {text:?} in {target:?}: the known ones are {labels:?}");
                    file.error(Some(line), message)
                })
            };
            Target::Classes(targets.iter().zip(&lines).map(class).collect::<Result<_>>()?)
        }
    };
    let groups = file.groups(groups, group_column, group, lines.len())?;
    Ok(file.dataset(&columns, x, task.clone(), target, groups))
}

/// A file's bytes behind its header.
struct File {
    path: PathBuf,
    header: Vec<String>,
    reader: csv::Reader<std::io::Cursor<Vec<u8>>>,
    hash: String,
    notes: Vec<String>,
}

/// The data of a file.
struct Rows<const TEXTS: usize> {
    /// Shape (features × rows).
    x: DMatrix<f32>,
    /// The text columns asked for; empty where none was.
    texts: [Vec<String>; TEXTS],
    /// Where each row begins, from 1.
    lines: Vec<u64>,
}

impl File {
    fn open(path: &Path) -> Result<Self> {
        let mut bytes = Vec::new();
        let mut path = path.to_path_buf();
        if path.as_os_str() == "-" {
            path = "standard input".into();
            std::io::stdin().read_to_end(&mut bytes).map_err(Error::io(&path))?;
        } else {
            bytes = std::fs::read(&path).map_err(Error::io(&path))?;
        }
        let hash = Sha256::digest(&bytes).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        if bytes.starts_with(b"\xEF\xBB\xBF") {
            bytes.drain(..3);
        }
        let separator = separator(&bytes);
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(separator)
            .trim(csv::Trim::All)
            .from_reader(std::io::Cursor::new(bytes));
        let header = reader.headers().map_err(|error| of_csv(&path, error))?;
        let header = header.iter().map(str::to_owned).collect();
        let file = File { path, header, reader, hash, notes: Vec::new() };
        file.check_header()?;
        Ok(file)
    }

    fn check_header(&self) -> Result<()> {
        let header = &self.header;
        if header.iter().all(String::is_empty) {
            return Err(self.error(None, "the file is empty: a header and rows are needed"));
        }
        if let Some(column) = header.iter().position(String::is_empty) {
            return Err(self.error(Some(1), format!("column {} of the header has no name", column + 1)));
        }
        let mut seen = BTreeSet::new();
        if let Some(twice) = header.iter().find(|name| !seen.insert(*name)) {
            return Err(self.error(Some(1), format!("two columns are named {twice:?}: rename one")));
        }
        if header.iter().all(|name| name.parse::<f64>().is_ok()) {
            return Err(self.error(
                Some(1),
                "the first line holds numbers only: a header with the columns' names is needed",
            ));
        }
        Ok(())
    }

    fn find(&self, name: &str) -> Option<usize> {
        self.header.iter().position(|column| column == name)
    }

    fn column(&self, name: &str, what: &str) -> Result<usize> {
        self.find(name).ok_or_else(|| {
            let message = format!("no {what} column {name:?}: the columns are {:?}", self.header);
            self.error(Some(1), message)
        })
    }

    /// All rows: numbers of the columns `features`, texts of the others asked for.
    fn rows<const TEXTS: usize>(
        &mut self,
        features: &[usize],
        text_columns: [Option<usize>; TEXTS],
    ) -> Result<Rows<TEXTS>> {
        let (mut x, mut lines) = (Vec::new(), Vec::new());
        let mut texts = text_columns.map(|_| Vec::new());
        let mut record = StringRecord::new();
        let mut missing = 0usize;
        while self.reader.read_record(&mut record).map_err(|error| of_csv(&self.path, error))? {
            let line = record.position().map_or(0, csv::Position::line);
            for &column in features {
                let text = &record[column];
                let value = number(text).map_err(|problem| {
                    self.error(Some(line), format!("column {:?}: {text:?} {problem}", self.header[column]))
                })?;
                missing += usize::from(value.is_nan());
                x.push(value);
            }
            for (column, texts) in text_columns.into_iter().zip(&mut texts) {
                texts.extend(column.map(|column| record[column].to_owned()));
            }
            lines.push(line);
        }
        if lines.is_empty() {
            return Err(self.error(None, "only a header: rows are needed"));
        }
        if missing > 0 {
            self.notes
                .push(format!("{missing} missing values: the training mean of their feature is put in"));
        }
        let x = DMatrix::from_vec(features.len(), lines.len(), x);
        Ok(Rows { x, texts, lines })
    }

    /// The values of a target column.
    fn values(&self, column: &str, texts: &[String], lines: &[u64]) -> Result<Vec<f32>> {
        let value = |(text, &line): (&String, &u64)| match number(text) {
            Ok(value) if !value.is_nan() => Ok(value),
            _ => {
                let message =
                    format!("target {column:?}: {text:?} is not a number: is it --task classification?");
                Err(self.error(Some(line), message))
            }
        };
        texts.iter().zip(lines).map(value).collect()
    }

    /// The groups asked for: those of the column `own`, or of another file.
    fn groups(
        &self,
        asked: Option<&str>,
        column: Option<usize>,
        own: Vec<String>,
        rows: usize,
    ) -> Result<Option<Vec<String>>> {
        match (asked, column) {
            (Some(_), Some(_)) => Ok(Some(own)),
            (Some(path), None) => self.read_groups(path, rows).map(Some),
            (None, _) => Ok(None),
        }
    }

    /// Groups from a file of one column.
    fn read_groups(&self, path: &str, rows: usize) -> Result<Vec<String>> {
        if !Path::new(path).is_file() {
            let message =
                format!("no column and no file {path:?} for groups: the columns are {:?}", self.header);
            return Err(self.error(None, message));
        }
        let mut file = File::open(Path::new(path))?;
        if file.header.len() != 1 {
            return Err(file.error(Some(1), "a file of groups has one column"));
        }
        let Rows { texts: [groups], .. } = file.rows(&[], [Some(0)])?;
        if groups.len() != rows {
            let message = format!("{} groups for {rows} rows of {}", groups.len(), self.path.display());
            return Err(file.error(None, message));
        }
        Ok(groups)
    }

    fn dataset(
        self,
        features: &[usize],
        x: DMatrix<f32>,
        task: Task,
        target: Target,
        groups: Option<Vec<String>>,
    ) -> Dataset {
        let features = features.iter().map(|&column| self.header[column].clone()).collect();
        Dataset { features, x, task, target, groups, hash: self.hash, notes: self.notes }
    }

    fn error(&self, line: Option<u64>, message: impl Into<String>) -> Error {
        Error::Data { path: self.path.clone(), line, message: message.into() }
    }
}

/// The separator that the header has most of, outside quotes.
fn separator(bytes: &[u8]) -> u8 {
    let mut quoted = false;
    let mut counts = [(b',', 0), (b';', 0), (b'\t', 0)];
    for &byte in bytes.iter().take_while(|&&byte| byte != b'\n') {
        quoted ^= byte == b'"';
        for (separator, count) in &mut counts {
            *count += usize::from(byte == *separator && !quoted);
        }
    }
    let [first, rest @ ..] = counts;
    rest.into_iter().fold(first, |best, next| if next.1 > best.1 { next } else { best }).0
}

fn of_csv(path: &Path, error: csv::Error) -> Error {
    let line = error.position().map(csv::Position::line);
    let message = match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("{len} values, the header has {expected_len}")
        }
        csv::ErrorKind::Utf8 { .. } => "not UTF-8: save the file as UTF-8".into(),
        _ => error.to_string(),
    };
    Error::Data { path: path.to_path_buf(), line, message }
}

fn is_missing(text: &str) -> bool {
    matches!(text, "" | "?" | "NA" | "N/A" | "na" | "n/a" | "NaN" | "nan" | "NULL" | "null")
}

/// NaN where the value is missing.
fn number(text: &str) -> Result<f32, &'static str> {
    if is_missing(text) {
        return Ok(f32::NAN);
    }
    match text.parse::<f32>() {
        Ok(value) if value.is_finite() => Ok(value),
        Ok(_) => Err("is not a finite number"),
        Err(_) => Err("is not a number"),
    }
}

fn guess(texts: &[String]) -> (Kind, &'static str) {
    if texts.iter().any(|text| text.parse::<f64>().is_err()) {
        return (Kind::Classification, "guessed: it holds text");
    }
    if texts.iter().any(|text| text.parse::<i64>().is_err()) {
        return (Kind::Regression, "guessed: it holds fractions");
    }
    match texts.iter().collect::<BTreeSet<_>>().len() {
        0..=100 => (Kind::Classification, "guessed: it holds whole numbers; for values: --task regression"),
        _ => (Kind::Regression, "guessed: it holds more than 100 different whole numbers"),
    }
}

/// By number if all are whole numbers, else by text.
fn sorted_labels(texts: &[String]) -> Vec<String> {
    let mut labels: Vec<String> = texts.iter().cloned().collect::<BTreeSet<_>>().into_iter().collect();
    if labels.iter().all(|label| label.parse::<i64>().is_ok()) {
        labels.sort_by_key(|label| label.parse::<i64>().unwrap_or_default());
    }
    labels
}
