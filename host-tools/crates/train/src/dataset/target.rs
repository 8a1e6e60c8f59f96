//! A target column: its choice, its type, and its labels or values.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::Kind;
use crate::error::Result;
use crate::table::{Content, MOST_CATEGORIES, Table, is_number, is_placeholder, quoted};

/// More labels than this are another kind of column, and one output each of a network for kilobytes.
const MOST_LABELS: usize = 1000;

/// More different whole numbers than this are values.
const MOST_WHOLE_LABELS: usize = 100;

/// Names that say what a column is, wherever it stands.
const TARGET_NAMES: [&str; 10] =
    ["label", "labels", "class", "target", "y", "activity", "category", "outcome", "state", "species"];

/// The columns to be predicted: those that are asked for, or a column with a name that says so, or the last.
pub(super) fn choose(file: &mut Table, asked: &[String]) -> Result<Vec<usize>> {
    if asked.is_empty() {
        return Ok(vec![guess(file)?]);
    }
    let mut columns = Vec::new();
    for text in asked {
        // A name may hold a comma.
        let names = if file.find(text).is_some() { vec![text.as_str()] } else { text.split(',').collect() };
        for name in names {
            let column = file.column(name.trim(), "target")?;
            if columns.contains(&column) {
                return Err(file.error(None, format!("the target {:?} is named twice", name.trim())));
            }
            columns.push(column);
        }
    }
    Ok(columns)
}

/// The target of a file for which none is named.
fn guess(file: &mut Table) -> Result<usize> {
    let named: Vec<usize> = file.named().collect();
    let Some(&last) = named.last() else { return Ok(0) };
    let says_so =
        |column: usize| TARGET_NAMES.iter().any(|name| file.names[column].eq_ignore_ascii_case(name));
    let candidates: Vec<usize> = named.iter().copied().filter(|&column| says_so(column)).collect();
    if let [column] = candidates[..]
        && column != last
        && (matches!(file.content(column), Ok(Content::Words) | Err(_))
            || names_a_target(&file.names[column]))
    {
        let (name, other) = (file.names[column].clone(), quoted(&file.names[last]));
        file.notes.push(format!("target {name:?}, by its name; for the last column: --target {other}"));
        return Ok(column);
    }
    if matches!(file.content(last), Ok(Content::Times)) {
        let message = format!(
            "the last column, {:?}, holds dates or times: name the column to predict by --target",
            file.names[last]
        );
        return Err(file.error(None, message));
    }
    match labels_before_values(file, &named, last) {
        Some(labels) => {
            let message = format!(
                "the target is unclear: {:?} holds labels, and the last column, {:?}, holds values: give --target {} or --target {}",
                file.names[labels],
                file.names[last],
                quoted(&file.names[labels]),
                quoted(&file.names[last])
            );
            Err(file.error(None, message))
        }
        None => Ok(last),
    }
}

/// The only column of few words, if it stands where labels do in files that have them before what was measured: first, or
/// behind the numbers of rows. Without a header it may stand anywhere.
fn labels_before_values(file: &Table, named: &[usize], last: usize) -> Option<usize> {
    let is_words = |&column: &usize| file.content(column).is_ok_and(|content| content == Content::Words);
    let mut words = named.iter().copied().filter(is_words);
    let (column, None) = (words.next()?, words.next()) else { return None };
    let labels = file.profiles[column].texts.len();
    let leads = match named {
        _ if !file.has_header() => true,
        [first, ..] if *first == column => true,
        [_, second, ..] if *second == column => file.profiles[named[0]].is_unique(),
        _ => false,
    };
    let few = (2..=MOST_CATEGORIES).contains(&labels) && file.profiles[column].words >= 2 * labels;
    (leads && few && named.len() > 2 && file.profiles[last].has_fractions()).then_some(column)
}

/// Names that are never those of a sensor.
fn names_a_target(name: &str) -> bool {
    ["label", "labels", "class", "target"].iter().any(|known| name.eq_ignore_ascii_case(known))
}

/// The cells of the target column.
pub(super) struct TargetColumn<'a> {
    pub(super) name: String,
    pub(super) texts: &'a [String],
    pub(super) lines: &'a [u64],
    /// Column of the file.
    pub(super) column: usize,
}

impl TargetColumn<'_> {
    /// Rows without a value, ascending.
    pub(super) fn missing(&self, file: &Table) -> Vec<usize> {
        (0..self.texts.len()).filter(|&row| file.is_missing(&self.texts[row])).collect()
    }

    /// Rows whose cell holds no value in a column of numbers, ascending.
    pub(super) fn without_value(&self, file: &Table) -> Vec<usize> {
        (0..self.texts.len())
            .filter(|&row| file.is_missing(&self.texts[row]) || is_placeholder(&self.texts[row]))
            .collect()
    }

    /// Row, line and text of all rows but some, which are ascending.
    fn but<'a>(&'a self, rows: &'a [usize]) -> impl Iterator<Item = (usize, u64, &'a str)> {
        let all = self.texts.iter().zip(self.lines).enumerate();
        let all = all.map(|(row, (text, &line))| (row, line, text.as_str()));
        all.filter(|(row, ..)| rows.binary_search(row).is_err())
    }

    /// Returns true if most cells that are not missing are words.
    pub(super) fn holds_text(&self, file: &Table) -> bool {
        let profile = &file.profiles[self.column];
        profile.words > profile.numbers
    }

    /// Guesses labels or values, with the reason.
    ///
    /// # Errors
    /// A word among values.
    pub(super) fn guess(&self, file: &Table, unlabelled: &[usize]) -> Result<(Kind, String)> {
        let column = self.column;
        let profile = &file.profiles[column];
        let few_words = profile.words > 0
            && profile.words * 5 <= profile.numbers
            && profile.texts.len() > MOST_CATEGORIES;
        if few_words {
            let (line, text) = profile.first_word().clone().unwrap_or_default();
            let message = format!(
                "target {:?}: {text:?} is not a number, as {} others are: mend it, leave it empty, or give --missing {}; \
                 if the column holds labels, --task classification",
                self.name,
                profile.numbers,
                quoted(&text)
            );
            return Err(file.error(Some(line), message));
        }
        if profile.words > 0 || file.content(column)? == Content::Words {
            return Ok((Kind::Classification, "guessed: it holds text".into()));
        }
        let (notation, _) = file.numbers(column)?;
        if self.but(unlabelled).any(|(.., text)| notation.number(text).fract() != 0.0) {
            return Ok((Kind::Regression, "guessed: it holds fractions".into()));
        }
        Ok(match self.but(unlabelled).map(|(.., text)| label(text)).collect::<BTreeSet<_>>().len() {
            0..=MOST_WHOLE_LABELS => (
                Kind::Classification,
                "guessed: it holds whole numbers; for values: --task regression".into(),
            ),
            _ => (Kind::Regression, "guessed: it holds more than 100 different whole numbers".into()),
        })
    }

    /// The labels, by number if all are whole numbers, else by text.
    pub(super) fn labels(&self, file: &mut Table, unlabelled: &[usize]) -> Result<Vec<String>> {
        let mut counts = BTreeMap::<String, usize>::new();
        self.but(unlabelled).for_each(|(.., text)| *counts.entry(label(text)).or_default() += 1);
        let name = &self.name;
        if counts.len() > MOST_LABELS {
            let message = format!(
                "{} different labels in {name:?}, this program takes {MOST_LABELS}: is it the right --target, or \
                 is it --task regression?",
                counts.len()
            );
            return Err(file.error(None, message));
        }
        let mut labels: Vec<String> = counts.keys().cloned().collect();
        if labels.len() < 2 {
            let message = format!("all rows have the label {:?} in {name:?}: nothing to learn", labels[0]);
            return Err(file.error(None, message));
        }
        if labels.iter().all(|label| label.parse::<i64>().is_ok()) {
            labels.sort_by_key(|label| label.parse::<i64>().unwrap_or_default());
        }
        file.notes.extend(spelled_alike(name, &counts));
        Ok(labels)
    }

    /// Indices of labels; 0 for the rows left out.
    pub(super) fn classes(
        &self,
        file: &Table,
        labels: &[String],
        unlabelled: &[usize],
    ) -> Result<Vec<usize>> {
        let index: HashMap<&str, usize> = labels.iter().map(String::as_str).zip(0..).collect();
        let mut classes = vec![0; self.texts.len()];
        for (row, line, text) in self.but(unlabelled) {
            let found = index.get(text).or_else(|| index.get(label(text).as_str()));
            classes[row] = *found.ok_or_else(|| {
                let name = &self.name;
                let message = format!("unknown label {text:?} in {name:?}: the known ones are {labels:?}");
                file.error(Some(line), message)
            })?;
        }
        Ok(classes)
    }

    /// Texts that are none of the labels, each with its number of rows.
    pub(super) fn unknown(&self, labels: &[String], unlabelled: &[usize]) -> BTreeMap<String, usize> {
        let mut unknown = BTreeMap::new();
        for (.., text) in self.but(unlabelled) {
            if !labels.iter().any(|known| known == text || *known == label(text)) {
                *unknown.entry(text.to_owned()).or_default() += 1;
            }
        }
        unknown
    }

    /// Values; 0 for the rows left out.
    pub(super) fn values(&self, file: &Table, unlabelled: &[usize]) -> Result<Vec<f64>> {
        let (notation, _) =
            file.numbers(self.column).map_err(|error| self.no_value(file, unlabelled).unwrap_or(error))?;
        let mut values = vec![0.0; self.texts.len()];
        for (row, line, text) in self.but(unlabelled) {
            let value = notation.number(text);
            if !value.is_finite() {
                return Err(file.error(Some(line), self.not_a_number(text)));
            }
            values[row] = value;
        }
        Ok(values)
    }

    /// The error of the first cell that is no number in any notation.
    fn no_value(&self, file: &Table, unlabelled: &[usize]) -> Option<crate::error::Error> {
        let word = self.but(unlabelled).find(|(.., text)| !is_number(text));
        word.map(|(_, line, text)| file.error(Some(line), self.not_a_number(text)))
    }

    fn not_a_number(&self, text: &str) -> String {
        let name = &self.name;
        format!(
            "target {name:?}: {text:?} is not a number: mend it, leave it empty, or give --missing {}; is it --task classification?",
            quoted(text)
        )
    }
}

/// A label as it is known: `2.0` is 2.
pub(super) fn label(text: &str) -> String {
    match text.parse::<f64>() {
        Ok(number) if number.fract() == 0.0 && number.abs() < 1e15 && text.contains(['.', 'e', 'E']) => {
            format!("{}", number as i64)
        }
        _ => text.to_owned(),
    }
}

/// A warning of groups that may be one.
pub(super) fn groups_spelled_alike(column: &str, groups: &[String]) -> Option<String> {
    let mut counts = BTreeMap::<String, usize>::new();
    groups.iter().for_each(|group| *counts.entry(group.clone()).or_default() += 1);
    spelled_alike(column, &counts)
}

/// A warning of labels or groups that differ in case, spaces or punctuation only.
fn spelled_alike(column: &str, counts: &BTreeMap<String, usize>) -> Option<String> {
    let key = |text: &str| {
        text.chars().filter(|char| char.is_alphanumeric()).flat_map(char::to_lowercase).collect::<String>()
    };
    let mut alike = BTreeMap::<String, Vec<String>>::new();
    for (text, count) in counts.iter().filter(|(text, _)| text.chars().any(char::is_alphabetic)) {
        alike.entry(key(text)).or_default().push(format!("{text:?} ({count})"));
    }
    let alike: Vec<String> =
        alike.into_values().filter(|texts| texts.len() > 1).map(|texts| texts.join(" and ")).collect();
    (!alike.is_empty())
        .then(|| format!("WARNING: {column:?} has texts that differ in spelling only: {}", alike.join("; ")))
}
