//! Containers of data files: text in any encoding, gzip, zstd, NumPy arrays, ARFF, spreadsheets and Parquet.
//!
//! [`open`] tells them apart by their first bytes, never by their names, and refuses other kinds by name. What libraries
//! are needed for stands behind the feature `formats`; UTF-8, UTF-16, ARFF and `.npy` need none.
//!
//! A file cannot take more memory than [`Limits`] allow for its size, whatever it declares or unpacks to.

#[cfg(feature = "formats")]
mod archive;
mod arff;
mod arff_date;
mod context;
mod kind;
mod limits;
mod npy;
mod npy_header;
#[cfg(feature = "formats")]
mod npz;
#[cfg(feature = "formats")]
mod parquet;
mod text;
#[cfg(feature = "formats")]
mod unpack;
mod utf16;
#[cfg(feature = "formats")]
mod xlsx;

use std::fs::File;
use std::io::{BufRead, BufReader, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use self::context::Context;
use self::kind::Kind;
pub use self::limits::Limits;
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

/// Reads `path`, or standard input for `-`.
pub fn open(path: &Path, options: &Options) -> Result<Opened> {
    if path.as_os_str() == "-" {
        let mut bytes = Vec::new();
        let path = Path::new("standard input");
        std::io::stdin().read_to_end(&mut bytes).map_err(Error::io(path))?;
        return open_bytes(path, bytes, options);
    }
    if let Some(opened) = text::stream(path, options)? {
        return Ok(opened);
    }
    open_bytes(path, std::fs::read(path).map_err(Error::io(path))?, options)
}

/// Reads a file that is in memory; errors call it `path`.
pub fn open_bytes(path: &Path, bytes: Vec<u8>, options: &Options) -> Result<Opened> {
    let hash = hash(Sha256::new_with_prefix(&bytes));
    let mut context = Context::new(path, options, bytes.len());
    let contents = contents(bytes, &mut context)?;
    context.check_options(&contents)?;
    Ok(Opened { contents, notes: context.notes, hash })
}

/// The hash as data sets have it: the first eight bytes.
fn hash(digest: Sha256) -> String {
    digest.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

fn contents(bytes: Vec<u8>, context: &mut Context) -> Result<Contents> {
    match kind::of(&bytes) {
        #[cfg(feature = "formats")]
        Kind::Gzip | Kind::Zstd if context.packed => {
            Err(context.error(None, "packed twice, as by `gzip` of a .gz file: unpack it first"))
        }
        #[cfg(feature = "formats")]
        Kind::Gzip => {
            let bytes = unpack::gzip(&bytes, context)?;
            contents(bytes, context)
        }
        #[cfg(feature = "formats")]
        Kind::Zstd => {
            let bytes = unpack::zstd(&bytes, context)?;
            contents(bytes, context)
        }
        #[cfg(feature = "formats")]
        Kind::Zip => archive::contents(bytes, context),
        #[cfg(not(feature = "formats"))]
        Kind::Gzip => Err(context.needs_feature("a gzip file")),
        #[cfg(not(feature = "formats"))]
        Kind::Zstd => Err(context.needs_feature("a zstd file")),
        #[cfg(not(feature = "formats"))]
        Kind::Zip => Err(context.needs_feature("a zip archive, as .xlsx and .npz are")),
        #[cfg(not(feature = "formats"))]
        Kind::Parquet => Err(context.needs_feature("a Parquet file")),
        #[cfg(feature = "formats")]
        Kind::Parquet => parquet::columns(bytes, context).map(Contents::Columns),
        Kind::Npy => Ok(Contents::Columns(npy::columns(&bytes, context)?)),
        Kind::Refused(refused) => Err(context.refuse(&refused)),
        Kind::Text => {
            let text = text::decode(bytes, context)?;
            match kind::of_text(&text) {
                Kind::Refused(refused) => Err(context.refuse(&refused)),
                _ if arff::is_arff(&text) => Ok(Contents::Columns(arff::columns(&text, context)?)),
                _ => Ok(Contents::Text(Text::Whole(text))),
            }
        }
    }
}

#[cfg(all(test, not(feature = "formats")))]
mod tests {
    use super::*;

    #[test]
    fn what_needs_the_feature_names_it() {
        for bytes in
            [&b"\x1F\x8B\x08\0"[..], b"\x28\xB5\x2F\xFD", b"PK\x03\x04", b"PAR1\x15\0", b"a,b\n\xB0,1\n"]
        {
            let error =
                open_bytes(Path::new("data"), bytes.to_vec(), &Options::default()).unwrap_err().to_string();
            assert!(error.contains("only with the feature `formats` of microdistill-train"), "{error}");
        }
        for bytes in
            [&b"a,b\n1,2\n"[..], b"@relation r\n@attribute a numeric\n@data\n1\n", b"\xFF\xFEa\0,\0b\0"]
        {
            assert!(open_bytes(Path::new("data"), bytes.to_vec(), &Options::default()).is_ok());
        }
    }
}
