//! Encoding of columns as features: a number unchanged, a category as one-hot, a text as its n-grams.

use std::collections::{BTreeMap, BTreeSet};

use csv::StringRecord;

use super::column_profile::{MOST_CATEGORIES, Style, Survey};
use super::file::File;
use super::text::Text;
use crate::error::Result;

/// The features of one column.
pub(super) enum Encoding {
    /// One, with the column's name.
    Number { column: usize, style: Style },
    /// One a category, named `column=category`: 1 where the cell holds it, else 0. A cell that is missing or holds
    /// another text gives zeros only.
    Categories { column: usize, names: Vec<String> },
    /// Many. A cell that is empty gives zeros only.
    Text { column: usize, text: Text },
}

impl Encoding {
    pub(super) fn column(&self) -> usize {
        match self {
            Encoding::Number { column, .. }
            | Encoding::Categories { column, .. }
            | Encoding::Text { column, .. } => *column,
        }
    }

    /// Names of the features.
    pub(super) fn features(&self, file: &File) -> Vec<String> {
        let column = &file.header[self.column()];
        match self {
            Encoding::Number { .. } => vec![column.clone()],
            Encoding::Categories { names, .. } => {
                names.iter().map(|name| format!("{column}={name}")).collect()
            }
            Encoding::Text { text, .. } => (0..text.features).map(|index| text.name(index)).collect(),
        }
    }

    /// Adds a row's features; NaN for a missing number.
    pub(super) fn apply(&self, file: &File, record: &StringRecord, features: &mut Vec<f32>) {
        let text = &record[self.column()];
        match self {
            Encoding::Number { .. } if file.is_missing(text) => features.push(f32::NAN),
            Encoding::Number { style, .. } => features.push(style.number(text)),
            Encoding::Categories { names, .. } => {
                features.extend(names.iter().map(|name| f32::from(u8::from(name == text))));
            }
            Encoding::Text { text: how, .. } => how.apply(text, features),
        }
    }
}

fn surveys(file: &File, columns: &[usize]) -> Result<Vec<Survey>> {
    let mut surveys: Vec<Survey> = columns.iter().map(|_| Survey::default()).collect();
    file.each(|line, record| {
        for (survey, &column) in surveys.iter_mut().zip(columns) {
            survey.add(file, line, &record[column]);
        }
        Ok(())
    })?;
    if surveys.first().is_some_and(|first| first.missing + first.numbers + first.words == 0) {
        return Err(file.error(None, "only a header: rows are needed"));
    }
    Ok(surveys)
}

/// Learns how to encode `columns`, and what to tell of it.
///
/// A column of words is one of categories; among more numbers, a word is an error.
pub(super) fn learn(file: &File, columns: &[usize]) -> Result<(Vec<Encoding>, Vec<String>)> {
    let mut encodings = Vec::new();
    let (mut categories, mut dropped, mut constant) = (Vec::new(), Vec::new(), Vec::new());
    let (mut decimal, mut thousands) = (Vec::new(), Vec::new());
    for (survey, &column) in surveys(file, columns)?.into_iter().zip(columns) {
        let name = &file.header[column];
        let different = survey.texts.len();
        if survey.numbers + survey.words == 0 {
            dropped.push(format!("{name:?} (no value)"));
        } else if survey.words <= survey.numbers {
            let style = survey.style(file, name)?;
            match style {
                Style::Plain => {}
                Style::DecimalComma => decimal.push(name),
                Style::Thousands => thousands.push(name),
            }
            if survey.is_constant() {
                constant.push(name);
            }
            encodings.push(Encoding::Number { column, style });
        } else if different > MOST_CATEGORIES {
            dropped.push(format!("{name:?} (more than {MOST_CATEGORIES} different texts)"));
        } else if different == 1 && survey.missing == 0 {
            dropped.push(format!("{name:?} (one text in all rows)"));
        } else if 2 * different > survey.numbers + survey.words {
            dropped.push(format!("{name:?} (fewer than two rows a text)"));
        } else {
            categories.push(format!("{name:?} ({different})"));
            encodings.push(Encoding::Categories { column, names: survey.texts.into_iter().collect() });
        }
    }
    let mut seen = BTreeSet::new();
    let features = encodings.iter().flat_map(|encoding| encoding.features(file));
    if let Some(twice) = features.into_iter().find(|feature| !seen.insert(feature.clone())) {
        return Err(file.error(Some(1), format!("{twice:?} is a column and a category: rename the column")));
    }
    let mut notes = Vec::new();
    let mut note = |found: bool, text: String| notes.extend(found.then_some(text));
    note(!categories.is_empty(), format!("categories, a feature each: {}", categories.join(", ")));
    note(!decimal.is_empty(), format!("numbers with a decimal comma: {decimal:?}"));
    note(!thousands.is_empty(), format!("numbers with commas between thousands: {thousands:?}"));
    note(!constant.is_empty(), format!("constant columns, which do not count: {constant:?}"));
    note(!dropped.is_empty(), format!("left out, since nothing can be learned from: {}", dropped.join(", ")));
    Ok((encodings, notes))
}

/// The encodings that give a model's `features`, in their order, and what to tell of it.
pub(super) fn find(file: &File, features: &[String]) -> Result<(Vec<Encoding>, Vec<String>)> {
    let mut encodings = Vec::new();
    let mut missing = BTreeSet::new();
    let mut rest = features;
    while let [feature, others @ ..] = rest {
        if let Some((text, all)) = Text::first(rest) {
            rest = all;
            match file.find(&text.column) {
                Some(column) => encodings.push(Encoding::Text { column, text }),
                None => _ = missing.insert(text.column),
            }
            continue;
        }
        rest = others;
        if let Some(column) = file.find(feature) {
            encodings.push(Encoding::Number { column, style: Style::Plain });
            continue;
        }
        let column = feature.match_indices('=').find_map(|(at, _)| Some((file.find(&feature[..at])?, at)));
        let Some((column, at)) = column else {
            missing.insert(feature.split('=').next().unwrap_or(feature).to_owned());
            continue;
        };
        let name = feature[at + 1..].to_owned();
        match encodings.last_mut() {
            Some(Encoding::Categories { column: last, names }) if *last == column => names.push(name),
            _ => encodings.push(Encoding::Categories { column, names: vec![name] }),
        }
    }
    if !missing.is_empty() {
        let missing = missing.into_iter().collect::<Vec<_>>();
        let message = format!("the columns {missing:?} are missing: the model needs them as features");
        return Err(file.error(Some(1), message));
    }
    let columns: Vec<usize> = encodings.iter().map(Encoding::column).collect();
    for (encoding, survey) in encodings.iter_mut().zip(surveys(file, &columns)?) {
        if let Encoding::Number { column, style } = encoding {
            *style = survey.style(file, &file.header[*column])?;
        }
    }
    let notes = unknown(file, &encodings)?;
    Ok((encodings, notes))
}

/// Notes on categories that the model does not know.
fn unknown(file: &File, encodings: &[Encoding]) -> Result<Vec<String>> {
    let mut rows = BTreeMap::<(usize, String), usize>::new();
    if encodings.iter().any(|encoding| matches!(encoding, Encoding::Categories { .. })) {
        file.each(|_, record| {
            for encoding in encodings {
                if let Encoding::Categories { column, names } = encoding
                    && let text = &record[*column]
                    && !file.is_missing(text)
                    && !names.iter().any(|name| name == text)
                {
                    *rows.entry((*column, text.to_owned())).or_default() += 1;
                }
            }
            Ok(())
        })?;
    }
    let note = |((column, text), rows): (&(usize, String), &usize)| {
        let column = &file.header[*column];
        format!("the model does not know the category {text:?} of {column:?} ({rows} rows): none is put in")
    };
    let mut notes: Vec<String> = rows.iter().take(10).map(note).collect();
    if rows.len() > 10 {
        notes.push(format!("and {} unknown categories more", rows.len() - 10));
    }
    Ok(notes)
}
