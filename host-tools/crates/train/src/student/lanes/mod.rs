//! Students in lanes: many independent trainings on the same rows at once, one per SIMD lane.
//!
//! Each lane has the bits of the single student, because it does the same operations in the same order; only the order among
//! students changes. The choice of a weight decay or of a recipe trains so many students that differ in little else.

mod exp;
mod group;
mod layer;
mod loss;
#[cfg(test)]
mod tests;

use std::ops::ControlFlow;

use fearless_simd::prelude::*;
use fearless_simd::{Level, dispatch};
use microdistill::optimizer::AdamRates;
use rayon::prelude::*;

use super::Settings;
use super::recipe::Recipe;
use super::samples::Samples;
use super::train::{Trained, train_watched};
use crate::error::Result;
use crate::network::Network;
use crate::outputs::TeacherOutputs;
use group::Group;
use loss::Kind;

/// What one of several students that are trained together has of its own.
#[derive(Clone, Copy, Debug)]
pub struct Lane<'a> {
    /// Loss to minimize.
    pub recipe: Recipe,
    /// Label smoothing: see [`Settings::label_smoothing`].
    pub label_smoothing: f32,
    /// Learning rate, > 0.
    pub rate: f32,
    /// Decoupled weight decay, ≥ 0.
    pub weight_decay: f32,
    /// Weights that the first layers start with. None draws all by the seed.
    pub start: Option<&'a Network>,
    /// Outputs of its own teacher. None takes those of the samples.
    pub teacher: Option<&'a TeacherOutputs>,
    /// Its own [weights of the rows](Samples#structfield.weights). None takes those of the samples.
    pub weights: Option<&'a [f32]>,
}

impl<'a> Lane<'a> {
    /// Returns the student of these settings.
    pub fn of(settings: &Settings) -> Self {
        Lane {
            recipe: settings.recipe,
            label_smoothing: settings.label_smoothing,
            rate: settings.training.rates.rate,
            weight_decay: settings.training.rates.weight_decay,
            start: None,
            teacher: None,
            weights: None,
        }
    }

    fn rates(&self, settings: &Settings) -> AdamRates {
        AdamRates { rate: self.rate, weight_decay: self.weight_decay, ..settings.training.rates }
    }

    /// Settings of the same student alone.
    fn settings(&self, settings: &Settings) -> Settings {
        let mut own = settings.clone();
        own.recipe = self.recipe;
        own.label_smoothing = self.label_smoothing;
        own.training.rates = self.rates(settings);
        own
    }

    /// Samples of the same student alone.
    fn samples(&self, samples: Samples<'a>) -> Samples<'a> {
        Samples {
            teacher: self.teacher.or(samples.teacher),
            weights: self.weights.or(samples.weights),
            ..samples
        }
    }
}

/// Trains several students on the same rows in the same order, and returns them in the order of `lanes`. `settings` has what they
/// share: the widths, the batches, the length and the seed. Each result is that of [`train`](super::train()), bit for bit.
///
/// With dropout, mixup, quantization-aware training, a temperature schedule or decoupled soft labels, students are trained one by
/// one, which takes longer. Groups of students are trained in parallel. `flow` is called after each epoch; on `Break` the students
/// trained so far are returned.
///
/// # Errors
/// Each student has the errors of [`train`](super::train()).
pub fn train_lanes(
    settings: &Settings,
    lanes: &[Lane<'_>],
    samples: Samples<'_>,
    flow: &(dyn Fn() -> ControlFlow<()> + Sync),
) -> Vec<Result<Trained>> {
    train_at(Level::new(), settings, lanes, samples, flow)
}

/// Trains with the instructions of this level.
fn train_at(
    level: Level,
    settings: &Settings,
    lanes: &[Lane<'_>],
    samples: Samples<'_>,
    flow: &(dyn Fn() -> ControlFlow<()> + Sync),
) -> Vec<Result<Trained>> {
    let level = narrowed(level, lanes.len());
    let width = dispatch!(level, simd => width(simd));
    let mut found: Vec<Option<Trained>> = vec![None; lanes.len()];
    let mut kinds: Vec<(Kind, usize)> = lanes
        .iter()
        .enumerate()
        .filter(|(_, lane)| fits(settings, lane, samples))
        .filter_map(|(index, lane)| Some((Kind::of(lane.recipe)?, index)))
        .collect();
    kinds.sort();
    let by_class = settings.training.class_weights.of(samples.labels.iter().flatten().copied());
    let groups: Vec<&[(Kind, usize)]> =
        kinds.chunk_by(|a, b| a.0 == b.0).flat_map(|kind| kind.chunks(width)).collect();
    let train = |group: &&[(Kind, usize)]| {
        let lanes: Vec<Lane<'_>> = group.iter().map(|&(_, index)| lanes[index]).collect();
        let group =
            Group { settings, kind: group[0].0, lanes: &lanes, samples, by_class: by_class.as_deref() };
        dispatch!(level, simd => group.train(simd, flow))
    };
    let trained: Vec<_> = groups.par_iter().map(train).collect();
    for (group, trained) in groups.into_iter().zip(trained) {
        // What a group fails of, its students report below.
        for (&(_, index), trained) in group.iter().zip(trained.into_iter().flatten()) {
            found[index] = trained;
        }
    }
    let rest = lanes.par_iter().zip(found);
    rest.map(|(lane, found)| found.map_or_else(|| alone(settings, lane, samples, flow), Ok)).collect()
}

/// Trains the student of a lane alone.
fn alone(
    settings: &Settings,
    lane: &Lane<'_>,
    samples: Samples<'_>,
    flow: &(dyn Fn() -> ControlFlow<()> + Sync),
) -> Result<Trained> {
    train_watched(&lane.settings(settings), lane.start, lane.samples(samples), None, &mut |_, _| flow())
}

/// Returns true if this student can be trained in a lane: the one place that decides it.
fn fits(settings: &Settings, lane: &Lane<'_>, samples: Samples<'_>) -> bool {
    let Settings {
        training,
        recipe: _,
        annealing,
        label_smoothing: _,
        mixup,
        blend: _,
        precision,
        inputs: _,
    } = settings;
    training.dropout == 0.0
        && training.patience.is_none()
        && annealing.is_none()
        && mixup.is_none()
        && precision.is_none()
        && lane.settings(settings).check(lane.samples(samples)).is_ok()
        // A product with zero is zero.
        && samples.x.iter().all(|x| x.is_finite())
}

/// Vectors of half the width, if they hold all lanes.
fn narrowed(level: Level, lanes: usize) -> Level {
    #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
    if let (Some(_), Some(avx2)) = (level.as_avx512(), level.as_avx2())
        && lanes <= 8
    {
        return avx2.level();
    }
    level
}

#[inline(always)]
fn width<S: Simd>(_simd: S) -> usize {
    S::f32s::LEN
}

/// The levels of this machine, for tests.
#[cfg(test)]
fn levels() -> Vec<Level> {
    let mut levels = vec![Level::baseline()];
    #[cfg(target_arch = "x86_64")]
    levels.extend(Level::new().as_avx2().map(|avx2| avx2.level()));
    levels.push(Level::new());
    levels
}
