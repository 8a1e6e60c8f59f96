//! Precision of weights, and the codes they are rounded to.

use microdistill::quant::GROUP;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// Precision to which the weights of a network are rounded, after training or for the second half of it.
/// Activations have 8 bits
/// whatever the weights have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Precision {
    /// Bits of a code.
    pub bits: Bits,
    /// Extent of one scale.
    pub scales: Scales,
}

/// Bits of a weight's code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub enum Bits {
    /// [-3, 3], stored as four.
    Three,
    /// [-7, 7]
    Four,
    /// [-127, 127]
    Eight,
}

/// Number of scales of a layer's weights.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scales {
    /// One an output: closer, for 8 bytes an output.
    #[default]
    PerChannel,
    /// One.
    PerLayer,
    /// One an output, times a whole number for every [`GROUP`] of its inputs: closer still, for a byte a group.
    PerGroup,
}

/// Codes of an output's weights.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Codes {
    /// A code a weight, times the scale of its group.
    pub(crate) products: Vec<i8>,
    /// One for every [`GROUP`] of the weights, if there are groups.
    pub(crate) group_scales: Vec<u8>,
}

/// Largest scale of a group: times 7, it is still a weight of int8. See [`microdistill::quant::DenseI4`].
pub(crate) const LARGEST_GROUP_SCALE: u8 = 18;

impl Precision {
    /// One scale an output.
    pub const fn per_channel(bits: Bits) -> Self {
        Precision { bits, scales: Scales::PerChannel }
    }

    /// One scale an output, and a whole number a group.
    pub const fn per_group(bits: Bits) -> Self {
        Precision { bits, scales: Scales::PerGroup }
    }

    /// Checks that layers can have this precision.
    ///
    /// # Errors
    /// A combination that no layer of the core has.
    pub fn check(self) -> Result<()> {
        match (self.bits, self.scales) {
            (Bits::Eight, Scales::PerGroup) => {
                Err(Error::Invalid("groups are for weights of 4 or 3 bits".into()))
            }
            (Bits::Four | Bits::Three, Scales::PerLayer) => {
                Err(Error::Invalid("one scale a layer is for weights of 8 bits".into()))
            }
            _ => Ok(()),
        }
    }

    /// Real size of one code of an output's weights: the largest weight has the largest code. Zero for a row of zeros.
    ///
    /// Also where codes are few: to cut large weights for the sake of the others made students worse on rows held out,
    /// quantized after training and, where such a scale moves with every step, trained for it.
    pub(crate) fn scale(self, row: &[f32]) -> f64 {
        let largest_code = match self.scales {
            Scales::PerChannel | Scales::PerLayer => self.bits.limit(),
            Scales::PerGroup => self.bits.limit() * LARGEST_GROUP_SCALE as i8,
        };
        f64::from(largest(row)) / f64::from(largest_code)
    }

    /// The codes of an output's weights. `scale`: real size of one code.
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

    /// Replaces an output's weights by what their codes stand for.
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
    /// The largest code; the smallest is minus that.
    pub const fn limit(self) -> i8 {
        match self {
            Bits::Three => 3,
            Bits::Four => 7,
            Bits::Eight => 127,
        }
    }

    /// The one of least squared error; of equal ones the smallest.
    fn group_scale(self, row: &[f32], scale: f64) -> u8 {
        least(1..=LARGEST_GROUP_SCALE, |candidate| self.squared_error(row, scale * f64::from(candidate)))
            .unwrap_or(LARGEST_GROUP_SCALE)
    }

    /// Squared error of the weights that codes of this scale stand for.
    fn squared_error(self, row: &[f32], scale: f64) -> f64 {
        let errors = row.iter().map(|&weight| f64::from(weight) - self.code(weight, scale) * scale);
        errors.fold(0.0, |sum, error| sum + error * error)
    }

    fn codes(self, row: &[f32], scale: f64, group_scale: u8) -> impl Iterator<Item = i8> {
        let scale = scale * f64::from(group_scale);
        row.iter().map(move |&weight| self.code(weight, scale) as i8 * group_scale as i8)
    }

    /// `round(weight / scale)`, halves away from zero, within the limit.
    fn code(self, weight: f32, scale: f64) -> f64 {
        let limit = f64::from(self.limit());
        let steps = f64::from(weight) / scale;
        // `f64::round` is a function call, and this the innermost loop of a training.
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

/// The group with the largest weight: its scale is the largest, and the others' are beside it.
fn top_group(row: &[f32]) -> usize {
    let groups = row.chunks(GROUP).map(largest).enumerate();
    groups.reduce(|top, next| if next.1 > top.1 { next } else { top }).map_or(0, |(group, _)| group)
}

/// The candidate of the least error; of equal ones the first.
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

    /// Rows of few and of many groups, of which some are far smaller than others.
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
