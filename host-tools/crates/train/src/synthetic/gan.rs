//! A small generative adversarial network (Goodfellow et al. 2014).
//!
//! The loss of the discriminator is `−ln D(x) − ln(1 − D(G(z)))`. The generator has the non-saturating loss `−ln
//! D(G(z))`.

use microdistill::loss::{BinaryCrossEntropy, Loss};
use microdistill::optimizer::AdamRates;
use nalgebra::DMatrix;
use rand_core::Rng;
use rand_pcg::Pcg32;

use super::training::{HIDDEN, batch, draw_rows, fill, latent, train};
use crate::error::Result;
use crate::network::Activation;
use crate::network::batched::{Adam, Batched, Mode, Real};

/// Adam with a short memory of gradients, because each update of the other network makes old gradients wrong
/// (Radford, Metz and Chintala 2016).
const RATES: AdamRates = AdamRates { rate: 1e-3, beta1: 0.5, ..AdamRates::DEFAULT };

/// Trains a GAN on standardized rows and generates `count` rows. Shape (features × count).
pub(super) fn generate(x: &DMatrix<f32>, count: usize, rng: &mut impl Rng) -> Result<DMatrix<f32>> {
    let mut gan = Gan::fit(x, rng)?;
    let z = DMatrix::zeros(latent(x.nrows()), batch(x));
    Ok(draw_rows(&mut gan.generator, z, count, rng, |_, value, _| value))
}

struct Gan<T> {
    /// Generator: maps `z` to features.
    generator: Batched<T>,
    /// Discriminator: maps features to the logit of "this is a row of the data".
    discriminator: Batched<T>,
    /// Input of the discriminator: rows of the data, followed by as many generated rows. Shape (features × 2·batch).
    judged: DMatrix<T>,
    /// ∂L/∂judged, of the same shape.
    gradient: DMatrix<T>,
}

impl<T: Real> Gan<T> {
    fn random(features: usize, hidden: usize, batch: usize, rng: &mut impl Rng) -> Self {
        let judged = DMatrix::from_element(features, 2 * batch, T::ZERO);
        Gan {
            generator: Batched::random(&[latent(features), hidden, features], Activation::Tanh, batch, rng),
            discriminator: Batched::random(&[features, hidden, 1], Activation::LeakyRelu, 2 * batch, rng),
            gradient: judged.clone(),
            judged,
        }
    }

    /// Returns the summed loss of the discriminator for the first `n` columns of `x` and `n` rows generated from `z`.
    /// Leaves the gradients in the discriminator.
    fn discriminator_loss(&mut self, x: &DMatrix<T>, z: &DMatrix<T>, n: usize) -> f64 {
        let made = self.generator.forward(z, n, Mode::<Pcg32>::Inference);
        self.judged.columns_mut(0, n).copy_from(&x.columns(0, n));
        self.judged.columns_mut(n, n).copy_from(&made.columns(0, n));
        self.judge(2 * n, |column| column < n)
    }

    /// Returns the summed loss of the generator for the first `n` columns of `z`. Leaves the gradients in the
    /// generator.
    fn generator_loss(&mut self, z: &DMatrix<T>, n: usize) -> f64 {
        let made = self.generator.forward(z, n, Mode::<Pcg32>::Inference);
        self.judged.columns_mut(0, n).copy_from(&made.columns(0, n));
        let loss = self.judge(n, |_| true);
        self.discriminator.input_gradient(n, &mut self.gradient);
        let (_, gradient) = self.generator.output_and_gradient();
        gradient.columns_mut(0, n).copy_from(&self.gradient.columns(0, n));
        self.generator.backward(z, n);
        loss
    }

    /// Returns the summed cross-entropy of the discriminator on its first `n` columns, whose labels `is_data` gives.
    /// Leaves the gradients in the discriminator.
    fn judge(&mut self, n: usize, is_data: impl Fn(usize) -> bool) -> f64 {
        self.discriminator.forward(&self.judged, n, Mode::<Pcg32>::Inference);
        let (logits, gradients) = self.discriminator.output_and_gradient();
        let pairs = logits.as_slice().chunks(1).zip(gradients.as_mut_slice().chunks_mut(1));
        let mut sum = T::ZERO;
        for (column, (logit, gradient)) in pairs.take(n).enumerate() {
            sum += Loss::<T, [T]>::gradient(&BinaryCrossEntropy, logit, is_data(column), gradient, &mut []);
        }
        self.discriminator.backward(&self.judged, n);
        sum.into()
    }
}

impl Gan<f32> {
    fn fit(x: &DMatrix<f32>, rng: &mut impl Rng) -> Result<Self> {
        let mut gan = Gan::random(x.nrows(), HIDDEN, batch(x), rng);
        let (mut discriminator, mut generator) = (Adam::of(&gan.discriminator), Adam::of(&gan.generator));
        let mut z = DMatrix::zeros(latent(x.nrows()), batch(x));
        train("GAN", RATES, x, rng, |x, n, rates, rng| {
            fill(&mut z, rng);
            let judged = gan.discriminator_loss(x, &z, n);
            discriminator.step(&mut gan.discriminator, rates, 1.0 / n as f32);
            fill(&mut z, rng);
            let made = gan.generator_loss(&z, n);
            generator.step(&mut gan.generator, rates, 1.0 / n as f32);
            judged + made
        })?;
        Ok(gan)
    }
}

#[cfg(test)]
mod tests {
    use super::super::normal;
    use super::*;
    use crate::network::batched::gradients;

    #[test]
    fn gradients_of_both_losses_are_those_of_finite_differences() {
        let rng = &mut Pcg32::new(1, 1);
        let (n, features) = (4, 5);
        let mut gan = Gan::<f64>::random(features, 6, n + 1, rng);
        // Inputs are small because the engine's tanh is an approximation, whose slope is accurate only near zero.
        let mut small = || DMatrix::from_fn(features, n + 1, |_, _| f64::from(normal(rng)) / 2.0);
        let (x, z) = (small(), small());
        let loss = |gan: &mut Gan<f64>| gan.discriminator_loss(&x, &z, n);
        gradients::assert_right(&mut gan, loss, |gan| &mut gan.discriminator);
        let loss = |gan: &mut Gan<f64>| gan.generator_loss(&z, n);
        gradients::assert_right(&mut gan, loss, |gan| &mut gan.generator);
    }

    #[test]
    fn losses_are_those_of_a_discriminator_that_knows_nothing() {
        let rng = &mut Pcg32::new(1, 1);
        let mut gan = Gan::<f64>::random(3, 4, 5, rng);
        let last = gan.discriminator.layers.last_mut().unwrap();
        last.weights.fill(0.0);
        last.bias[0] = 3f64.ln(); // D = 3/4
        let (x, z) = (DMatrix::zeros(3, 5), DMatrix::zeros(3, 5));
        let expected = 5.0 * (-(0.75f64.ln()) - 0.25f64.ln());
        assert!((gan.discriminator_loss(&x, &z, 5) - expected).abs() < 1e-12);
        assert!((gan.generator_loss(&z, 5) + 5.0 * 0.75f64.ln()).abs() < 1e-12);
    }
}
