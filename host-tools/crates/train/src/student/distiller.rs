//! Distillation step of a network whose shape is known only at run time.

use microdistill::kernel::Moments;
use microdistill::loss::Loss;
use microdistill::optimizer::{AdamRates, Corrections};
use nalgebra::DMatrix;
use rand_core::Rng;

use super::straight_through::StraightThrough;
use crate::error::Result;
use crate::network::dropout::Dropout;
use crate::network::precision::Precision;
use crate::network::{Inputs, Network};

/// Run-time counterpart of [`microdistill::Distiller`] with [`microdistill::optimizer::Adam`]. Both call the same
/// kernels in the same order, so they end with the same bits.
#[derive(Clone, Debug)]
pub struct Distiller {
    student: Network,
    quantized: Option<StraightThrough>,
    dropout: Dropout,
    /// Inputs of every layer and outputs of the last one, after dropout. Empty without dropout.
    inputs: Vec<Vec<f32>>,
    gradient: Network,
    moments: [Network; 2],
    corrections: Corrections<f32>,
    tape: Vec<Vec<f32>>,
    dys: Vec<Vec<f32>>,
    work: Vec<f32>,
    samples: usize,
}

impl Distiller {
    /// Creates a distiller for `student`, with zero gradients and moments.
    pub fn new(student: Network) -> Self {
        let zero = student.clone().zeroed();
        let tape = student.tape();
        Distiller {
            gradient: zero.clone(),
            moments: [zero.clone(), zero],
            corrections: Corrections::ZERO,
            dys: tape.clone(),
            work: tape.last().cloned().unwrap_or_default(),
            tape,
            student,
            quantized: None,
            dropout: Dropout::OFF,
            inputs: Vec::new(),
            samples: 0,
        }
    }

    /// Enables dropout: from now on `share` of the hidden units, in [0, 1), is dropped. The masks come from
    /// [`draw`](Distiller::draw).
    pub fn drop_units(&mut self, share: f32) {
        let widths = self.student.widths();
        self.dropout = Dropout::new(share, &widths);
        self.inputs = widths.into_iter().map(|width| vec![0.0; width]).collect();
    }

    /// Draws new dropout masks. Call it before each sample. Without dropout it takes no number from `rng`.
    pub fn draw(&mut self, rng: &mut impl Rng) {
        self.dropout.draw(rng);
    }

    /// Enables quantization-aware training: from now on the student computes with weights rounded to `precision` and
    /// with activations of 8 bits. The ranges of the activations are measured on `x`: standardized rows, shape
    /// (inputs × rows).
    ///
    /// # Errors
    /// Fails if an activation is not finite.
    pub fn quantize(&mut self, precision: Precision, x: &DMatrix<f32>) -> Result<()> {
        self.quantized = Some(StraightThrough::new(&self.student, precision, x)?);
        Ok(())
    }

    /// Returns the student as it computes now: with rounded weights after [`quantize`](Distiller::quantize).
    pub fn student(&self) -> &Network {
        self.quantized.as_ref().map_or(&self.student, StraightThrough::network)
    }

    /// Adds the gradient of one sample to those of the batch and returns the loss of the sample. `x` holds
    /// standardized features, one per input.
    pub fn learn<L: Loss<f32>>(&mut self, x: &[f32], loss: &L, target: L::Target<'_>) -> f32 {
        let (tape, dropout) = (&mut self.tape, &self.dropout);
        let z = match &mut self.quantized {
            Some(quantized) => quantized.record(x, dropout, tape),
            None => {
                if dropout.is_off() {
                    self.student.record(x, tape);
                } else {
                    dropout.record(&self.student, x, &mut self.inputs, tape);
                }
                tape.last().map_or(&[][..], Vec::as_slice)
            }
        };
        let Some(dz) = self.dys.last_mut() else { return 0.0 };
        let value = loss.gradient(z, target, dz, &mut self.work);
        let (tape, dys, gradient) = (&self.tape, &mut self.dys, &mut self.gradient);
        match &self.quantized {
            Some(quantized) => quantized.backward(dropout, tape, dys, gradient),
            None => {
                let inputs = match dropout.is_off() {
                    true => Inputs::Plain(x),
                    false => Inputs::Changed(&self.inputs, dropout),
                };
                self.student.backward(inputs, tape, dys, gradient);
            }
        }
        self.samples = self.samples.saturating_add(1);
        value
    }

    /// Updates the student with the mean gradient of the batch and starts the next batch. An empty batch changes
    /// nothing.
    pub fn update(&mut self, rates: &AdamRates) {
        if self.samples == 0 {
            return;
        }
        let scale = 1.0 / self.samples as f32;
        self.corrections.advance(rates);
        let [first, second] = &mut self.moments;
        let moments = first.tensors_mut().zip(second.tensors_mut());
        let tensors = self.student.tensors_mut().zip(self.gradient.tensors_mut()).zip(moments);
        for (((role, p), (_, g)), ((_, m), (_, v))) in tensors {
            let moments = Moments { first: m, second: v };
            rates.step(role, p, g, moments, &self.corrections, scale);
        }
        self.samples = 0;
        if let Some(quantized) = &mut self.quantized {
            quantized.follow(&self.student);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::Activation;
    use microdistill::activation::{Identity, LeakyRelu, Relu6, Sigmoid, Tanh};
    use microdistill::layout::ByInput;
    use microdistill::loss::{Soft, SoftLabels};
    use microdistill::optimizer::Adam;
    use microdistill::{Chain, Dense, Dropout, Mlp, Params, PiecewiseMlp};
    use rand_core::Rng;
    use rand_pcg::Pcg32;

    /// Trains the typed and the run-time student in lockstep and compares every weight bit for bit.
    macro_rules! same_bits {
        ([$($width:literal),+], $typed:ty, $run_time:expr) => {
            same_bits!([$($width),+], $typed, $run_time, dropout 0.0)
        };
        ([$($width:literal),+], $typed:ty, $run_time:expr, dropout $share:expr) => {{
            let network = Network::random(&[$($width),+], $run_time, &mut Pcg32::new(3, 5));
            same_bits!($typed, network, dropout $share)
        }};
        ($typed:ty, $network:expr, dropout $share:expr) => {{
            type Student = $typed;
            let mut typed = microdistill::Distiller::<Student, Adam<Student>>::ZERO;
            typed.student.initialize(&mut Pcg32::new(3, 5));
            let network = $network;
            assert_eq!(network.fingerprint(), Student::FINGERPRINT);
            let mut run_time = Distiller::new(network);
            run_time.drop_units($share);
            let mut masks = [(); 2].map(|()| Pcg32::new(2, 9));
            let rates = AdamRates { rate: 0.01, weight_decay: 0.003, ..AdamRates::DEFAULT };
            let mut rng = Pcg32::new(7, 11);
            let mut number = || (rng.next_u32() >> 8) as f32 / (1 << 23) as f32 - 1.0;
            for sample in 0..200 {
                let x = core::array::from_fn(|_| number());
                let teacher: [f32; 3] = core::array::from_fn(|_| 3.0 * number());
                let label = (sample % 4 != 0).then_some(sample % 3);
                typed.draw(&mut masks[0]);
                run_time.draw(&mut masks[1]);
                let a = typed.learn(&x, &SoftLabels::DEFAULT, Soft { teacher: &teacher, label });
                let b = run_time.learn(&x, &SoftLabels::DEFAULT, Soft { teacher: &teacher[..], label });
                assert_eq!(a.to_bits(), b.to_bits(), "loss of sample {sample}");
                if sample % 3 == 2 {
                    typed.update(&rates);
                    run_time.update(&rates);
                }
            }
            let typed = typed.student.tensors().flat_map(|(_, values)| values.to_vec()).map(f32::to_bits);
            let run_time = run_time.student().tensors();
            let run_time = run_time.flat_map(|(_, values)| values.to_vec()).map(f32::to_bits);
            assert!(typed.eq(run_time));
        }};
    }

    #[test]
    fn ends_with_the_bits_of_the_typed_distiller() {
        same_bits!([5, 8, 3], Mlp![5, 8, 3], Activation::Relu);
        same_bits!([4, 7, 6, 3], Mlp![4, 7, 6, 3; Tanh], Activation::Tanh);
        same_bits!([4, 7, 6, 3], Mlp![4, 7, 6, 3; Relu6], Activation::Relu6);
        same_bits!([4, 7, 3], Mlp![4, 7, 3; LeakyRelu], Activation::LeakyRelu);
        same_bits!([4, 7, 3], Mlp![4, 7, 3; Sigmoid], Activation::Sigmoid);
        same_bits!([2, 3], Mlp![2, 3], Activation::Relu);
    }

    #[test]
    fn piecewise_linear_layers_end_with_the_bits_of_the_typed_distiller() {
        let network = |hidden: &[usize], activation| {
            let widths = [hidden, &[3]].concat();
            let first = match hidden {
                [] => crate::network::Dense::piecewise_linear(
                    5,
                    vec![0.0; 9 * 3],
                    vec![0.0; 3],
                    Activation::Identity,
                ),
                [first, ..] => {
                    let (table, bias) = (vec![0.0; 9 * first], vec![0.0; *first]);
                    crate::network::Dense::piecewise_linear(5, table, bias, activation)
                }
            };
            let rest = if hidden.is_empty() {
                Vec::new()
            } else {
                Network::zero(&widths, activation).layers().to_vec()
            };
            let mut network = Network::new(std::iter::once(first).chain(rest));
            network.initialize(&mut Pcg32::new(3, 5));
            network
        };
        same_bits!(PiecewiseMlp![9; 5, 8, 3], network(&[8], Activation::Relu), dropout 0.0);
        same_bits!(PiecewiseMlp![9; 5, 7, 6, 3; Tanh], network(&[7, 6], Activation::Tanh), dropout 0.0);
        same_bits!(PiecewiseMlp![9; 5, 3], network(&[], Activation::Relu), dropout 0.0);
    }

    #[test]
    fn drops_the_units_of_the_typed_distiller() {
        type Relus = Chain<Dense<5, 8>, Chain<Dropout<8, 20>, Dense<8, 3, Identity, f32, ByInput>>>;
        same_bits!([5, 8, 3], Relus, Activation::Relu, dropout 0.2);
        type Last = Chain<
            Dense<7, 6, Tanh, f32, ByInput>,
            Chain<Dropout<6, 50>, Dense<6, 3, Identity, f32, ByInput>>,
        >;
        type Tanhs = Chain<Dense<4, 7, Tanh>, Chain<Dropout<7, 50>, Last>>;
        same_bits!([4, 7, 6, 3], Tanhs, Activation::Tanh, dropout 0.5);
    }
}
