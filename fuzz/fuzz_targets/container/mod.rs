//! What every container must hold to: an error, or a whole table, in little time.

use std::path::Path;
use std::time::{Duration, Instant};

use microdistill_train::table::container::{Contents, Options, Typed, Values, open_bytes};

#[path = "../caught/mod.rs"]
mod caught;

pub use caught::catch;

/// Longest time for one file. The fuzzer's build is slower than a release, and other work may share the machine.
const TIME: Duration = Duration::from_secs(10);

pub fn check(bytes: &[u8]) {
    let start = Instant::now();
    if let Ok(opened) = open_bytes(Path::new("data"), bytes.to_vec(), &Options::default()) {
        match opened.contents {
            Contents::Text(_) => {}
            Contents::Cells(rows) => {
                assert!(rows.iter().all(|row| row.len() == rows[0].len()), "rows differ in length")
            }
            Contents::Columns(columns) => {
                assert!(
                    columns.iter().all(|column| length(column) == length(&columns[0])),
                    "columns differ in length"
                );
            }
        }
    }
    assert!(start.elapsed() < TIME, "{:?} for {} bytes", start.elapsed(), bytes.len());
}

fn length(column: &Typed) -> usize {
    match &column.values {
        Values::Numbers(numbers) | Values::Times(numbers) => numbers.len(),
        Values::Texts(texts) => texts.len(),
    }
}
