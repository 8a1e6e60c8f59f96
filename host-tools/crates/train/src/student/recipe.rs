//! Recipes: the losses a student can minimize.

use microdistill::loss::{
    CenteredLogitMse, CrossEntropy, DecoupledSoftLabels, Linear, Loss, OutputMse, Soft, SoftLabels, Softmax,
    smooth,
};

use crate::class_weights::weigh;
use crate::error::{Error, Result};

/// Loss that a student minimizes. `q` and `p` are the teacher's and the student's probabilities at temperature T.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Recipe {
    /// Cross-entropy with the labels, without a teacher.
    HardLabels,
    /// Soft labels (Hinton et al. 2015): `α·T²·KL(q‖p) + (1−α)·CE`. Rows without a label are allowed; they have only
    /// the first term.
    SoftLabels(SoftLabels),
    /// Decoupled soft labels (Zhao et al. 2022): `T²·(α·TCKD + β·NCKD) + (1−α)·CE`. Needs three classes or more.
    Decoupled(DecoupledSoftLabels),
    /// Mean squared difference between the probabilities of teacher and student.
    OutputMse,
    /// Mean squared difference between the logits of teacher and student, each centered by subtracting its mean.
    LogitMse,
    /// Mean squared difference between the values of teacher and student, for regression.
    ValueMse,
}

impl Recipe {
    /// Temperature at which the teacher is queried with [`TeacherOutputs::logits`](crate::outputs::TeacherOutputs::logits); 1 for a
    /// recipe without one.
    pub fn temperature(self) -> f32 {
        match self {
            Recipe::SoftLabels(SoftLabels { temperature, .. })
            | Recipe::Decoupled(DecoupledSoftLabels { temperature, .. }) => temperature,
            Recipe::HardLabels | Recipe::OutputMse | Recipe::LogitMse | Recipe::ValueMse => 1.0,
        }
    }

    /// Returns the recipe with another temperature, or unchanged if it has none.
    pub(super) fn at(self, temperature: f32) -> Self {
        match self {
            Recipe::SoftLabels(loss) => Recipe::SoftLabels(SoftLabels { temperature, ..loss }),
            Recipe::Decoupled(loss) => Recipe::Decoupled(DecoupledSoftLabels { temperature, ..loss }),
            Recipe::HardLabels | Recipe::OutputMse | Recipe::LogitMse | Recipe::ValueMse => self,
        }
    }

    /// Checks the parameters of the recipe, and that it suits a student with `outputs` outputs.
    ///
    /// # Errors
    /// Fails if the temperature is not above 0, α is outside [0, 1], β is negative, or decoupled soft labels have
    /// fewer than three classes.
    pub fn check(self, outputs: usize) -> Result<()> {
        let invalid = |message: String| Err(Error::Invalid(message));
        let (temperature, alpha, beta) = match self {
            Recipe::SoftLabels(SoftLabels { temperature, alpha }) => (temperature, alpha, 0.0),
            Recipe::Decoupled(DecoupledSoftLabels { temperature, alpha, beta }) => (temperature, alpha, beta),
            Recipe::HardLabels | Recipe::OutputMse | Recipe::LogitMse | Recipe::ValueMse => return Ok(()),
        };
        if !(temperature.is_finite() && temperature > 0.0) {
            return invalid(format!("temperature {temperature}: it must be above 0"));
        }
        if !(0.0..=1.0).contains(&alpha) {
            return invalid(format!("alpha {alpha}: it must be in [0, 1]"));
        }
        if !(beta.is_finite() && beta >= 0.0) {
            return invalid(format!("beta {beta}: it must be at least 0"));
        }
        if matches!(self, Recipe::Decoupled(_)) && outputs < 3 {
            return invalid(format!(
                "decoupled soft labels need three classes or more, the student has {outputs}: they compare the classes \
                 other than the label's, of which there must be two; use soft labels"
            ));
        }
        Ok(())
    }

    /// Weight of the cross-entropy with the label in the loss, in [0, 1].
    pub(super) fn label_share(self) -> f32 {
        match self {
            Recipe::HardLabels => 1.0,
            Recipe::SoftLabels(SoftLabels { alpha, .. })
            | Recipe::Decoupled(DecoupledSoftLabels { alpha, .. }) => 1.0 - alpha,
            Recipe::OutputMse | Recipe::LogitMse | Recipe::ValueMse => 0.0,
        }
    }

    fn gradient(self, z: &[f32], target: SampleTarget<'_>, dz: &mut [f32], work: &mut [f32]) -> f32 {
        let SampleTarget { teacher, label, .. } = target;
        match self {
            Recipe::HardLabels => {
                // No class has this index, so a row without a label has no gradient.
                Loss::<f32, [f32]>::gradient(&CrossEntropy, z, label.unwrap_or(usize::MAX), dz, work)
            }
            Recipe::SoftLabels(loss) => loss.gradient(z, Soft { teacher, label }, dz, work),
            Recipe::Decoupled(loss) => loss.gradient(z, Soft { teacher, label }, dz, work),
            Recipe::OutputMse => OutputMse::<Softmax>::new().gradient(z, teacher, dz, work),
            Recipe::LogitMse => CenteredLogitMse::new().gradient(z, teacher, dz, work),
            Recipe::ValueMse => OutputMse::<Linear>::new().gradient(z, teacher, dz, work),
        }
    }
}

/// The target of one row.
#[derive(Clone, Copy, Debug)]
pub(super) struct SampleTarget<'a> {
    /// The teacher's logits or values; empty without one.
    pub teacher: &'a [f32],
    /// Class of the row, if it is known.
    pub label: Option<usize>,
    /// Weight of the row in the loss; none stands for 1.
    pub weight: Option<f32>,
}

/// A recipe with label smoothing and with weighted rows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Objective {
    pub recipe: Recipe,
    /// ε: see [`Settings::label_smoothing`](super::Settings::label_smoothing).
    pub smoothing: f32,
}

impl Loss<f32> for Objective {
    type Target<'a> = SampleTarget<'a>;

    fn gradient(&self, z: &[f32], target: SampleTarget<'_>, dz: &mut [f32], work: &mut [f32]) -> f32 {
        let mut loss = self.recipe.gradient(z, target, dz, work);
        let smoothed = self.smoothing * self.recipe.label_share();
        if let Some(label) = target.label
            && smoothed > 0.0
        {
            loss += smooth(smoothed, z, label, dz);
        }
        match target.weight {
            None => loss,
            Some(weight) => weigh(loss, dz, weight),
        }
    }
}

/// Loss of mixup (Zhang et al. 2018): `λ·L(first) + (1−λ)·L(second)`. For every recipe its gradient equals the
/// gradient with mixed targets.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mixed<'a, L> {
    pub loss: &'a L,
    /// λ in [0, 1].
    pub share: f32,
}

impl<L: Loss<f32>> Loss<f32> for Mixed<'_, L> {
    type Target<'b> = [L::Target<'b>; 2];

    fn gradient(&self, z: &[f32], targets: Self::Target<'_>, dz: &mut [f32], work: &mut [f32]) -> f32 {
        let [first, second] = targets;
        let loss = self.loss.gradient(z, second, dz, work);
        let second_loss = weigh(loss, dz, 1.0 - self.share);
        let mut first_dz = vec![0.0; dz.len()];
        let loss = self.loss.gradient(z, first, &mut first_dz, work);
        let first_loss = weigh(loss, &mut first_dz, self.share);
        dz.iter_mut().zip(first_dz).for_each(|(dz, first)| *dz += first);
        first_loss + second_loss
    }
}
