//! Time to read a table of numbers, on one thread: 1,000,000 rows of 19 features and a label, or the file that is given as
//! `cargo bench --package microdistill-train --bench reading -- FILE`.

use std::error::Error;
use std::fmt::Write as _;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::Instant;

use microdistill_train::dataset::{Columns, read};
use rand_core::Rng as _;
use rand_pcg::Pcg32;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let given = std::env::args().skip(1).find(|argument| !argument.starts_with("--")).map(PathBuf::from);
    let path = match given {
        Some(path) => path,
        None => {
            let path = folder.path().join("table.csv");
            std::fs::write(&path, table(1_000_000))?;
            path
        }
    };
    let best = (0..5).map(|_| seconds(&path)).collect::<Result<Vec<_>, _>>()?;
    let best = best.into_iter().fold(f64::INFINITY, f64::min);
    let size = std::fs::metadata(&path)?.len() as f64 / 1e6;
    println!("{size:.0} MB in {best:.2} s: {:.0} MB/s", size / best);
    Ok(())
}

fn seconds(path: &Path) -> Result<f64, Box<dyn Error>> {
    let start = Instant::now();
    black_box(read(path, &Columns::default())?);
    Ok(start.elapsed().as_secs_f64())
}

/// Whole numbers and decimals of six to nine digits, and one of three labels.
fn table(rows: usize) -> String {
    let mut rng = Pcg32::new(0, 0);
    let mut text: String = (0..19).map(|column| format!("x{column},")).collect();
    text.push_str("label\n");
    for _ in 0..rows {
        for column in 0..19 {
            let digits = i64::from(rng.next_u32() % 20_000_000) - 10_000_000;
            let number = digits as f64;
            // A string takes all that is written to it.
            _ = match column % 3 {
                0 => write!(text, "{digits},"),
                1 => write!(text, "{:.6},", number / 1e6),
                _ => write!(text, "{:.4},", number / 1e5),
            };
        }
        text.push_str(["rest\n", "walk\n", "run\n"][rng.next_u32() as usize % 3]);
    }
    text
}
