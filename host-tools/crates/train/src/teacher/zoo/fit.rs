//! Training of a blend.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};

use nalgebra::DMatrix;
use rayon::prelude::*;

use super::bins::Bins;
use super::rows::Rows;
use super::selection::{Unseen, judge, select};
use super::settings::{Settings, Shape};
use super::{Examined, Tick};
use crate::blend::{Blend, Candidate, Part, Recipe, Report, clip, mix, restore};
use crate::dataset::{Dataset, Fold, Standardized, Standardizer, folds};
use crate::error::{Error, Result};
use crate::model::{Body, Machine, Metadata, Model, Role};
use crate::random::nth_seed;
use crate::teacher::Target;
use crate::teacher::fit::examples;

/// A blend and its predictions for rows that its members were not trained on.
#[derive(Clone, Debug)]
pub struct Fitted {
    /// The blend, trained on all rows.
    pub model: Model,
    /// Outputs for each row of a blend that was trained without the row's fold, shape (outputs × rows): logits, or values in
    /// the unit of the targets.
    pub out_of_fold: DMatrix<f32>,
}

/// Progress of a blend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// Number of trainings that have ended.
    pub done: usize,
    /// Most trainings that there are.
    pub all: usize,
}

/// Trains a zoo of learners on `data` and blends them. `progress` is called often, from several threads. The result depends
/// on neither the time nor the number of threads.
///
/// # Errors
/// Fails if a row has no target, if there are too few rows for two folds, and with [`Error::Interrupted`] after a `Break`.
pub fn fit(
    data: &Dataset,
    settings: &Settings,
    progress: &(dyn Fn(Step) -> ControlFlow<()> + Sync),
) -> Result<Fitted> {
    let set = TrainingSet::new(data)?;
    let folds = divide(data, settings)?;
    let recipes = settings.recipes(set.shape()?);
    if recipes.is_empty() {
        return Err(Error::Invalid("a blend needs at least one learner: name one".into()));
    }
    let all = recipes.len() * (folds.len() + 1);
    let done = AtomicUsize::new(0);
    let flow = || progress(Step { done: done.load(Ordering::Relaxed), all });
    let index: Vec<usize> = (0..data.rows()).collect();
    let rows = set.rows(&index, &flow)?;
    let trained = || {
        done.fetch_add(1, Ordering::Relaxed);
    };
    let examined = examine(&recipes, &rows, &folds, settings.seed, &trained)?;
    let (recipes, unseen): (Vec<Recipe>, Vec<Unseen>) = examined.into_iter().unzip();
    let weights = select(&unseen, rows.target, settings.rounds());
    let chosen =
        || recipes.iter().zip(&unseen).zip(&weights).enumerate().filter(|(_, (_, weight))| **weight > 0.0);
    let parts = chosen().collect::<Vec<_>>().into_par_iter().with_max_len(1).map(
        |(place, ((recipe, unseen), weight))| {
            let member = recipe.learner().fit(&rows, nth_seed(settings.seed, place))?;
            trained();
            Ok(Part { weight: *weight, temperature: unseen.temperature, member })
        },
    );
    let members = parts.collect::<Result<Vec<Part>>>()?;
    let mixed =
        chosen().map(|(_, ((_, unseen), weight))| (*weight, unseen.temperature, unseen.outputs.clone()));
    let mixed = mix(mixed, rows.kind());
    let (loss, score) = judge(&mixed, rows.target, 1.0);
    let candidate = |((recipe, unseen), weight): ((Recipe, &Unseen), &f32)| Candidate {
        name: recipe.name(),
        recipe,
        weight: *weight,
        temperature: unseen.temperature,
        loss: unseen.loss,
        score: unseen.score,
    };
    let candidates = recipes.clone().into_iter().zip(&unseen).zip(&weights).map(candidate).collect();
    let report = Report { folds: folds.len(), candidates, loss, score };
    let out_of_fold = restore(mixed, set.standardizer.targets());
    Ok(Fitted { model: set.model(members, report, settings.seed), out_of_fold })
}

/// Trains another blend on other rows: the members of `teacher` with the same hyperparameters, weights and temperatures.
pub(crate) fn fit_like(
    teacher: &Model,
    blend: &Blend,
    data: &Dataset,
    flow: &(dyn Fn() -> ControlFlow<()> + Sync),
) -> Result<Model> {
    let unknown = || {
        Error::Invalid("the model does not say how its members were trained: train the teacher again".into())
    };
    let report = teacher.metadata.blend.clone().ok_or_else(unknown)?;
    let chosen: Vec<(usize, &Candidate)> =
        report.candidates.iter().enumerate().filter(|(_, candidate)| candidate.weight > 0.0).collect();
    if chosen.len() != blend.members.len() {
        return Err(unknown());
    }
    let set = TrainingSet::new(data)?;
    let index: Vec<usize> = (0..data.rows()).collect();
    let rows = set.rows(&index, flow)?;
    let seed = teacher.metadata.seed;
    let part = |((place, candidate), part): ((usize, &Candidate), &Part)| {
        let member = candidate.recipe.learner().fit(&rows, nth_seed(seed, place))?;
        Ok(Part { member, ..part.clone() })
    };
    let parts = chosen.into_par_iter().with_max_len(1).zip(&blend.members).map(part);
    let members = parts.collect::<Result<Vec<Part>>>()?;
    Ok(set.model(members, report, seed))
}

/// Divides the rows into folds. Rows that all belong to one group are divided nevertheless.
fn divide(data: &Dataset, settings: &Settings) -> Result<Vec<Fold>> {
    let count = settings.folds(data.rows());
    if data.group_names().is_some_and(|groups| groups.len() < 2) {
        let ungrouped = Dataset { groups: None, ..data.clone() };
        return folds(&ungrouped, count, settings.seed);
    }
    folds(data, count, settings.seed)
}

/// Examines every learner.
fn examine(
    recipes: &[Recipe],
    rows: &Rows<'_>,
    folds: &[Fold],
    seed: u64,
    trained: Tick<'_>,
) -> Result<Vec<(Recipe, Unseen)>> {
    let examine = |(place, recipe): (usize, &Recipe)| {
        let Examined { recipe, outputs: parts } =
            recipe.learner().examine(rows, folds, nth_seed(seed, place), trained)?;
        let mut outputs = DMatrix::zeros(rows.outputs, rows.x.ncols());
        for (part, fold) in parts.iter().zip(folds) {
            for (column, &row) in part.column_iter().zip(&fold.validation) {
                outputs.set_column(row, &column);
            }
        }
        Ok((recipe, Unseen::of(outputs, rows.target)))
    };
    recipes.par_iter().with_max_len(1).enumerate().map(examine).collect()
}

/// Standardized rows with their bins.
struct TrainingSet<'a> {
    data: &'a Dataset,
    standardizer: Standardizer,
    rows: Standardized,
    bins: Bins,
}

impl<'a> TrainingSet<'a> {
    fn new(data: &'a Dataset) -> Result<Self> {
        if data.rows() == 0 {
            return Err(Error::Invalid("there are no rows to train on".into()));
        }
        let standardizer = Standardizer::fit(data, None);
        let mut rows = standardizer.apply(data);
        rows.x = clip(&rows.x);
        Ok(TrainingSet { data, bins: Bins::of(&rows.x), standardizer, rows })
    }

    fn shape(&self) -> Result<Shape> {
        let rows = self.rows.x.ncols();
        let kind = match examples(&self.rows)?.target {
            Target::Classes(_) => crate::dataset::Kind::Classification,
            Target::Values(_) => crate::dataset::Kind::Regression,
        };
        Ok(Shape { rows, features: self.rows.x.nrows(), outputs: self.data.task.outputs(), kind })
    }

    fn rows<'b>(
        &'b self,
        index: &'b [usize],
        flow: &'b (dyn Fn() -> ControlFlow<()> + Sync),
    ) -> Result<Rows<'b>> {
        let target = examples(&self.rows)?.target;
        let (x, bins, outputs) = (&self.rows.x, &self.bins, self.data.task.outputs());
        Ok(Rows { x, target, bins, index, outputs, flow })
    }

    fn model(self, members: Vec<Part>, report: Report, seed: u64) -> Model {
        let blend = Blend { members, targets: self.standardizer.targets().to_vec() };
        let metadata = Metadata {
            blend: Some(report),
            machine: Some(Machine { arch: std::env::consts::ARCH.into(), threads: 1 }),
            ..Metadata::of(self.data, Role::Teacher, seed)
        };
        Model::new(metadata, self.standardizer.preparation, Body::Blend(blend), &self.data.x)
    }
}
