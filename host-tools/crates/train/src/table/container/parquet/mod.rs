//! Parquet files without nesting, column by column.
//!
//! The crate `parquet` reads the footer and decodes values. Pages are unpacked [here](pages), for three reasons: the crate
//! allocates what a damaged page declares, its zstd needs a C compiler, and with it would come a second gzip.

mod delta;
mod flat;
mod pages;
mod thrift;
mod values;

use bytes::Bytes;
use parquet::basic::{ConvertedType, LogicalType, TimeUnit, Type};
use parquet::column::reader::{ColumnReader, get_column_reader};
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader};
use parquet::schema::types::ColumnDescriptor;

use self::pages::{Allowance, Pages};
use self::values::{Column, Failed, Kind, big_endian, decimal, pull};
use super::caught::caught;
use super::contents::Typed;
use super::context::Context;
use super::npy::{half, scaled};
use crate::error::{Error, Result};

/// Bytes at the end: the length of the footer and the magic.
const TAIL: usize = 8;

const DAMAGED: &str = "the Parquet file is damaged: was it copied whole?";

/// Reads all columns.
pub(super) fn columns(bytes: Vec<u8>, context: &mut Context) -> Result<Vec<Typed>> {
    context.note("Parquet");
    // Decoders of the crate slice by lengths in the file, so that damage can make them panic. They leave nothing behind
    // that could be used after that: the columns are dropped.
    caught(|| read(Bytes::from(bytes), context)).unwrap_or_else(|| Err(context.error(None, DAMAGED)))
}

fn read(bytes: Bytes, context: &mut Context) -> Result<Vec<Typed>> {
    let damaged = |context: &Context| context.error(None, DAMAGED);
    let body = bytes.len().checked_sub(TAIL).ok_or_else(|| damaged(context))?;
    let (length, magic) = bytes[body..].split_at(4);
    let length = length.iter().rev().fold(0_usize, |length, &byte| length << 8 | usize::from(byte));
    let start = body.checked_sub(length).filter(|_| magic == b"PAR1").ok_or_else(|| damaged(context))?;
    let footer = bytes.slice(start..body);
    flat::check(&footer).map_err(|message| context.error(None, message.unwrap_or_else(|| DAMAGED.into())))?;
    let metadata = ParquetMetaDataReader::decode_metadata(&footer)
        .map_err(|error| context.error(None, format!("{DAMAGED} ({error})")))?;
    let allowance = Allowance::new(context.limits);
    let schema = metadata.file_metadata().schema_descr();
    (0..schema.num_columns()).map(|index| column(&bytes, &metadata, index, &allowance, context)).collect()
}

/// Reads a column of all row groups.
fn column(
    bytes: &Bytes,
    metadata: &ParquetMetaData,
    index: usize,
    allowance: &Allowance,
    context: &mut Context,
) -> Result<Typed> {
    let descriptor = metadata.file_metadata().schema_descr().column(index);
    let name = descriptor.name().to_owned();
    let mut column = Column::new(kind(&descriptor).map_err(|what| refused(&name, what, context))?);
    for group in metadata.row_groups() {
        let rows = usize::try_from(group.num_rows()).unwrap_or_default();
        let chunk = group.columns().get(index).ok_or_else(|| context.error(None, DAMAGED))?;
        let pages = Pages::new(bytes, chunk, descriptor.max_def_level() > 0, allowance.clone());
        let pages = pages.map_err(|error| of_column(&name, &error, context))?;
        let reader = get_column_reader(descriptor.clone(), Box::new(pages));
        let read = values(reader, &descriptor, rows, &mut column, context);
        read.map_err(|failed| match failed {
            Failed::Limit(error) => error,
            Failed::Parquet(error) => of_column(&name, &error, context),
        })?;
    }
    if column.rounded {
        context.note(format!("column {name}: whole numbers beyond 2^53 are rounded"));
    }
    Ok(Typed { name, values: column.values })
}

fn of_column(name: &str, error: &parquet::errors::ParquetError, context: &Context) -> Error {
    context.error(None, format!("column {name:?} of the Parquet file cannot be read: {error}"))
}

fn refused(name: &str, what: &str, context: &Context) -> Error {
    context.error(
        None,
        format!("column {name:?} holds {what}, which is not read: leave it out, or save it as text"),
    )
}

fn kind(descriptor: &ColumnDescriptor) -> Result<Kind, &'static str> {
    let unit = |unit: &TimeUnit| match unit {
        TimeUnit::MILLIS => 1e-3,
        TimeUnit::MICROS => 1e-6,
        TimeUnit::NANOS => 1e-9,
    };
    let bytes = matches!(descriptor.physical_type(), Type::BYTE_ARRAY | Type::FIXED_LEN_BYTE_ARRAY);
    Ok(match (descriptor.logical_type_ref(), descriptor.converted_type()) {
        (Some(LogicalType::Timestamp(time)), _) => Kind::Time(unit(&time.unit)),
        (Some(LogicalType::Time(time)), _) => Kind::Clock(unit(&time.unit)),
        (Some(LogicalType::Decimal(decimal)), _) => Kind::Decimal(decimal.scale),
        (Some(LogicalType::Float16), _) => Kind::Half,
        (Some(LogicalType::Integer(integer)), _) if !integer.is_signed => Kind::Unsigned,
        (Some(LogicalType::Uuid), _) => return Err("UUIDs"),
        (Some(LogicalType::Bson), _) | (_, ConvertedType::BSON) => return Err("BSON"),
        (Some(LogicalType::Date), _) | (_, ConvertedType::DATE) => Kind::Time(86_400.0),
        (_, ConvertedType::TIMESTAMP_MILLIS) => Kind::Time(1e-3),
        (_, ConvertedType::TIMESTAMP_MICROS) => Kind::Time(1e-6),
        (_, ConvertedType::TIME_MILLIS) => Kind::Clock(1e-3),
        (_, ConvertedType::TIME_MICROS) => Kind::Clock(1e-6),
        (_, ConvertedType::DECIMAL) => Kind::Decimal(descriptor.type_scale()),
        (_, ConvertedType::INTERVAL) => return Err("intervals"),
        (
            _,
            ConvertedType::UINT_8 | ConvertedType::UINT_16 | ConvertedType::UINT_32 | ConvertedType::UINT_64,
        ) => Kind::Unsigned,
        _ if descriptor.physical_type() == Type::INT96 => Kind::Time(1e-9),
        _ if descriptor.physical_type() == Type::FIXED_LEN_BYTE_ARRAY => return Err("raw bytes"),
        _ if bytes => Kind::Text,
        _ => Kind::Number,
    })
}

/// Reads the values of a column in a row group.
fn values(
    reader: ColumnReader,
    descriptor: &ColumnDescriptor,
    rows: usize,
    column: &mut Column,
    context: &mut Context,
) -> Result<(), Failed> {
    let nullable = descriptor.max_def_level() > 0;
    let kind = column.kind;
    let whole = |value: i64, bits: u64| match kind {
        Kind::Time(unit) | Kind::Clock(unit) => scaled(value, unit),
        Kind::Decimal(scale) => decimal(i128::from(value), scale),
        Kind::Unsigned => bits as f64,
        _ => value as f64,
    };
    match reader {
        ColumnReader::BoolColumnReader(reader) => pull(reader, rows, nullable, |value| {
            column.number(value.map(|&value| f64::from(u8::from(value))), context)
        }),
        ColumnReader::Int32ColumnReader(reader) => pull(reader, rows, nullable, |value| {
            column.number(
                value.map(|&value| whole(i64::from(value), u64::from(value.cast_unsigned()))),
                context,
            )
        }),
        ColumnReader::Int64ColumnReader(reader) => pull(reader, rows, nullable, |value| {
            column.whole(value.copied(), |value| whole(value, value.cast_unsigned()), context)
        }),
        ColumnReader::Int96ColumnReader(reader) => pull(reader, rows, nullable, |value| {
            // A day of the Julian calendar after the nanoseconds of the day.
            let seconds = |&[low, high, day]: &[u32; 3]| {
                let nanos = i128::from(high) << 32 | i128::from(low);
                let nanos = nanos + (i128::from(day) - 2_440_588) * 86_400_000_000_000;
                i64::try_from(nanos).map_or(nanos as f64 * 1e-9, |nanos| scaled(nanos, 1e-9))
            };
            let words = value.and_then(|value| value.data().try_into().ok());
            column.number(words.as_ref().map(seconds), context)
        }),
        ColumnReader::FloatColumnReader(reader) => {
            pull(reader, rows, nullable, |value| column.number(value.map(|&value| f64::from(value)), context))
        }
        ColumnReader::DoubleColumnReader(reader) => {
            pull(reader, rows, nullable, |value| column.number(value.copied(), context))
        }
        ColumnReader::ByteArrayColumnReader(reader) => pull(reader, rows, nullable, |value| {
            let bytes = value.map(parquet::data_type::ByteArray::data);
            match kind {
                Kind::Text => column.text(bytes, context),
                _ => column.number(bytes.map(|bytes| of_bytes(kind, bytes)), context),
            }
        }),
        ColumnReader::FixedLenByteArrayColumnReader(reader) => pull(reader, rows, nullable, |value| {
            column.number(value.map(|value| of_bytes(kind, value.data())), context)
        }),
    }
}

/// A number that lies in bytes; NaN if it is too long for one.
fn of_bytes(kind: Kind, bytes: &[u8]) -> f64 {
    match (kind, bytes) {
        (Kind::Half, &[low, high]) => half(u16::from_le_bytes([low, high])),
        (Kind::Decimal(scale), bytes) => big_endian(bytes).map_or(f64::NAN, |value| decimal(value, scale)),
        _ => f64::NAN,
    }
}
