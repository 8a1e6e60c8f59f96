//! What the trainings of VAE and GAN have in common.

use microdistill::schedule::{HalfCosine, Schedule as _};
use nalgebra::DMatrix;
use rand_core::Rng;

use super::normal;
use crate::batched::gather;
use crate::error::{Error, Result};
use crate::random::shuffle;
use crate::schedule::epochs;

/// Rows an update.
const BATCH: usize = 32;

/// Hidden units of every network.
pub(super) const HIDDEN: usize = 64;

/// Most widths of what rows are made from.
const LATENT: usize = 8;

/// The width of what rows of so many features are made from.
pub(super) fn latent(features: usize) -> usize {
    features.min(LATENT)
}

/// Columns of a batch of `x`.
pub(super) fn batch(x: &DMatrix<f32>) -> usize {
    BATCH.min(x.ncols())
}

/// Calls `step` for every batch of every pass over `x` with the batch, how many of its columns are rows, the share of the
/// rate, which falls along a half cosine to zero, and `rng`; it returns the sum of their losses.
///
/// # Errors
/// A loss that is not finite.
pub(super) fn train<R: Rng>(
    name: &str,
    x: &DMatrix<f32>,
    rng: &mut R,
    mut step: impl FnMut(&DMatrix<f32>, usize, f32, &mut R) -> f64,
) -> Result<()> {
    let mut order: Vec<usize> = (0..x.ncols()).collect();
    let mut rows = DMatrix::zeros(x.nrows(), batch(x));
    let epochs = epochs(200, order.len());
    let updates = HalfCosine { steps: epochs * order.len().div_ceil(rows.ncols()) };
    let mut update = 0;
    for epoch in 1..=epochs {
        shuffle(&mut order, rng);
        let mut loss = 0.0;
        for chunk in order.chunks(rows.ncols()) {
            gather(x, chunk.iter().copied(), &mut rows);
            loss += step(&rows, chunk.len(), updates.share(update), rng);
            update += 1;
        }
        if !loss.is_finite() {
            return Err(Error::Invalid(format!(
                "the {name} diverged in epoch {epoch}: look for values far from all others in the rows, or choose \
                 another generator, as gaussian"
            )));
        }
    }
    Ok(())
}

/// Draws every number anew.
pub(super) fn fill(noise: &mut DMatrix<f32>, rng: &mut impl Rng) {
    noise.iter_mut().for_each(|noise| *noise = normal(rng));
}
