//! Values of a column, as they are pulled from its pages.

use parquet::column::reader::ColumnReaderImpl;
use parquet::data_type::DataType;
use parquet::errors::ParquetError;

use super::super::contents::Values;
use super::super::context::Context;
use crate::error::Error;

/// Values that are decoded at once. Those of texts hold their page in memory, no copies.
const BATCH: usize = 1024;

/// Whole numbers up to this are the same in f64.
const EXACT: u64 = 1 << 53;

/// Reason why the reading of a column ended.
pub(super) enum Failed {
    /// It takes too much memory.
    Limit(Error),
    /// It is damaged.
    Parquet(ParquetError),
}

impl From<ParquetError> for Failed {
    fn from(error: ParquetError) -> Self {
        Failed::Parquet(error)
    }
}

/// The meaning of a column's values.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Number,
    Unsigned,
    Half,
    /// Digits behind the point.
    Decimal(i32),
    /// Seconds per unit, since 1970.
    Time(f64),
    /// Seconds per unit, since midnight.
    Clock(f64),
    Text,
}

/// A column so far.
pub(super) struct Column {
    pub(super) kind: Kind,
    pub(super) values: Values,
    /// Whether a whole number lost digits.
    pub(super) rounded: bool,
}

impl Column {
    pub(super) fn new(kind: Kind) -> Self {
        let values = match kind {
            Kind::Text => Values::Texts(Vec::new()),
            Kind::Time(_) => Values::Times(Vec::new()),
            _ => Values::Numbers(Vec::new()),
        };
        Column { kind, values, rounded: false }
    }

    /// Appends a number; `None` is missing.
    pub(super) fn number(&mut self, number: Option<f64>, context: &mut Context) -> Result<(), Failed> {
        context.numbers(1).map_err(Failed::Limit)?;
        match &mut self.values {
            Values::Numbers(numbers) | Values::Times(numbers) => numbers.push(number.unwrap_or(f64::NAN)),
            Values::Texts(_) => return Err(ParquetError::General("numbers among texts".into()).into()),
        }
        Ok(())
    }

    /// Appends a whole number that f64 may round.
    pub(super) fn whole(
        &mut self,
        value: Option<i64>,
        number: impl Fn(i64) -> f64,
        context: &mut Context,
    ) -> Result<(), Failed> {
        if let Some(value) = value {
            self.rounded |= match self.kind {
                Kind::Number => value.unsigned_abs() > EXACT,
                Kind::Unsigned => value.cast_unsigned() > EXACT,
                _ => false,
            };
        }
        self.number(value.map(number), context)
    }

    /// Appends a text.
    pub(super) fn text(&mut self, text: Option<&[u8]>, context: &mut Context) -> Result<(), Failed> {
        context.text(text.map_or(0, <[u8]>::len)).map_err(Failed::Limit)?;
        match &mut self.values {
            Values::Texts(texts) => texts.push(text.map(|text| String::from_utf8_lossy(text).into_owned())),
            _ => return Err(ParquetError::General("texts among numbers".into()).into()),
        }
        Ok(())
    }
}

/// Pulls `rows` values out of a reader, `None` where one is missing.
pub(super) fn pull<T: DataType>(
    mut reader: ColumnReaderImpl<T>,
    rows: usize,
    nullable: bool,
    mut push: impl FnMut(Option<&T::T>) -> Result<(), Failed>,
) -> Result<(), Failed> {
    let (mut levels, mut values) = (Vec::new(), Vec::new());
    let mut left = rows;
    while left > 0 {
        levels.clear();
        values.clear();
        let (read, ..) = reader.read_records(left.min(BATCH), Some(&mut levels), None, &mut values)?;
        if read == 0 {
            let message = format!("it has {} values, of {rows}", rows - left);
            return Err(ParquetError::General(message).into());
        }
        if nullable {
            let mut values = values.iter();
            for level in &levels {
                push(if *level > 0 { values.next() } else { None })?;
            }
        } else {
            values.iter().try_for_each(|value| push(Some(value)))?;
        }
        left = left.saturating_sub(read);
    }
    Ok(())
}

/// A decimal number as the nearest f64: its digits are read as text, since a division would round twice.
pub(super) fn decimal(value: i128, scale: i32) -> f64 {
    let exact = (0..=22).contains(&scale) && value.unsigned_abs() <= u128::from(EXACT);
    if exact {
        // Both are exact, so that one division rounds once.
        return value as f64 / 10_f64.powi(scale);
    }
    format!("{value}e{}", -i64::from(scale)).parse().unwrap_or(f64::NAN)
}

/// A whole number of up to 16 bytes, the highest first.
pub(super) fn big_endian(bytes: &[u8]) -> Option<i128> {
    let negative = bytes.first().is_some_and(|&byte| byte >= 0x80);
    let start = if negative { -1 } else { 0 };
    (bytes.len() <= 16).then(|| bytes.iter().fold(start, |value, &byte| value << 8 | i128::from(byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_rounded_once() {
        assert_eq!(decimal(12_345, 2), 123.45);
        assert_eq!(decimal(-5, 0), -5.0);
        assert_eq!(decimal(12_345_678_901_234_567_890_123_456_789, 20), 123_456_789.012_345_67);
        assert_eq!(big_endian(&[0xFF, 0x85]), Some(-123));
        assert_eq!(big_endian(&[]), Some(0));
        assert_eq!(big_endian(&[1; 17]), None);
    }
}
