//! Diagnostics of a single model: learning curve, reliability, and predictions of values.

use rand_pcg::Pcg32;

use super::BINS;
use super::results::{Bin, CurvePoint, Prediction};
use super::training::{Snapshot, Training};
use microdistill_train::dataset::{Dataset, Scaler, Target};
use microdistill_train::error::Result;
use microdistill_train::metrics::{self, Scores, probabilities, scores};
use microdistill_train::model::Model;
use microdistill_train::random::shuffle;

/// Rows and teacher for the learning curves.
pub(super) struct Watched {
    pub(super) train: Dataset,
    pub(super) validation: Dataset,
    /// Teacher trained on those training rows.
    pub(super) teacher: Model,
}

/// Maximum number of points of a curve.
const POINTS: usize = 60;

/// Trains without the rows of a fold and scores each epoch on them.
pub(super) fn learning_curve(training: Training<'_>, watched: &Watched) -> Result<Vec<CurvePoint>> {
    let rows = training.rows(&watched.train)?;
    let mut curve = Vec::new();
    let teacher = std::slice::from_ref(&watched.teacher);
    training.run(&rows, teacher.into(), &mut |snapshot| {
        let Snapshot { epoch, epochs, preparation, network } = snapshot;
        let step = epochs.div_ceil(POINTS);
        if epoch % step == 0 || epoch == epochs {
            let network = network();
            let [train, validation] = [&rows, &watched.validation]
                .map(|data| scores(&network.predict_all(&preparation.apply(&data.x)), data));
            curve.push(train.and_then(|train| Ok(point(epoch, &train, &validation?))));
        }
    })?;
    curve.truncate(POINTS);
    curve.into_iter().collect()
}

fn point(epoch: usize, train: &Scores, validation: &Scores) -> CurvePoint {
    let mut point = CurvePoint { epoch, ..CurvePoint::default() };
    match train {
        Scores::Classification(of) => {
            (point.train_nll, point.train_accuracy) = (Some(of.nll), Some(of.accuracy));
        }
        Scores::Regression(of) => (point.train_r2, point.train_rmse) = (Some(of.r2), Some(of.rmse)),
    }
    match validation {
        Scores::Classification(of) => {
            (point.validation_nll, point.validation_accuracy) = (Some(of.nll), Some(of.accuracy));
        }
        Scores::Regression(of) => {
            (point.validation_r2, point.validation_rmse) = (Some(of.r2), Some(of.rmse));
        }
    }
    point
}

/// Share of correct predictions by confidence; empty for values.
pub(super) fn reliability(model: &Model, test: &Dataset) -> Vec<Bin> {
    let Target::Classes(classes) = &test.target else { return Vec::new() };
    let mut bins = vec![Bin { confidence: 0.0, accuracy: 0.0, rows: 0 }; BINS];
    for (logits, &label) in model.predict(test).column_iter().zip(classes) {
        let guess = microdistill::argmax(logits.as_slice());
        let confidence = probabilities(logits.as_slice()).0[guess];
        let bin = &mut bins[metrics::bin(confidence)];
        bin.confidence += confidence;
        bin.accuracy += f64::from(u8::from(guess == label));
        bin.rows += 1;
    }
    bins.retain(|bin| bin.rows > 0);
    for bin in &mut bins {
        bin.confidence /= bin.rows as f64;
        bin.accuracy /= bin.rows as f64;
    }
    bins
}

/// Maximum number of predictions per model.
const PREDICTIONS: usize = 300;

/// Random stream for the rows shown.
const STREAM: u64 = 0x5052_4544;

/// Predictions for test rows, or for a random sample if there are many; empty for classes.
pub(super) fn predictions(model: &Model, test: &Dataset) -> Vec<Prediction> {
    let Target::Values(values) = &test.target else { return Vec::new() };
    // All models use the same rows, so that plots can be compared.
    let mut rows: Vec<usize> = (0..values.ncols()).collect();
    shuffle(&mut rows, &mut Pcg32::new(0, STREAM));
    rows.truncate(PREDICTIONS);
    rows.sort_unstable();
    let outputs = model.predict(&test.select(&rows));
    let measured = values.select_columns(&rows);
    let pairs = measured.iter().zip(outputs.iter());
    if values.nrows() == 1 {
        return pairs.map(|(&measured, &predicted)| Prediction { measured, predicted }).collect();
    }
    // Targets in different units share a plot.
    let Scaler { mean, scale } = Scaler::fit(values);
    let units = mean.iter().zip(&scale).cycle();
    let standardized = pairs.zip(units).map(|((measured, predicted), (mean, scale))| {
        let [measured, predicted] = [measured, predicted].map(|value| (value - mean) * scale);
        Prediction { measured, predicted }
    });
    standardized.collect()
}
