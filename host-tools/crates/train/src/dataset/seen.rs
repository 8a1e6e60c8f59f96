//! Known rows: equal rows within a file, and rows that a model was trained on, in any file.

use nalgebra::DMatrix;
use serde::{Deserialize, Serialize};

use super::Dataset;

/// Hashes that a model keeps at most: 8 characters each in its file.
const MOST: usize = 1 << 16;

/// Equality of rows tells nothing if fewer than half of the rows are different, as in a table of few categories.
const LEAST_DIFFERENT: f64 = 0.5;

/// The rows that a model was trained on, known by hashes of their features.
///
/// A row of another file is taken for one of them if its features are equal to the bit, or by chance, once in
/// 2³² / rows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SeenRows {
    /// Ascending and different. Of more than [`MOST`] rows they are the least.
    hashes: Vec<u32>,
}

impl SeenRows {
    /// The rows of `x`, shape (features × rows); none if most of them are equal to another.
    pub fn of(x: &DMatrix<f32>) -> Self {
        let mut hashes: Vec<u32> = (0..x.ncols()).map(|row| hash(x, row)).collect();
        hashes.sort_unstable();
        hashes.dedup();
        if (hashes.len() as f64) < LEAST_DIFFERENT * x.ncols() as f64 {
            hashes.clear();
        }
        hashes.truncate(MOST);
        SeenRows { hashes }
    }

    /// Adds the rows that another model was trained on.
    pub fn extend(&mut self, other: &SeenRows) {
        self.hashes.extend(&other.hashes);
        self.hashes.sort_unstable();
        self.hashes.dedup();
        self.hashes.truncate(MOST);
    }

    /// Returns true if no row is known.
    pub fn is_empty(&self) -> bool {
        self.hashes.is_empty()
    }

    /// Tells for each row of `x`, shape (features × rows), if it is among them.
    pub fn contains(&self, x: &DMatrix<f32>) -> Vec<bool> {
        (0..x.ncols()).map(|row| self.hashes.binary_search(&hash(x, row)).is_ok()).collect()
    }
}

impl From<SeenRows> for String {
    fn from(seen: SeenRows) -> Self {
        seen.hashes.iter().map(|hash| format!("{hash:08x}")).collect()
    }
}

impl TryFrom<String> for SeenRows {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let broken = || "the hashes of the rows are no hexadecimal numbers in ascending order".to_owned();
        let digits = text.as_bytes().chunks(8);
        let hash = |digits: &[u8]| {
            let text = std::str::from_utf8(digits).ok().filter(|text| text.len() == 8)?;
            u32::from_str_radix(text, 16).ok()
        };
        let hashes = digits.map(hash).collect::<Option<Vec<u32>>>().ok_or_else(broken)?;
        if hashes.len() > MOST || hashes.windows(2).any(|pair| pair[0] >= pair[1]) {
            return Err(broken());
        }
        Ok(SeenRows { hashes })
    }
}

/// For each row of `x`, shape (features × rows), the first one that is equal to it; none if equality tells nothing.
pub(super) fn first_equal(x: &DMatrix<f32>) -> Option<Vec<usize>> {
    let first = firsts(x);
    let different = first.iter().enumerate().filter(|(row, first)| row == *first).count();
    (different as f64 >= LEAST_DIFFERENT * x.ncols() as f64).then_some(first)
}

/// Returns the number of rows whose features are all equal to those of an earlier row.
pub fn equal_rows(data: &Dataset) -> usize {
    firsts(&data.x).into_iter().enumerate().filter(|(row, first)| row != first).count()
}

/// For each row the first one that is equal to it, which may be itself.
fn firsts(x: &DMatrix<f32>) -> Vec<usize> {
    let hashes: Vec<u32> = (0..x.ncols()).map(|row| hash(x, row)).collect();
    let mut order: Vec<usize> = (0..x.ncols()).collect();
    order.sort_unstable_by_key(|&row| (hashes[row], row));
    let mut first: Vec<usize> = (0..x.ncols()).collect();
    for rows in order.chunk_by(|&a, &b| hashes[a] == hashes[b]) {
        for (place, &row) in rows.iter().enumerate() {
            let mut before = rows[..place].iter().filter(|&&other| first[other] == other);
            if let Some(&equal) = before.find(|&&other| bits(x, other).eq(bits(x, row))) {
                first[row] = equal;
            }
        }
    }
    first
}

/// A row's bits, in which equal values are equal: one zero, one NaN.
fn bits(x: &DMatrix<f32>, row: usize) -> impl Iterator<Item = u32> {
    let one = |value: &f32| if value.is_nan() { f32::NAN.to_bits() } else { (value + 0.0).to_bits() };
    x.as_slice()[row * x.nrows()..][..x.nrows()].iter().map(one)
}

/// 32 bits of FNV-1a (Fowler, Noll and Vo) of a row, finished by the mixer of SplitMix64.
fn hash(x: &DMatrix<f32>, row: usize) -> u32 {
    let mut hash = 0xcbf2_9ce4_8422_2325u64;
    for byte in bits(x, row).flat_map(u32::to_le_bytes) {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (hash >> 32) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(values: &[f32]) -> DMatrix<f32> {
        DMatrix::from_column_slice(1, values.len(), values)
    }

    #[test]
    fn rows_are_known_whatever_file_they_come_in() {
        let seen = SeenRows::of(&rows(&[1.0, 2.0, f32::NAN, 0.0]));
        assert_eq!(seen.contains(&rows(&[-0.0, 3.0, 2.0, f32::NAN])), [true, false, true, true]);
        let text = String::from(seen.clone());
        assert_eq!((text.len(), SeenRows::try_from(text)), (32, Ok(seen)));
        for broken in ["1234567", "1234567g", "0000000200000001", "0000000100000001", "éééé"] {
            assert!(SeenRows::try_from(broken.to_owned()).is_err(), "{broken}");
        }
    }

    #[test]
    fn few_different_rows_tell_nothing() {
        let few = rows(&[0.0, 1.0, 0.0, 1.0, 0.0]);
        assert!(SeenRows::of(&few).is_empty());
        assert_eq!(first_equal(&few), None);
        assert_eq!(first_equal(&rows(&[5.0, 6.0, 5.0])), Some(vec![0, 1, 0]));
    }
}
