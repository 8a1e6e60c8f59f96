//! Spreadsheets (`.xlsx`) as cells of text.

use std::io::Cursor;

use calamine::{DataRef, ExcelDateTime, Reader as _, Xlsx, XlsxError};

use super::archive::{Archive, unpack};
use super::caught::caught;
use super::context::Context;
use crate::error::{Error, Result};

type Book = Xlsx<Cursor<Vec<u8>>>;

/// Rows and columns of Excel.
const ROWS: u32 = 1 << 20;
const COLUMNS: u32 = 1 << 14;

/// Memory that an XML element may take in the reader: shared strings are kept.
const ELEMENT: usize = 32;

/// The first serial number of a date that Excel cannot show: the year 10,000.
const DATES: f64 = 2_958_466.0;

/// Reads the sheet that is named, or the only one that holds anything.
pub(super) fn cells(mut archive: Archive, context: &mut Context) -> Result<Vec<Vec<String>>> {
    check_size(&mut archive, context)?;
    let bytes = archive.into_inner();
    // The reader does not promise that no damaged file makes it panic. Nothing of it could be used after a panic: the book
    // is dropped.
    let read = caught(|| {
        let mut book: Book = Xlsx::new(bytes).map_err(|error| damaged(&error, context))?;
        let name = choose(&mut book, context)?;
        read(&mut book, &name, context)
    });
    read.unwrap_or_else(|| Err(context.error(None, "the spreadsheet is damaged: save it again, or as CSV")))
}

fn damaged(error: &XlsxError, context: &Context) -> Error {
    let message = match error {
        XlsxError::Password => "the spreadsheet is protected by a password: save it without".into(),
        error => format!("the spreadsheet is damaged ({error}): save it again, or as CSV"),
    };
    context.error(None, message)
}

/// Unpacks all files once, to know that they may be.
fn check_size(archive: &mut Archive, context: &mut Context) -> Result<()> {
    let mut left = context.limits.unpacked;
    let mut elements = 0;
    for index in 0..archive.len() {
        let file = unpack(archive, index, &mut left, context)?;
        elements += file.iter().filter(|&&byte| byte == b'<').count();
    }
    context.bytes(elements.saturating_mul(ELEMENT))
}

/// The name of the sheet to read, with a note.
fn choose(book: &mut Book, context: &mut Context) -> Result<String> {
    let sheets = book.sheet_names();
    let quoted =
        |names: &[String]| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    if let Some(wanted) = context.options.sheet.clone() {
        let found = sheets.iter().find(|name| **name == wanted).or_else(|| {
            sheets.iter().find(|name| name.trim().to_lowercase() == wanted.trim().to_lowercase())
        });
        return found.cloned().ok_or_else(|| {
            context.error(None, format!("no sheet is named {wanted:?}: the sheets are {}", quoted(&sheets)))
        });
    }
    let mut full = Vec::new();
    for name in &sheets {
        if has_cells(book, name, context)? {
            full.push(name.clone());
        }
    }
    match full.as_slice() {
        [] => Err(context.error(None, "the spreadsheet is empty")),
        [name] if sheets.len() == 1 => Ok(name.clone()),
        [name] => {
            context.note(format!("sheet `{name}` of {}, the only one with cells", sheets.len()));
            Ok(name.clone())
        }
        names => {
            Err(context
                .error(None, format!("several sheets have cells: --sheet names one of {}", quoted(names))))
        }
    }
}

/// Whether a sheet has a cell that is not empty; sheets of charts have none.
fn has_cells(book: &mut Book, name: &str, context: &Context) -> Result<bool> {
    let mut reader = match book.worksheet_cells_reader(name) {
        Ok(reader) => reader,
        Err(XlsxError::NotAWorksheet(_) | XlsxError::WorksheetNotFound(_)) => return Ok(false),
        Err(error) => return Err(damaged(&error, context)),
    };
    while let Some(cell) = reader.next_cell().map_err(|error| damaged(&error, context))? {
        if text(cell.get_value(), &mut None).is_some_and(|text| !text.trim().is_empty()) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Reads the cells of a sheet, from its first row and column that are not empty.
fn read(book: &mut Book, name: &str, context: &mut Context) -> Result<Vec<Vec<String>>> {
    let mut reader = book.worksheet_cells_reader(name).map_err(|error| damaged(&error, context))?;
    let mut found: Vec<(u32, u32, String)> = Vec::new();
    let (mut errors, mut first_error) = (0, None);
    while let Some(cell) = reader.next_cell().map_err(|error| damaged(&error, context))? {
        let (row, column) = cell.get_position();
        let mut error = None;
        let text = text(cell.get_value(), &mut error);
        if let Some(error) = error {
            errors += 1;
            first_error.get_or_insert_with(|| format!("{error} in cell {}", place(row, column)));
        }
        let Some(text) = text.filter(|text| !text.is_empty()) else { continue };
        if row >= ROWS || column >= COLUMNS {
            return Err(context.error(None, "the spreadsheet is damaged: a cell lies outside of the sheet"));
        }
        context.text(text.len())?;
        found.push((row, column, text));
    }
    if let Some(first) = first_error {
        let s = if errors == 1 { "" } else { "s" };
        context.note(format!("{errors} formula error{s} read as empty: {first}"));
    }
    let side = |of: fn(&(u32, u32, String)) -> u32| {
        let (first, last) = (found.iter().map(of).min()?, found.iter().map(of).max()?);
        Some((first, (last - first) as usize + 1))
    };
    let (Some((top, rows)), Some((left, columns))) = (side(|cell| cell.0), side(|cell| cell.1)) else {
        return Err(context.error(None, format!("sheet `{name}` is empty")));
    };
    if (top, left) != (0, 0) {
        context.note(format!("the sheet's cells begin at {}", place(top, left)));
    }
    context.bytes(
        (rows * size_of::<Vec<String>>()).saturating_add(rows.saturating_mul(columns * size_of::<String>())),
    )?;
    let mut table = vec![vec![String::new(); columns]; rows];
    for (row, column, text) in found {
        table[(row - top) as usize][(column - left) as usize] = text;
    }
    Ok(table)
}

/// The name of a cell, such as B12.
fn place(row: u32, column: u32) -> String {
    let mut letters = Vec::new();
    let mut rest = column + 1;
    while rest > 0 {
        letters.push(char::from(b'A' + ((rest - 1) % 26) as u8));
        rest = (rest - 1) / 26;
    }
    letters.into_iter().rev().collect::<String>() + &(row + 1).to_string()
}

/// A value as text; a formula's error is missing, and told.
fn text(value: &DataRef, error: &mut Option<String>) -> Option<String> {
    match value {
        DataRef::Empty => None,
        DataRef::Error(kind) => {
            *error = Some(kind.to_string());
            None
        }
        DataRef::Int(number) => Some(number.to_string()),
        DataRef::Float(value) => Some(number(*value)),
        DataRef::Bool(value) => Some(value.to_string()),
        DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => Some(text.clone()),
        DataRef::SharedString(text) => Some((*text).to_owned()),
        DataRef::DateTime(time) => Some(date(time)),
    }
}

/// The shortest digits that are read back as the same number.
fn number(value: f64) -> String {
    let size = value.abs();
    if size != 0.0 && !(1e-5..1e17).contains(&size) { format!("{value:e}") } else { value.to_string() }
}

/// A date as ISO 8601 has it, a time of the day, or a duration in hours.
fn date(time: &ExcelDateTime) -> String {
    let value = time.as_f64();
    if !(0.0..DATES).contains(&value) {
        return number(value);
    }
    if time.is_duration() {
        let millis = (value * 86_400_000.0).round() as u64;
        let (hours, minutes, seconds) = (millis / 3_600_000, millis / 60_000 % 60, millis / 1000 % 60);
        return format!("{hours:02}:{minutes:02}:{seconds:02}{}", fraction(millis % 1000));
    }
    let (year, month, day, hours, minutes, seconds, millis) = time.to_ymd_hms_milli();
    let clock = format!("{hours:02}:{minutes:02}:{seconds:02}{}", fraction(u64::from(millis)));
    if value < 1.0 {
        clock
    } else if value.fract() == 0.0 {
        format!("{year:04}-{month:02}-{day:02}")
    } else {
        format!("{year:04}-{month:02}-{day:02}T{clock}")
    }
}

fn fraction(millis: u64) -> String {
    if millis == 0 { String::new() } else { format!(".{millis:03}") }
}
