//! The flags for the format of a data file. They override what is detected in the file.

use clap::Args;
use microdistill_train::table::{Options, Separator};

/// Format of a data file.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Data file")]
pub(crate) struct FileFlags {
    /// Column to leave out; may be given several times
    #[arg(long, value_name = "COLUMN", value_delimiter = ',')]
    ignore: Vec<String>,
    /// Text that marks a missing value, such as -200, in addition to the empty text, NA, NaN, null, ?, and those that a given
    /// model was trained with
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    missing: Vec<String>,
    /// Separator of cells: one character, `tab` or `spaces` [default: detected, with a note]
    #[arg(long, value_name = "CHARACTER")]
    separator: Option<Separator>,
    /// The first line has the names of the columns [default: detected by comparing it with the lines below]
    #[arg(long, overrides_with = "no_header")]
    header: bool,
    /// The first line is a row, and the columns are named column1, column2, …
    #[arg(long)]
    no_header: bool,
    /// Decimal separator: `.` or `,` [default: detected]
    #[arg(long, value_name = "CHARACTER", value_parser = decimal)]
    decimal: Option<char>,
    /// Thousands separator: `.`, `,`, `'`, `_` or a space [default: detected]
    #[arg(long, value_name = "CHARACTER", value_parser = thousands)]
    thousands: Option<char>,
    /// Encoding of the text, such as windows-1252 [default: detected]
    #[arg(long, value_name = "NAME")]
    encoding: Option<String>,
    /// Sheet of a spreadsheet [default: the only one with data]
    #[arg(long, value_name = "NAME")]
    sheet: Option<String>,
}

impl FileFlags {
    pub(crate) fn options(&self) -> Options {
        Options {
            separator: self.separator,
            header: if self.header { Some(true) } else { self.no_header.then_some(false) },
            decimal: self.decimal,
            thousands: self.thousands,
            missing: self.missing.clone(),
            ignore: self.ignore.clone(),
            encoding: self.encoding.clone(),
            sheet: self.sheet.clone(),
        }
    }
}

fn decimal(text: &str) -> Result<char, String> {
    one_of(text, &['.', ','])
}

fn thousands(text: &str) -> Result<char, String> {
    one_of(text, &['.', ',', '\'', '_', ' '])
}

fn one_of(text: &str, known: &[char]) -> Result<char, String> {
    let mut chars = text.chars();
    match (chars.next().filter(|char| known.contains(char)), chars.next()) {
        (Some(char), None) => Ok(char),
        _ => Err(format!("it must be one of {known:?}")),
    }
}
