//! Features from raw input: scalers, and hashed n-grams of text.

pub mod ngrams;
pub mod scaler;
