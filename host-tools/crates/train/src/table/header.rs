//! The first records of a text: names of columns, units, or already rows.

use csv::StringRecord;

use super::notation::{self, is_known_unit};
use super::profile::{is_missing, is_placeholder};
use super::time;

/// Kind of the first record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Header {
    /// Names of the columns.
    Names,
    /// A row.
    Row,
    /// Either of them, for this reason.
    Unclear(String),
}

/// Contents of a column below the first record.
enum Body {
    Numbers { fractions: bool },
    Times,
    Words,
}

/// Evidence from one cell of the first record.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Vote {
    /// A word above numbers.
    Name,
    /// A word that no row below has, above words that repeat.
    MayBeName,
    /// A number above numbers, a word that rows below have.
    Value,
    /// A whole number above fractions: a name such as a wavelength or a year, or a value.
    Whole,
    None,
}

/// Compares the first record with those below it.
pub(crate) fn header(first: &StringRecord, rows: &[StringRecord]) -> Header {
    if rows.is_empty() {
        return Header::Names;
    }
    // A header may stand in the middle once more, where files were joined.
    let others: Vec<StringRecord> = rows.iter().filter(|row| *row != first).cloned().collect();
    let rows = if others.is_empty() { rows } else { &others };
    let votes: Vec<Vote> =
        first.iter().enumerate().map(|(column, cell)| vote(cell, &cells(rows, column))).collect();
    let count = |vote| votes.iter().filter(|&&other| other == vote).count();
    let numbers: Vec<f64> = first
        .iter()
        .filter_map(|cell| cell.parse::<f64>().ok())
        .filter(|number| number.fract() == 0.0)
        .collect();
    let (names, may_be, mut values, whole) =
        (count(Vote::Name), count(Vote::MayBeName), count(Vote::Value), count(Vote::Whole));
    let words = first.len() > numbers.len() && values < first.len();
    let counting = is_counting(&numbers);
    if counting && (whole > 0 || words) {
        // 0, 1, 2 or 2019, 2020: names that count.
        let number = |(vote, cell): (&Vote, &str)| *vote == Vote::Value && cell.parse::<f64>().is_ok();
        values -= votes.iter().zip(first.iter()).filter(|&pair| number(pair)).count();
        if values == 0 {
            return Header::Names;
        }
    }
    let example = |vote| {
        votes.iter().position(|&other| other == vote).and_then(|column| first.get(column)).unwrap_or_default()
    };
    match (names, values) {
        (0, 0) if whole > 0 && may_be == 0 => Header::Unclear(format!(
            "its numbers are whole and those below are not: {:?} may be a name or a value",
            example(Vote::Whole)
        )),
        (_, 0) => Header::Names,
        // The name of a column of words may be one of its words: `fault`, above ok and fault.
        (2.., _) if !has_value_above_numbers(first, rows, &votes) => Header::Names,
        (0, _) if counting && numbers.len() == first.len() => {
            Header::Unclear("its numbers count, as names may, but numbers below are as whole".into())
        }
        (0, _) => Header::Row,
        _ => Header::Unclear(format!(
            "{:?} reads as a name, {:?} as a value",
            example(Vote::Name),
            example(Vote::Value)
        )),
    }
}

/// Returns true if a number or a time of the first record stands above numbers or times.
fn has_value_above_numbers(first: &StringRecord, rows: &[StringRecord], votes: &[Vote]) -> bool {
    let columns =
        first.iter().enumerate().zip(votes).filter(|(_, vote)| matches!(vote, Vote::Value | Vote::Whole));
    columns.into_iter().any(|((column, _), _)| !matches!(body(&cells(rows, column)), Body::Words))
}

/// Returns true if a record holds the units or types of the columns, not a row: every column of numbers has a unit, or
/// none, and no number.
pub(crate) fn is_units(record: &StringRecord, rows: &[StringRecord]) -> bool {
    let mut units = 0;
    for (column, cell) in record.iter().enumerate() {
        let below = cells(rows, column);
        if below.is_empty() || !matches!(body(&below), Body::Numbers { .. }) {
            continue;
        }
        if is_missing(cell) {
            continue;
        }
        if !is_unit(cell) {
            return false;
        }
        units += 1;
    }
    units > 0
}

fn is_unit(cell: &str) -> bool {
    const TYPES: [&str; 10] =
        ["float", "double", "real", "int", "integer", "number", "numeric", "continuous", "c", "-"];
    let inner = [('(', ')'), ('[', ']'), ('{', '}'), ('<', '>')]
        .into_iter()
        .find_map(|(open, close)| cell.strip_prefix(open)?.strip_suffix(close));
    inner.is_some_and(|inner| notation::number(inner).is_none())
        || notation::number(cell).is_none()
            && (is_known_unit(cell) || TYPES.contains(&cell.to_ascii_lowercase().as_str()) || cell == "g")
}

/// The cells of a column that hold something.
fn cells(rows: &[StringRecord], column: usize) -> Vec<&str> {
    rows.iter()
        .filter_map(|row| row.get(column))
        .filter(|cell| !is_missing(cell) && !is_placeholder(cell))
        .collect()
}

fn body(below: &[&str]) -> Body {
    let most = |count: usize| count * 5 >= below.len() * 4;
    let numbers = below.iter().filter(|cell| notation::number(cell).is_some()).count();
    if most(numbers) {
        let fractions = below.iter().filter(|cell| cell.contains(['.', ','])).count();
        return Body::Numbers { fractions: most(fractions) };
    }
    if most(below.iter().filter(|cell| time::is_time(cell)).count()) { Body::Times } else { Body::Words }
}

fn vote(cell: &str, below: &[&str]) -> Vote {
    if below.is_empty() || cell.is_empty() {
        return Vote::None;
    }
    let number = notation::number(cell).is_some();
    match body(below) {
        Body::Numbers { .. } if is_missing(cell) || is_placeholder(cell) => Vote::None,
        Body::Numbers { fractions: true } if number && cell.bytes().all(|byte| byte.is_ascii_digit()) => {
            Vote::Whole
        }
        Body::Numbers { .. } if number => Vote::Value,
        Body::Times if time::is_time(cell) => Vote::Value,
        Body::Numbers { .. } | Body::Times => Vote::Name,
        Body::Words if below.contains(&cell) => Vote::Value,
        Body::Words => {
            let different: std::collections::BTreeSet<&&str> = below.iter().collect();
            if different.len() * 2 <= below.len() { Vote::MayBeName } else { Vote::None }
        }
    }
}

/// Returns true for numbers with equal steps between them, as names may have them: three or more, or two years.
fn is_counting(numbers: &[f64]) -> bool {
    let steps: Vec<f64> = numbers.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let equal = steps.first().is_some_and(|&step| step != 0.0 && steps.iter().all(|&other| other == step));
    equal && (numbers.len() > 2 || numbers.iter().all(|number| (1900.0..2100.0).contains(number)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(lines: &[&str]) -> Vec<StringRecord> {
        lines.iter().map(|line| line.split(',').collect()).collect()
    }

    fn of(lines: &[&str]) -> Header {
        let records = records(lines);
        header(&records[0], &records[1..])
    }

    #[test]
    fn the_first_record_is_compared_with_those_below() {
        for lines in [
            ["ax,label", "1.5,a", "2.5,b", "2.5,b"].as_slice(),
            &["0,1,2", "0.5,1.5,0", "0.25,0.5,1"],
            &["country,2019,2020", "fr,5,6", "de,7,8"],
            &["0,1,2,label", "0.5,1.5,3,a", "0.2,1.1,3,a"],
            &["dir,level", "n,lo", "s,hi", "n,hi", "s,lo"],
            &["dir,level", "n,lo", "s,hi", "dir,level", "n,hi", "s,lo"],
            &["a,b,fault", "1.5,2.5,ok", "2.5,1,fault", "2.5,2,ok"],
            &["a,b"],
        ] {
            assert_eq!(of(lines), Header::Names, "{lines:?}");
        }
        for lines in [
            ["M,0.5,14", "F,0.6,14", "M,0.3,8"].as_slice(),
            &["vhigh,vhigh,2,unacc", "vhigh,high,3,acc", "low,vhigh,2,unacc"],
            &["0,0,1", "1,0,0", "2,1,0", "3,1,1"],
            &["2024-05-01,1.5", "2024-05-02,2.5"],
        ] {
            assert_eq!(of(lines), Header::Row, "{lines:?}");
        }
        for lines in [
            ["ovf,1.5,2.5", "1.0,2.5,3.5", "1.5,2.5,3.0"].as_slice(),
            &["5,9,1", "0.5,0.25,1.5", "2.5,1.25,3.5"],
            &["0,1,2", "5,9,1", "3,2,8"],
        ] {
            assert!(matches!(of(lines), Header::Unclear(_)), "{lines:?}");
        }
    }

    #[test]
    fn a_row_of_units_has_no_number() {
        let rows = records(&["0.5,1.5,a", "0.25,0.5,b"]);
        for (line, expected) in [
            ("(g),(g),", true),
            ("V,degC,string", true),
            (",%,", true),
            ("ovf,ovf,", false),
            ("V,1.5,", false),
            (",,a", false),
        ] {
            assert_eq!(is_units(&records(&[line])[0], &rows), expected, "{line}");
        }
    }
}
