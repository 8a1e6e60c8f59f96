//! Containers of data files: values of other programs' files to the bit, refusals by name, and no panic on any bytes.
//!
//! The files in `files/containers/` are written by `files/containers.py`.

#[path = "containers/arff.rs"]
mod arff;
#[path = "containers/mutations.rs"]
mod mutations;
#[path = "containers/numpy.rs"]
mod numpy;
#[path = "containers/packed.rs"]
mod packed;
#[path = "containers/parquet.rs"]
mod parquet;
#[path = "containers/refused.rs"]
mod refused;
#[path = "containers/spreadsheet.rs"]
mod spreadsheet;
#[path = "containers/text.rs"]
mod text;

use std::io::Read as _;
use std::path::{Path, PathBuf};

use microdistill_train::error::Result;
use microdistill_train::table::container::{Contents, Opened, Options, Typed, Values, open, open_bytes};

const ROWS: usize = 6;
const COLUMNS: usize = 3;

/// Value of a cell, as the function `value` of `containers.py` computes it.
fn value(row: usize, column: usize) -> f64 {
    (row * COLUMNS + column + 1) as f64 / 7.0 - 1.0
}

/// Labels of the rows.
const LABELS: [&str; ROWS] = ["rest", "wave", "rest", "wäve", "", "rest"];

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/files/containers").join(name)
}

fn bytes(name: &str) -> Vec<u8> {
    std::fs::read(file(name)).unwrap()
}

fn opened(name: &str) -> Opened {
    open(&file(name), &Options::default()).unwrap_or_else(|error| panic!("{error}"))
}

fn of_bytes(bytes: impl Into<Vec<u8>>) -> Result<Opened> {
    open_bytes(Path::new("data"), bytes.into(), &Options::default())
}

fn error(result: Result<Opened>) -> String {
    match result {
        Ok(opened) => panic!("{opened:?}"),
        Err(error) => error.to_string(),
    }
}

/// Returns the error of opening a file.
fn refusal(name: &str) -> String {
    error(open(&file(name), &Options::default()))
}

fn text_of(opened: &Opened) -> String {
    let Contents::Text(text) = &opened.contents else { panic!("no text: {opened:?}") };
    let mut all = String::new();
    text.reader().unwrap().read_to_string(&mut all).unwrap();
    all
}

fn columns_of(opened: &Opened) -> &[Typed] {
    let Contents::Columns(columns) = &opened.contents else { panic!("no columns: {opened:?}") };
    columns
}

fn cells_of(opened: &Opened) -> &[Vec<String>] {
    let Contents::Cells(rows) = &opened.contents else { panic!("no cells: {opened:?}") };
    rows
}

fn names(columns: &[Typed]) -> Vec<&str> {
    columns.iter().map(|column| column.name.as_str()).collect()
}

/// Compares the numbers of a column, where NaN equals NaN.
#[track_caller]
fn numbers(column: &Typed, expected: impl IntoIterator<Item = f64>) {
    let Values::Numbers(numbers) = &column.values else { panic!("no numbers: {column:?}") };
    assert_eq!(bits(numbers), bits(&expected.into_iter().collect::<Vec<_>>()), "{column:?}");
}

#[track_caller]
fn times(column: &Typed, expected: &[f64]) {
    let Values::Times(times) = &column.values else { panic!("no times: {column:?}") };
    assert_eq!(bits(times), bits(expected), "{column:?}");
}

#[track_caller]
fn texts(column: &Typed, expected: &[Option<&str>]) {
    let Values::Texts(texts) = &column.values else { panic!("no texts: {column:?}") };
    let texts: Vec<Option<&str>> = texts.iter().map(Option::as_deref).collect();
    assert_eq!(texts, expected, "{}", column.name);
}

fn bits(numbers: &[f64]) -> Vec<Option<u64>> {
    numbers.iter().map(|number| (!number.is_nan()).then_some(number.to_bits())).collect()
}
