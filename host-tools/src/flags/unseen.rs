//! Test rows that were trained on, which would make a score too good.

use anyhow::{Result, bail};
use microdistill_train::dataset::{Dataset, SeenRows};

use crate::console::Console;

/// Leaves out the test rows that are among those trained on, whatever file they came in; with `keep`, only counts them.
///
/// # Errors
/// All of them were trained on.
pub(crate) fn unseen(console: &Console, seen: &SeenRows, test: Dataset, keep: bool) -> Result<Dataset> {
    let known = seen.contains(&test.x);
    let (rows, count) = (test.rows(), known.iter().filter(|&&known| known).count());
    if count == 0 {
        return Ok(test);
    }
    if keep {
        console.note(format_args!("{count} of {rows} test rows were trained on; they are scored as asked"));
        return Ok(test);
    }
    if count == rows {
        bail!("all {rows} test rows were trained on: give other rows, or --known-rows to score these");
    }
    console.note(format_args!(
        "{count} of {rows} test rows were trained on and are left out (--known-rows scores them, too)"
    ));
    let others: Vec<usize> = (0..rows).filter(|&row| !known[row]).collect();
    Ok(test.select(&others))
}
