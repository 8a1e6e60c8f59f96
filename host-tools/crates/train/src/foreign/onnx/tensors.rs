//! Tensors of an ONNX file: their elements are in the file in one of several fields, or in a file of their own.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Component, Path};

use super::proto::{Contents, Stored};
use super::wire::{Wire, fields};
use crate::foreign::tensor::{Number, Tensor, bfloat16, count};
use crate::table::container::half;

/// Place of elements in a file of their own.
#[derive(Clone, Debug, Default)]
pub(super) struct External {
    dims: Vec<usize>,
    location: String,
    offset: u64,
    length: Option<u64>,
}

/// Codes of types of elements.
pub(super) const STRING: i64 = 8;
pub(super) const FLOAT: i64 = 1;
pub(super) const DOUBLE: i64 = 11;
pub(super) const INT8: i64 = 3;
pub(super) const UINT8: i64 = 2;
pub(super) const FLOAT16: i64 = 10;
pub(super) const BFLOAT16: i64 = 16;

/// Fields of a tensor that hold its elements.
#[derive(Default)]
struct Data<'a> {
    floats: Vec<f64>,
    integers: Vec<i64>,
    doubles: Vec<f64>,
    texts: Vec<String>,
    raw: Option<&'a [u8]>,
}

/// Reads a tensor.
pub(super) fn read(bytes: &[u8]) -> Result<Stored, String> {
    let (mut dims, mut kind, mut name) = (Vec::new(), 0, String::new());
    let (mut data, mut external, mut is_external) = (Data::default(), External::default(), false);
    for field in fields(bytes) {
        let (number, value) = field?;
        let read = match number {
            1 => value.extend_integers(&mut dims),
            2 => value.integer().map(|code| kind = code),
            4 => value.extend_floats(&mut data.floats),
            5 | 7 | 11 => value.extend_integers(&mut data.integers),
            6 => value.text().map(|text| data.texts.push(text)),
            8 => value.text().map(|text| name = text),
            9 => value.bytes().map(|bytes| data.raw = Some(bytes)),
            10 => value.extend_doubles(&mut data.doubles),
            13 => {
                place(value, &mut external)?;
                Some(())
            }
            14 => value.integer().map(|place| is_external = place == 1),
            _ => Some(()),
        };
        read.ok_or_else(|| format!("the tensor {name:?} has a field of a wrong type"))?;
    }
    let wrong = |why: String| format!("the tensor {name:?}: {why}");
    let dims: Option<Vec<usize>> = dims.iter().map(|&length| usize::try_from(length).ok()).collect();
    let dims = dims.ok_or_else(|| wrong("a dimension is negative".into()))?;
    let contents = if is_external {
        Contents::External(External { dims, ..external })
    } else if kind == STRING {
        Contents::Texts(data.texts)
    } else {
        Contents::Numbers(data.tensor(dims, kind).map_err(wrong)?)
    };
    Ok(Stored { name, kind, contents })
}

/// Reads a pair of key and value of the place of a tensor.
fn place(value: Wire<'_>, external: &mut External) -> Result<(), String> {
    let (mut key, mut text) = (String::new(), String::new());
    for field in fields(value.bytes().unwrap_or_default()) {
        match field? {
            (1, value) => key = value.text().unwrap_or_default(),
            (2, value) => text = value.text().unwrap_or_default(),
            _ => {}
        }
    }
    let number = || text.parse().map_err(|_| format!("the {key} {text:?} of external data is no number"));
    match key.as_str() {
        "offset" => external.offset = number()?,
        "length" => external.length = Some(number()?),
        "location" => external.location = text,
        _ => {}
    }
    Ok(())
}

impl Data<'_> {
    fn tensor(self, dims: Vec<usize>, kind: i64) -> Result<Tensor, String> {
        let wanted = count(&dims).ok_or_else(|| format!("its shape {dims:?} is too large"))?;
        if let Some(raw) = self.raw {
            return from_raw(dims, kind, raw);
        }
        let codes = || self.integers.iter().map(|&code| code as u16);
        let (values, number) = match kind {
            FLOAT => (self.floats, Number::Float),
            DOUBLE => (self.doubles, Number::Double),
            FLOAT16 => (codes().map(half).collect(), Number::Float),
            BFLOAT16 => (codes().map(bfloat16).collect(), Number::Float),
            UINT8 | INT8 | 4..=7 | 9 | 12 | 13 => {
                (self.integers.iter().map(|&integer| integer as f64).collect(), Number::Integer)
            }
            kind => return Err(unknown(kind)),
        };
        if values.len() != wanted {
            return Err(format!(
                "its shape {dims:?} has {wanted} elements, but the file holds {}",
                values.len()
            ));
        }
        Tensor::new(dims, values, number)
    }
}

fn unknown(kind: i64) -> String {
    format!("its elements have the type {kind} of ONNX, which is not supported")
}

/// Returns the elements of little-endian bytes.
fn from_raw(dims: Vec<usize>, kind: i64, bytes: &[u8]) -> Result<Tensor, String> {
    macro_rules! elements {
        ($type:ty) => {
            bytes
                .as_chunks()
                .0
                .iter()
                .map(|&bytes| <$type>::from_le_bytes(bytes) as f64)
                .collect::<Vec<f64>>()
        };
    }
    let halves = |value: fn(u16) -> f64| {
        bytes.as_chunks().0.iter().map(|&bytes| value(u16::from_le_bytes(bytes))).collect()
    };
    let size = match kind {
        UINT8 | INT8 | 9 => 1,
        4 | 5 | FLOAT16 | BFLOAT16 => 2,
        FLOAT | 6 | 12 => 4,
        7 | DOUBLE | 13 => 8,
        kind => return Err(unknown(kind)),
    };
    let wanted = count(&dims).and_then(|count| count.checked_mul(size));
    if wanted != Some(bytes.len()) {
        return Err(format!(
            "its shape {dims:?} takes {} bytes, but the file holds {}",
            wanted.map_or("too many".into(), |wanted| wanted.to_string()),
            bytes.len()
        ));
    }
    let (values, number) = match kind {
        FLOAT => (elements!(f32), Number::Float),
        DOUBLE => (elements!(f64), Number::Double),
        FLOAT16 => (halves(half), Number::Float),
        BFLOAT16 => (halves(bfloat16), Number::Float),
        INT8 => (elements!(i8), Number::Integer),
        4 => (elements!(u16), Number::Integer),
        5 => (elements!(i16), Number::Integer),
        6 => (elements!(i32), Number::Integer),
        7 => (elements!(i64), Number::Integer),
        12 => (elements!(u32), Number::Integer),
        13 => (elements!(u64), Number::Integer),
        _ => (elements!(u8), Number::Integer),
    };
    Tensor::new(dims, values, number)
}

impl External {
    /// Reads the elements from their file, which must be in the folder of the model.
    pub(super) fn load(&self, kind: i64, folder: Option<&Path>) -> Result<Tensor, String> {
        let location = &self.location;
        let name = Path::new(location);
        let inside =
            !location.is_empty() && name.components().all(|part| matches!(part, Component::Normal(_)));
        let folder = folder.ok_or_else(|| format!("its elements are in another file, {location:?}"))?;
        let outside = || {
            format!("its elements are in {location:?}, outside of the model's folder, which is never read")
        };
        if !inside {
            return Err(outside());
        }
        let failed = |error: std::io::Error| {
            format!("its elements are in {location:?}, which must lie next to the model: {error}")
        };
        let path = folder.join(name).canonicalize().map_err(failed)?;
        if !path.starts_with(folder.canonicalize().map_err(failed)?) || !path.is_file() {
            return Err(outside());
        }
        let mut file = File::open(path).map_err(failed)?;
        let size = file.metadata().map_err(failed)?.len();
        let rest = size.checked_sub(self.offset);
        let length = self.length.or(rest).filter(|&length| Some(length) <= rest);
        let length = length.and_then(|length| usize::try_from(length).ok()).ok_or_else(|| {
            format!("its elements lie behind the end of {location:?}, which has {size} bytes: was it copied whole?")
        })?;
        let mut bytes = Vec::new();
        file.seek(SeekFrom::Start(self.offset)).map_err(failed)?;
        file.take(length as u64).read_to_end(&mut bytes).map_err(failed)?;
        from_raw(self.dims.clone(), kind, &bytes)
    }
}
