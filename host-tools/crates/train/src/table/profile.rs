//! Profile of a column: counts of its cells by kind, and the kind of column that follows from them.

use std::collections::BTreeMap;

use super::notation::{self, Layout, Layouts, Notation, is_known_unit};
use super::{Options, time};

/// Columns with more different texts than this are no categories: identifiers, dates, free text.
pub(crate) const MOST_CATEGORIES: usize = 32;

/// Returns true for a cell that holds no value in any column.
pub(crate) fn is_missing(text: &str) -> bool {
    // Most cells are numbers.
    !text.starts_with(|first: char| first.is_ascii_digit())
        && text.len() <= 4
        && (matches!(text, "" | "?")
            || ["na", "n/a", "nan", "-nan", "null", "#n/a", "#na", "<na>"]
                .iter()
                .any(|mark| text.eq_ignore_ascii_case(mark)))
}

/// Returns true for a cell that holds no value in a column of numbers; in a column of words it is a word.
pub(crate) fn is_placeholder(text: &str) -> bool {
    const PLACEHOLDERS: [&str; 16] = [
        "-",
        "--",
        "---",
        ".",
        "..",
        "none",
        "nil",
        "missing",
        "undefined",
        "\\N",
        "#DIV/0!",
        "#NUM!",
        "#VALUE!",
        "#REF!",
        "#NAME?",
        "n.a.",
    ];
    text.len() <= 9 && PLACEHOLDERS.iter().any(|mark| text.eq_ignore_ascii_case(mark))
}

/// A cell worth a message: its line and its text.
pub(crate) type Place = Option<(u64, String)>;

/// Counts of a column's cells.
#[derive(Clone, Debug)]
pub(crate) struct Profile {
    pub(crate) missing: usize,
    pub(crate) numbers: usize,
    pub(crate) words: usize,
    times: usize,
    /// Cells of [`is_placeholder`], which count as nothing else.
    placeholders: BTreeMap<String, usize>,
    /// Notations in which all numbers are numbers.
    layouts: Layouts,
    /// Their units, each with its count; no more than three.
    units: BTreeMap<String, usize>,
    first_word: Place,
    first_unit: Place,
    first_infinite: Place,
    /// The first number that has no notation in common with those before it.
    first_odd: Place,
    /// The first number with a separator.
    first_separated: Place,
    /// All texts with their counts, but no more than one above [`MOST_CATEGORIES`].
    pub(crate) texts: BTreeMap<String, usize>,
    /// Words and times of which most is digits.
    mostly_digits: usize,
}

/// Kind of a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    /// It holds no value.
    Empty,
    /// Numbers, with this unit behind them if it is not empty.
    Numbers(Notation, String),
    /// Dates and times of day.
    Times,
    /// Words.
    Words,
}

/// The decimal separator of a file's numbers, as far as columns that leave no doubt tell it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Evidence {
    point: bool,
    comma: bool,
}

impl Default for Profile {
    fn default() -> Self {
        Profile {
            missing: 0,
            numbers: 0,
            words: 0,
            times: 0,
            placeholders: BTreeMap::new(),
            layouts: Layouts::ALL,
            units: BTreeMap::new(),
            first_word: None,
            first_unit: None,
            first_infinite: None,
            first_odd: None,
            first_separated: None,
            texts: BTreeMap::new(),
            mostly_digits: 0,
        }
    }
}

impl Profile {
    pub(crate) fn add(&mut self, options: &Options, line: u64, text: &str) {
        if is_missing(text) || options.is_missing(text) {
            self.missing += 1;
            return;
        }
        if self.texts.len() <= MOST_CATEGORIES {
            match self.texts.get_mut(text) {
                Some(count) => *count += 1,
                None => _ = self.texts.insert(text.to_owned(), 1),
            }
        }
        let place = || Some((line, text.to_owned()));
        if let Some(number) = notation::number(text) {
            self.numbers += 1;
            let layouts = number.layouts.and(self.layouts);
            if layouts.is_empty() {
                if self.first_odd.is_none() {
                    self.first_odd = place();
                }
            } else {
                self.layouts = layouts;
            }
            // Whole numbers without any separator are the most frequent.
            if self.first_separated.is_none() && !number.layouts.is_whole() && text.contains(['.', ',']) {
                self.first_separated = place();
            }
            if number.plain.is_some_and(|plain| !(plain as f32).is_finite()) && self.first_infinite.is_none()
            {
                self.first_infinite = place();
            }
            if !number.unit.is_empty() && (self.units.len() < 3 || self.units.contains_key(number.unit)) {
                *self.units.entry(number.unit.to_owned()).or_default() += 1;
                self.first_unit = self.first_unit.take().or_else(place);
            }
            return;
        }
        if is_placeholder(text) {
            *self.placeholders.entry(text.to_owned()).or_default() += 1;
            return;
        }
        if time::is_time(text) {
            self.times += 1;
            return;
        }
        self.words += 1;
        self.first_word = self.first_word.take().or_else(place);
        let digits = text.bytes().filter(u8::is_ascii_digit).count();
        let starts = text
            .trim_start_matches(['-', '+', '<', '>', '~', '=', ' '])
            .starts_with(|first: char| first.is_ascii_digit());
        self.mostly_digits += usize::from(starts && digits * 2 >= text.len());
    }

    /// Number of cells that hold something.
    pub(crate) fn values(&self) -> usize {
        self.numbers + self.words + self.times + self.placeholders.values().sum::<usize>()
    }

    /// Returns true if the column has values, all of them equal.
    pub(crate) fn is_constant(&self) -> bool {
        self.texts.len() == 1
    }

    /// Returns true if no text is there twice, as far as they were kept: numbers of rows, identifiers.
    pub(crate) fn is_unique(&self) -> bool {
        self.texts.values().all(|&count| count == 1)
    }

    /// Returns true if its texts are mostly digits, so that it may be meant as numbers.
    pub(crate) fn is_mostly_digits(&self) -> bool {
        self.mostly_digits * 2 > self.words
    }

    /// Returns true if a number has a separator, or may have one.
    pub(crate) fn has_separators(&self) -> bool {
        self.first_separated.is_some() || !self.layouts.is_whole()
    }

    /// Returns true if a number has a fraction, as far as separators tell it.
    pub(crate) fn has_fractions(&self) -> bool {
        self.first_separated.is_some()
    }

    /// Cells that hold no value in a column of numbers, with their counts.
    pub(crate) fn placeholders(&self) -> &BTreeMap<String, usize> {
        &self.placeholders
    }

    /// The first cell that is a word, with its line.
    pub(crate) fn first_word(&self) -> &Place {
        &self.first_word
    }

    /// Adds this column's evidence on the decimal separator.
    pub(crate) fn testify(&self, evidence: &mut Evidence) {
        if self.numbers == 0 || self.first_separated.is_none() || self.words > self.numbers {
            return;
        }
        let decimal = |mark| self.layouts.iter().any(|layout| layout.decimal == mark);
        match (decimal('.'), decimal(',')) {
            (true, false) => evidence.point = true,
            (false, true) => evidence.comma = true,
            _ => {}
        }
    }

    /// Kind of the column; an error, with the line where it is known, for numbers that cannot be read without a doubt.
    pub(crate) fn content(
        &self,
        options: &Options,
        evidence: Evidence,
    ) -> Result<Content, (Option<u64>, String)> {
        if self.numbers + self.words + self.times == 0 {
            return Ok(if self.placeholders.is_empty() { Content::Empty } else { Content::Words });
        }
        if self.words + self.numbers == 0 {
            return Ok(Content::Times);
        }
        if self.words + self.times > self.numbers || self.are_categories_with_digits() {
            return Ok(Content::Words);
        }
        self.numbers(options, evidence).map(|(notation, unit)| Content::Numbers(notation, unit))
    }

    /// Returns true for few texts such as `2D` and `3D`, whose letters are no unit that is known.
    fn are_categories_with_digits(&self) -> bool {
        let units: usize = self.units.values().sum();
        units == self.numbers
            && units > 0
            && self.units.keys().all(|unit| !is_known_unit(unit))
            && (self.units.len() > 1 || self.texts.len() <= MOST_CATEGORIES)
    }

    /// The notation and the unit, for a column that must hold numbers only.
    pub(crate) fn numbers(
        &self,
        options: &Options,
        evidence: Evidence,
    ) -> Result<(Notation, String), (Option<u64>, String)> {
        let error = |place: &Place, problem: String| {
            let (line, text) = place.clone().unwrap_or_default();
            Err((Some(line), format!("{text:?} {problem}")))
        };
        if let Some((line, word)) = &self.first_word {
            return Err((Some(*line), not_a_number(word)));
        }
        if self.times > 0 {
            return Err((
                None,
                "numbers and times stand in one column: divide it, or leave it out by --ignore".into(),
            ));
        }
        if let Some((_, text)) = &self.first_infinite {
            let finite = text.parse::<f64>().is_ok_and(f64::is_finite);
            let problem = if finite { "is beyond the range of an f32" } else { "is not a finite number" };
            return error(
                &self.first_infinite,
                format!("{problem}: mend it, or give --missing {}", quoted(text)),
            );
        }
        if let Some((line, text)) = &self.first_odd {
            let problem = "is written unlike the numbers above it: use one notation in the column, or leave it out by --ignore";
            return Err((Some(*line), format!("{text:?} {problem}")));
        }
        let unit = self.unit()?;
        if self.layouts.is_hexadecimal() {
            return Ok((Notation::Hexadecimal, unit));
        }
        let layouts = self.layouts.only(options.decimal, options.thousands);
        if layouts.is_empty() {
            return error(&self.first_separated, "does not fit --decimal or --thousands".into());
        }
        self.layout(layouts, evidence, options).map(|layout| (Notation::Decimal(layout), unit))
    }

    /// One layout, of those that are left: with one decimal separator they all give the same numbers.
    fn layout(
        &self,
        layouts: Layouts,
        evidence: Evidence,
        options: &Options,
    ) -> Result<Layout, (Option<u64>, String)> {
        let with = |decimal| layouts.iter().find(|layout| layout.decimal == decimal);
        let asked =
            options.thousands.and_then(|mark| layouts.iter().find(|layout| layout.thousands == Some(mark)));
        let (point, comma) = match (with('.'), with(','), asked, &self.first_separated) {
            (_, _, Some(layout), _)
            | (Some(layout), None, ..)
            | (None, Some(layout), ..)
            | (Some(layout), _, _, None) => return Ok(layout),
            (Some(point), Some(comma), None, Some(_)) => (point, comma),
            (None, None, ..) => return Ok(Layout { decimal: '.', thousands: None }),
        };
        match (evidence.point, evidence.comma) {
            (true, false) => return Ok(point),
            (false, true) => return Ok(comma),
            // 1.018 is a plain number, unless others of the file say that its point is none.
            _ if point.thousands.is_none() => return Ok(point),
            _ => {}
        }
        let (line, text) = self.first_separated.clone().unwrap_or_default();
        let value = |layout| Notation::Decimal(layout).number(&text);
        let message = format!(
            "{text:?} may be {} or {}: give --decimal , or --thousands ,",
            value(comma),
            value(point)
        );
        Err((Some(line), message))
    }

    fn unit(&self) -> Result<String, (Option<u64>, String)> {
        let units: Vec<&String> = self.units.keys().collect();
        match units[..] {
            [] => Ok(String::new()),
            [unit] => {
                let without = self.numbers - self.units[unit];
                if without > 0 && !is_known_unit(unit) {
                    let (line, text) = self.first_unit.clone().unwrap_or_default();
                    return Err((Some(line), not_a_number(&text)));
                }
                if without > 0 && unit == "%" {
                    return Err((
                        None,
                        format!("{without} numbers have no `%`, the others have one: write all alike"),
                    ));
                }
                Ok(unit.clone())
            }
            [one, other, ..] => Err((
                None,
                format!("numbers in {one:?} and in {other:?} stand in one column: convert them to one unit"),
            )),
        }
    }
}

fn not_a_number(text: &str) -> String {
    format!("{text:?} is not a number: mend it, leave it empty, or give --missing {}", quoted(text))
}

/// Quotes a text for a shell.
pub(crate) fn quoted(text: &str) -> String {
    let plain =
        |char: char| char.is_alphanumeric() || matches!(char, '-' | '_' | '.' | ',' | '+' | '/' | ':' | '%');
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}
