//! Scaler of the features, fitted to training rows.

use microdistill::scaler::standardize;
use nalgebra::DMatrix;

/// Standardization `(x − mean)·scale` of each feature.
#[derive(Clone, Debug, PartialEq)]
pub struct Scaler {
    /// Mean of each feature, in its unit.
    pub mean: Vec<f32>,
    /// Reciprocal of the standard deviation of each feature, in one over its unit. Zero switches a feature off.
    pub scale: Vec<f32>,
}

impl Scaler {
    /// Fits a scaler to `x`, shape (features × rows): the mean and the reciprocal of the population standard
    /// deviation of every feature. They are summed in f64 and rounded once. Missing values, which are not finite, are
    /// left out.
    ///
    /// A constant feature gets the scale 0, so that its later values have no effect.
    pub fn fit(x: &DMatrix<f32>) -> Self {
        let fit = |values: &mut dyn Iterator<Item = f64>| {
            let values: Vec<f64> = values.filter(|value| value.is_finite()).collect();
            let count = values.len().max(1) as f64;
            let mean = values.iter().sum::<f64>() / count;
            let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count;
            let scale = (1.0 / variance.sqrt()) as f32;
            let constant = values.iter().all(|value| Some(value) == values.first());
            (mean as f32, if constant || !scale.is_finite() { 0.0 } else { scale })
        };
        let (mean, scale) =
            x.row_iter().map(|row| fit(&mut row.iter().map(|&value| f64::from(value)))).unzip();
        Scaler { mean, scale }
    }

    /// Standardizes every column of `x`, shape (features × rows). A missing value becomes zero, as the mean does, by the
    /// [rule](microdistill::scaler) of the core crate.
    pub fn apply(&self, x: &DMatrix<f32>) -> DMatrix<f32> {
        let mut x = x.clone();
        for mut column in x.column_iter_mut() {
            standardize(column.as_mut_slice(), &self.mean, &self.scale);
        }
        x
    }

    /// Inverse of [`apply`](Scaler::apply): computes `x/scale + mean` for `x` of shape (features × rows). A feature
    /// that is switched off becomes its mean.
    pub fn restore(&self, x: &DMatrix<f32>) -> DMatrix<f32> {
        DMatrix::from_fn(x.nrows(), x.ncols(), |feature, row| {
            let (mean, scale) = (self.mean[feature], self.scale[feature]);
            if scale == 0.0 { mean } else { x[(feature, row)] / scale + mean }
        })
    }

    /// Returns the names of the constant features.
    pub fn constant<'a>(&self, features: &'a [String]) -> Vec<&'a str> {
        let constant = features.iter().zip(&self.scale).filter(|(_, scale)| **scale == 0.0);
        constant.map(|(name, _)| name.as_str()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn standardizes_leaves_out_the_missing_and_switches_off_the_constant() {
        let nan = f32::NAN;
        let x = DMatrix::from_row_slice(3, 4, &[1.0, 3.0, nan, 2.0, 0.1, 0.1, 0.1, 0.1, nan, nan, nan, nan]);
        let Scaler { mean, scale } = Scaler::fit(&x);
        assert_eq!(mean, [2.0, 0.1, 0.0]);
        assert_eq!(scale, [(1.5f64.sqrt()) as f32, 0.0, 0.0]);
    }
}
