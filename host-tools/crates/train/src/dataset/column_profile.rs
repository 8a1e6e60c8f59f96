//! Profile of a column's cells: numbers, in one of three notations, or words.

use std::collections::BTreeSet;

use super::file::File;
use crate::error::Result;

/// More different texts than this are no categories: identifiers, dates, free text.
pub(super) const MOST_CATEGORIES: usize = 32;

/// Notation of the numbers of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// `1234.5`
    Plain,
    /// `1234,5`
    DecimalComma,
    /// `1,234.5`
    Thousands,
}

impl Style {
    /// NaN for no number.
    pub(super) fn number(self, text: &str) -> f32 {
        let text = match self {
            Style::Plain => return text.parse().unwrap_or(f32::NAN),
            Style::DecimalComma => text.replace(',', "."),
            Style::Thousands => text.replace(',', ""),
        };
        text.parse().unwrap_or(f32::NAN)
    }
}

/// A cell worth a message.
type Place = Option<(u64, String)>;

/// A column's cells, counted.
#[derive(Debug, Default)]
pub(super) struct Survey {
    pub(super) missing: usize,
    pub(super) numbers: usize,
    pub(super) words: usize,
    first_word: Place,
    first_infinite: Place,
    first_comma: Place,
    not_decimal: bool,
    not_thousands: bool,
    /// The first number, and whether another one differs.
    number: Option<f32>,
    varies: bool,
    /// All texts, but no more than one above [`MOST_CATEGORIES`].
    pub(super) texts: BTreeSet<String>,
}

impl Survey {
    pub(super) fn add(&mut self, file: &File, line: u64, text: &str) {
        let place = || Some((line, text.to_owned()));
        if file.is_missing(text) {
            self.missing += 1;
            return;
        }
        if self.texts.len() <= MOST_CATEGORIES && !self.texts.contains(text) {
            self.texts.insert(text.to_owned());
        }
        match text.parse::<f32>() {
            Ok(number) => {
                self.numbers += 1;
                self.varies |= *self.number.get_or_insert(number) != number;
                if !number.is_finite() && self.first_infinite.is_none() {
                    self.first_infinite = place();
                }
            }
            Err(_) => match commas(text) {
                Some([decimal, thousands]) => {
                    self.numbers += 1;
                    self.varies = true;
                    self.not_decimal |= !decimal;
                    self.not_thousands |= !thousands;
                    self.first_comma = self.first_comma.take().or_else(place);
                }
                None => {
                    self.words += 1;
                    self.first_word = self.first_word.take().or_else(place);
                }
            },
        }
    }

    /// Returns true if the column has numbers, all of them equal.
    pub(super) fn is_constant(&self) -> bool {
        self.number.is_some() && !self.varies
    }

    /// The notation of numbers, for a column that must hold nothing else.
    pub(super) fn style(&self, file: &File, column: &str) -> Result<Style> {
        let error = |place: &Place, problem: &str| {
            let (line, text) = place.clone().unwrap_or_default();
            Err(file.error(Some(line), format!("column {column:?}: {text:?} {problem}")))
        };
        if self.first_word.is_some() {
            return error(&self.first_word, "is not a number: mend it, or leave it empty");
        }
        if self.first_infinite.is_some() {
            return error(&self.first_infinite, "is not a finite number");
        }
        // `1,234` may be both: what else the file separates by commas decides.
        match (self.first_comma.is_some(), self.not_decimal, self.not_thousands) {
            (false, ..) => Ok(Style::Plain),
            (_, false, true) => Ok(Style::DecimalComma),
            (_, true, false) => Ok(Style::Thousands),
            (_, false, false) if file.separator == b',' => Ok(Style::Thousands),
            (_, false, false) => Ok(Style::DecimalComma),
            (_, true, true) => error(&self.first_comma, "is a number with commas unlike those of other rows"),
        }
    }
}

/// Tells if a text with commas is a number with a decimal comma, and if it is one with separated thousands.
fn commas(text: &str) -> Option<[bool; 2]> {
    if !text.contains(',') {
        return None;
    }
    let decimal = text.matches(',').count() == 1 && Style::DecimalComma.number(text).is_finite();
    let whole = text.split('.').next().unwrap_or_default().trim_start_matches(['-', '+']);
    let mut blocks = whole.split(',');
    let first = blocks.next().is_some_and(|block| (1..=3).contains(&block.len()));
    let thousands =
        first && blocks.all(|block| block.len() == 3) && Style::Thousands.number(text).is_finite();
    (decimal || thousands).then_some([decimal, thousands])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_are_decimal_or_separate_thousands() {
        for (text, expected) in [
            ("1,5", Some([true, false])),
            ("-12345,678", Some([true, false])),
            ("1,234", Some([true, true])),
            ("-1,234.5", Some([false, true])),
            ("1,234,567", Some([false, true])),
            ("1,5 V", None),
            ("a,b", None),
            (",", None),
            ("12", None),
        ] {
            assert_eq!(commas(text), expected, "{text}");
        }
        assert_eq!(Style::Thousands.number("1,234.5"), 1234.5);
        assert_eq!(Style::DecimalComma.number("-1,5"), -1.5);
    }
}
