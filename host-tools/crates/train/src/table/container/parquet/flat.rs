//! A look at the schema before the crate's: columns that nest are named, and the crate's reader of schemas, which calls
//! itself for every level, never sees any.

use super::thrift::{BINARY, LIST, Reader, STRUCT};

/// Places of fields: the schema in the footer; repetition, name and number of children in an element.
const SCHEMA: i16 = 2;
const REPETITION: i16 = 3;
const NAME: i16 = 4;
const CHILDREN: i16 = 5;

/// The repetition of a column that holds several values per row.
const REPEATED: i64 = 2;

/// Most columns. Each takes vectors and a place in every row group.
const COLUMNS: usize = 100_000;

/// Checks that a schema has no groups. The error is a message, or nothing for damage.
pub(super) fn check(footer: &[u8]) -> Result<(), Option<String>> {
    let mut reader = Reader { bytes: footer };
    let mut last = 0;
    while let Some((field, kind)) = reader.field(&mut last).ok_or(None)? {
        if (field, kind) != (SCHEMA, LIST) {
            reader.skip(kind).ok_or(None)?;
            continue;
        }
        let (length, kind) = reader.list().ok_or(None)?;
        if kind != STRUCT || length == 0 {
            return Err(None);
        }
        if length > COLUMNS {
            return Err(Some(format!("the Parquet file has {length} columns, of at most {COLUMNS}")));
        }
        for element in 0..length {
            let (name, children, repeated) = self::element(&mut reader).ok_or(None)?;
            // The first element is the table.
            if element == 0 && usize::try_from(children) != Ok(length - 1) {
                // Groups have columns of their own; which they are is seen below.
                if children < 0 || usize::try_from(children).is_ok_and(|children| children >= length) {
                    return Err(None);
                }
            } else if element > 0 && (children != 0 || repeated) {
                return Err(Some(format!(
                    "column {name:?} holds lists or records: flatten it, or leave it out"
                )));
            }
        }
    }
    Ok(())
}

/// The name of an element, how many it holds, and whether it holds several values per row.
fn element(reader: &mut Reader) -> Option<(String, i64, bool)> {
    let (mut name, mut children, mut repeated, mut last) = (String::new(), 0, false, 0);
    while let Some((field, kind)) = reader.field(&mut last)? {
        match (field, kind) {
            (REPETITION, 5) => repeated = reader.number()? == REPEATED,
            (NAME, BINARY) => name = String::from_utf8_lossy(reader.binary()?).into_owned(),
            (CHILDREN, 5) => children = reader.number()?,
            _ => reader.skip(kind)?,
        }
    }
    Some((name, children, repeated))
}
