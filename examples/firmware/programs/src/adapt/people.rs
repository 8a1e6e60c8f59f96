//! The people of the story: windows of those that the student was trained for, and of new people with a sensor of another gain.

use microdistill::quant::Dequantize;

use super::student::{self, Input};
use super::{teacher, test, train};
use crate::arrivals::place;

/// Real values of the codes of rows and of the teacher's input: standardized features.
pub(super) const EDGE: Dequantize = Dequantize { scale: teacher::INPUT.scale, zero: teacher::INPUT.zero };

pub(super) type Codes = [i8; student::FEATURES.len()];

/// Number of windows of the test people that arrive. The other half scores the student.
pub(super) const WINDOWS: usize = test::ROWS.len() / 2;

/// A window of the new people that arrives.
pub(super) fn arriving(number: usize, gain: f32) -> Option<Input> {
    Some(window(2 * (number % WINDOWS), gain)?.0)
}

/// Held-out rows of the new people, each with its class.
pub(super) fn unseen(gain: f32) -> impl Fn(usize) -> Option<(Input, usize)> {
    move |index| if index < WINDOWS { window(2 * index + 1, gain) } else { None }
}

/// A window of the people that the student was trained for, and its class.
pub(super) fn trained(number: usize) -> Option<(Input, usize)> {
    row(&train::ROWS, &train::CLASSES, number)
}

/// A window of the new people from a sensor with this gain, and its class.
fn window(number: usize, gain: f32) -> Option<(Input, usize)> {
    let (mut x, class) = row(&test::ROWS, &test::CLASSES, number)?;
    // Rows are standardized, (raw − mean)·scale, but the gain applies to the raw feature.
    let scaler = &student::INPUT;
    for ((x, mean), scale) in x.iter_mut().zip(&scaler.mean).zip(&scaler.scale) {
        *x = gain * *x + (gain - 1.0) * (mean * scale);
    }
    Some((x, class))
}

/// The row that arrives at this position.
fn row(rows: &[Codes], classes: &[u16], number: usize) -> Option<(Input, usize)> {
    let place = place(number, rows.len());
    Some((EDGE.apply(rows.get(place)?), (*classes.get(place)?).into()))
}
