//! Training loop of a teacher: epochs, validation and early stopping.

use std::ops::ControlFlow;

use microdistill::loss::{CrossEntropy, Linear, Loss, OutputMse};
use microdistill::optimizer::AdamRates;
use microdistill::scalar::Scalar;
use microdistill::schedule::{HalfCosine, Schedule as _};
use nalgebra::DMatrix;
use rand_pcg::Pcg32;

use super::Settings;
use crate::class_weights::Weighted;
use crate::early_stopping::EarlyStopping;
use crate::error::{Error, Result};
use crate::network::batched::{Adam, Batched, Mode, Real, gather};
use crate::network::{Network, check_widths};
use crate::progress::Watch;
use crate::random::shuffle;

/// Targets of a teacher: one element or column per row of data.
#[derive(Clone, Copy, Debug)]
pub enum Target<'a, T = f32> {
    /// Class of each row, for the cross-entropy.
    Classes(&'a [usize]),
    /// Standardized values, for the mean squared error: shape (outputs × rows).
    Values(&'a DMatrix<T>),
}

/// Training or validation set of a teacher.
#[derive(Clone, Copy, Debug)]
pub struct Examples<'a, T = f32> {
    /// Standardized features, shape (inputs × rows).
    pub x: &'a DMatrix<T>,
    /// Targets of the rows.
    pub target: Target<'a, T>,
}

/// Progress report after an epoch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Epoch {
    /// Number of the epoch, from 1.
    pub number: usize,
    /// Mean training loss over the epoch, measured while the weights moved, with dropout.
    pub loss: f64,
    /// Mean loss on the validation set after the epoch; none without such a set.
    pub validation: Option<f64>,
}

/// A trained teacher.
#[derive(Clone, Debug, PartialEq)]
pub struct Trained {
    /// Network of the best epoch if there was a validation set, else of the last epoch. Its inputs are standardized.
    pub network: Network,
    /// Epoch of this network, from 1.
    pub epoch: usize,
    /// Reports of all epochs, in order.
    pub history: Vec<Epoch>,
}

/// Trains a teacher. `progress` is called after each epoch; on `Break` the teacher trained so far is returned.
///
/// # Errors
/// Fails if a setting is out of range, if the data do not fit the settings, and if training diverges.
pub fn train(
    settings: &Settings,
    training: Examples<'_>,
    validation: Option<Examples<'_>>,
    progress: &mut dyn FnMut(Epoch) -> ControlFlow<()>,
) -> Result<Trained> {
    train_watched(settings, training, validation, &mut |epoch, _| progress(epoch))
}

/// Trains a teacher. `progress` can also have the best network so far, which without a validation set is the current one.
pub(super) fn train_watched(
    settings: &Settings,
    training: Examples<'_>,
    validation: Option<Examples<'_>>,
    progress: &mut Watch<'_, Epoch>,
) -> Result<Trained> {
    check(settings, training)?;
    validation.map_or(Ok(()), |validation| check(settings, validation))?;
    let mut rng = Pcg32::new(settings.seed, STREAM);
    let start = Network::random(&settings.widths, settings.activation, &mut rng);
    let epochs = settings.epochs(training.x.ncols());
    let mut best = Trained { network: start, epoch: 0, history: Vec::with_capacity(epochs.min(HISTORY)) };
    let mut stopping = EarlyStopping::new(settings.patience);
    // Without a validation set the last network is the best.
    let judged = validation.is_some();
    let mut training = Training::new(settings, training, &best.network);
    for number in 1..=epochs {
        let loss = training.epoch(&mut rng);
        let validation = validation.map(|examples| training.loss(examples));
        let epoch = Epoch { number, loss, validation };
        if !loss.is_finite() || validation.is_some_and(|loss| !loss.is_finite()) {
            return Err(Error::Diverged { epoch: number, rate: settings.rates.rate });
        }
        best.history.push(epoch);
        if validation.is_none_or(|loss| stopping.improves(number, loss)) {
            best.epoch = number;
            if judged {
                training.batched.store(&mut best.network);
            }
        }
        let network = || {
            let mut network = best.network.clone();
            if !judged {
                training.batched.store(&mut network);
            }
            network
        };
        if progress(epoch, &network).is_break() || stopping.is_due(number) {
            break;
        }
    }
    if !judged {
        training.batched.store(&mut best.network);
    }
    Ok(best)
}

/// Number of epochs for which the history reserves memory at the start, so that a usual training allocates none
/// later.
const HISTORY: usize = 1 << 12;

/// Random stream of teachers. It differs from that of students, so that equal seeds give different numbers.
const STREAM: u64 = 0x5445_4143;

/// Checks the settings, and that the examples fit them.
fn check(settings: &Settings, examples: Examples<'_>) -> Result<()> {
    let invalid = |message: String| Err(Error::Invalid(message));
    let (rows, features) = (examples.x.ncols(), examples.x.nrows());
    let (inputs, outputs) = check_widths(&settings.widths)?;
    settings.check()?;
    if rows == 0 {
        return invalid("there are no rows to train on".into());
    }
    if features != inputs {
        return invalid(format!(
            "the data has {features} features, but the network has {inputs} inputs: change its first width"
        ));
    }
    match examples.target {
        Target::Classes(classes) if classes.len() != rows => {
            invalid(format!("found {} labels for {rows} rows: give one label per row", classes.len()))
        }
        Target::Classes(classes) if classes.iter().any(|&class| class >= outputs) => invalid(format!(
            "a label is not among the network's {outputs} classes: give it one output per class"
        )),
        Target::Values(values) if values.shape() != (outputs, rows) => invalid(format!(
            "the values have shape {}×{}, but the network has {outputs} outputs and there are {rows} rows",
            values.nrows(),
            values.ncols()
        )),
        _ => Ok(()),
    }
}
/// State of a training. All its memory is allocated at the start.
struct Training<'a> {
    settings: &'a Settings,
    examples: Examples<'a>,
    batched: Batched<f32>,
    adam: Adam,
    order: Vec<usize>,
    /// Features of a batch, shape (inputs × batch).
    x: DMatrix<f32>,
    work: Vec<f32>,
    class_weights: Option<Vec<f32>>,
    schedule: HalfCosine,
    update: usize,
}

impl<'a> Training<'a> {
    fn new(settings: &'a Settings, examples: Examples<'a>, start: &Network) -> Self {
        let (rows, inputs) = (examples.x.ncols(), examples.x.nrows());
        let batch = settings.batch.min(rows);
        let mut batched = Batched::zero(&settings.widths, settings.activation, settings.dropout, batch);
        batched.load(start);
        let labels = match examples.target {
            Target::Classes(classes) => classes,
            Target::Values(_) => &[],
        };
        Training {
            class_weights: settings.class_weights.of(labels.iter().copied()),
            settings,
            examples,
            adam: Adam::of(&batched),
            batched,
            order: (0..rows).collect(),
            x: DMatrix::zeros(inputs, batch),
            work: vec![0.0; start.layers().last().map_or(0, |layer| layer.outputs())],
            schedule: HalfCosine { steps: settings.steps(rows) },
            update: 0,
        }
    }

    /// Trains for one epoch in a new order and returns the mean loss.
    fn epoch(&mut self, rng: &mut Pcg32) -> f64 {
        shuffle(&mut self.order, rng);
        let (rows, batch) = (self.order.len(), self.x.ncols());
        let mut sum = 0.0;
        for rows in self.order.chunks(batch) {
            gather(self.examples.x, rows.iter().copied(), &mut self.x);
            self.batched.forward(&self.x, rows.len(), Mode::Training(rng));
            let weights = self.class_weights.as_deref();
            let (batched, work) = (&mut self.batched, &mut self.work);
            sum += losses(batched, self.examples.target, weights, rows.iter().copied(), work);
            self.batched.backward(&self.x, rows.len());
            let rate = self.settings.rates.rate * self.schedule.share(self.update);
            let rates = AdamRates { rate, ..self.settings.rates };
            self.adam.step(&mut self.batched, &rates, 1.0 / rows.len() as f32);
            self.update += 1;
        }
        sum / rows as f64
    }

    /// Returns the mean loss on a validation set, without dropout.
    fn loss(&mut self, examples: Examples<'_>) -> f64 {
        let (rows, batch) = (examples.x.ncols(), self.x.ncols());
        let mut sum = 0.0;
        for first in (0..rows).step_by(batch) {
            let chunk = first..rows.min(first + batch);
            gather(examples.x, chunk.clone(), &mut self.x);
            self.batched.forward(&self.x, chunk.len(), Mode::<Pcg32>::Inference);
            sum += losses(&mut self.batched, examples.target, None, chunk, &mut self.work);
        }
        sum / rows as f64
    }
}

/// Returns the loss of outputs whose number is known only at run time, and writes its gradient to `dz`.
fn apply<T: Scalar, L: Loss<T>>(loss: &L, z: &[T], target: L::Target<'_>, dz: &mut [T], work: &mut [T]) -> T {
    loss.gradient(z, target, dz, work)
}

/// Returns the sum of the losses of the batch that holds the samples `rows`, weighted by class if `class_weights` are
/// given. The gradients are left in the outputs of `batched`.
pub(super) fn losses<T: Real>(
    batched: &mut Batched<T>,
    target: Target<'_, T>,
    class_weights: Option<&[T]>,
    rows: impl Iterator<Item = usize>,
    work: &mut [T],
) -> f64 {
    let (outputs, gradients) = batched.output_and_gradient();
    let mut sum = 0.0;
    for ((z, mut dz), row) in outputs.column_iter().zip(gradients.column_iter_mut()).zip(rows) {
        let (z, dz) = (z.as_slice(), dz.as_mut_slice());
        let loss = match target {
            Target::Classes(classes) => match class_weights {
                None => apply(&CrossEntropy, z, classes[row], dz, work),
                Some(weights) => {
                    let loss = Weighted { loss: &CrossEntropy, weight: weights[classes[row]] };
                    apply(&loss, z, classes[row], dz, work)
                }
            },
            Target::Values(values) => {
                apply(&OutputMse::<Linear>::new(), z, values.column(row).as_slice(), dz, work)
            }
        };
        sum += loss.into();
    }
    sum
}
