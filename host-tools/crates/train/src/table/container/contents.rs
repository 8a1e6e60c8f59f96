//! The contents of a data file, whatever its container.

use std::fs::File;
use std::io::{BufRead, BufReader, Seek as _, SeekFrom};
use std::path::PathBuf;

use sha2::{Digest as _, Sha256};

use crate::error::{Error, Result};

/// Choices that a file's own bytes may leave open.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Name of the text's encoding, as on the web: `windows-1252`, `shift_jis`, …
    pub encoding: Option<String>,
    /// Name of the sheet of a spreadsheet.
    pub sheet: Option<String>,
}

/// A data file, unpacked and decoded.
#[derive(Debug)]
pub struct Opened {
    /// The data.
    pub contents: Contents,
    /// What was decided on the way: "gzip", "UTF-16 LE", "sheet `Data` of 3".
    pub notes: Vec<String>,
    /// Hash of the file's bytes as they are on disk, in hexadecimal.
    pub hash: String,
}

/// The data of a file.
#[derive(Debug)]
pub enum Contents {
    /// A CSV-like text.
    Text(Text),
    /// A sheet's cells as text, row by row; all rows are equally long.
    Cells(Vec<Vec<String>>),
    /// Columns with types, all equally long.
    Columns(Vec<Typed>),
}

/// A decoded text, without a byte order mark.
#[derive(Debug)]
pub enum Text {
    /// In memory.
    Whole(String),
    /// A large file on disk that was read once and is all UTF-8: to be read again, piece by piece.
    File {
        /// The file.
        path: PathBuf,
        /// Bytes to skip, which are the byte order mark.
        skip: u64,
    },
}

impl Text {
    /// Reads the text from its start.
    pub fn reader(&self) -> Result<Box<dyn BufRead + '_>> {
        match self {
            Text::Whole(text) => Ok(Box::new(text.as_bytes())),
            Text::File { path, skip } => {
                let mut file = File::open(path).map_err(Error::io(path))?;
                file.seek(SeekFrom::Start(*skip)).map_err(Error::io(path))?;
                Ok(Box::new(BufReader::with_capacity(1 << 16, file)))
            }
        }
    }
}

/// A column with its type.
#[derive(Clone, Debug, PartialEq)]
pub struct Typed {
    /// The name in the file, or one that was made up.
    pub name: String,
    /// The values.
    pub values: Values,
}

/// Values of a column, one per row.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// Numbers; NaN where one is missing.
    Numbers(Vec<f64>),
    /// Seconds since 1970; NaN where one is missing.
    Times(Vec<f64>),
    /// Texts.
    Texts(Vec<Option<String>>),
}

/// The hash as data sets have it: the first eight bytes.
pub(crate) fn hash(digest: Sha256) -> String {
    digest.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}
