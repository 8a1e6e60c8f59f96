//! A data set from a CSV file.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use nalgebra::DMatrix;

use super::column_profile::{Style, Survey};
use super::encoding::{self, Encoding};
use super::file::File;
use super::{Dataset, Target, Text};
use crate::dataset::Task;
use crate::error::Result;

/// Contents of a target column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Labels.
    Classification,
    /// Values.
    Regression,
}

/// Columns of a file that are not features.
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
    /// Texts that stand for a missing value, beside the empty one, `NA`, `NaN`, `null` and `?`.
    pub missing: Vec<String>,
}

/// Reads a training file: CSV with a header, separated by commas, semicolons or tabs; `-` is standard input.
///
/// A column of numbers is a feature; a column of words is one feature a category, named `column=category`, or left out
/// where nothing can be learned from it, unless it is named as text. Rows without a target are left out.
///
/// # Errors
/// Every file that cannot be used, with line and column.
pub fn read(path: impl AsRef<Path>, columns: &Columns) -> Result<Dataset> {
    let mut file = File::open(path.as_ref(), &columns.missing)?;
    let target = match &columns.target {
        Some(name) => file.column(name, "target")?,
        None => file.named().next_back().unwrap_or_default(),
    };
    let groups = columns.groups.as_deref().and_then(|groups| file.find(groups));
    let texts = texts(&file, &columns.text, [Some(target), groups])?;
    let text = |column| texts.iter().any(|text| text.column() == column);
    let features: Vec<usize> =
        file.named().filter(|&column| column != target && Some(column) != groups && !text(column)).collect();
    if features.is_empty() && texts.is_empty() {
        return Err(file.error(Some(1), "no column is left for a feature"));
    }
    let (mut encodings, mut notes) = encoding::learn(&file, &features)?;
    // They may well be names: wavelengths, years.
    if !features.is_empty() && features.iter().all(|&column| file.header[column].parse::<f64>().is_ok()) {
        notes
            .push("the first line is taken as names, though it holds numbers: is the header missing?".into());
    }
    encodings.extend(texts);
    if encodings.is_empty() {
        return Err(file.error(None, format!("no column is left for a feature: {}", notes.join("; "))));
    }
    let rows = Rows::read(&mut file, &encodings, [Some(target), groups])?;
    let column = Column { name: file.header[target].clone(), texts: &rows.texts[0], lines: &rows.lines };
    let mut unlabelled = column.missing(&file);
    let (kind, reason) = match columns.kind {
        Some(kind) => (kind, "as asked"),
        None => column.guess(&file, &unlabelled),
    };
    if kind == Kind::Classification {
        // A word for missing numbers may well name a class.
        unlabelled.retain(|&row| !column.texts[row].eq_ignore_ascii_case("null"));
    }
    if unlabelled.len() == column.texts.len() {
        return Err(file.error(None, format!("no row has a value in the target column {:?}", column.name)));
    }
    let (task, target) = match kind {
        Kind::Classification => {
            let labels = column.labels(&file, &unlabelled)?;
            file.notes.push(format!("target {:?}: {} classes ({reason})", column.name, labels.len()));
            let classes = column.classes(&file, &labels, &unlabelled)?;
            (Task::Classification { target: column.name, labels }, Target::Classes(classes))
        }
        Kind::Regression => {
            file.notes.push(format!("target {:?}: values, for regression ({reason})", column.name));
            let values = column.values(&file, &unlabelled)?;
            (Task::Regression { target: column.name }, Target::Values(values))
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
    Ok(rows.dataset(file, &encodings, task, target, groups, &unlabelled))
}

/// The text columns, none of which is another one's or among `others`.
fn texts(file: &File, texts: &[Text], others: [Option<usize>; 2]) -> Result<Vec<Encoding>> {
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
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// The features, in the model's order.
    pub features: &'a [String],
    /// The target and what it means.
    pub task: &'a Task,
    /// True if the target may be absent, as in rows that are to be predicted.
    pub target_optional: bool,
    /// The column of groups, as in [`Columns`].
    pub groups: Option<&'a str>,
    /// Texts for missing values, as in [`Columns`].
    pub missing: &'a [String],
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
    let Expected { features, task, target_optional, groups, missing } = expected;
    let mut file = File::open(path, missing)?;
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
        .map(|column| file.header[column].as_str())
        .collect();
    if !ignored.is_empty() {
        let note = format!("ignored the columns {ignored:?}: they are no features of the model");
        file.notes.push(note);
    }
    file.notes.extend(notes);
    let rows = Rows::read(&mut file, &encodings, [target, group_column])?;
    let column = Column { name: task.target().to_owned(), texts: &rows.texts[0], lines: &rows.lines };
    let mut unlabelled = column.missing(&file);
    unlabelled.retain(|&row| !task.labels().contains(&column.texts[row]));
    let target = match (target, task) {
        (None, _) => Target::Absent,
        (Some(_), _) if target_optional && !unlabelled.is_empty() => {
            let rows = counted(unlabelled.len());
            file.notes.push(format!("{rows} without a value in the target column, which is ignored"));
            unlabelled.clear();
            Target::Absent
        }
        (Some(_), Task::Regression { .. }) => Target::Values(column.values(&file, &unlabelled)?),
        (Some(_), Task::Classification { labels, .. }) => {
            Target::Classes(column.classes(&file, labels, &unlabelled)?)
        }
    };
    if unlabelled.len() == rows.lines.len() {
        return Err(file.error(None, format!("no row has a value in the target column {:?}", column.name)));
    }
    let own = group_column.map(|_| rows.texts[1].clone());
    let groups = groups_of(&file, groups, own, &rows.lines)?;
    Ok(rows.dataset(file, &encodings, task.clone(), target, groups, &unlabelled))
}

/// The data of a file.
struct Rows<const TEXTS: usize> {
    /// Shape (features × rows).
    x: DMatrix<f32>,
    /// The text columns asked for; empty where none was.
    texts: [Vec<String>; TEXTS],
    /// Line on which each row begins, from 1.
    lines: Vec<u64>,
}

impl<const TEXTS: usize> Rows<TEXTS> {
    fn read(file: &mut File, encodings: &[Encoding], columns: [Option<usize>; TEXTS]) -> Result<Self> {
        let (mut x, mut lines) = (Vec::new(), Vec::new());
        let mut texts = columns.map(|_| Vec::new());
        let empty = file.each(|line, record| {
            for encoding in encodings {
                encoding.apply(file, record, &mut x);
            }
            for (column, texts) in columns.into_iter().zip(&mut texts) {
                texts.extend(column.map(|column| record[column].to_owned()));
            }
            lines.push(line);
            Ok(())
        })?;
        if empty > 0 {
            file.notes.push(format!("ignored {} without any value", counted(empty)));
        }
        let missing = x.iter().filter(|value| value.is_nan()).count();
        if missing > 0 {
            let values = if missing == 1 { "value" } else { "values" };
            let note = format!("{missing} missing {values}: the training mean of the feature is put in");
            file.notes.push(note);
        }
        Ok(Rows { x: DMatrix::from_vec(x.len() / lines.len().max(1), lines.len(), x), texts, lines })
    }

    fn dataset(
        self,
        file: File,
        encodings: &[Encoding],
        task: Task,
        target: Target,
        groups: Option<Vec<String>>,
        unlabelled: &[usize],
    ) -> Dataset {
        let features = encodings.iter().flat_map(|encoding| encoding.features(&file)).collect();
        let data = Dataset {
            features,
            x: self.x,
            task,
            target,
            groups,
            hash: file.hash,
            missing: file.missing,
            notes: file.notes,
        };
        if unlabelled.is_empty() {
            return data;
        }
        let labelled: Vec<usize> =
            (0..data.rows()).filter(|row| unlabelled.binary_search(row).is_err()).collect();
        let note = format!("left out {} without a value in the target column", counted(unlabelled.len()));
        Dataset { notes: [data.notes.as_slice(), &[note]].concat(), ..data.select(&labelled) }
    }
}

fn counted(rows: usize) -> String {
    format!("{rows} row{}", if rows == 1 { "" } else { "s" })
}

/// The target column.
struct Column<'a> {
    name: String,
    texts: &'a [String],
    lines: &'a [u64],
}

impl Column<'_> {
    /// Rows without a value, ascending.
    fn missing(&self, file: &File) -> Vec<usize> {
        (0..self.texts.len()).filter(|&row| file.is_missing(&self.texts[row])).collect()
    }

    /// Row, line and text of all rows but some, which are ascending.
    fn but<'a>(&'a self, rows: &'a [usize]) -> impl Iterator<Item = (usize, u64, &'a str)> {
        let all = self.texts.iter().zip(self.lines).enumerate();
        let all = all.map(|(row, (text, &line))| (row, line, text.as_str()));
        all.filter(|(row, ..)| rows.binary_search(row).is_err())
    }

    fn guess(&self, file: &File, unlabelled: &[usize]) -> (Kind, &'static str) {
        let Ok(style) = self.style(file, unlabelled) else {
            return (Kind::Classification, "guessed: it holds text");
        };
        let values = || self.but(unlabelled).map(|(.., text)| text);
        if style != Style::Plain || values().any(|text| text.parse::<i64>().is_err()) {
            return (Kind::Regression, "guessed: it holds fractions");
        }
        match values().collect::<BTreeSet<_>>().len() {
            0..=100 => {
                (Kind::Classification, "guessed: it holds whole numbers; for values: --task regression")
            }
            _ => (Kind::Regression, "guessed: it holds more than 100 different whole numbers"),
        }
    }

    fn style(&self, file: &File, unlabelled: &[usize]) -> Result<Style> {
        let mut survey = Survey::default();
        self.but(unlabelled).for_each(|(_, line, text)| survey.add(file, line, text));
        survey.style(file, &self.name)
    }

    /// The labels, by number if all are whole numbers, else by text.
    fn labels(&self, file: &File, unlabelled: &[usize]) -> Result<Vec<String>> {
        let labels: BTreeSet<&str> = self.but(unlabelled).map(|(.., text)| text).collect();
        let name = &self.name;
        if labels.len() > MOST_LABELS {
            let message = format!(
                "{} different labels in {name:?}, this program takes {MOST_LABELS}: is it the right --target, or \
                 is it --task regression?",
                labels.len()
            );
            return Err(file.error(None, message));
        }
        let mut labels: Vec<String> = labels.into_iter().map(str::to_owned).collect();
        if labels.len() < 2 {
            let message = format!("all rows have the label {:?} in {name:?}: nothing to learn", labels[0]);
            return Err(file.error(None, message));
        }
        if labels.iter().all(|label| label.parse::<i64>().is_ok()) {
            labels.sort_by_key(|label| label.parse::<i64>().unwrap_or_default());
        }
        Ok(labels)
    }

    /// Indices of labels; 0 for the rows left out.
    fn classes(&self, file: &File, labels: &[String], unlabelled: &[usize]) -> Result<Vec<usize>> {
        let index: HashMap<&str, usize> = labels.iter().map(String::as_str).zip(0..).collect();
        let mut classes = vec![0; self.texts.len()];
        for (row, line, text) in self.but(unlabelled) {
            classes[row] = *index.get(text).ok_or_else(|| {
                let name = &self.name;
                let message = format!("unknown label {text:?} in {name:?}: the known ones are {labels:?}");
                file.error(Some(line), message)
            })?;
        }
        Ok(classes)
    }

    /// Values; 0 for the rows left out.
    fn values(&self, file: &File, unlabelled: &[usize]) -> Result<Vec<f32>> {
        let style = self.style(file, unlabelled);
        let mut values = vec![0.0; self.texts.len()];
        for (row, line, text) in self.but(unlabelled) {
            let value = style.as_ref().map_or(Style::Plain, |style| *style).number(text);
            if !value.is_finite() {
                let name = &self.name;
                let message =
                    format!("target {name:?}: {text:?} is not a number: is it --task classification?");
                return Err(file.error(Some(line), message));
            }
            values[row] = value;
        }
        Ok(values)
    }
}

/// More labels than this are another kind of column, and one output each of a network for kilobytes.
const MOST_LABELS: usize = 1000;

/// The groups asked for: the file's `own`, or those of another file of one column.
fn groups_of(
    file: &File,
    asked: Option<&str>,
    own: Option<Vec<String>>,
    lines: &[u64],
) -> Result<Option<Vec<String>>> {
    let path = match (asked, own) {
        (None, _) => return Ok(None),
        (Some(column), Some(own)) => {
            // Rows of nobody are not all of one person.
            if let Some(row) = own.iter().position(|group| file.is_missing(group)) {
                return Err(file.error(Some(lines[row]), format!("no group in {column:?}: fill it in")));
            }
            return Ok(Some(own));
        }
        (Some(path), None) => path,
    };
    if !Path::new(path).is_file() {
        let message = format!("no column and no file {path:?} for groups: the columns are {:?}", file.header);
        return Err(file.error(None, message));
    }
    let other = File::open(Path::new(path), &[])?;
    if other.header.len() != 1 {
        return Err(other.error(Some(1), "a file of groups has one column"));
    }
    let mut groups = Vec::new();
    other.each(|_, record| {
        groups.push(record[0].to_owned());
        Ok(())
    })?;
    if groups.len() != lines.len() {
        let (groups, rows) = (groups.len(), lines.len());
        let message = format!("{groups} groups for {rows} rows of {}", file.path.display());
        return Err(other.error(None, message));
    }
    Ok(Some(groups))
}
