//! Training loop of a student: epochs, validation and early stopping.

use std::ops::ControlFlow;

use microdistill::argmax;
use microdistill::loss::Loss as _;
use microdistill::optimizer::AdamRates;
use microdistill::schedule::{HalfCosine, Schedule as _};
use rand_distr::{Beta, Distribution as _};
use rand_pcg::Pcg32;

use super::recipe::{Mixed, Objective};
use super::sampler::Order;
use super::samples::{Samples, TemperedSamples, Weights};
use super::{Distiller, Settings};
use crate::early_stopping::EarlyStopping;
use crate::error::{Error, Result};
use crate::network::Network;
use crate::progress::Watch;

/// Progress report after an epoch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Epoch {
    /// Number of the epoch, from 1.
    pub number: usize,
    /// Mean training loss over the epoch, measured while the weights moved, with dropout and mixup.
    pub loss: f64,
    /// Scores on the validation set after the epoch; none without such a set.
    pub validation: Option<Validation>,
}

/// Scores of a student on the validation set.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Validation {
    /// Mean training loss at the last temperature, without dropout, mixup or row weights.
    pub loss: f64,
    /// Accuracy on the rows with a label, in [0, 1]; none without such rows.
    pub accuracy: Option<f64>,
}

/// A trained student.
#[derive(Clone, Debug, PartialEq)]
pub struct Trained {
    /// Network of the best epoch if there was a validation set, else of the last epoch. Its inputs are standardized.
    pub network: Network,
    /// Epoch of this network, from 1.
    pub epoch: usize,
}

/// Trains a student. `progress` is called after each epoch; on `Break` the student trained so far is returned.
///
/// # Errors
/// Fails if a setting is out of range, if the training or validation set does not fit the recipe or the blend, if
/// patience is set without a validation set, and if training diverges.
pub fn train(
    settings: &Settings,
    samples: Samples<'_>,
    validation: Option<Samples<'_>>,
    progress: &mut dyn FnMut(Epoch) -> ControlFlow<()>,
) -> Result<Trained> {
    train_watched(settings, None, samples, validation, &mut |epoch, _| progress(epoch))
}

/// Trains a student whose first layers start with the weights of `start`, if given. `progress` can also have the
/// network after the epoch.
pub(super) fn train_watched(
    settings: &Settings,
    start: Option<&Network>,
    samples: Samples<'_>,
    validation: Option<Samples<'_>>,
    progress: &mut Watch<'_, Epoch>,
) -> Result<Trained> {
    settings.check(samples)?;
    validation.map_or(Ok(()), |validation| settings.check(validation))?;
    if settings.training.patience.is_some() && validation.is_none() {
        return Err(Error::Invalid(
            "early stopping needs a validation set: give validation rows, or set no patience".into(),
        ));
    }
    let by_class = settings.training.class_weights.of(samples.labels.iter().flatten().copied());
    let weights = samples.weights(by_class.as_deref());
    let mut training = Training::new(settings, start, samples.tempered(settings.recipe, weights))?;
    let epochs = training.epochs;
    let last_recipe = settings.recipe_at(epochs, epochs);
    let judged_by = Objective { recipe: last_recipe, smoothing: settings.label_smoothing };
    let validation = validation.map(|validation| validation.tempered(last_recipe, Weights::NONE));
    let mut stopping = EarlyStopping::new(settings.training.patience);
    let mut best: Option<Trained> = None;
    let mut last = 0;
    for number in 1..=epochs {
        let rounded = settings.precision.filter(|_| number > epochs / 2);
        if let Some(precision) = rounded {
            // Measured again each epoch, because the ranges of the activations move with the weights. They are finite
            // unless the training diverged.
            let diverged = |_| Error::Diverged { epoch: number, rate: settings.training.rates.rate };
            training.distiller.quantize(precision, samples.x).map_err(diverged)?;
        }
        if settings.annealing.is_some() {
            let recipe = settings.recipe_at(number, epochs);
            training.objective.recipe = recipe;
            training.samples = samples.tempered(recipe, weights);
        }
        let loss = training.epoch();
        let validation = validation.as_ref().map(|rows| judge(training.student(), &judged_by, rows));
        if !loss.is_finite() || validation.is_some_and(|validation| !validation.loss.is_finite()) {
            return Err(Error::Diverged { epoch: number, rate: settings.training.rates.rate });
        }
        last = number;
        // With quantization-aware training only rounded weights count, so the first half of the epochs has no best
        // one.
        if let Some(Validation { loss, .. }) = validation
            && rounded.is_some() == settings.precision.is_some()
            && stopping.improves(number, loss)
        {
            best = Some(Trained { network: training.student().clone(), epoch: number });
        }
        if progress(Epoch { number, loss, validation }, &|| training.student().clone()).is_break()
            || stopping.is_due(number)
        {
            break;
        }
    }
    Ok(best.unwrap_or_else(|| Trained { network: training.student().clone(), epoch: last }))
}

/// Random stream of students. It differs from that of teachers, so that equal seeds give different numbers.
const STREAM: u64 = 0x5354_5544;

/// Returns the student before its training, whose first layers have the weights of `start`, if given, and the random numbers
/// of the training.
pub(super) fn begin(settings: &Settings, start: Option<&Network>) -> Result<(Network, Pcg32)> {
    let mut rng = Pcg32::new(settings.training.seed, STREAM);
    let mut student = Network::random(&settings.training.widths, settings.training.activation, &mut rng);
    if let Some(start) = start {
        let widths = start.widths();
        if !settings.training.widths.starts_with(&widths) {
            let message = format!(
                "pretrained layers of widths {widths:?} do not begin a student of widths {:?}",
                settings.training.widths
            );
            return Err(Error::Invalid(message));
        }
        for (layer, start) in student.layers_mut().iter_mut().zip(start.layers()) {
            layer.set_weights(&start.weights());
            layer.bias.copy_from_slice(&start.bias);
        }
    }
    Ok((student, rng))
}

/// State of a training.
struct Training<'a> {
    settings: &'a Settings,
    samples: TemperedSamples<'a>,
    objective: Objective,
    mixup: Option<Mixup>,
    distiller: Distiller,
    order: Order,
    epochs: usize,
    schedule: HalfCosine,
    update: usize,
    rng: Pcg32,
}

impl<'a> Training<'a> {
    fn new(settings: &'a Settings, start: Option<&Network>, samples: TemperedSamples<'a>) -> Result<Self> {
        let (student, rng) = begin(settings, start)?;
        let mut distiller = Distiller::new(student);
        distiller.drop_units(settings.training.dropout);
        let order = Order::new(samples.rows(), settings.blend)?;
        let samples_per_epoch = order.samples();
        Ok(Training {
            objective: Objective { recipe: settings.recipe, smoothing: settings.label_smoothing },
            mixup: settings.mixup.and_then(|alpha| Mixup::new(alpha, samples.x.nrows())),
            distiller,
            order,
            epochs: settings.training.epochs(samples_per_epoch),
            schedule: HalfCosine { steps: settings.training.steps(samples_per_epoch) },
            update: 0,
            rng,
            samples,
            settings,
        })
    }

    fn student(&self) -> &Network {
        self.distiller.student()
    }

    /// Trains for one epoch in a new order and returns the mean loss.
    fn epoch(&mut self) -> f64 {
        self.order.draw(&mut self.rng);
        let mut sum = 0.0;
        for batch in self.order.pass().chunks(self.settings.training.batch) {
            for &row in batch {
                self.distiller.draw(&mut self.rng);
                let (samples, objective) = (&self.samples, &self.objective);
                sum += f64::from(match &mut self.mixup {
                    None => self.distiller.learn(samples.x(row), objective, samples.target(row)),
                    Some(mixup) => {
                        let other = self.order.partner(&mut self.rng);
                        let (x, share) = mixup.mix([row, other].map(|row| samples.x(row)), &mut self.rng);
                        let pair = [row, other].map(|row| samples.target(row));
                        self.distiller.learn(x, &Mixed { loss: objective, share }, pair)
                    }
                });
            }
            let rate = self.settings.training.rates.rate * self.schedule.share(self.update);
            self.distiller.update(&AdamRates { rate, ..self.settings.training.rates });
            self.update += 1;
        }
        sum / self.order.samples() as f64
    }
}

/// Scores a student on a validation set.
fn judge(student: &Network, objective: &Objective, rows: &TemperedSamples<'_>) -> Validation {
    let mut tape = student.tape();
    let outputs = tape.last().map_or(0, Vec::len);
    let (mut dz, mut work) = (vec![0.0; outputs], vec![0.0; outputs]);
    let (mut loss, mut right, mut labels) = (0.0, 0usize, 0usize);
    for row in 0..rows.rows() {
        student.record(rows.x(row), &mut tape);
        let z = tape.last().map_or(&[][..], Vec::as_slice);
        loss += f64::from(objective.gradient(z, rows.target(row), &mut dz, &mut work));
        if let Some(label) = rows.label(row) {
            labels += 1;
            right += usize::from(argmax(z) == label);
        }
    }
    let accuracy = (labels > 0).then(|| right as f64 / labels as f64);
    Validation { loss: loss / rows.rows() as f64, accuracy }
}

/// Mixer of the features of two rows.
struct Mixup {
    shares: Beta<f64>,
    x: Vec<f32>,
}

impl Mixup {
    /// Returns none if α defines no distribution.
    fn new(alpha: f32, inputs: usize) -> Option<Self> {
        let shares = Beta::new(alpha.into(), alpha.into()).ok()?;
        Some(Mixup { shares, x: vec![0.0; inputs] })
    }

    /// Returns `λ·first + (1−λ)·second` with a random λ, and λ.
    fn mix(&mut self, [first, second]: [&[f32]; 2], rng: &mut Pcg32) -> (&[f32], f32) {
        let share = self.shares.sample(rng) as f32;
        for ((x, first), second) in self.x.iter_mut().zip(first).zip(second) {
            *x = share * first + (1.0 - share) * second;
        }
        (&self.x, share)
    }
}
