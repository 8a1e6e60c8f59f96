//! Teachers of a student: models, and stored outputs of other models.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use clap::Args;
use microdistill_train::dataset::{Dataset, SeenRows, read_soft_labels};
use microdistill_train::distill;
use microdistill_train::error::Result as LibraryResult;
use microdistill_train::model::Model;
use microdistill_train::outputs::TeacherOutputs;

use crate::context::Context;
use crate::flags::data::Parts;

use super::search::Lineage;

#[derive(Args, Debug)]
pub(crate) struct TeacherFlags {
    /// Model to imitate; several are averaged
    #[arg(long, value_name = "MODEL", required_unless_present = "soft_labels")]
    teacher: Vec<PathBuf>,
    /// Data file of a teacher's outputs for the rows of --data or --train, in the same order, with one column per label:
    /// p(LABEL) for probabilities, as `predict` writes them, or logit(LABEL); for values, one column per target, named
    /// prediction(TARGET) or like the target
    #[arg(long, value_name = "FILE")]
    soft_labels: Option<PathBuf>,
    /// Weights of the teachers in the order of the flags, with soft labels last [default: equal]
    #[arg(long, value_name = "A,B", value_delimiter = ',', num_args = 1, allow_hyphen_values = true)]
    teacher_weights: Vec<f64>,
}

/// Teachers with the same features and labels.
pub(crate) struct Teachers {
    models: Vec<Model>,
    stored: Option<TeacherOutputs>,
    weights: Vec<f64>,
}

impl TeacherFlags {
    /// The files of models and soft labels.
    pub(crate) fn files(&self) -> impl Iterator<Item = &Path> {
        self.teacher.iter().chain(&self.soft_labels).map(PathBuf::as_path)
    }

    /// The models.
    pub(crate) fn load(&self) -> Result<Vec<Model>> {
        let models = self.teacher.iter().map(Model::load).collect::<Result<Vec<_>, _>>()?;
        let Some((first, others)) = models.split_first() else { return Ok(models) };
        for (other, path) in others.iter().zip(&self.teacher[1..]) {
            let (path, first_path) = (path.display(), self.teacher[0].display());
            if other.features() != first.features() {
                bail!(
                    "teachers need the same features: {path} has {:?}, {first_path} has {:?}",
                    other.features(),
                    first.features()
                );
            }
            let origins =
                |model: &Model| (model.metadata.origin.clone(), model.metadata.target_origin.clone());
            if origins(other) != origins(first) {
                bail!(
                    "teachers need the same origins of features and target: train {path} and {first_path} on the same rows"
                );
            }
            if other.metadata.task != first.metadata.task {
                let (task, first) = (&other.metadata.task, &first.metadata.task);
                bail!(
                    "teachers need the same target: {path} has {} {:?}, {first_path} has {} {:?}",
                    task.named_targets(),
                    task.labels(),
                    first.named_targets(),
                    first.labels()
                );
            }
        }
        Ok(models)
    }

    /// Gathers all teachers; soft labels are those of the rows of a file.
    pub(crate) fn gather(&self, models: Vec<Model>, parts: &Parts) -> Result<Teachers> {
        let Dataset { task, target_origin, .. } = &parts.known;
        let stored = match &self.soft_labels {
            None => None,
            Some(path) => {
                Some(read_soft_labels(path, task, target_origin, parts.file_count, &parts.left_out)?)
            }
        };
        let count = models.len() + usize::from(stored.is_some());
        let weights = match self.teacher_weights.as_slice() {
            [] => vec![1.0; count],
            weights if weights.len() == count => weights.to_vec(),
            weights => bail!("--teacher-weights has {} numbers for {count} teachers", weights.len()),
        };
        Ok(Teachers { models, stored, weights })
    }
}

/// The rows that one of these models was trained on.
pub(crate) fn seen_rows(models: &[Model]) -> SeenRows {
    let mut seen = SeenRows::default();
    models.iter().for_each(|model| seen.extend(&model.metadata.seen));
    seen
}

impl Teachers {
    /// Outputs of the teachers for `rows`, which are the rows `places` of the file of soft labels.
    pub(crate) fn teacher_outputs(&self, rows: &Dataset, places: &[usize]) -> LibraryResult<TeacherOutputs> {
        let models = self.models.iter().map(|model| model.teacher_outputs(rows));
        let stored = self.stored.iter().map(|stored| stored.select(places));
        TeacherOutputs::of(self.weights.iter().copied().zip(models.chain(stored)))
    }

    /// One of the models, if all teachers are models, which can label further rows.
    pub(crate) fn asked(&self) -> Option<&Model> {
        self.models.first().filter(|_| self.stored.is_none())
    }

    /// Lets a student of these teachers know the rows that they were trained on, which it knows by them.
    pub(crate) fn pass_on_seen_rows(&self, student: &mut Model) {
        student.metadata.seen.extend(&seen_rows(&self.models));
    }

    /// Tells whether teachers like these can be trained on parts of `rows`.
    pub(crate) fn lineage(&self, rows: &Dataset) -> Lineage {
        if self.stored.is_some() || self.models.iter().any(|model| !model.metadata.can_be_trained_again()) {
            return Lineage::Unknown;
        }
        let models = self.weighted();
        match self.models.iter().all(|model| model.metadata.data_hash == rows.hash) {
            true => Lineage::Known(models),
            false => Lineage::OtherRows(models),
        }
    }

    /// The teachers of a recipe that is chosen on held-out rows, and a note if they may have seen those rows. `outputs` are
    /// theirs for the `rows`.
    pub(crate) fn of_recipe<'a>(
        &'a self,
        context: &Context,
        rows: &Dataset,
        weighted: &'a [(f64, Model)],
        outputs: &'a TeacherOutputs,
    ) -> distill::Teachers<'a> {
        let (teachers, note) = match self.lineage(rows) {
            Lineage::Known(_) => return distill::Teachers::Like(weighted),
            Lineage::OtherRows(_) => (
                distill::Teachers::Like(weighted),
                "the teachers were trained on other rows; the recipe is chosen with teachers like them, trained on parts of \
                 these rows",
            ),
            Lineage::Unknown => (
                match self.stored {
                    Some(_) => distill::Teachers::Stored(outputs),
                    None => distill::Teachers::Fixed(weighted),
                },
                "these teachers cannot be trained again without the held-out rows that choose the recipe; if they have seen \
                 them, the choice favors the teacher",
            ),
        };
        context.console.note(note);
        teachers
    }

    /// The models with their weights.
    pub(crate) fn weighted(&self) -> Vec<(f64, Model)> {
        self.weights.iter().copied().zip(self.models.iter().cloned()).collect()
    }

    /// The one model whose hidden layer gives hints.
    pub(crate) fn guide(&self) -> Result<&Model> {
        match self.models.as_slice() {
            [model] if self.stored.is_none() => Ok(model),
            _ => bail!("--hints needs exactly one teacher, and that a model"),
        }
    }
}
