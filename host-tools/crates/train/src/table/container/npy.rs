//! NumPy arrays as columns: of one or two dimensions, or of records with named fields.
//!
//! By hand: the crate `npyz` reads types that are known when compiling, so that of it only the header would be used, which
//! brings a parser generator and allocates what a damaged header declares.

use super::contents::{Typed, Values};
use super::context::Context;
use super::npy_header::{Value, header};
use crate::error::{Error, Result};

/// Most columns. Each takes a vector, so that an image in one row would take much.
const COLUMNS: usize = 100_000;

/// Whole numbers up to this are the same in f64.
const EXACT: u64 = 1 << 53;

/// An array in a file.
pub(super) struct Array<'a> {
    /// Its name in errors: "the array", "array `x`".
    label: String,
    pub(super) shape: Vec<usize>,
    fortran: bool,
    pub(super) fields: Fields,
    data: &'a [u8],
}

/// The items of an array.
pub(super) enum Fields {
    /// All of one type.
    Plain(Item),
    /// Records: names, types and places in a record, and the bytes of a record.
    Records(Vec<(String, Item, usize)>, usize),
}

/// The type of an item.
#[derive(Clone, Copy, Debug)]
pub(super) struct Item {
    kind: Kind,
    big: bool,
    size: usize,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Bool,
    Int,
    Unsigned,
    Float,
    Bytes,
    Unicode,
    /// Seconds per unit of a time, counted from 1970.
    Time(f64),
    /// Seconds per unit of a duration.
    Duration(f64),
    Padding,
}

/// Reads the columns of a `.npy` file.
pub(super) fn columns(bytes: &[u8], context: &mut Context) -> Result<Vec<Typed>> {
    context.note("NumPy array");
    let array = Array::new(bytes, "the array", context)?;
    array.columns("x", true, context)
}

impl<'a> Array<'a> {
    /// Reads the header; the items are read by `columns`.
    pub(super) fn new(bytes: &'a [u8], label: &str, context: &Context) -> Result<Self> {
        let header = header(bytes).map_err(|message| context.error(None, message))?;
        let error = |message: String| context.error(None, format!("{label} {message}"));
        let fields = fields(&header.kind).map_err(error)?;
        Ok(Array {
            label: label.to_owned(),
            shape: header.shape,
            fortran: header.fortran,
            fields,
            data: header.data,
        })
    }

    /// Whether the items are texts.
    #[cfg(feature = "formats")]
    pub(super) fn is_text(&self) -> bool {
        matches!(&self.fields, Fields::Plain(Item { kind: Kind::Bytes | Kind::Unicode, .. }))
    }

    /// Rows and columns.
    fn sides(&self, context: &Context) -> Result<(usize, usize)> {
        match (self.shape.as_slice(), &self.fields) {
            (&[rows], _) => Ok((rows, 1)),
            (&[rows, columns], Fields::Plain(_)) if columns <= COLUMNS => Ok((rows, columns)),
            (&[_, columns], Fields::Plain(_)) => {
                Err(self.error(context, &format!("has {columns} columns, of at most {COLUMNS}")))
            }
            ([], _) => Err(self.error(context, "is a single value: rows and columns are needed")),
            (shape, _) => {
                let message = format!(
                    "has {} dimensions, {shape:?}: reshape it to rows and columns (NumPy: `x.reshape(len(x), -1)`)",
                    shape.len()
                );
                Err(self.error(context, &message))
            }
        }
    }

    fn error(&self, context: &Context, message: &str) -> Error {
        context.error(None, format!("{} {message}", self.label))
    }

    /// The columns, named by their fields; else `name`, and its number if there are several or if `numbered`.
    pub(super) fn columns(&self, name: &str, numbered: bool, context: &mut Context) -> Result<Vec<Typed>> {
        let (rows, columns) = self.sides(context)?;
        let size = match &self.fields {
            Fields::Plain(item) => item.size,
            Fields::Records(_, size) => *size,
        };
        let wanted = rows.checked_mul(columns).and_then(|items| items.checked_mul(size));
        let whole = wanted.is_some_and(|wanted| wanted <= self.data.len());
        if !whole || (size == 0 && rows > 0) {
            return Err(self.error(context, "ends before its last item: was the file copied whole?"));
        }
        match &self.fields {
            Fields::Plain(item) => {
                let mut table = Vec::new();
                for column in 0..columns {
                    let (first, step) = if self.fortran { (column * rows, 1) } else { (column, columns) };
                    let name = if numbered || columns > 1 {
                        format!("{name}{}", column + 1)
                    } else {
                        name.to_owned()
                    };
                    let items = self.items(*item, first * size, step * size, rows);
                    table.push(item.column(name, items, context)?);
                }
                Ok(table)
            }
            Fields::Records(fields, _) => {
                let column = |(name, item, place): &(String, Item, usize)| {
                    item.column(name.clone(), self.items(*item, *place, size, rows), context)
                };
                fields.iter().map(column).collect()
            }
        }
    }

    /// Bytes of the items of a column, whose rows are `step` bytes apart.
    fn items(&self, item: Item, first: usize, step: usize, rows: usize) -> impl Iterator<Item = &'a [u8]> {
        let data = self.data;
        (0..rows).map(move |row| &data[first + row * step..first + row * step + item.size])
    }
}

/// The types of a header.
fn fields(kind: &Value) -> Result<Fields, String> {
    let list = match kind {
        Value::Text(text) => return item(text).map(Fields::Plain),
        Value::List(list) => list,
        _ => return Err("has no type".into()),
    };
    let (mut fields, mut place) = (Vec::new(), 0_usize);
    for field in list {
        let Value::List(field) = field else { return Err("has a damaged field".into()) };
        let (name, kind) = match field.as_slice() {
            [Value::Text(name), kind] => (name, kind),
            // A title and a name.
            [Value::List(names), kind] => match names.as_slice() {
                [_, Value::Text(name)] => (name, kind),
                _ => return Err("has a field without a name".into()),
            },
            [Value::Text(name), _, _] => {
                return Err(format!("has a field {name:?} of several values: split it"));
            }
            _ => return Err("has a damaged field".into()),
        };
        let Value::Text(kind) = kind else {
            return Err(format!("has a field {name:?} of records: flatten it"));
        };
        let item = item(kind).map_err(|message| format!("{message} (field {name:?})"))?;
        if item.kind != Kind::Padding {
            fields.push((name.clone(), item, place));
        }
        place = place.checked_add(item.size).ok_or("has a damaged field")?;
    }
    if fields.len() > COLUMNS {
        Err("has too many fields".into())
    } else {
        Ok(Fields::Records(fields, place))
    }
}

/// The type of a text, such as `<f8`.
fn item(text: &str) -> Result<Item, String> {
    let damaged = || format!("has the damaged type {text:?}");
    let mut characters = text.chars();
    let (order, letter) = (characters.next().ok_or_else(damaged)?, characters.next().ok_or_else(damaged)?);
    let rest = characters.as_str();
    let digits = rest.find('[').unwrap_or(rest.len());
    let (digits, unit) = rest.split_at(digits);
    let refused = match letter {
        'O' => Some("Python objects: save it with a type (NumPy: `x.astype(float)` or `x.astype(str)`)"),
        'c' => Some("complex numbers: save their parts"),
        _ => None,
    };
    if let Some(refused) = refused {
        return Err(format!("holds {refused}"));
    }
    let size: usize = digits.parse().map_err(|_| damaged())?;
    let (kind, size) = match (letter, size) {
        ('b', 1) => (Kind::Bool, 1),
        ('i', 1 | 2 | 4 | 8) => (Kind::Int, size),
        ('u', 1 | 2 | 4 | 8) => (Kind::Unsigned, size),
        ('f', 2 | 4 | 8) => (Kind::Float, size),
        ('f', _) => return Err("holds long doubles: save it as float64".into()),
        ('S' | 'a', _) => (Kind::Bytes, size),
        ('U', _) => (Kind::Unicode, size.checked_mul(4).ok_or_else(damaged)?),
        ('M', 8) => (Kind::Time(unit_seconds(unit).ok_or_else(damaged)?), 8),
        ('m', 8) => (Kind::Duration(unit_seconds(unit).ok_or_else(damaged)?), 8),
        ('V', _) => (Kind::Padding, size),
        _ => return Err(format!("has the type {text:?}, which is not read: save it as float64")),
    };
    Ok(Item { kind, big: order == '>', size })
}

/// Seconds of a unit, such as `[ms]` or `[10us]`. Months and years differ in length.
fn unit_seconds(unit: &str) -> Option<f64> {
    let unit = unit.strip_prefix('[')?.strip_suffix(']')?;
    let digits = unit.bytes().take_while(u8::is_ascii_digit).count();
    let (count, unit) = unit.split_at(digits);
    let count = if count.is_empty() { 1.0 } else { count.parse().ok()? };
    let seconds = match unit {
        "W" => 604_800.0,
        "D" => 86_400.0,
        "h" => 3600.0,
        "m" => 60.0,
        "s" => 1.0,
        "ms" => 1e-3,
        "us" => 1e-6,
        "ns" => 1e-9,
        _ => return None,
    };
    Some(count * seconds)
}

impl Item {
    /// Reads a column.
    fn column<'a>(
        self,
        name: String,
        items: impl Iterator<Item = &'a [u8]>,
        context: &mut Context,
    ) -> Result<Typed> {
        let values = match self.kind {
            Kind::Padding => return Err(context.error(None, "an array of raw bytes: save it with a type")),
            Kind::Bytes | Kind::Unicode => {
                let mut texts = Vec::new();
                for item in items {
                    let text = self.text(item);
                    context.text(text.len())?;
                    texts.push(Some(text));
                }
                Values::Texts(texts)
            }
            Kind::Bool | Kind::Int | Kind::Unsigned | Kind::Float | Kind::Time(_) | Kind::Duration(_) => {
                context.numbers(items.size_hint().0)?;
                let mut rounded = false;
                let numbers = items.map(|item| self.number(item, &mut rounded)).collect();
                if rounded {
                    context.note(format!("column {name}: whole numbers beyond 2^53 are rounded"));
                }
                if let Kind::Time(_) = self.kind { Values::Times(numbers) } else { Values::Numbers(numbers) }
            }
        };
        Ok(Typed { name, values })
    }

    fn number(self, item: &[u8], rounded: &mut bool) -> f64 {
        // The bytes, the lowest first, with zeros above.
        let mut bytes = [0; 8];
        for (at, &byte) in item.iter().take(8).enumerate() {
            bytes[if self.big { self.size - 1 - at } else { at }] = byte;
        }
        let bits = u64::from_le_bytes(bytes);
        let unused = 64 - 8 * self.size as u32;
        let signed = (bits << unused).cast_signed() >> unused;
        match self.kind {
            Kind::Float => match self.size {
                2 => half(bits as u16),
                4 => f64::from(f32::from_bits(bits as u32)),
                _ => f64::from_bits(bits),
            },
            // NumPy's "not a time".
            Kind::Time(_) | Kind::Duration(_) if signed == i64::MIN => f64::NAN,
            Kind::Time(unit) | Kind::Duration(unit) => scaled(signed, unit),
            Kind::Int => {
                *rounded |= signed.unsigned_abs() > EXACT;
                signed as f64
            }
            _ => {
                *rounded |= bits > EXACT;
                bits as f64
            }
        }
    }

    fn text(self, item: &[u8]) -> String {
        if self.kind == Kind::Bytes {
            let end = item.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
            return match std::str::from_utf8(&item[..end]) {
                Ok(text) => text.to_owned(),
                Err(_) => item[..end].iter().copied().map(char::from).collect(),
            };
        }
        let (units, _) = item.as_chunks::<4>();
        let code =
            |unit: &[u8; 4]| if self.big { u32::from_be_bytes(*unit) } else { u32::from_le_bytes(*unit) };
        let end = units.iter().rposition(|unit| code(unit) != 0).map_or(0, |last| last + 1);
        units[..end]
            .iter()
            .map(|unit| char::from_u32(code(unit)).unwrap_or(char::REPLACEMENT_CHARACTER))
            .collect()
    }
}

/// Seconds of a count of units: whole seconds first, which keeps the digits of nanoseconds since 1970.
pub(super) fn scaled(count: i64, unit: f64) -> f64 {
    if unit >= 1.0 {
        return count as f64 * unit;
    }
    let per_second = (1.0 / unit).round() as i64;
    let (whole, part) = (count / per_second, count % per_second);
    whole as f64 + part as f64 / per_second as f64
}

/// A number of 16 bits.
pub(crate) fn half(bits: u16) -> f64 {
    let sign = if bits >> 15 == 1 { -1.0 } else { 1.0 };
    let (exponent, fraction) = (i32::from(bits >> 10 & 31), f64::from(bits & 1023));
    sign * match exponent {
        0 => fraction * 2.0_f64.powi(-24),
        31 if fraction > 0.0 => f64::NAN,
        31 => f64::INFINITY,
        _ => (1024.0 + fraction) * 2.0_f64.powi(exponent - 25),
    }
}
