//! Encoding of columns as features: a number unchanged, a category as one-hot, a text as its n-grams.

use std::collections::{BTreeMap, BTreeSet};

use super::text::Text;
use crate::error::Result;
use crate::table::{Content, MOST_CATEGORIES, Notation, Record, Table, counted, quoted};

/// The features of one column.
pub(super) enum Encoding {
    /// One, with the column's name.
    Number { column: usize, notation: Notation },
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
    pub(super) fn features(&self, file: &Table) -> Vec<String> {
        let column = &file.names[self.column()];
        match self {
            Encoding::Number { .. } => vec![column.clone()],
            Encoding::Categories { names, .. } => {
                names.iter().map(|name| format!("{column}={name}")).collect()
            }
            Encoding::Text { text, .. } => (0..text.features).map(|index| text.name(index)).collect(),
        }
    }

    /// Gives a row's features to `feature`, in order; NaN for a missing number.
    pub(super) fn apply(&self, file: &Table, record: Record<'_>, mut feature: impl FnMut(f64)) {
        let text = &record[self.column()];
        match self {
            Encoding::Number { notation, .. } => feature(file.number(notation, text)),
            Encoding::Categories { names, .. } => {
                names.iter().for_each(|name| feature(f64::from(u8::from(name == text))));
            }
            Encoding::Text { text: how, .. } => how.apply(text).into_iter().map(f64::from).for_each(feature),
        }
    }
}

/// Learns how to encode `columns`, and what to tell of it.
///
/// A column of words is one of categories; among more numbers, a word is an error.
pub(super) fn learn(file: &Table, columns: &[usize]) -> Result<(Vec<Encoding>, Vec<String>)> {
    let mut encodings = Vec::new();
    let (mut categories, mut dropped, mut constant) = (Vec::new(), Vec::new(), Vec::new());
    let mut numbers = Vec::new();
    for &column in columns {
        let name = &file.names[column];
        let profile = &file.profiles[column];
        let different = profile.texts.len();
        match file.content(column)? {
            Content::Empty => dropped.push(format!("{name:?} (no value)")),
            Content::Times => dropped.push(format!("{name:?} (dates or times)")),
            Content::Numbers(notation, unit) => {
                if profile.is_constant() {
                    constant.push(name);
                }
                numbers.push((column, notation.clone(), unit));
                encodings.push(Encoding::Number { column, notation });
            }
            Content::Words => {
                let reason = if different > MOST_CATEGORIES {
                    format!("more than {MOST_CATEGORIES} different texts")
                } else if different == 1 && profile.missing == 0 {
                    "one text in all rows".into()
                } else if 2 * different > profile.values() {
                    "fewer than two rows per text".into()
                } else {
                    categories.push(format!("{name:?} ({different})"));
                    encodings.push(Encoding::Categories {
                        column,
                        names: profile.texts.keys().cloned().collect(),
                    });
                    continue;
                };
                if profile.is_mostly_digits() {
                    return Err(undecided(file, column));
                }
                dropped.push(format!("{name:?} ({reason})"));
            }
        }
    }
    let mut seen = BTreeSet::new();
    let features = encodings.iter().flat_map(|encoding| encoding.features(file));
    if let Some(twice) = features.into_iter().find(|feature| !seen.insert(feature.clone())) {
        return Err(file.error(Some(1), format!("{twice:?} is a column and a category: rename the column")));
    }
    let mut notes = Vec::new();
    let mut note = |found: bool, text: String| notes.extend(found.then_some(text));
    note(!categories.is_empty(), format!("categories, one feature per category: {}", categories.join(", ")));
    note(!constant.is_empty(), format!("constant columns, which do not count: {constant:?}"));
    note(!dropped.is_empty(), format!("left out, since nothing can be learned from: {}", dropped.join(", ")));
    notes.extend(notation_notes(file, &numbers));
    Ok((encodings, notes))
}

/// A column of words that are mostly digits is never left out in silence.
fn undecided(file: &Table, column: usize) -> crate::error::Error {
    let name = &file.names[column];
    let (line, text) = file.profiles[column].first_word().clone().unwrap_or_default();
    let message = format!(
        "column {name:?}: {text:?} is mostly digits, but no number: mend it, or leave the column out by --ignore {}",
        quoted(name)
    );
    file.error(Some(line), message)
}

/// Notes on numbers that are not written plainly.
pub(super) fn notation_notes(file: &Table, numbers: &[(usize, Notation, String)]) -> Vec<String> {
    let mut notes = Vec::new();
    let mut kinds = BTreeMap::<String, Vec<&str>>::new();
    for (column, notation, unit) in numbers {
        let name = file.names[*column].as_str();
        match notation {
            Notation::Hexadecimal => kinds.entry("hexadecimal numbers".into()).or_default().push(name),
            Notation::Decimal(layout) if file.profiles[*column].has_separators() => {
                if layout.decimal == ',' && layout.thousands.is_none() {
                    kinds.entry("numbers with a decimal comma".into()).or_default().push(name);
                }
                if let Some(thousands) = layout.thousands {
                    let mark = if thousands == ' ' { "spaces".into() } else { format!("`{thousands}`") };
                    let decimal = if layout.decimal == ',' { " and a decimal comma" } else { "" };
                    kinds
                        .entry(format!("numbers with {mark} between thousands{decimal}"))
                        .or_default()
                        .push(name);
                }
            }
            Notation::Decimal(_) => {}
        }
        if !unit.is_empty() {
            kinds.entry(format!("numbers without their unit {unit:?}")).or_default().push(name);
        }
        for (text, count) in file.profiles[*column].placeholders() {
            notes.push(format!(
                "{text:?} in {name:?} is taken for a missing value ({})",
                counted(*count, "row")
            ));
        }
    }
    notes.extend(kinds.into_iter().map(|(kind, names)| format!("{kind}: {names:?}")));
    notes
}

/// The encodings that give a model's `features`, in their order, and what to tell of it.
pub(super) fn find(file: &Table, features: &[String]) -> Result<(Vec<Encoding>, Vec<String>)> {
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
            encodings.push(Encoding::Number { column, notation: Notation::PLAIN });
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
    let mut numbers = Vec::new();
    for encoding in &mut encodings {
        if let Encoding::Number { column, notation } = encoding {
            let (found, unit) = file.numbers(*column)?;
            *notation = found.clone();
            numbers.push((*column, found, unit));
        }
    }
    let mut notes = notation_notes(file, &numbers);
    notes.extend(unknown(file, &encodings)?);
    Ok((encodings, notes))
}

/// Notes on categories that the model does not know.
fn unknown(file: &Table, encodings: &[Encoding]) -> Result<Vec<String>> {
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
        let column = &file.names[*column];
        format!("the model does not know the category {text:?} of {column:?} ({rows} rows): none is put in")
    };
    let mut notes: Vec<String> = rows.iter().take(10).map(note).collect();
    if rows.len() > 10 {
        notes.push(format!("and {} unknown categories more", rows.len() - 10));
    }
    Ok(notes)
}
