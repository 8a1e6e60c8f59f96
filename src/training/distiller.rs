//! The distillation step: forward, loss against the teacher, backward, update.

use rand_core::Rng;

use crate::layer::{Array, InputGradient, Train};
use crate::loss::Loss;
use crate::optimizer::Optimizer;
use crate::scalar::Scalar;

/// A student in training, with all the memory training needs: gradient, optimizer state and tape.
///
/// [`Distiller::ZERO`] is all zero, so that a static of it costs no flash.
///
/// ```
/// use microdistill::loss::{Soft, SoftLabels};
/// use microdistill::optimizer::{Sgd, SgdRates};
/// use microdistill::{Distiller, Mlp, Params};
/// use rand_pcg::Pcg32;
///
/// type Student = Mlp![2, 8, 3];
/// let mut distiller = Distiller::<Student, Sgd<Student>>::ZERO;
/// distiller.student.initialize(&mut Pcg32::new(1, 2));
///
/// let rates = SgdRates { rate: 0.1, momentum: 0.9, weight_decay: 0.0 };
/// let (x, teacher) = ([0.5, -1.0], [2.0, 0.0, -2.0]); // a sample and the teacher's logits for it
/// let mut step = || {
///     let loss = distiller.learn(&x, &SoftLabels::DEFAULT, Soft { teacher: &teacher, label: Some(0) });
///     distiller.update(&rates);
///     loss
/// };
/// let first = step();
/// let last = (0..50).map(|_| step()).last();
/// assert!(last < Some(first));
/// ```
///
/// A sample that came through a [`Scaler`](crate::Scaler) or a [`Quantize`](crate::quant::Quantize) has no NaN: missing
/// features are the mean, by the [rule](crate::scaler). Other inputs, and the teacher's logits, are not checked.
///
/// A teacher of other classes does not compile:
///
/// ```compile_fail,E0308
/// # use microdistill::loss::{Soft, SoftLabels};
/// # use microdistill::optimizer::Sgd;
/// # use microdistill::{Distiller, Mlp};
/// # type Student = Mlp![2, 8, 3];
/// # let mut distiller = Distiller::<Student, Sgd<Student>>::ZERO;
/// let teacher = [2.0, 0.0];
/// distiller.learn(&[0.5, -1.0], &SoftLabels::DEFAULT, Soft { teacher: &teacher, label: None });
/// ```
#[derive(Debug)]
pub struct Distiller<S: Train, O> {
    /// The student, to be set or [initialized](crate::Params::initialize) before training.
    pub student: S,
    gradient: S,
    optimizer: O,
    tape: S::Tape,
    samples: usize,
}

impl<S: Train, O: Optimizer<S>> Distiller<S, O> {
    /// A student of zeros at the start of its training.
    pub const ZERO: Self =
        Distiller { student: S::ZERO, gradient: S::ZERO, optimizer: O::ZERO, tape: S::TAPE, samples: 0 };

    /// Begins again from `student`: forgets the batch, and all that the optimizer has gathered.
    pub fn restart(&mut self, student: &S)
    where
        S: Copy,
    {
        self.student = *student;
        self.gradient = S::ZERO;
        self.optimizer = O::ZERO;
        self.samples = 0;
    }

    /// Draws new masks for [`Dropout`](crate::Dropout), to be called before each sample. A student without such a layer
    /// takes nothing from `rng`.
    pub fn draw(&mut self, rng: &mut impl Rng) {
        S::draw(&mut self.tape, rng);
    }

    /// Adds one sample's gradient to those of the batch and returns the sample's loss.
    pub fn learn<L: Loss<S::Scalar, S::Output>>(
        &mut self,
        x: &S::Input,
        loss: &L,
        target: L::Target<'_>,
    ) -> S::Scalar {
        let (value, dz) = judge(&self.student, x, &mut self.tape, loss, target);
        self.student.backward(x, &self.tape, &dz, &mut self.gradient, InputGradient::None);
        self.samples = self.samples.saturating_add(1);
        value
    }

    /// The student's output for the sample it learned last, computed before the update.
    pub fn output(&self) -> &S::Output {
        S::output(&self.tape)
    }

    /// Moves the student against the mean gradient of the batch and begins the next batch.
    /// Without a sample since the last update, nothing happens.
    pub fn update(&mut self, rates: &O::Rates) {
        if self.samples == 0 {
            return;
        }
        let scale = S::Scalar::ONE / S::Scalar::from_count(self.samples);
        self.optimizer.step(&mut self.student, &mut self.gradient, scale, rates);
        self.samples = 0;
    }
}

/// Forward pass, recorded, and loss: its value, and ∂L/∂z before the output's activation.
#[inline]
pub(crate) fn judge<S: Train, L: Loss<S::Scalar, S::Output>>(
    student: &S,
    x: &S::Input,
    tape: &mut S::Tape,
    loss: &L,
    target: L::Target<'_>,
) -> (S::Scalar, S::Output) {
    student.record(x, tape);
    let (mut dz, mut work) = (S::Output::ZEROED, S::Output::ZEROED);
    let z = S::output(tape).as_slice();
    let value = loss.gradient(z, target, dz.as_mut_slice(), work.as_mut_slice());
    S::through_activation(tape, &mut dz);
    (value, dz)
}
