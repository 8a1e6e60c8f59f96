//! Knots of the features, fitted to training rows: piecewise-linear inputs.

use std::ops::Range;

use microdistill::knots::coordinate;
use nalgebra::DMatrix;

use super::Scaler;
use crate::error::{Error, Result};
use crate::network::int8::Table;
use crate::network::{Dense, Network};

/// Knots of each feature: the ends of its pieces. Run-time counterpart of [`microdistill::Knots`].
///
/// A network over them is trained as an ordinary one over their [code](Knots::encode), and then [folded](Knots::fold).
#[derive(Clone, Debug, PartialEq)]
pub struct Knots {
    /// Knots of all features, one feature after the other, each in ascending order, in the feature's unit.
    pub knots: Vec<f32>,
    /// Index of the first knot of each feature.
    pub starts: Vec<u16>,
    /// Mean of each feature, in its unit. It takes the place of a missing value.
    pub mean: Vec<f32>,
}

/// Maximum number of pieces per feature, because int8 codes tell at most so many steps apart.
pub const MOST_PIECES: usize = 255;

impl Knots {
    /// Fits knots to `x`, shape (features × rows). A feature with at most `most_pieces` + 1 different values has a knot at
    /// each of them; another has its quantiles, interpolated linearly, without repetitions. A constant feature has one
    /// knot and no effect. Missing values, which are not finite, are left out.
    ///
    /// # Errors
    /// Fails if `most_pieces` is not in 1..=[`MOST_PIECES`], and if there are more knots than a table has rows.
    pub fn fit(x: &DMatrix<f32>, most_pieces: usize) -> Result<Self> {
        if !(1..=MOST_PIECES).contains(&most_pieces) {
            return Err(Error::Invalid(format!(
                "{most_pieces} pieces per feature: it must be at least 1 and at most {MOST_PIECES}"
            )));
        }
        let (mut knots, mut starts) = (Vec::new(), Vec::new());
        for feature in x.row_iter() {
            let start = u16::try_from(knots.len());
            let own =
                of_feature(feature.iter().copied().filter(|value| value.is_finite()).collect(), most_pieces);
            knots.extend(own);
            match start {
                Ok(start) if knots.len() <= LIMIT => starts.push(start),
                _ => {
                    return Err(Error::Invalid(format!(
                        "the features have more than {LIMIT} knots: use fewer pieces per feature, or standardized inputs"
                    )));
                }
            }
        }
        // The table of a single constant feature needs a second row.
        if let [only] = knots[..] {
            knots.push(only.next_up());
        }
        Ok(Knots { knots, starts, mean: Scaler::fit(x).mean })
    }

    /// Returns the number of knots of all features, which is the number of rows of the table.
    pub fn rows(&self) -> usize {
        self.knots.len()
    }

    /// Returns the number of pieces of the feature that has most.
    pub fn most_pieces(&self) -> usize {
        self.features().map(|rows| rows.len().saturating_sub(1)).max().unwrap_or_default()
    }

    /// Returns where inputs of an int8 network lie in its table: all pieces have as many codes as the feature with most
    /// pieces leaves to each.
    pub fn table(&self) -> Table {
        let steps = MOST_PIECES / self.most_pieces().max(1);
        Table { starts: self.starts.clone(), steps: u8::try_from(steps.max(1)).unwrap_or(u8::MAX) }
    }

    /// Returns the indices of the knots of each feature.
    pub(crate) fn features(&self) -> impl Iterator<Item = Range<usize>> {
        let ends = self.starts.iter().skip(1).map(|&start| usize::from(start)).chain([self.rows()]);
        self.starts.iter().zip(ends).map(|(&start, end)| usize::from(start)..end)
    }

    /// Returns the coordinates of a row of raw features in the table, as the device computes them.
    pub fn coordinates(&self, raw: &[f32]) -> Vec<f32> {
        let features = self.features().zip(&self.starts).zip(raw).zip(&self.mean);
        let coordinate = |(((rows, &start), &raw), &mean): (((Range<usize>, &u16), &f32), &f32)| {
            let raw = if raw.is_finite() { raw } else { mean };
            coordinate(raw, start, self.knots.get(rows).unwrap_or_default())
        };
        features.map(coordinate).collect()
    }

    /// Returns the coordinates of every column of `x`, shape (features × rows).
    pub fn apply(&self, x: &DMatrix<f32>) -> DMatrix<f32> {
        let coordinates = x.column_iter().flat_map(|raw| self.coordinates(raw.as_slice()));
        DMatrix::from_iterator(x.nrows(), x.ncols(), coordinates)
    }

    /// Returns the thermometer code of every column of `x`, shape (features × rows): a number per piece, which is 0 below
    /// the piece, 1 above it, and in between how far the value is on its way. If there are no pieces at all, the code is
    /// one zero.
    pub fn encode(&self, x: &DMatrix<f32>) -> DMatrix<f32> {
        let mut code = DMatrix::zeros(self.code_width(), x.ncols());
        for (raw, mut code) in x.column_iter().zip(code.column_iter_mut()) {
            let coordinates = self.coordinates(raw.as_slice());
            let pieces = self.features().zip(coordinates).flat_map(|(rows, coordinate)| {
                let local = coordinate - rows.start as f32;
                (0..rows.len().saturating_sub(1)).map(move |piece| (local - piece as f32).clamp(0.0, 1.0))
            });
            code.iter_mut().zip(pieces).for_each(|(code, piece)| *code = piece);
        }
        code
    }

    /// Returns the number of columns of the code.
    pub fn code_width(&self) -> usize {
        self.rows().saturating_sub(self.starts.len()).max(1)
    }

    /// Fits a scaler to a [code](Knots::encode). Columns that hardly vary are switched off.
    pub fn code_scaler(code: &DMatrix<f32>) -> Scaler {
        let mut scaler = Scaler::fit(code);
        scaler.scale.iter_mut().filter(|scale| **scale > LARGEST_SCALE).for_each(|scale| *scale = 0.0);
        scaler
    }

    /// Turns a network over the code, standardized by `scaler`, into one with a piecewise-linear first layer, which takes
    /// [coordinates](Knots::coordinates) and gives the same outputs up to rounding. Each entry of the table is a sum of
    /// weights, relative to the mean of the training rows, so the biases stay the same.
    pub fn fold(&self, network: &Network, scaler: &Scaler) -> Network {
        let mut layers = network.layers().iter();
        let first = layers.next().map(|first| {
            let (outputs, columns) = (first.outputs(), first.columns());
            let mut table = vec![0.0f32; self.rows() * outputs];
            for (output, weights) in first.weights().chunks_exact(columns).enumerate() {
                let mut steps =
                    weights.iter().zip(&scaler.mean).zip(&scaler.scale).map(|((&weight, &mean), &scale)| {
                        (f64::from(weight) * f64::from(scale), f64::from(mean))
                    });
                for rows in self.features() {
                    let own: Vec<_> = steps.by_ref().take(rows.len().saturating_sub(1)).collect();
                    let mut sum = -own.iter().map(|(step, mean)| step * mean).sum::<f64>();
                    let heights = own.iter().map(|(step, _)| *step).chain([0.0]);
                    for (row, step) in rows.zip(heights) {
                        table[row * outputs + output] = sum as f32;
                        sum += step;
                    }
                }
            }
            Dense::piecewise_linear(self.starts.len(), table, first.bias.clone(), first.activation)
        });
        Network::new(first.into_iter().chain(layers.cloned()))
    }
}

/// Maximum number of knots of all features together.
const LIMIT: usize = u16::MAX as usize;

/// Largest scale of a column of a code: that of a standard deviation of a millionth.
const LARGEST_SCALE: f32 = 1e6;

/// Returns the knots of a feature with these values, at least one.
fn of_feature(mut values: Vec<f32>, most_pieces: usize) -> Vec<f32> {
    values.sort_unstable_by(f32::total_cmp);
    let mut different = values.clone();
    different.dedup();
    if different.len() > most_pieces + 1 {
        let last = values.len() - 1;
        different = (0..=most_pieces)
            .map(|piece| {
                // Between two neighbours, as numpy's default.
                let place = last as f64 * piece as f64 / most_pieces as f64;
                let (low, share) = (place.floor() as usize, place.fract());
                let [low, high] = [low, (low + 1).min(last)].map(|index| f64::from(values[index]));
                (low + (high - low) * share) as f32
            })
            .collect();
        different.dedup();
    }
    if different.is_empty() { vec![0.0] } else { different }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::Activation;
    use rand_core::Rng;
    use rand_pcg::Pcg32;

    fn numbers(seed: u64) -> impl FnMut() -> f32 {
        let mut rng = Pcg32::new(seed, 7);
        move || (rng.next_u32() >> 8) as f32 / (1 << 23) as f32 - 1.0
    }

    #[test]
    fn knots_are_the_values_of_few_and_the_quantiles_of_many() {
        let nan = f32::NAN;
        let rows = [
            [3.0, 1.0, 2.0, 1.0, nan, 2.0, 3.0, 1.0],
            [0.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0],
            [5.0; 8],
            [nan; 8],
            [0.0, 0.0, 3.0, 0.0, 0.0, 0.0, 1.0, 2.0],
        ];
        let x = DMatrix::from_row_slice(5, 8, rows.as_flattened());
        let knots = Knots::fit(&x, 2).unwrap();
        let of: Vec<&[f32]> = knots.features().map(|rows| &knots.knots[rows]).collect();
        // Quantiles of numpy: 0, 35, 70; and 0, 0, 3.
        assert_eq!(of, [&[1.0f32, 2.0, 3.0][..], &[0.0, 35.0, 70.0], &[5.0], &[0.0], &[0.0, 3.0]]);
        assert_eq!((knots.rows(), knots.code_width(), knots.most_pieces()), (10, 5, 2));
        let code = knots.encode(&DMatrix::from_column_slice(5, 1, &[1.5, 52.5, 9.0, 9.0, nan]));
        assert_eq!(code.as_slice(), [0.5, 0.0, 1.0, 0.5, 0.25]);
    }

    #[test]
    fn quantiles_are_those_of_numpy() {
        // numpy.quantile([0, 1, 4, 9, 16, 25, 36], [0, 1/4, 2/4, 3/4, 1])
        let knots = of_feature(vec![36.0, 0.0, 9.0, 1.0, 25.0, 4.0, 16.0], 4);
        assert_eq!(knots, [0.0, 2.5, 9.0, 20.5, 36.0]);
    }

    #[test]
    fn degenerate_features_have_a_code() {
        let knots = Knots::fit(&DMatrix::from_element(1, 3, 2.0), 6).unwrap();
        assert_eq!(knots.rows(), 2, "a table has two rows");
        let knots = Knots::fit(&DMatrix::from_element(2, 3, 2.0), 6).unwrap();
        assert_eq!((knots.rows(), knots.encode(&DMatrix::zeros(2, 1)).as_slice()), (2, &[0.0][..]));
        let huge = Knots::fit(&DMatrix::from_row_slice(1, 3, &[f32::MIN, 0.0, f32::MAX]), 1).unwrap();
        assert_eq!(huge.encode(&DMatrix::from_element(1, 1, f32::MAX)).as_slice(), [1.0]);
        for (pieces, found) in [(0, "0 pieces"), (256, "256 pieces")] {
            let error = Knots::fit(&DMatrix::zeros(1, 1), pieces).unwrap_err().to_string();
            assert!(error.starts_with(found), "{error}");
        }
        let many = DMatrix::from_fn(300, 256, |_, row| row as f32);
        assert!(Knots::fit(&many, 255).unwrap_err().to_string().contains("more than 65535 knots"));
    }

    #[test]
    fn a_folded_network_gives_the_outputs_of_the_one_over_the_code() {
        for seed in 0..20 {
            let mut number = numbers(seed);
            let features = 1 + seed as usize;
            let x = DMatrix::from_fn(features, 60, |feature, _| match feature % 4 {
                0 => 100.0 * number(),
                1 => f32::from(number() > 0.0),
                2 => (3.0 * number()).round(),
                _ if number() > 0.8 => f32::NAN,
                _ => number().powi(3),
            });
            let knots = Knots::fit(&x, 1 + seed as usize % 7).unwrap();
            let code = knots.encode(&x);
            let scaler = Knots::code_scaler(&code);
            let widths = [code.nrows(), 9, 3];
            let dense = Network::random(&widths, Activation::Tanh, &mut Pcg32::new(seed, 1));
            let folded = knots.fold(&dense, &scaler);
            assert_eq!(folded.widths(), [features, 9, 3]);
            let new = DMatrix::from_fn(features, 40, |_, _| 2.0 * number());
            for x in [x, new] {
                let expected = dense.predict_all(&scaler.apply(&knots.encode(&x)));
                let found = folded.predict_all(&knots.apply(&x));
                assert!((&found - &expected).amax() < 1e-4, "{found} {expected}");
            }
        }
    }
}
