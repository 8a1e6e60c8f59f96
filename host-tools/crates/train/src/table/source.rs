//! Text of a table: the file's own, or CSV written from the cells or columns of a container.

use std::io::{BufRead, Read as _, Seek as _, SeekFrom};

use super::container::{Contents, Text, Typed, Values};
use super::dialect::Dialect;
use crate::error::{Error, Result};

/// Bytes of a large file that are in memory at once.
const BLOCK: usize = 1 << 18;

/// A text, and everything that its container tells about it.
pub(super) struct Source {
    text: Text,
    /// The dialect, of a text that was written here.
    pub(super) written: Option<Dialect>,
    /// True if the first line is known to hold names.
    pub(super) names: bool,
}

impl Source {
    pub(super) fn of(contents: Contents) -> Self {
        let written =
            |text, names| Source { text: Text::Whole(text), written: Some(Dialect::written()), names };
        match contents {
            Contents::Text(text) => Source { text, written: None, names: false },
            Contents::Cells(cells) => written(
                csv(cells.iter().map(|row| row.iter().map(|cell| cell.replace(['\n', '\r'], " ")))),
                false,
            ),
            Contents::Columns(columns) => written(csv(rows(&columns)), true),
        }
    }

    /// The first whole lines, up to a number of bytes.
    pub(super) fn sample(&self, bytes: usize) -> Result<String> {
        let mut sample = Vec::new();
        let mut reader = self.reader()?;
        let limit = u64::try_from(bytes).unwrap_or(u64::MAX);
        reader.by_ref().take(limit).read_to_end(&mut sample).map_err(self.io())?;
        let whole = sample.len() < bytes || reader.fill_buf().map_err(self.io())?.is_empty();
        if !whole {
            let end = sample.iter().rposition(|&byte| byte == b'\n').map_or(0, |place| place + 1);
            sample.truncate(end);
        }
        Ok(String::from_utf8_lossy(&sample).into_owned())
    }

    /// Reads the text from its start.
    pub(super) fn reader(&self) -> Result<Box<dyn BufRead + '_>> {
        self.text.reader()
    }

    /// Rewrites the text where its dialect needs it, which takes it into memory.
    pub(super) fn prepare(&mut self, dialect: &Dialect) -> Result<()> {
        if !dialect.rewrites() {
            return Ok(());
        }
        let mut whole = String::new();
        let prepared = match &self.text {
            Text::Whole(text) => dialect.prepare(text).into_owned(),
            Text::File { .. } => {
                self.reader()?.read_to_string(&mut whole).map_err(self.io())?;
                dialect.prepare(&whole).into_owned()
            }
        };
        self.text = Text::Whole(prepared);
        Ok(())
    }

    /// Gives the text to `take` block by block, and whether it is the last block. What `take` does not take, by the number of
    /// bytes that it returns, begins the next block.
    pub(super) fn blocks(&self, mut take: impl FnMut(&str, bool) -> Result<usize>) -> Result<()> {
        let Text::File { path, skip } = &self.text else {
            let Text::Whole(text) = &self.text else { return Ok(()) };
            return take(text, true).map(drop);
        };
        let io = || Error::io(path);
        let mut file = std::fs::File::open(path).map_err(io())?;
        file.seek(SeekFrom::Start(*skip)).map_err(io())?;
        let (mut block, mut filled) = (vec![0; BLOCK], 0);
        loop {
            let read = file.read(&mut block[filled..]).map_err(io())?;
            filled += read;
            let last = read == 0;
            if !last && filled < block.len() {
                continue;
            }
            let text = match std::str::from_utf8(&block[..filled]) {
                Ok(text) => text,
                // The rest of the last character is yet to come.
                Err(error) if error.error_len().is_none() && !last => {
                    std::str::from_utf8(&block[..error.valid_up_to()]).unwrap_or_default()
                }
                Err(_) => return Err(io()(std::io::Error::other("it changed while it was read"))),
            };
            let taken = take(text, last)?;
            if last {
                return Ok(());
            }
            block.copy_within(taken..filled, 0);
            filled -= taken;
            if taken == 0 {
                block.resize(2 * block.len(), 0);
            }
        }
    }

    /// The last bytes of the text.
    pub(super) fn tail(&self) -> Result<Vec<u8>> {
        const TAIL: usize = 256;
        match &self.text {
            Text::Whole(text) => Ok(text.as_bytes()[text.len().saturating_sub(TAIL)..].to_vec()),
            Text::File { path, .. } => {
                let io = || Error::io(path);
                let mut file = std::fs::File::open(path).map_err(io())?;
                let length = file.metadata().map_err(io())?.len();
                file.seek(SeekFrom::Start(length.saturating_sub(TAIL as u64))).map_err(io())?;
                let mut tail = Vec::with_capacity(TAIL);
                file.take(TAIL as u64).read_to_end(&mut tail).map_err(io())?;
                Ok(tail)
            }
        }
    }

    fn io(&self) -> impl FnOnce(std::io::Error) -> Error {
        Error::io(match &self.text {
            Text::Whole(_) => std::path::Path::new("the text in memory"),
            Text::File { path, .. } => path,
        })
    }
}

/// Rows of columns, the names first.
fn rows(columns: &[Typed]) -> impl Iterator<Item = impl Iterator<Item = String>> {
    let count = columns.iter().map(|column| length(&column.values)).max().unwrap_or(0);
    let names = std::iter::once(None);
    names.chain((0..count).map(Some)).map(|row| {
        columns.iter().map(move |column| match row {
            None => column.name.clone(),
            Some(row) => cell(&column.values, row),
        })
    })
}

fn length(values: &Values) -> usize {
    match values {
        Values::Numbers(values) | Values::Times(values) => values.len(),
        Values::Texts(texts) => texts.len(),
    }
}

/// A value as a cell; the text of a number is read back to the same bits.
fn cell(values: &Values, row: usize) -> String {
    match values {
        Values::Numbers(values) => {
            values.get(row).filter(|value| !value.is_nan()).map_or_else(String::new, f64::to_string)
        }
        Values::Times(values) => {
            values.get(row).filter(|value| value.is_finite()).map_or_else(String::new, |&time| clock(time))
        }
        Values::Texts(texts) => {
            texts.get(row).cloned().flatten().unwrap_or_default().replace(['\n', '\r'], " ")
        }
    }
}

/// A time as date and clock, from its seconds since 1970 (Howard Hinnant's civil calendar).
fn clock(time: f64) -> String {
    let seconds = time.floor().clamp(-1e14, 1e14) as i64;
    let (days, of_day) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let shifted = days + 719_468;
    let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
}

/// Writes rows of cells as CSV with commas.
fn csv(rows: impl Iterator<Item = impl Iterator<Item = String>>) -> String {
    let mut text = String::new();
    for row in rows {
        let mut first = true;
        for cell in row {
            if !std::mem::take(&mut first) {
                text.push(',');
            }
            if cell.contains([',', '"']) || cell.is_empty() {
                text.push('"');
                text.push_str(&cell.replace('"', "\"\""));
                text.push('"');
            } else {
                text.push_str(&cell);
            }
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_dates_and_clocks() {
        for (time, expected) in [
            (0.0, "1970-01-01 00:00:00"),
            (951_782_400.5, "2000-02-29 00:00:00"),
            (-1.0, "1969-12-31 23:59:59"),
        ] {
            assert_eq!(clock(time), expected);
        }
    }

    #[test]
    fn columns_are_rows_with_a_header() {
        let columns = [
            Typed { name: "a".into(), values: Values::Numbers(vec![0.1, f64::NAN]) },
            Typed { name: "b,c".into(), values: Values::Texts(vec![Some("x\"y".into()), None]) },
        ];
        assert_eq!(csv(rows(&columns)), "a,\"b,c\"\n0.1,\"x\"\"y\"\n\"\",\"\"\n");
    }
}
