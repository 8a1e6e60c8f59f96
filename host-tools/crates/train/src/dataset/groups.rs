//! Groups of rows, which no division separates: a column of the file, or another file of one column.

use std::path::Path;

use crate::error::Result;
use crate::table::{Options, Separator, Table, counted};

/// The groups asked for: the file's `own`, or those of another file of one column.
pub(super) fn groups_of(
    file: &Table,
    asked: Option<&str>,
    own: Option<Vec<String>>,
    lines: &[u64],
) -> Result<Option<Vec<String>>> {
    let path = match (asked, own) {
        (None, _) => return Ok(None),
        (Some(column), Some(own)) => {
            // Rows of nobody are not all of one person.
            if let Some(row) = own.iter().position(|group| file.is_missing(group)) {
                return Err(file.error(Some(lines[row]), format!("no group in {column:?}: fill it in")));
            }
            return Ok(Some(own));
        }
        (Some(path), None) => path,
    };
    if !Path::new(path).is_file() {
        let names: Vec<&String> = file.named().map(|column| &file.names[column]).collect();
        return Err(
            file.error(None, format!("no column and no file {path:?} for groups: the columns are {names:?}"))
        );
    }
    // A name may hold spaces: no separator but a comma divides this file.
    let options = Options { separator: Some(Separator::Byte(b',')), ..Options::default() };
    let other = Table::open(Path::new(path), &options)?;
    if other.names.len() != 1 {
        return Err(other.error(Some(1), "a file of groups has one column"));
    }
    let mut groups = Vec::new();
    other.each(|_, record| {
        groups.push(record[0].to_owned());
        Ok(())
    })?;
    if groups.len() != lines.len() {
        let message = format!(
            "{} for {} of {}",
            counted(groups.len(), "group"),
            counted(lines.len(), "row"),
            file.path.display()
        );
        return Err(other.error(None, message));
    }
    Ok(Some(groups))
}
