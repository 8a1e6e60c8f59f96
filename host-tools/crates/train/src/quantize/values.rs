//! Ranges of values: what is taken out of the last layer before it is quantized, and put back behind it.

use nalgebra::DMatrix;

use crate::error::{Error, Result};
use crate::network::Network;
use crate::network::int8::Values;

/// Largest number of steps above the lowest value.
const STEPS: f64 = 255.0;

/// Returns the network that gives the number of steps, 0 to 255, by which each output of `network` lies above its lowest
/// value on the rows `x`, at least one, and what the steps stand for. None for a single output whose range includes zero.
pub(super) fn steps(network: &Network, x: &DMatrix<f32>) -> Result<Option<(Network, Values)>> {
    let ranges = ranges(network, x);
    if let [range] = ranges[..]
        && range.holds_zero()
    {
        return Ok(None);
    }
    // Far from zero, the sums of f32 are coarse. Measured again around zero, the ranges are those of finer sums.
    let middles: Vec<f32> = ranges.iter().map(|range| range.middle() as f32).collect();
    let ones = vec![1.0; middles.len()];
    let around_zero = self::ranges(&relative(network, &middles, &ones), x);
    let values = middles.iter().zip(around_zero).map(|(&middle, range)| range.shifted(middle.into()).value());
    let (lowest, scale): (Vec<f32>, Vec<f32>) = values.unzip();
    if lowest.iter().chain(&scale).any(|number| !number.is_finite()) {
        return Err(Error::Invalid("the range of an output does not fit in an f32: train again".into()));
    }
    Ok(Some((relative(network, &lowest, &scale), Values { lowest, scale })))
}

/// Returns the network with the outputs `(y − origin) / unit`.
fn relative(network: &Network, origins: &[f32], units: &[f32]) -> Network {
    let mut network = network.clone();
    if let Some(last) = network.layers_mut().last_mut() {
        let columns = last.columns();
        let divided = |number: f64, unit: f32| (number / f64::from(unit)) as f32;
        last.edit_weights(|weights| {
            for (row, &unit) in weights.chunks_exact_mut(columns).zip(units) {
                row.iter_mut().for_each(|weight| *weight = divided((*weight).into(), unit));
            }
        });
        for ((bias, &origin), &unit) in last.bias.iter_mut().zip(origins).zip(units) {
            *bias = divided(f64::from(*bias) - f64::from(origin), unit);
        }
    }
    network
}

/// Range of an output.
#[derive(Clone, Copy)]
struct Range {
    low: f64,
    high: f64,
}

impl Range {
    fn holds_zero(self) -> bool {
        self.low <= 0.0 && self.high >= 0.0
    }

    fn middle(self) -> f64 {
        self.low / 2.0 + self.high / 2.0
    }

    fn shifted(self, by: f64) -> Self {
        Range { low: self.low + by, high: self.high + by }
    }

    /// Returns the lowest value and the size of a step. If the range includes zero, zero is a whole number of steps
    /// above the lowest value. Steps have size 1 if all values are equal.
    fn value(self) -> (f32, f32) {
        let width = self.high - self.low;
        let scale = if width > 0.0 { ((width / STEPS) as f32).max(f32::MIN_POSITIVE) } else { 1.0 };
        if self.holds_zero() {
            let zero = (-self.low / f64::from(scale)).round().min(STEPS) as f32;
            return (0.0 - zero * scale, scale);
        }
        (self.low as f32, scale)
    }
}

/// Returns the range of each output on the rows `x`.
fn ranges(network: &Network, x: &DMatrix<f32>) -> Vec<Range> {
    let outputs = network.predict_all(x);
    let range = |values: &mut dyn Iterator<Item = f64>| {
        let start = Range { low: f64::INFINITY, high: f64::NEG_INFINITY };
        values.fold(start, |range, value| Range { low: range.low.min(value), high: range.high.max(value) })
    };
    outputs.row_iter().map(|row| range(&mut row.iter().map(|&value| f64::from(value)))).collect()
}
