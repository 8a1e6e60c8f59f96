//! Origins of columns: offsets that are subtracted in f64 before rounding to f32, where f32 alone would lose the signal.
//!
//! A time in milliseconds since 1970 or a latitude with seven digits needs more than the 24 bits of an f32. Relative to an
//! origin close to the mean it needs fewer.

use crate::number::significant;

/// Share of a column's standard deviation that rounding to f32 may lose.
const TOLERANCE: f64 = 0.01;

/// Moments of a column's values and of what rounding them to f32 takes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Rounding {
    count: f64,
    mean: f64,
    squares: f64,
    lost: f64,
}

impl Rounding {
    /// Adds a value; NaN is none. Welford's recurrence, which loses no digits far from zero.
    pub(super) fn add(&mut self, value: f64) {
        if !value.is_finite() {
            return;
        }
        self.count += 1.0;
        let difference = value - self.mean;
        self.mean += difference / self.count;
        self.squares += difference * (value - self.mean);
        self.lost += (value - f64::from(value as f32)).powi(2);
    }

    fn deviation(&self) -> f64 {
        (self.squares / self.count.max(1.0)).sqrt()
    }

    /// Share of the standard deviation that rounding to f32 takes.
    fn loss(&self) -> f64 {
        if self.squares > 0.0 { (self.lost / self.squares).sqrt() } else { 0.0 }
    }

    /// Zero where f32 holds the values well enough; else the mean, rounded to few digits.
    pub(super) fn origin(&self) -> f64 {
        if self.loss() <= TOLERANCE {
            return 0.0;
        }
        let digits = self.deviation().log10().floor() as i32;
        // A power of ten below one is no exact f64, but its inverse is.
        if digits < 0 {
            let unit = 10f64.powi(-digits);
            (self.mean * unit).round() / unit
        } else {
            let unit = 10f64.powi(digits);
            (self.mean / unit).round() * unit
        }
    }
}

/// Notes on features with an origin other than zero.
pub(super) fn feature_notes(names: &[String], origins: &[f64], roundings: &[Rounding]) -> Vec<String> {
    let features = names.iter().zip(origins).zip(roundings).filter(|((_, origin), _)| **origin != 0.0);
    let note = |((name, origin), rounding): ((&String, &f64), &Rounding)| {
        format!(
            "{name:?}: rounding to f32 would lose {} % of its standard deviation, so {origin} is subtracted first; the device must do so, too, \
             before it rounds",
            significant(100.0 * rounding.loss(), 2)
        )
    };
    features.map(note).collect()
}

/// The same for the target.
pub(super) fn target_note(name: &str, origin: f64, rounding: &Rounding) -> Option<String> {
    let loss = significant(100.0 * rounding.loss(), 2);
    (origin != 0.0).then(|| {
        format!("target {name:?}: rounding to f32 would lose {loss} % of its standard deviation, so the model predicts {name} - {origin}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: impl IntoIterator<Item = f64>) -> Rounding {
        let mut rounding = Rounding::default();
        values.into_iter().for_each(|value| rounding.add(value));
        rounding
    }

    #[test]
    fn only_columns_that_f32_cannot_hold_have_an_origin() {
        assert_eq!(of((0..100).map(f64::from)).origin(), 0.0);
        assert_eq!(of((0..100).map(|row| 101_325.0 + f64::from(row))).origin(), 0.0);
        assert_eq!(of([5.0; 10]).origin(), 0.0);
        assert_eq!(of([f64::NAN]).origin(), 0.0);
        let milliseconds = of((0..100).map(|row| 1_732_800_000_000.0 + 20.0 * f64::from(row)));
        assert_eq!(milliseconds.origin(), 1_732_800_001_000.0);
        let degrees = of((0..100).map(|row| 52.123_458 + 1e-7 * f64::from(row)));
        assert_eq!(degrees.origin(), 52.123_463);
    }
}
