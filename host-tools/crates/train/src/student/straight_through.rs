//! Quantization-aware training: the forward pass is that of the quantized student, the backward pass ignores the
//! rounding.

use microdistill::quant;
use nalgebra::DMatrix;

use crate::error::Result;
use crate::network::dropout::Dropout;
use crate::network::int8::Codes;
use crate::network::precision::Precision;
use crate::network::{Inputs, Network};
use crate::quantize;

/// A fake-quantized student in `f32`: its weights are rounded to `precision` and its activations to 8 bits. Biases
/// stay exact, because the quantized form has 32 bits for them; so do the sums that enter a lookup table.
///
/// Rounding has no useful gradient. The straight-through estimator (Hinton 2012; Bengio, Léonard & Courville 2013)
/// takes the gradient of the identity instead: that of a network in which every rounding adds a constant. This
/// gradient updates the unrounded weights.
#[derive(Clone, Debug)]
pub(super) struct StraightThrough {
    precision: Precision,
    /// The student with rounded weights.
    network: Network,
    /// Quantization parameters of the input and of the output of every layer.
    codes: Vec<Codes>,
    /// Rounded input and outputs of every layer in the recorded pass.
    rounded: Vec<Vec<f32>>,
}

impl StraightThrough {
    /// Quantizes `student`. `x` holds standardized training rows, shape (inputs × rows), on which the ranges of the
    /// activations are measured.
    pub(super) fn new(student: &Network, precision: Precision, x: &DMatrix<f32>) -> Result<Self> {
        let mut network = student.clone();
        round_weights(&mut network, precision);
        let codes = quantize::codes(&network, x)?;
        let rounded = network.widths().into_iter().map(|width| vec![0.0; width]).collect();
        Ok(StraightThrough { precision, network, codes, rounded })
    }

    /// The student with rounded weights.
    pub(super) fn network(&self) -> &Network {
        &self.network
    }

    /// Rounds the weights of `student` anew, after an update.
    pub(super) fn follow(&mut self, student: &Network) {
        self.network.clone_from(student);
        round_weights(&mut self.network, self.precision);
    }

    /// Runs a forward pass and keeps what [`backward`](StraightThrough::backward) needs. `tape` gets the outputs of
    /// every layer before rounding and dropout. Returns the rounded outputs of the last layer.
    pub(super) fn record(&mut self, x: &[f32], dropout: &Dropout, tape: &mut [Vec<f32>]) -> &[f32] {
        round(self.codes[0], x, &mut self.rounded[0]);
        for (index, layer) in self.network.layers().iter().enumerate() {
            layer.forward(&self.rounded[index], &mut tape[index]);
            round(self.codes[index + 1], &tape[index], &mut self.rounded[index + 1]);
            dropout.apply(index, &mut self.rounded[index + 1]);
        }
        &self.rounded[self.network.layers().len()]
    }

    /// Adds ∂L/∂θ to `gradient`. `tape` comes from [`record`](StraightThrough::record). `dys` has the same shape,
    /// with ∂L/∂y in its last element, and is overwritten.
    pub(super) fn backward(
        &self,
        dropout: &Dropout,
        tape: &[Vec<f32>],
        dys: &mut [Vec<f32>],
        gradient: &mut Network,
    ) {
        self.network.backward(Inputs::Changed(&self.rounded, dropout), tape, dys, gradient);
    }
}

/// Writes the dequantized codes of `values` to `rounded`.
fn round(codes: Codes, values: &[f32], rounded: &mut [f32]) {
    for (rounded, &value) in rounded.iter_mut().zip(values) {
        [*rounded] = codes.apply(&[quant::quantize(value, codes.scale, codes.zero)]);
    }
}

/// Replaces the weights with the values of their codes.
fn round_weights(network: &mut Network, precision: Precision) {
    for layer in network.layers_mut() {
        let columns = layer.columns();
        layer.edit_weights(|weights| weights.chunks_exact_mut(columns).for_each(|row| precision.round(row)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::precision::Bits;
    use crate::network::{Activation, Dense};
    use microdistill::kernel::Kernels;
    use microdistill::loss::{Loss, Soft, SoftLabels};
    use rand_core::Rng;
    use rand_pcg::Pcg32;

    /// The network in f64, where every rounding is replaced by the constant it added in the recorded pass.
    struct Smooth {
        layers: Vec<(Vec<f64>, Vec<f64>, Activation)>,
        /// Dropout factors of the input and of the outputs of every layer.
        factors: Vec<Vec<f64>>,
        constants: Vec<Vec<f64>>,
    }

    impl Smooth {
        fn of(quantized: &StraightThrough, dropout: &Dropout, x: &[f32], tape: &[Vec<f32>]) -> Self {
            let exact = |values: &[f32]| values.iter().map(|&value| f64::from(value)).collect::<Vec<_>>();
            let layer = |layer: &Dense| (exact(&layer.weights()), exact(&layer.bias), layer.activation);
            let stages = std::iter::once(x).chain(tape.iter().map(Vec::as_slice));
            let factors = tape.iter().enumerate().map(|(layer, outputs)| {
                let mut factors = vec![1.0; outputs.len()];
                dropout.apply(layer, &mut factors);
                exact(&factors)
            });
            let factors: Vec<_> = std::iter::once(vec![1.0; x.len()]).chain(factors).collect();
            let added = |((rounded, stage), factors): ((&Vec<f32>, &[f32]), &Vec<f64>)| {
                let kept = exact(stage).into_iter().zip(factors).map(|(value, factor)| value * factor);
                exact(rounded).iter().zip(kept).map(|(rounded, value)| rounded - value).collect()
            };
            Smooth {
                layers: quantized.network.layers().iter().map(layer).collect(),
                constants: quantized.rounded.iter().zip(stages).zip(&factors).map(added).collect(),
                factors,
            }
        }

        fn parameter(&mut self, layer: usize, index: usize) -> &mut f64 {
            let (weights, bias, _) = &mut self.layers[layer];
            weights.iter_mut().chain(bias).nth(index).unwrap()
        }

        fn loss(&self, x: &[f32], target: Soft<'_, [f64]>) -> f64 {
            let mut stage: Vec<f64> = x.iter().map(|&x| f64::from(x)).collect();
            let (first, others) = self.constants.split_first().unwrap();
            stage.iter_mut().zip(first).for_each(|(x, constant)| *x += constant);
            for (((weights, bias, activation), constants), factors) in
                self.layers.iter().zip(others).zip(&self.factors[1..])
            {
                let mut y = vec![0.0; bias.len()];
                f64::affine(weights, bias, &stage, &mut y);
                activation.apply(&mut y);
                let changes = factors.iter().zip(constants);
                y.iter_mut().zip(changes).for_each(|(y, (factor, constant))| *y = *y * factor + constant);
                stage = y;
            }
            let (mut dz, mut work) = (stage.clone(), stage.clone());
            let SoftLabels { temperature, alpha } = SoftLabels::DEFAULT;
            let loss = SoftLabels { temperature: temperature.into(), alpha: f64::from(alpha) };
            loss.gradient(&stage, target, &mut dz, &mut work)
        }
    }

    #[test]
    fn the_gradient_is_that_of_the_network_in_which_roundings_add_constants() {
        for (activation, precision, share) in [
            (Activation::Tanh, Precision::per_channel(Bits::Four), 0.0),
            (Activation::Sigmoid, Precision::per_group(Bits::Three), 0.4),
            (Activation::LeakyRelu, Precision::per_channel(Bits::Eight), 0.25),
        ] {
            let mut rng = Pcg32::new(11, 3);
            let student = Network::random(&[40, 7, 5, 3], activation, &mut rng);
            let rows = DMatrix::from_fn(40, 30, |_, _| (rng.next_u32() >> 8) as f32 / (1 << 23) as f32 - 1.0);
            let mut quantized = StraightThrough::new(&student, precision, &rows).unwrap();
            let teacher = [0.5, -1.0, 2.0];
            let target = Soft { teacher: &teacher[..], label: Some(1) };
            let x = rows.column(4);
            let x = x.as_slice();
            let mut tape = student.tape();
            let mut dropout = Dropout::new(share, &student.widths());
            dropout.draw(&mut rng);
            let z = quantized.record(x, &dropout, &mut tape).to_vec();
            let mut dys = student.tape();
            let mut gradient = Network::zero(&student.widths(), Activation::Identity);
            SoftLabels::DEFAULT.gradient(&z, target, &mut dys[2], &mut [0.0; 3]);
            quantized.backward(&dropout, &tape, &mut dys, &mut gradient);

            let teacher = teacher.map(f64::from);
            let target = Soft { teacher: &teacher[..], label: Some(1) };
            let mut smooth = Smooth::of(&quantized, &dropout, x, &tape);
            for (layer, gradient) in gradient.layers().iter().enumerate() {
                let weights = gradient.weights();
                for (index, &found) in weights.iter().chain(&gradient.bias).enumerate() {
                    let kept = *smooth.parameter(layer, index);
                    let mut loss = |step: f64| {
                        *smooth.parameter(layer, index) = kept + step;
                        smooth.loss(x, target)
                    };
                    let slope = (loss(1e-5) - loss(-1e-5)) / 2e-5;
                    *smooth.parameter(layer, index) = kept;
                    assert!(
                        (f64::from(found) - slope).abs() <= 1e-5 * slope.abs().max(1.0),
                        "{found} is not {slope}: {activation:?}, layer {layer}, parameter {index}"
                    );
                }
            }
        }
    }

    #[test]
    fn weights_are_rounded_anew_when_the_student_moves() {
        let precision = Precision::per_channel(Bits::Three);
        let mut rng = Pcg32::new(5, 3);
        let first = Network::random(&[6, 4, 2], Activation::Relu, &mut rng);
        let second = Network::random(&[6, 4, 2], Activation::Relu, &mut rng);
        let x = DMatrix::from_element(6, 1, 0.5);
        let mut quantized = StraightThrough::new(&first, precision, &x).unwrap();
        quantized.follow(&second);
        assert_eq!(quantized.network(), StraightThrough::new(&second, precision, &x).unwrap().network());
        for row in quantized.network().layers()[0].weights().chunks_exact(6) {
            let mut values = row.to_vec();
            values.sort_by(f32::total_cmp);
            values.dedup();
            assert!(values.len() <= 7, "{row:?}");
        }
    }
}
