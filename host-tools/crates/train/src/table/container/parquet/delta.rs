//! Lengths that are packed by differences, added up before the crate's decoder allocates as many as are declared.

use super::thrift::Reader;

/// The bytes that a page of `DELTA_LENGTH_BYTE_ARRAY` has as texts; `None` if it is damaged or declares more than `values`.
pub(super) fn lengths(page: &[u8], values: usize) -> Option<usize> {
    let mut reader = Reader { bytes: page };
    sum(&mut reader, values).filter(|&sum| sum <= reader.bytes.len())
}

/// The bytes that the texts of a page of `DELTA_BYTE_ARRAY` become, each of which repeats the start of the one before.
pub(super) fn prefixed(page: &[u8], values: usize) -> Option<usize> {
    let mut reader = Reader { bytes: page };
    let prefixes = sum(&mut reader, values)?;
    prefixes.checked_add(lengths(reader.bytes, values)?)
}

/// The sum of a block of numbers in `DELTA_BINARY_PACKED`, none of which is negative.
fn sum(reader: &mut Reader, values: usize) -> Option<usize> {
    let (block, minis) = (reader.varint()?, reader.varint()?);
    let count = usize::try_from(reader.varint()?).ok()?;
    let mut value = reader.number()?;
    let of_mini = usize::try_from(block.checked_div(minis)?).ok()?;
    if count > values || of_mini == 0 || !of_mini.is_multiple_of(8) {
        return None;
    }
    let mut sum = if count > 0 { usize::try_from(value).ok()? } else { 0 };
    // The first stands in the header.
    let mut left = count.saturating_sub(1);
    while left > 0 {
        let least = reader.number()?;
        for &width in reader.take(usize::try_from(minis).ok()?)? {
            if left == 0 {
                break;
            }
            if width > 32 {
                return None;
            }
            let width = usize::from(width);
            let packed = reader.take((of_mini / 8).checked_mul(width)?)?;
            for index in 0..left.min(of_mini) {
                value = value.checked_add(least)?.checked_add(bits(packed, index * width, width))?;
                sum = sum.checked_add(usize::try_from(value).ok()?)?;
            }
            left = left.saturating_sub(of_mini);
        }
    }
    Some(sum)
}

/// `width` bits from the place `start` on, the lowest first.
fn bits(packed: &[u8], start: usize, width: usize) -> i64 {
    let bytes = packed.iter().skip(start / 8).take(5).rev();
    let word = bytes.fold(0_i64, |word, &byte| word << 8 | i64::from(byte));
    // Fewer than five bytes lie at the end only, where all of them are wanted.
    word >> (start % 8) & ((1 << width) - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_added_up() {
        // 3 numbers in blocks of 128 with 4 parts: 5, then at least −2, in 2 bits: 0 and 3.
        let block = [&[0x80, 1, 4, 3, 10, 3, 2, 0, 0, 0, 0b1100][..], &[0; 7]].concat();
        let texts = [&block[..], &[b'x'; 12]].concat();
        assert_eq!(lengths(&texts, 3), Some(5 + 3 + 4));
        assert_eq!(lengths(&texts, 2), None, "more than there are values");
        assert_eq!(lengths(&texts[..texts.len() - 1], 3), None, "fewer bytes than lengths");
        assert_eq!(prefixed(&[&block[..], &texts[..]].concat(), 3), Some(24));
    }
}
