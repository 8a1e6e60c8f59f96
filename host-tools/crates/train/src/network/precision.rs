//! Precision of weights, and rounding of weights to codes.

use microdistill::quant::GROUP;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// Precision to which the weights of a network are rounded, either after training or during its second half.
/// Activations always have 8 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Precision {
    /// Bits per weight.
    pub bits: Bits,
    /// Number of scales.
    pub scales: Scales,
}

/// Bits of the code of a weight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub enum Bits {
    /// Codes in [-3, 3], stored in four bits.
    Three,
    /// Codes in [-7, 7].
    Four,
    /// Codes in [-127, 127].
    Eight,
}

/// Number of scales of a layer's weights.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scales {
    /// One scale per output. More accurate, for 8 bytes per output.
    #[default]
    PerChannel,
    /// One scale for the whole layer.
    PerLayer,
    /// One scale per output, and an integer factor for every [`GROUP`] of its inputs. The most accurate, for one more
    /// byte per group.
    PerGroup,
}

/// Codes of the weights of one output.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Codes {
    /// One product per weight: its code times the scale of its group.
    pub(crate) products: Vec<i8>,
    /// One scale for every [`GROUP`] of the weights. Empty without groups.
    pub(crate) group_scales: Vec<u8>,
}

/// Largest scale of a group. Times 7 it is still an int8 weight. See [`microdistill::quant::DenseI4`].
pub(crate) const LARGEST_GROUP_SCALE: u8 = 18;

impl Precision {
    /// Creates a precision with one scale per output.
    pub const fn per_channel(bits: Bits) -> Self {
        Precision { bits, scales: Scales::PerChannel }
    }

    /// Creates a precision with one scale per output and an integer factor per group.
    pub const fn per_group(bits: Bits) -> Self {
        Precision { bits, scales: Scales::PerGroup }
    }

    /// Checks that the core crate has layers of this precision.
    ///
    /// # Errors
    /// Fails if the core crate has no layer with this combination of bits and scales.
    pub fn check(self) -> Result<()> {
        match (self.bits, self.scales) {
            (Bits::Eight, Scales::PerGroup) => {
                Err(Error::Invalid("groups are for weights of 4 or 3 bits".into()))
            }
            (Bits::Four | Bits::Three, Scales::PerLayer) => {
                Err(Error::Invalid("one scale per layer is for weights of 8 bits".into()))
            }
            _ => Ok(()),
        }
    }

    /// Returns the scale of an output's weights: the real size of one code. The largest weight gets the largest code.
    /// Zero for a row of zeros.
    ///
    /// This holds even with few codes. Clipping large weights to make the others more accurate gave worse students on
    /// held-out rows, both when they were quantized after training and when they were trained for quantization, where
    /// such a scale moves with every step.
    pub(crate) fn scale(self, row: &[f32]) -> f64 {
        let largest_code = match self.scales {
            Scales::PerChannel | Scales::PerLayer => self.bits.limit(),
            Scales::PerGroup => self.bits.limit() * LARGEST_GROUP_SCALE as i8,
        };
        f64::from(largest(row)) / f64::from(largest_code)
    }

    /// Returns the codes of an output's weights. `scale` is the real size of one code.
    pub(crate) fn codes(self, row: &[f32], scale: f32) -> Codes {
        let scale = f64::from(scale);
        if self.scales != Scales::PerGroup {
            return Codes { products: self.bits.codes(row, scale, 1).collect(), group_scales: Vec::new() };
        }
        let top = top_group(row);
        let mut codes = Codes::default();
        for (group, row) in row.chunks(GROUP).enumerate() {
            let group_scale =
                if group == top { LARGEST_GROUP_SCALE } else { self.bits.group_scale(row, scale) };
            codes.products.extend(self.bits.codes(row, scale, group_scale));
            codes.group_scales.push(group_scale);
        }
        codes
    }

    /// Replaces the weights of an output with the values of their codes.
    pub(crate) fn round(self, row: &mut [f32]) {
        let scale = self.scale(row) as f32;
        let codes = self.codes(row, scale);
        for (weight, &code) in row.iter_mut().zip(&codes.products) {
            *weight = f32::from(code) * scale;
        }
    }
}

/// int8
impl Default for Precision {
    fn default() -> Self {
        Scales::default().into()
    }
}

/// int8
impl From<Scales> for Precision {
    fn from(scales: Scales) -> Self {
        Precision { bits: Bits::Eight, scales }
    }
}

impl Bits {
    /// Returns the largest code. The smallest is its negative.
    pub const fn limit(self) -> i8 {
        match self {
            Bits::Three => 3,
            Bits::Four => 7,
            Bits::Eight => 127,
        }
    }

    /// Returns the group scale with the smallest squared error; the smallest scale on a tie.
    fn group_scale(self, row: &[f32], scale: f64) -> u8 {
        least(1..=LARGEST_GROUP_SCALE, |candidate| self.squared_error(row, scale * f64::from(candidate)))
            .unwrap_or(LARGEST_GROUP_SCALE)
    }

    /// Returns the squared error of the weights after rounding with this scale.
    fn squared_error(self, row: &[f32], scale: f64) -> f64 {
        let errors = row.iter().map(|&weight| f64::from(weight) - self.code(weight, scale) * scale);
        errors.fold(0.0, |sum, error| sum + error * error)
    }

    fn codes(self, row: &[f32], scale: f64, group_scale: u8) -> impl Iterator<Item = i8> {
        let scale = scale * f64::from(group_scale);
        row.iter().map(move |&weight| self.code(weight, scale) as i8 * group_scale as i8)
    }

    /// Returns `round(weight / scale)`, with halves rounded away from zero, clamped to the limit.
    fn code(self, weight: f32, scale: f64) -> f64 {
        let limit = f64::from(self.limit());
        let steps = f64::from(weight) / scale;
        // `f64::round` is a function call, and this is the innermost loop of a training.
        f64::from((steps + 0.5f64.copysign(steps)) as i32).clamp(-limit, limit)
    }
}

impl TryFrom<u8> for Bits {
    type Error = String;

    fn try_from(bits: u8) -> Result<Self, String> {
        [Bits::Three, Bits::Four, Bits::Eight]
            .into_iter()
            .find(|candidate| u8::from(*candidate) == bits)
            .ok_or_else(|| format!("weights have 8, 4 or 3 bits, not {bits}"))
    }
}

impl From<Bits> for u8 {
    fn from(bits: Bits) -> u8 {
        match bits {
            Bits::Three => 3,
            Bits::Four => 4,
            Bits::Eight => 8,
        }
    }
}

fn largest(row: &[f32]) -> f32 {
    row.iter().fold(0.0, |largest, weight| largest.max(weight.abs()))
}

/// Returns the group with the largest weight. It has the largest scale, to which the other scales are relative.
fn top_group(row: &[f32]) -> usize {
    let groups = row.chunks(GROUP).map(largest).enumerate();
    groups.reduce(|top, next| if next.1 > top.1 { next } else { top }).map_or(0, |(group, _)| group)
}

/// Returns the candidate with the smallest error; the first one on a tie.
fn least<T: Copy>(candidates: impl IntoIterator<Item = T>, error: impl Fn(T) -> f64) -> Option<T> {
    let judged = candidates.into_iter().map(|candidate| (candidate, error(candidate)));
    judged.reduce(|best, next| if next.1 < best.1 { next } else { best }).map(|(candidate, _)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const FEW_BITS: [Precision; 4] = [
        Precision::per_channel(Bits::Four),
        Precision::per_group(Bits::Four),
        Precision::per_channel(Bits::Three),
        Precision::per_group(Bits::Three),
    ];

    fn codes(precision: Precision, row: &[f32]) -> Codes {
        precision.codes(row, precision.scale(row) as f32)
    }

    /// Rows of few and of many groups, some of which are far smaller than others.
    fn rows() -> impl Strategy<Value = Vec<f32>> {
        prop::collection::vec((-1.0f32..1.0, -6i32..3), 1..5).prop_flat_map(|groups| {
            let (last, exponent) = groups[0];
            let length = GROUP * (groups.len() - 1) + 1 + (last.abs() * 30.0) as usize;
            prop::collection::vec(-1.0f32..1.0, length).prop_map(move |mut row| {
                for (row, (_, exponent)) in row.chunks_mut(GROUP).zip(&groups) {
                    row.iter_mut().for_each(|weight| *weight *= 2f32.powi(*exponent));
                }
                row[0] = 2f32.powi(exponent);
                row
            })
        })
    }

    proptest! {
        #[test]
        fn rounded_weights_keep_their_codes(row in rows()) {
            for precision in FEW_BITS.into_iter().chain([Precision::default()]) {
                let mut rounded = row.clone();
                precision.round(&mut rounded);
                let (first, again) = (codes(precision, &row), codes(precision, &rounded));
                prop_assert_eq!(first.products, again.products, "{:?}", precision);
            }
        }

        #[test]
        fn codes_are_products_within_their_limits(row in rows()) {
            for precision in FEW_BITS {
                let Codes { products, group_scales } = codes(precision, &row);
                prop_assert_eq!(products.len(), row.len());
                let groups = if precision.scales == Scales::PerGroup { row.len().div_ceil(GROUP) } else { 0 };
                prop_assert_eq!(group_scales.len(), groups);
                for (index, product) in products.into_iter().enumerate() {
                    let scale = group_scales.get(index / GROUP).map_or(1, |&scale| scale as i8);
                    prop_assert!((1..=LARGEST_GROUP_SCALE as i8).contains(&scale));
                    prop_assert_eq!(product % scale, 0);
                    prop_assert!((product / scale).abs() <= precision.bits.limit());
                }
            }
        }
    }

    #[test]
    fn small_groups_are_finer() {
        let mut row = [0.01; 64];
        row[..32].fill(0.18);
        let Codes { products, group_scales } = codes(Precision::per_group(Bits::Four), &row);
        assert_eq!((group_scales.as_slice(), products[0], products[63]), (&[18, 1][..], 126, 7));
    }

    #[test]
    fn bits_are_read_and_written_as_numbers() {
        let precision = Precision::per_group(Bits::Three);
        let text = serde_json::to_string(&precision).unwrap();
        assert_eq!(text, r#"{"bits":3,"scales":"per-group"}"#);
        assert_eq!(serde_json::from_str::<Precision>(&text).unwrap(), precision);
        let error = serde_json::from_str::<Precision>(&text.replace('3', "5")).unwrap_err();
        assert!(error.to_string().contains("weights have 8, 4 or 3 bits, not 5"), "{error}");
    }
}
