//! Piecewise-linear inputs: where a feature lies between the knots that training chose for it.

use core::iter;

use crate::scaler::Prepare;

/// Raw features → coordinates in the table of a [`PiecewiseLinear`](crate::PiecewiseLinear) layer, which has a row per
/// knot: `I` features, `R` knots of all features together.
///
/// A feature has knots of its own, at least one, so that one of two values takes two rows only. Between two of
/// them its coordinate is the index of the lower one and, as a fraction, how far it is on the way to the upper one. A value
/// below the first or above the last knot is cut to it. A [missing](crate::scaler) feature gets the coordinate of its
/// mean.
///
/// ```
/// use microdistill::{Knots, Prepare};
///
/// static INPUT: Knots<2, 5> = Knots::new([10.0, 20.0, 40.0, 0.0, 1.0], [0, 3], [1.5, 3.25]);
/// assert_eq!(INPUT.apply(&[30.0, 1.0]), [1.5, 4.0]);
/// assert_eq!(INPUT.apply(&[-5.0, 0.0]), [0.0, 3.0]);
/// assert_eq!(INPUT.apply(&[99.0, f32::NAN]), [2.0, 3.25]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Knots<const I: usize, const R: usize> {
    /// The knots of one feature after those of the other, each feature's in ascending order, in its unit.
    pub knots: [f32; R],
    /// Index of each feature's first knot.
    pub starts: [u16; I],
    /// Coordinate of each feature's mean.
    pub missing: [f32; I],
}

impl<const I: usize, const R: usize> Knots<I, R> {
    /// Knots with these constants.
    pub const fn new(knots: [f32; R], starts: [u16; I], missing: [f32; I]) -> Self {
        const { assert!(I > 0 && I <= R && R <= u16::MAX as usize, "a feature has at least one of 65535 knots") };
        Knots { knots, starts, missing }
    }

    /// Each feature's first knot and its coordinate, in order.
    #[inline]
    pub(crate) fn coordinates(&self, raw: &[f32; I]) -> impl Iterator<Item = (u16, f32)> {
        let ends = self.starts.iter().copied().skip(1).chain(iter::once(R as u16));
        let features = self.starts.iter().copied().zip(ends).zip(raw).zip(&self.missing);
        features.map(|(((start, end), &raw), &missing)| {
            let knots = self.knots.get(usize::from(start)..usize::from(end)).unwrap_or_default();
            (start, if raw.is_finite() { coordinate(raw, start, knots) } else { missing })
        })
    }
}

impl<const I: usize, const R: usize> Prepare<I> for Knots<I, R> {
    type Output = [f32; I];

    fn apply(&self, raw: &[f32; I]) -> [f32; I] {
        let mut x = [0.0; I];
        for (x, (_, coordinate)) in x.iter_mut().zip(self.coordinates(raw)) {
            *x = coordinate;
        }
        x
    }
}

/// The coordinate of a finite number between the `knots` of its feature, in ascending order, the first of which is row
/// `start` of the table.
#[must_use]
pub fn coordinate(raw: f32, start: u16, knots: &[f32]) -> f32 {
    let below = knots.partition_point(|knot| *knot <= raw);
    let piece = below.saturating_sub(1).min(knots.len().saturating_sub(2));
    let share = match knots.get(piece..) {
        Some(&[_, high, ..]) if raw >= high => 1.0,
        Some(&[low, high, ..]) => (raw - low) / (high - low),
        _ => 0.0,
    };
    // Not `clamp`: knots that are far apart, or not in order, may give NaN.
    let share = if share > 1.0 {
        1.0
    } else if share > 0.0 {
        share
    } else {
        0.0
    };
    (usize::from(start) + piece) as f32 + share
}
