//! Protocol Buffers' wire format, read without copies. Every length is checked against the bytes that are there.

/// Value of a field.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Wire<'a> {
    Varint(u64),
    Fixed64([u8; 8]),
    Bytes(&'a [u8]),
    Fixed32([u8; 4]),
}

/// Fields of a message.
pub(super) struct Fields<'a>(&'a [u8]);

/// Iterates over the fields of a message: their numbers and values. Ends with the first that is damaged.
pub(super) fn fields(bytes: &[u8]) -> Fields<'_> {
    Fields(bytes)
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u64, Wire<'a>), String>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = field(&mut self.0);
        if field.is_none() {
            self.0 = &[];
        }
        Some(field.ok_or_else(|| "a field is cut off or damaged: was the file copied whole?".into()))
    }
}

fn field<'a>(bytes: &mut &'a [u8]) -> Option<(u64, Wire<'a>)> {
    let key = varint(bytes)?;
    let value = match key & 7 {
        0 => Wire::Varint(varint(bytes)?),
        1 => Wire::Fixed64(*bytes.split_off(..8)?.as_array()?),
        2 => {
            let length = usize::try_from(varint(bytes)?).ok()?;
            Wire::Bytes(bytes.split_off(..length)?)
        }
        5 => Wire::Fixed32(*bytes.split_off(..4)?.as_array()?),
        _ => return None,
    };
    (key >> 3 != 0).then_some((key >> 3, value))
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let byte = *bytes.split_off_first()?;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

impl<'a> Wire<'a> {
    /// Returns the bytes of a message or a packed list; none for another type.
    pub(super) fn bytes(self) -> Option<&'a [u8]> {
        match self {
            Wire::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// Returns the text.
    pub(super) fn text(self) -> Option<String> {
        self.bytes().map(|bytes| String::from_utf8_lossy(bytes).into_owned())
    }

    /// Returns the integer.
    pub(super) fn integer(self) -> Option<i64> {
        match self {
            // Negative numbers are stored as their two's complement.
            Wire::Varint(value) => Some(value.cast_signed()),
            _ => None,
        }
    }

    /// Appends the integers of a repeated field, packed or not.
    pub(super) fn extend_integers(self, to: &mut Vec<i64>) -> Option<()> {
        match self {
            Wire::Varint(value) => to.push(value.cast_signed()),
            Wire::Bytes(mut bytes) => {
                while !bytes.is_empty() {
                    to.push(varint(&mut bytes)?.cast_signed());
                }
            }
            _ => return None,
        }
        Some(())
    }

    /// Appends the f32 of a repeated field, packed or not.
    pub(super) fn extend_floats(self, to: &mut Vec<f64>) -> Option<()> {
        match self {
            Wire::Fixed32(bytes) => to.push(f32::from_le_bytes(bytes).into()),
            Wire::Bytes(bytes) => {
                to.extend(whole(bytes)?.iter().map(|&bytes| f64::from(f32::from_le_bytes(bytes))))
            }
            _ => return None,
        }
        Some(())
    }

    /// Appends the f64 of a repeated field, packed or not.
    pub(super) fn extend_doubles(self, to: &mut Vec<f64>) -> Option<()> {
        match self {
            Wire::Fixed64(bytes) => to.push(f64::from_le_bytes(bytes)),
            Wire::Bytes(bytes) => to.extend(whole(bytes)?.iter().map(|&bytes| f64::from_le_bytes(bytes))),
            _ => return None,
        }
        Some(())
    }
}

/// Returns bytes as elements of `N` bytes; none if some are left.
fn whole<const N: usize>(bytes: &[u8]) -> Option<&[[u8; N]]> {
    let (elements, rest) = bytes.as_chunks();
    rest.is_empty().then_some(elements)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_and_damage_ends_them() {
        let bytes = [0x08, 0x96, 0x01, 0x12, 2, b'h', b'i', 0x1d, 0, 0, 0x80, 0x3f];
        let all: Vec<_> = fields(&bytes).map(Result::unwrap).collect();
        assert_eq!(all[0], (1, Wire::Varint(150)));
        assert_eq!(all[1].1.text().as_deref(), Some("hi"));
        let mut floats = Vec::new();
        all[2].1.extend_floats(&mut floats).unwrap();
        assert_eq!(floats, [1.0]);
        for end in [1, 2, 4, 6, 9] {
            assert!(fields(&bytes[..end]).last().unwrap().is_err(), "{end}");
        }
        assert!(
            fields(&[0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]).last().unwrap().is_err()
        );
    }
}
