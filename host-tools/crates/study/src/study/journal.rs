//! The journal of finished results: a file that grows line by line, so that an interrupted study can
//! continue.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use serde::{Deserialize, Serialize};

use super::results::Cell;
use microdistill_train::distill::Candidate;
use microdistill_train::error::{Error, Result};

/// A finished result, with the key of everything that determines it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Record {
    pub(super) key: String,
    pub(super) outcome: Entry,
}

/// A finished result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Entry {
    /// Index of the chosen value of a knob.
    Choice(usize),
    /// The chosen candidate of the recipe of `distill`.
    Candidate(Candidate),
    /// The figures of a model.
    Model(Box<Cell>),
}

/// The first line, common to all records of a journal.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Header {
    #[serde(rename = "ledger")]
    format: String,
    version: String,
    study: String,
}

/// All finished results.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    open: Mutex<Open>,
}

#[derive(Debug)]
struct Open {
    file: File,
    records: HashMap<String, Entry>,
}

impl Journal {
    /// Opens or creates the journal at `path` for a study with this [fingerprint](super::Study::fingerprint).
    /// An incomplete last line, left by an interruption, is dropped.
    ///
    /// # Errors
    /// Returns an error if the journal is damaged or belongs to another study or version.
    pub fn open(path: impl AsRef<Path>, study: &str) -> Result<Self> {
        let path = path.as_ref();
        let header = Header {
            format: "microdistill study".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            study: study.into(),
        };
        let invalid = |message: &str| Error::Invalid(format!("{}: {message}", path.display()));
        // The file is never truncated, because its contents took long to compute.
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path);
        let mut file = file.map_err(Error::io(path))?;
        let mut text = Vec::new();
        file.read_to_end(&mut text).map_err(Error::io(path))?;
        // A line without an end is incomplete.
        let whole = text.iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
        let torn = text.split_off(whole);
        let mut lines = text.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
        let foreign = "this is not the journal of a study: choose another --out, or move this file away";
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
                    "these results belong to another study or version (other rows, widths or shares): \
                     choose another --out, or delete this file to start over",
                ));
            }
            None | Some(Err(_)) => return Err(invalid(foreign)),
        }
        let mut records = HashMap::new();
        for (index, line) in lines.enumerate() {
            let record: Record = serde_json::from_slice(line).map_err(|_| {
                invalid(&format!("line {} is damaged: delete it to compute that result again", index + 2))
            })?;
            records.insert(record.key, record.outcome);
        }
        Ok(Journal { path: path.to_owned(), open: Mutex::new(Open { file, records }) })
    }

    /// Adds the results of another journal of the same study, such as that of a [`Shard`](super::Shard), without changing
    /// it. Returns the number of results that were not here yet.
    ///
    /// # Errors
    /// Returns an error if this journal cannot be written.
    pub fn absorb(&self, other: &Journal) -> Result<usize> {
        let records: Vec<Record> = {
            let open = other.lock();
            let record =
                |(key, outcome): (&String, &Entry)| Record { key: key.clone(), outcome: outcome.clone() };
            open.records.iter().map(record).collect()
        };
        let mut added = 0;
        for Record { key, outcome } in records {
            if !self.lock().records.contains_key(&key) {
                self.add(key, outcome)?;
                added += 1;
            }
        }
        Ok(added)
    }

    pub(super) fn choice(&self, key: &str) -> Option<usize> {
        if let Some(Entry::Choice(index)) = self.lock().records.get(key) { Some(*index) } else { None }
    }

    pub(super) fn candidate(&self, key: &str) -> Option<Candidate> {
        if let Some(Entry::Candidate(candidate)) = self.lock().records.get(key) {
            Some(*candidate)
        } else {
            None
        }
    }

    pub(super) fn model(&self, key: &str) -> Option<Cell> {
        if let Some(Entry::Model(cell)) = self.lock().records.get(key) {
            Some(Cell::clone(cell))
        } else {
            None
        }
    }

    pub(super) fn add(&self, key: String, outcome: Entry) -> Result<()> {
        let mut open = self.lock();
        let record = Record { key, outcome };
        append(&mut open.file, &self.path, &record)?;
        open.records.insert(record.key, record.outcome);
        Ok(())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Open> {
        // A thread that panicked here left at most an incomplete line, which the next start drops.
        self.open.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// Appends a line in a single write, so that only an interruption can leave it incomplete.
fn append(file: &mut File, path: &Path, value: &impl Serialize) -> Result<()> {
    file.write_all(&line(value, path)?).map_err(Error::io(path))
}

fn line(value: &impl Serialize, path: &Path) -> Result<Vec<u8>> {
    let mut line = serde_json::to_vec(value).map_err(|error| Error::io(path)(error.into()))?;
    line.push(b'\n');
    Ok(line)
}
