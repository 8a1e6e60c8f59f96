//! The parts that the trainings of VAE and GAN share.

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

/// Calls `step` for every batch of every pass over `x` with the batch, how many of its columns are rows, the `rates`, of
/// which the step size falls along a half cosine to zero, and `rng`; it returns the sum of their losses.
///
/// # Errors
/// A loss that is not finite.
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

/// `count` rows that a trained `network` makes of `z ~ N(0, I)`, shape (latent × batch), which is drawn anew for each batch;
/// `finish` makes of a feature's number and its value what the row has. Shape (features × count).
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

/// Draws every number anew.
pub(super) fn fill(noise: &mut DMatrix<f32>, rng: &mut impl Rng) {
    noise.iter_mut().for_each(|noise| *noise = normal(rng));
}
