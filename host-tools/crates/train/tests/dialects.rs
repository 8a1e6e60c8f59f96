//! One table written in any dialect is read to the same rows.
//!
//! `PROPTEST_CASES=10000 cargo test --test dialects` tries ten thousand random tables.

use std::fmt::Write as _;
use std::io::Write as _;

use microdistill_train::dataset::{Columns, Dataset, Kind, Target, read};
use microdistill_train::table::{Options, Separator};
use nalgebra::DMatrix;
use proptest::prelude::*;

/// How a table is written.
#[derive(Clone, Debug)]
struct Dialect {
    separator: &'static str,
    decimal: char,
    thousands: Option<char>,
    quoted: bool,
    crlf: bool,
    bom: bool,
    missing: &'static str,
    header: bool,
    comments: bool,
    trailing: bool,
}

/// A column of a table.
#[derive(Clone, Debug)]
enum Cells {
    /// In thousandths; none is missing.
    Numbers(Vec<Option<i64>>),
    /// Indices into [`WORDS`].
    Words(Vec<usize>),
}

const WORDS: [&str; 5] = ["rest", "wave", "north-east", "x y", "Größe"];

fn dialect() -> impl Strategy<Value = Dialect> {
    let separators = prop::sample::select(vec![",", ";", "\t", "|", "  "]);
    let separated = (
        separators,
        any::<bool>(),
        prop::sample::select(vec![None, None, Some(' '), Some('\''), Some('.'), Some(',')]),
    );
    let missing = prop::sample::select(vec!["", "NA", "NaN", "?", "null"]);
    (separated, any::<[bool; 5]>(), missing, prop::bool::weighted(0.8)).prop_map(
        |((separator, comma, thousands), [quoted, crlf, bom, comments, trailing], missing, header)| {
            let decimal = if comma { ',' } else { '.' };
            let spaces = separator == "  ";
            Dialect {
                separator,
                decimal,
                // A mark between thousands that is the decimal or the separator would need quotes, and be another dialect.
                thousands: thousands.filter(|&mark| mark != decimal && !(spaces && mark == ' ')),
                quoted: quoted || spaces,
                crlf,
                bom,
                // Between spaces an empty cell cannot be seen.
                missing: if spaces && missing.is_empty() { "NA" } else { missing },
                header,
                comments,
                trailing: trailing && !spaces,
            }
        },
    )
}

fn cells(rows: usize) -> impl Strategy<Value = Cells> {
    let number = prop::option::weighted(0.95, -20_000_000i64..20_000_000);
    prop_oneof![
        4 => prop::collection::vec(number, rows).prop_map(Cells::Numbers),
        1 => prop::collection::vec(0..WORDS.len(), rows).prop_map(Cells::Words),
    ]
}

/// Columns of features, and the class of each row.
fn table() -> impl Strategy<Value = (Vec<Cells>, Vec<usize>)> {
    (20usize..60).prop_flat_map(|rows| {
        let columns = prop::collection::vec(cells(rows), 2..6);
        (columns, prop::collection::vec(0..2usize, rows))
    })
}

impl Dialect {
    /// A number of thousandths, with three decimals.
    fn number(&self, thousandths: i64) -> String {
        let (whole, fraction) = (thousandths.abs() / 1000, thousandths.abs() % 1000);
        let digits = whole.to_string();
        let mut text = String::new();
        for (place, digit) in digits.chars().enumerate() {
            if let Some(mark) = self.thousands.filter(|_| place > 0 && (digits.len() - place) % 3 == 0) {
                text.push(mark);
            }
            text.push(digit);
        }
        let sign = if thousandths < 0 { "-" } else { "" };
        // Never three decimals: `1,234` would have two readings.
        format!("{sign}{text}{}{fraction:03}5", self.decimal)
    }

    fn cell(&self, text: &str) -> String {
        let must = text.contains(self.separator)
            || self.separator == "  " && text.contains(' ')
            || text.contains('"');
        if must || self.quoted && text.parse::<f64>().is_err() && !text.is_empty() && text != self.missing {
            format!("\"{text}\"")
        } else {
            text.to_owned()
        }
    }

    fn write(&self, columns: &[Cells], classes: &[usize]) -> String {
        let end = if self.crlf { "\r\n" } else { "\n" };
        let mut text = String::from(if self.bom { "\u{feff}" } else { "" });
        if self.comments {
            let _ = write!(text, "# made by a logger, 50 Hz{end}");
        }
        let mut line = |cells: Vec<String>| {
            let cells: Vec<String> = cells.iter().map(|cell| self.cell(cell)).collect();
            text += &cells.join(self.separator);
            text += if self.trailing { self.separator } else { "" };
            text += end;
        };
        if self.header {
            let names = (0..columns.len()).map(|column| format!("f{column}")).chain(["kind".to_owned()]);
            line(names.collect());
        }
        for row in 0..classes.len() {
            let cells = columns.iter().map(|column| match column {
                Cells::Numbers(values) => {
                    values[row].map_or(self.missing.to_owned(), |value| self.number(value))
                }
                Cells::Words(words) => WORDS[words[row]].to_owned(),
            });
            line(cells.chain([["idle", "move"][classes[row]].to_owned()]).collect());
        }
        text
    }
}

fn read_text(text: &str, columns: &Columns) -> Result<Dataset, String> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    read(file.path(), columns).map_err(|error| error.to_string())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_dialect_gives_the_same_table((columns, classes) in table(), dialect in dialect()) {
        prop_assume!(classes.contains(&0) && classes.contains(&1));
        let known = |words: &[usize]| words.iter().collect::<std::collections::BTreeSet<_>>().len() > 1;
        prop_assume!(columns.iter().all(|column| match column {
            Cells::Numbers(values) => values.iter().flatten().count() > 10,
            Cells::Words(words) => known(words),
        }));
        let plain = Dialect {
            separator: ",", decimal: '.', thousands: None, quoted: true, crlf: false, bom: false, missing: "", header: true,
            comments: false, trailing: false,
        };
        let as_labels = Columns { kind: Some(Kind::Classification), ..Columns::default() };
        let expected = read_text(&plain.write(&columns, &classes), &as_labels).unwrap();
        let text = dialect.write(&columns, &classes);
        match read_text(&text, &as_labels) {
            Ok(found) => {
                prop_assert_eq!(found.rows(), expected.rows(), "{}", &text);
                prop_assert!(found.x.iter().zip(&expected.x).all(|(a, b)| a == b || a.is_nan() && b.is_nan()), "{}\n{:?}", &text, found.notes);
                prop_assert_eq!(found.x.shape(), expected.x.shape());
                prop_assert_eq!(found.target, expected.target);
            }
            // What has two readings is an error with the flag that decides.
            Err(error) => {
                prop_assert!(error.contains("--"), "{}\n{}", error, text);
                let options = Options {
                    header: Some(dialect.header),
                    decimal: Some(dialect.decimal),
                    thousands: dialect.thousands,
                    separator: Some(if dialect.separator == "  " { Separator::Spaces } else { Separator::Byte(dialect.separator.as_bytes()[0]) }),
                    ..Options::default()
                };
                let target = if dialect.header { "kind".to_owned() } else { format!("column{}", columns.len() + 1) };
                let told = Columns { options, targets: vec![target], ..as_labels };
                let found = read_text(&text, &told);
                prop_assert!(found.is_ok(), "{}\n{}\n{}", error, found.unwrap_err(), text);
                prop_assert!(found.unwrap().x.iter().zip(&expected.x).all(|(a, b)| a == b || a.is_nan() && b.is_nan()), "{}", &text);
            }
        }
    }

    #[test]
    fn whatever_the_text_reading_ends_in_a_table_or_an_error(text in "([0-9a-z.,;\t\"'# |%\n\r-]|\u{0}|é){0,400}") {
        let _ = read_text(&text, &Columns::default());
    }
}

#[test]
fn a_target_of_values_is_the_same_in_every_decimal() {
    let plain = read_text("a,y\n1,0.5\n2,1.25\n3,2.75\n", &Columns::default()).unwrap();
    assert_eq!(plain.target, Target::Values(DMatrix::from_row_slice(1, 3, &[0.5, 1.25, 2.75])));
    let comma = read_text("a;y\n1;0,5\n2;1,25\n3;2,75\n", &Columns::default()).unwrap();
    assert_eq!(comma.target, plain.target);
}
