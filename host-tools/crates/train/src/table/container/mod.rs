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
#[cfg(feature = "formats")]
mod caught;
mod contents;
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
#[cfg(feature = "formats")]
mod zip;

use std::io::Read as _;
use std::path::Path;

use sha2::{Digest as _, Sha256};

#[cfg(feature = "formats")]
pub use self::caught::are_panics_caught;
#[cfg(feature = "formats")]
pub(crate) use self::caught::caught;
pub(crate) use self::contents::hash;
pub use self::contents::{Contents, Opened, Options, Text, Typed, Values};
use self::context::Context;
use self::kind::Kind;
pub use self::limits::Limits;
pub(crate) use self::npy::half;
use crate::error::{Error, Result};

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
        Kind::Zip => zip::contents(bytes, context),
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
