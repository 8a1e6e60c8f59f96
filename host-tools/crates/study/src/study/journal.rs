//! The journal of finished results, a file that grows line by line, so that an interrupted study continues.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use serde::{Deserialize, Serialize};

use super::results::Cell;
use microdistill_train::error::{Error, Result};

/// A finished result, and the key of everything that decided about it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Record {
    pub(super) key: String,
    pub(super) outcome: Outcome,
}

/// A finished result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Outcome {
    /// The index of the candidate that was chosen.
    Choice(usize),
    /// A model in numbers.
    Model(Box<Cell>),
}

/// The first line: what all records of one ledger share.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Header {
    ledger: String,
    version: String,
    study: String,
}

/// All that is finished.
#[derive(Debug)]
pub struct Ledger {
    path: PathBuf,
    open: Mutex<Open>,
}

#[derive(Debug)]
struct Open {
    file: File,
    records: HashMap<String, Outcome>,
}

impl Ledger {
    /// Opens or begins the ledger at `path` for a study of this [fingerprint](super::Study::fingerprint). A last line that
    /// an interruption tore is dropped.
    ///
    /// # Errors
    /// A ledger of another study or version, a damaged one.
    pub fn open(path: impl AsRef<Path>, study: &str) -> Result<Self> {
        let path = path.as_ref();
        let header = Header {
            ledger: "microdistill study".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            study: study.into(),
        };
        let invalid = |message: &str| Error::Invalid(format!("{}: {message}", path.display()));
        // Never truncated: what is in it took long to compute.
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path);
        let mut file = file.map_err(Error::io(path))?;
        let mut text = Vec::new();
        file.read_to_end(&mut text).map_err(Error::io(path))?;
        // A line without an end was torn.
        let whole = text.iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
        let torn = text.split_off(whole);
        let mut lines = text.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
        let foreign = "no ledger of a study: give another --out, or move this file away";
        match lines.next().map(serde_json::from_slice::<Header>) {
            None if line(&header, path)?.starts_with(&torn) => {
                file.set_len(0).map_err(Error::io(path))?;
                file.rewind().map_err(Error::io(path))?;
                append(&mut file, path, &header)?;
            }
            Some(Ok(found)) if found == header => {
                file.set_len(whole as u64).map_err(Error::io(path))?;
                file.seek(SeekFrom::End(0)).map_err(Error::io(path))?;
            }
            Some(Ok(_)) => {
                return Err(invalid(
                    "what is finished here belongs to another study or version (other rows, widths or shares): \
                     give another --out, or delete this file to begin anew",
                ));
            }
            None | Some(Err(_)) => return Err(invalid(foreign)),
        }
        let mut records = HashMap::new();
        for (index, line) in lines.enumerate() {
            let record: Record = serde_json::from_slice(line).map_err(|_| {
                invalid(&format!("line {} is damaged: delete that line, and it is computed again", index + 2))
            })?;
            records.insert(record.key, record.outcome);
        }
        Ok(Ledger { path: path.to_owned(), open: Mutex::new(Open { file, records }) })
    }

    pub(super) fn choice(&self, key: &str) -> Option<usize> {
        if let Some(Outcome::Choice(index)) = self.lock().records.get(key) { Some(*index) } else { None }
    }

    pub(super) fn model(&self, key: &str) -> Option<Cell> {
        if let Some(Outcome::Model(cell)) = self.lock().records.get(key) {
            Some(Cell::clone(cell))
        } else {
            None
        }
    }

    pub(super) fn add(&self, key: String, outcome: Outcome) -> Result<()> {
        let mut open = self.lock();
        let record = Record { key, outcome };
        append(&mut open.file, &self.path, &record)?;
        open.records.insert(record.key, record.outcome);
        Ok(())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Open> {
        // A thread that panicked here left a torn line at worst, which the next start drops.
        self.open.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// Written at once, so that only an interruption can tear it.
fn append(file: &mut File, path: &Path, value: &impl Serialize) -> Result<()> {
    file.write_all(&line(value, path)?).map_err(Error::io(path))
}

fn line(value: &impl Serialize, path: &Path) -> Result<Vec<u8>> {
    let mut line = serde_json::to_vec(value).map_err(|error| Error::io(path)(error.into()))?;
    line.push(b'\n');
    Ok(line)
}
