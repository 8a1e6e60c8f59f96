//! A small variational autoencoder (Kingma and Welling 2014) with a Gaussian decoder.
//!
//! The model: a row `x` is drawn from `N(g(z), β·I)`, where `g` is the decoder and `z` is drawn from `N(0, I)`. For
//! each row the encoder gives the mean `μ` and the variance `σ²` of a Gaussian approximation to the posterior of `z`.
//!
//! The loss is the negative evidence lower bound times β, without constants, which is also the loss of the β-VAE
//! (Higgins et al. 2017): `½‖x − g(μ + σ⊙ε)‖² + β·KL(N(μ, σ²)‖N(0, I))` with `ε ~ N(0, I)` and `KL = ½ Σ (μ² + σ² −
//! ln σ² − 1)`.

use microdistill::optimizer::AdamRates;
use nalgebra::DMatrix;
use rand_core::Rng;
use rand_pcg::Pcg32;

use super::normal;
use super::training::{HIDDEN, batch, draw_rows, fill, latent, train};
use crate::error::Result;
use crate::network::Activation;
use crate::network::batched::{Adam, Batched, Mode, Real};

/// Variance β that the decoder may leave unexplained, relative to that of a standardized feature.
const BETA: f32 = 0.1;

const RATES: AdamRates = AdamRates { rate: 3e-3, ..AdamRates::DEFAULT };

/// Trains a VAE on standardized rows and generates `count` rows. Shape (features × count).
///
/// Each row is `g(z)` plus noise. The variance of the noise is, for each feature, that of the reconstruction errors
/// of the training rows, which is the maximum-likelihood value for a decoder.
pub(super) fn generate(x: &DMatrix<f32>, count: usize, rng: &mut impl Rng) -> Result<DMatrix<f32>> {
    let mut vae = Vae::fit(x, rng)?;
    let residuals = vae.reconstruct(x, rng) - x;
    let deviations: Vec<f32> =
        residuals.row_iter().map(|row| (row.norm_squared() / row.len() as f32).sqrt()).collect();
    Ok(draw_rows(&mut vae.decoder, vae.z, count, rng, |feature, mean, rng| {
        mean + deviations[feature] * normal(rng)
    }))
}

struct Vae<T> {
    /// Encoder: maps features to `μ` and `ln σ²`.
    encoder: Batched<T>,
    /// Decoder: maps `z` to features.
    decoder: Batched<T>,
    /// Latent variables, shape (latent × batch).
    z: DMatrix<T>,
    /// ∂L/∂z, of the same shape.
    dz: DMatrix<T>,
    beta: T,
}

impl<T: Real> Vae<T> {
    fn random(features: usize, hidden: usize, batch: usize, rng: &mut impl Rng) -> Self {
        let latent = latent(features);
        let z = DMatrix::from_element(latent, batch, T::ZERO);
        Vae {
            encoder: Batched::random(&[features, hidden, 2 * latent], Activation::Tanh, batch, rng),
            decoder: Batched::random(&[latent, hidden, features], Activation::Tanh, batch, rng),
            dz: z.clone(),
            z,
            beta: T::from_f32(BETA),
        }
    }

    /// Encodes the first `n` columns of `x`, draws `z = μ + σ⊙ε` with `noise` as ε, shape (latent × batch), and
    /// decodes `z`. Returns shape (features × batch).
    fn forward(&mut self, x: &DMatrix<T>, noise: &DMatrix<T>, n: usize) -> &DMatrix<T> {
        let codes = self.encoder.forward(x, n, Mode::<Pcg32>::Inference);
        let columns = self.z.column_iter_mut().zip(codes.column_iter()).zip(noise.column_iter());
        for ((mut z, code), noise) in columns.take(n) {
            let (means, logs) = code.as_slice().split_at(z.len());
            for (((z, &mean), &log), &noise) in z.iter_mut().zip(means).zip(logs).zip(&noise) {
                *z = mean + (log / T::TWO).exp() * noise;
            }
        }
        self.decoder.forward(&self.z, n, Mode::<Pcg32>::Inference)
    }

    /// Returns the summed loss of the first `n` columns of `x`. Leaves the gradients in both networks.
    fn loss(&mut self, x: &DMatrix<T>, noise: &DMatrix<T>, n: usize) -> f64 {
        self.forward(x, noise, n);
        let mut sum = T::ZERO;
        let (y, dy) = self.decoder.output_and_gradient();
        for ((&x, &y), dy) in x.columns(0, n).iter().zip(y).zip(dy) {
            *dy = y - x;
            sum += *dy * *dy / T::TWO;
        }
        self.decoder.backward(&self.z, n);
        self.decoder.input_gradient(n, &mut self.dz);
        let (codes, gradients) = self.encoder.output_and_gradient();
        let columns = codes.column_iter().zip(gradients.column_iter_mut());
        for (((code, mut gradient), dz), noise) in
            columns.zip(self.dz.column_iter()).zip(noise.column_iter()).take(n)
        {
            let (means, logs) = code.as_slice().split_at(dz.len());
            let (dmeans, dlogs) = gradient.as_mut_slice().split_at_mut(dz.len());
            for index in 0..dz.len() {
                let (mean, log, dz) = (means[index], logs[index], dz[index]);
                let variance = log.exp();
                sum += self.beta * (mean * mean + variance - log - T::ONE) / T::TWO;
                dmeans[index] = dz + self.beta * mean;
                dlogs[index] =
                    (dz * noise[index] * variance.sqrt() + self.beta * (variance - T::ONE)) / T::TWO;
            }
        }
        self.encoder.backward(x, n);
        sum.into()
    }
}

impl Vae<f32> {
    fn fit(x: &DMatrix<f32>, rng: &mut impl Rng) -> Result<Self> {
        let mut vae = Vae::random(x.nrows(), HIDDEN, batch(x), rng);
        let (mut encoder, mut decoder) = (Adam::of(&vae.encoder), Adam::of(&vae.decoder));
        let mut noise = vae.z.clone();
        train("VAE", RATES, x, rng, |x, n, rates, rng| {
            fill(&mut noise, rng);
            let loss = vae.loss(x, &noise, n);
            encoder.step(&mut vae.encoder, rates, 1.0 / n as f32);
            decoder.step(&mut vae.decoder, rates, 1.0 / n as f32);
            loss
        })?;
        Ok(vae)
    }

    /// Reconstructs the rows of `x`, each from a random `z` of its posterior. Shape (features × rows).
    fn reconstruct(&mut self, x: &DMatrix<f32>, rng: &mut impl Rng) -> DMatrix<f32> {
        let batch = self.z.ncols();
        let mut noise = self.z.clone();
        let mut y = DMatrix::zeros(x.nrows(), x.ncols());
        for first in (0..x.ncols()).step_by(batch) {
            let n = batch.min(x.ncols() - first);
            fill(&mut noise, rng);
            let rows = x.columns(first, n).into_owned();
            y.columns_mut(first, n).copy_from(&self.forward(&rows, &noise, n).columns(0, n));
        }
        y
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::batched::gradients;

    #[test]
    fn gradients_of_the_bound_are_those_of_finite_differences() {
        let rng = &mut Pcg32::new(1, 1);
        let (n, features) = (4, 5);
        let mut vae = Vae::<f64>::random(features, 6, n + 1, rng);
        let x = DMatrix::from_fn(features, n + 1, |_, _| f64::from(normal(rng)));
        let noise = DMatrix::from_fn(features, n + 1, |_, _| f64::from(normal(rng)));
        for beta in [0.1, 1.0] {
            vae.beta = beta;
            let loss = |vae: &mut Vae<f64>| vae.loss(&x, &noise, n);
            gradients::assert_right(&mut vae, loss, |vae| &mut vae.encoder);
            gradients::assert_right(&mut vae, loss, |vae| &mut vae.decoder);
        }
    }

    /// Rows on a closed curve in six dimensions that lies in no plane.
    fn curve(rows: usize, seed: u64) -> DMatrix<f32> {
        let rng = &mut Pcg32::new(seed, 1);
        let columns = (0..rows).map(|_| {
            let angle = std::f32::consts::TAU * super::super::unit_interval(rng);
            let point = (1..=3).flat_map(|k| [(k as f32 * angle).cos(), (k as f32 * angle).sin()]);
            nalgebra::DVector::from_iterator(
                6,
                point.map(|x| std::f32::consts::SQRT_2 * x + 0.05 * normal(rng)),
            )
        });
        DMatrix::from_columns(&columns.collect::<Vec<_>>())
    }

    #[test]
    fn rows_lie_on_the_manifold_that_it_learned() {
        let rng = &mut Pcg32::new(2, 1);
        let x = curve(500, 1);
        let mut vae = Vae::fit(&x, rng).unwrap();
        let unseen = curve(200, 2);
        let explained =
            1.0 - (vae.reconstruct(&unseen, rng) - &unseen).norm_squared() / unseen.norm_squared();
        assert!(explained > 0.9, "of the variance of unseen rows {explained} is explained");
        // The comparison is Gaussian noise of the same mean and covariance, which fills all six dimensions.
        let off = |made: &DMatrix<f32>| {
            let line = curve(2000, 3);
            let nearest = |made: nalgebra::DVectorView<'_, f32>| {
                line.column_iter().map(|on| (on - made).norm_squared()).fold(f32::INFINITY, f32::min)
            };
            made.column_iter().map(|made| nearest(made.as_view())).sum::<f32>() / made.ncols() as f32
        };
        let made = generate(&x, 300, rng).unwrap();
        let gaussian = DMatrix::from_fn(6, 300, |_, _| normal(rng));
        assert!(off(&made) < 0.6 * off(&gaussian), "{} beside {}", off(&made), off(&gaussian));
    }

    #[test]
    fn a_training_that_diverges_is_an_error_with_a_way_out() {
        let x = DMatrix::from_fn(2, 40, |feature, row| (feature + row) as f32 * 1e30);
        let error = generate(&x, 1, &mut Pcg32::new(1, 1)).unwrap_err().to_string();
        assert!(error.contains("the VAE diverged in epoch 1") && error.contains("as gaussian"), "{error}");
    }
}
