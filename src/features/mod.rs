//! Features from raw input: scalers, knots, and hashed n-grams of text.

pub mod knots;
pub mod ngrams;
pub mod scaler;
