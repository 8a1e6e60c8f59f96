//! The first step of every inference, fitted to training rows.

use microdistill::scaler::{missing, standardize};
use nalgebra::DMatrix;

use super::{Knots, Scaler};

/// First step of an inference: maps raw features to the input of the network.
#[derive(Clone, Debug, PartialEq)]
pub enum Preparation {
    /// Standardized features.
    Scaler(Scaler),
    /// Coordinates in the table of a piecewise-linear first layer.
    Knots(Knots),
}

impl From<Scaler> for Preparation {
    fn from(scaler: Scaler) -> Self {
        Preparation::Scaler(scaler)
    }
}

impl From<Knots> for Preparation {
    fn from(knots: Knots) -> Self {
        Preparation::Knots(knots)
    }
}

impl Preparation {
    /// Maps every column of `x`, shape (features × rows). A missing value counts as the mean, by the
    /// [rule](microdistill::scaler) of the core crate.
    pub fn apply(&self, x: &DMatrix<f32>) -> DMatrix<f32> {
        match self {
            Preparation::Scaler(scaler) => scaler.apply(x),
            Preparation::Knots(knots) => knots.apply(x),
        }
    }

    /// Maps one row of raw features.
    pub fn apply_row(&self, raw: &[f32]) -> Vec<f32> {
        match self {
            Preparation::Scaler(Scaler { mean, scale }) => {
                let mut x = raw.to_vec();
                standardize(&mut x, mean, scale);
                x
            }
            Preparation::Knots(knots) => knots.coordinates(raw),
        }
    }

    /// Returns the mean of each feature, in its unit.
    pub fn mean(&self) -> &[f32] {
        match self {
            Preparation::Scaler(scaler) => &scaler.mean,
            Preparation::Knots(knots) => &knots.mean,
        }
    }

    /// Returns the scaler, unless the inputs are piecewise linear.
    pub fn scaler(&self) -> Option<&Scaler> {
        match self {
            Preparation::Scaler(scaler) => Some(scaler),
            Preparation::Knots(_) => None,
        }
    }

    /// Returns the knots of piecewise-linear inputs.
    pub fn knots(&self) -> Option<&Knots> {
        match self {
            Preparation::Scaler(_) => None,
            Preparation::Knots(knots) => Some(knots),
        }
    }

    /// Returns the index of the first feature of a row that counts as missing.
    pub(crate) fn missing(&self, raw: &[f32]) -> Option<usize> {
        match self {
            Preparation::Scaler(Scaler { mean, scale }) => missing(raw, mean, scale),
            Preparation::Knots(_) => raw.iter().position(|value| !value.is_finite()),
        }
    }

    /// Replaces missing values of `x`, shape (features × rows), with the mean.
    pub(crate) fn fill_missing(&self, x: &mut DMatrix<f32>) {
        for mut column in x.column_iter_mut() {
            for (x, &mean) in column.iter_mut().zip(self.mean()).filter(|(x, _)| !x.is_finite()) {
                *x = mean;
            }
        }
    }
}
