//! Training loop shared by VAE and GAN.

use microdistill::optimizer::AdamRates;
use microdistill::schedule::{HalfCosine, Schedule as _};
use nalgebra::DMatrix;
use rand_core::Rng;
use rand_pcg::Pcg32;

use super::normal;
use crate::error::{Error, Result};
use crate::hyperparameters::epochs;
use crate::network::batched::{Batched, Mode, gather};
use crate::random::shuffle;

/// Batch size: rows per update.
const BATCH: usize = 32;

/// Number of hidden units of each network.
pub(super) const HIDDEN: usize = 64;

/// Maximum width of the latent space.
const LATENT: usize = 8;

/// Returns the width of the latent space for rows of `features` features.
pub(super) fn latent(features: usize) -> usize {
    features.min(LATENT)
}

/// Returns the batch size for `x`.
pub(super) fn batch(x: &DMatrix<f32>) -> usize {
    BATCH.min(x.ncols())
}

/// Calls `step` for every batch of every epoch over `x`. It receives the batch, the number of its columns that are
/// rows, the `rates`, whose learning rate falls along a half cosine to zero, and `rng`. It returns the sum of the
/// losses.
///
/// # Errors
/// Fails if a loss is not finite.
pub(super) fn train<R: Rng>(
    name: &str,
    rates: AdamRates,
    x: &DMatrix<f32>,
    rng: &mut R,
    mut step: impl FnMut(&DMatrix<f32>, usize, &AdamRates, &mut R) -> f64,
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
            let rates = AdamRates { rate: rates.rate * updates.share(update), ..rates };
            loss += step(&rows, chunk.len(), &rates, rng);
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

/// Generates `count` rows with a trained `network` from `z ~ N(0, I)`, shape (latent × batch), which is drawn anew
/// for each batch. `finish` maps the index and the output of a feature to its final value. Shape (features × count).
pub(super) fn draw_rows<R: Rng>(
    network: &mut Batched<f32>,
    mut z: DMatrix<f32>,
    count: usize,
    rng: &mut R,
    finish: impl Fn(usize, f32, &mut R) -> f32,
) -> DMatrix<f32> {
    let features = network.output_and_gradient().0.nrows();
    let mut made = DMatrix::zeros(features, count);
    for made in made.as_mut_slice().chunks_mut(z.ncols() * features) {
        fill(&mut z, rng);
        let rows = network.forward(&z, made.len() / features, Mode::<Pcg32>::Inference);
        for (index, (made, &value)) in made.iter_mut().zip(rows).enumerate() {
            *made = finish(index % features, value, rng);
        }
    }
    made
}

/// Fills `noise` with new random numbers.
pub(super) fn fill(noise: &mut DMatrix<f32>, rng: &mut impl Rng) {
    noise.iter_mut().for_each(|noise| *noise = normal(rng));
}
