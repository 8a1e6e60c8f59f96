//! Learning from each sample at once.

use crate::layer::{Array, InputGradient, Train};
use crate::loss::Loss;
use crate::training::distiller::judge;

/// A student that moves with each sample: plain gradient descent, batch 1, without memory for a gradient or an optimizer.
///
/// A layer's step is made while its gradient is computed: `θ ← θ + ∂/∂θ(δ·y)`, `δ = −rate·∂L/∂z` at the output and by the
/// chain rule below it, where each layer's input gradient is by its weights as they were. Beyond the student it takes one tape
/// and one layer's outputs on the stack. Batches, momentum and Adam are [`Distiller`](crate::Distiller)'s; they are worth
/// their memory where there is room for them.
///
/// ```
/// use microdistill::loss::{Soft, SoftLabels};
/// use microdistill::{Mlp, OnlineDistiller, Params};
/// use rand_pcg::Pcg32;
///
/// type Student = Mlp![2, 8, 3];
/// let mut distiller = OnlineDistiller::<Student>::ZERO;
/// distiller.student.initialize(&mut Pcg32::new(1, 2));
///
/// let (x, teacher) = ([0.5, -1.0], [2.0, 0.0, -2.0]); // a sample and the teacher's logits for it
/// let mut learn = || distiller.learn(&x, &SoftLabels::DEFAULT, Soft { teacher: &teacher, label: None }, 0.1);
/// let first = learn();
/// let last = (0..50).map(|_| learn()).last();
/// assert!(last < Some(first));
/// ```
#[derive(Debug)]
pub struct OnlineDistiller<S: Train> {
    /// The student, to be set or [initialized](crate::Params::initialize) before training.
    pub student: S,
    tape: S::Tape,
}

impl<S: Train> OnlineDistiller<S> {
    /// A student of zeros.
    pub const ZERO: Self = OnlineDistiller { student: S::ZERO, tape: S::TAPE };

    /// Moves the student against one sample's gradient, by `rate` > 0, and returns the sample's loss before that.
    pub fn learn<L: Loss<S::Scalar, S::Output>>(
        &mut self,
        x: &S::Input,
        loss: &L,
        target: L::Target<'_>,
        rate: S::Scalar,
    ) -> S::Scalar {
        let (value, mut dz) = judge(&self.student, x, &mut self.tape, loss, target);
        for dz in dz.as_mut_slice() {
            *dz *= -rate;
        }
        self.student.descend(x, &self.tape, &dz, InputGradient::None);
        value
    }
}
