//! FlatBuffers, read without copies. Every offset is checked against the bytes that are there.

/// A table: fields by number, each of which may be absent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Table<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Place and length of the table of its fields.
    fields: (usize, usize),
}

/// Result of a read; an error is damage.
pub(super) type Read<T> = Result<T, String>;

fn damaged<T>(value: Option<T>) -> Read<T> {
    value.ok_or_else(|| "an offset leads out of the file: it is damaged, or was not copied whole".into())
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk().copied()
}

/// Returns the place that the offset at `at` leads to.
fn follow(bytes: &[u8], at: usize) -> Option<usize> {
    let offset = usize::try_from(u32::from_le_bytes(array(bytes, at)?)).ok()?;
    at.checked_add(offset).filter(|&to| to < bytes.len())
}

/// Returns the root table of a file.
pub(super) fn root(bytes: &[u8]) -> Read<Table<'_>> {
    damaged(follow(bytes, 0).and_then(|at| Table::new(bytes, at)))
}

impl<'a> Table<'a> {
    fn new(bytes: &'a [u8], at: usize) -> Option<Self> {
        let back = i64::from(i32::from_le_bytes(array(bytes, at)?));
        let fields = usize::try_from(i64::try_from(at).ok()? - back).ok()?;
        let length = usize::from(u16::from_le_bytes(array(bytes, fields)?));
        (length >= 4 && fields + length <= bytes.len()).then_some(Table {
            bytes,
            at,
            fields: (fields, length),
        })
    }

    /// Returns the place of a field; none if it is absent.
    fn field(&self, number: usize) -> Option<usize> {
        let (fields, length) = self.fields;
        let entry = 4 + 2 * number;
        let offset = (entry + 2 <= length).then(|| array(self.bytes, fields + entry)).flatten()?;
        match u16::from_le_bytes(offset) {
            0 => None,
            offset => Some(self.at + usize::from(offset)),
        }
    }

    /// Returns the bytes of a number; zeros if it is absent.
    pub(super) fn number<const N: usize>(&self, number: usize) -> Read<[u8; N]> {
        match self.field(number) {
            None => Ok([0; N]),
            Some(at) => damaged(array(self.bytes, at)),
        }
    }

    pub(super) fn byte(&self, number: usize) -> Read<i8> {
        self.number(number).map(i8::from_le_bytes)
    }

    pub(super) fn int(&self, number: usize) -> Read<i32> {
        self.number(number).map(i32::from_le_bytes)
    }

    pub(super) fn float(&self, number: usize) -> Read<f32> {
        self.number(number).map(f32::from_le_bytes)
    }

    pub(super) fn unsigned(&self, number: usize) -> Read<u64> {
        self.number(number).map(u64::from_le_bytes)
    }

    /// Returns a table; none if it is absent.
    pub(super) fn table(&self, number: usize) -> Read<Option<Table<'a>>> {
        let Some(at) = self.field(number) else { return Ok(None) };
        damaged(follow(self.bytes, at).and_then(|at| Table::new(self.bytes, at))).map(Some)
    }

    /// Returns the elements of a vector, `N` bytes each; none if it is absent.
    pub(super) fn vector<const N: usize>(&self, number: usize) -> Read<Option<&'a [[u8; N]]>> {
        let Some(at) = self.field(number) else { return Ok(None) };
        let elements = || {
            let at = follow(self.bytes, at)?;
            let length = usize::try_from(u32::from_le_bytes(array(self.bytes, at)?)).ok()?.checked_mul(N)?;
            Some(self.bytes.get(at + 4..)?.get(..length)?.as_chunks().0)
        };
        damaged(elements()).map(Some)
    }

    pub(super) fn ints(&self, number: usize) -> Read<Vec<i32>> {
        Ok(self.vector(number)?.unwrap_or_default().iter().map(|&bytes| i32::from_le_bytes(bytes)).collect())
    }

    pub(super) fn text(&self, number: usize) -> Read<String> {
        let bytes = self.vector::<1>(number)?.unwrap_or_default();
        Ok(String::from_utf8_lossy(bytes.as_flattened()).into_owned())
    }

    /// Returns the tables of a vector.
    pub(super) fn tables(&self, number: usize) -> Read<Vec<Table<'a>>> {
        let Some(at) = self.field(number) else { return Ok(Vec::new()) };
        let first = damaged(follow(self.bytes, at))? + 4;
        let count = self.vector::<4>(number)?.map_or(0, <[_]>::len);
        let table = |index| follow(self.bytes, first + 4 * index).and_then(|at| Table::new(self.bytes, at));
        damaged((0..count).map(table).collect())
    }
}
