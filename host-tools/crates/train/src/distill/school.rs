//! Training of candidates on the same material, in lanes.

use std::ops::ControlFlow;

use microdistill::loss::SoftLabels;
use nalgebra::DMatrix;
use rayon::prelude::*;

use super::candidate::Candidate;
use super::lesson::{Lesson, SMOOTHING};
use super::material::Material;
use crate::class_weights::ClassWeights;
use crate::dataset::{Dataset, Standardizer, Target, Task};
use crate::error::{Error, Result};
use crate::hyperparameters::Length;
use crate::model::{Body, Further, Metadata, Model, Role, Source};
use crate::network::Activation;
use crate::outputs::TeacherOutputs;
use crate::student::{Inputs, Lane, Recipe, Samples, Settings, train_lanes};
use crate::tune::beside_rows;

/// What all students of a choice have in common.
#[derive(Clone, Debug, PartialEq)]
pub struct Student {
    /// Widths of the hidden layers.
    pub hidden: Vec<usize>,
    /// Activation of the hidden layers.
    pub activation: Activation,
    /// Number of steps of a training. The last epoch is completed.
    pub steps: usize,
    /// Weights of the rows in the loss, by label.
    pub class_weights: ClassWeights,
    /// Seed of initial weights and of the order of the rows.
    pub seed: u64,
}

/// A trained student; none if its training diverged.
pub type Graduate = Option<Model>;

impl Student {
    /// Trains a student of each candidate on `material`, in parallel. The result does not depend on the number of threads.
    /// `flow` is called after each epoch; on `Break` the trainings end.
    ///
    /// # Errors
    /// Fails as [`train_lanes`] does, if a candidate needs what `material` does not have, and with [`Error::Interrupted`].
    pub fn train(
        &self,
        material: &Material,
        candidates: &[Candidate],
        flow: &(dyn Fn() -> ControlFlow<()> + Sync),
    ) -> Result<Vec<Graduate>> {
        let key = |candidate: &Candidate| (candidate.inputs, candidate.lesson.takes_synthetic_rows());
        let mut keys: Vec<_> = candidates.iter().map(key).collect();
        keys.sort();
        keys.dedup();
        let class = |&wanted: &(Inputs, bool)| {
            let members: Vec<usize> =
                (0..candidates.len()).filter(|&index| key(&candidates[index]) == wanted).collect();
            let class = Class::new(self, material, wanted.0, wanted.1)?;
            let own: Vec<Candidate> = members.iter().map(|&index| candidates[index]).collect();
            Ok(members.into_iter().zip(class.train(&own, flow)?).collect::<Vec<_>>())
        };
        let trained = keys.par_iter().map(class).collect::<Result<Vec<_>>>()?;
        if flow().is_break() {
            return Err(Error::Interrupted);
        }
        let mut graduates = vec![None; candidates.len()];
        trained.into_iter().flatten().for_each(|(index, graduate)| graduates[index] = graduate);
        Ok(graduates)
    }

    fn settings(&self, standardizer: &Standardizer, rows: &Dataset) -> Settings {
        let mut widths = rows.widths(&self.hidden);
        widths[0] = standardizer.width();
        let mut settings = Settings::new(widths, Recipe::HardLabels, rows.rows(), self.seed);
        settings.training.activation = self.activation;
        settings.training.length = Length::Steps(self.steps);
        settings.training.class_weights = self.class_weights;
        settings
    }
}

/// Students that see the same rows in the same form.
struct Class<'a> {
    student: &'a Student,
    material: &'a Material,
    with_synthetic: bool,
    standardizer: Standardizer,
    x: DMatrix<f32>,
}

impl<'a> Class<'a> {
    fn new(
        student: &'a Student,
        material: &'a Material,
        inputs: Inputs,
        with_synthetic: bool,
    ) -> Result<Self> {
        if with_synthetic && material.synthetic.is_none() {
            return Err(Error::Invalid(
                "synthetic rows need a teacher to label them, which stored soft labels do not: give the teacher's model"
                    .into(),
            ));
        }
        let teacher = matches!(material.rows.target, Target::Absent).then_some(&material.teacher);
        let standardizer = match inputs {
            Inputs::Standardized => Standardizer::fit(&material.rows, teacher),
            Inputs::Pieces(most) => Standardizer::fit_pieces(&material.rows, teacher, most)?,
        };
        let x = standardizer.features(&material.features(with_synthetic));
        Ok(Class { student, material, with_synthetic, standardizer, x })
    }

    fn train(
        &self,
        candidates: &[Candidate],
        flow: &(dyn Fn() -> ControlFlow<()> + Sync),
    ) -> Result<Vec<Graduate>> {
        let rows = &self.material.rows;
        let settings = self.student.settings(&self.standardizer, rows);
        let mut labels = rows.labels();
        labels.resize(self.x.ncols(), None);
        let weights = self.material.weights(self.with_synthetic);
        let taken = |lesson: &&Lesson| candidates.iter().any(|candidate| candidate.lesson == **lesson);
        let outputs: Vec<(Lesson, TeacherOutputs)> =
            Lesson::ALL.iter().filter(taken).map(|&lesson| (lesson, self.outputs(lesson))).collect();
        let lane = |candidate: &Candidate| {
            let outputs = outputs.iter().find(|(lesson, _)| *lesson == candidate.lesson);
            let (recipe, label_smoothing) = recipe(candidate.lesson, &rows.task);
            Lane {
                recipe,
                label_smoothing,
                weight_decay: beside_rows(candidate.weight_decay, rows.rows()),
                teacher: outputs.map(|(_, outputs)| outputs).filter(|_| recipe != Recipe::HardLabels),
                ..Lane::of(&settings)
            }
        };
        let lanes: Vec<Lane<'_>> = candidates.iter().map(lane).collect();
        let samples = Samples { x: &self.x, labels: &labels, teacher: None, weights: weights.as_deref() };
        let trained = train_lanes(&settings, &lanes, samples, flow);
        let graduate = |(candidate, trained): (&Candidate, Result<_>)| match trained {
            Ok(crate::student::Trained { network, .. }) => Ok(Some(self.model(candidate, network))),
            Err(Error::Diverged { .. }) => Ok(None),
            Err(error) => Err(error),
        };
        candidates.iter().zip(trained).map(graduate).collect()
    }

    /// What students of a lesson learn to give for the rows: logits, or standardized values.
    fn outputs(&self, lesson: Lesson) -> TeacherOutputs {
        let outputs = self.material.outputs(lesson);
        match self.material.rows.task {
            Task::Classification { .. } => outputs,
            Task::Regression { .. } => self.standardizer.values(&outputs.values()).into(),
        }
    }

    fn model(&self, candidate: &Candidate, network: crate::network::Network) -> Model {
        let rows = &self.material.rows;
        let network = self.standardizer.restore(network);
        let mut metadata = Metadata::of(rows, Role::Student, self.student.seed);
        if candidate.lesson.takes_synthetic_rows() {
            let count = self.material.synthetic_rows() / super::material::SYNTHETIC.len();
            let further = |&kind| Further { source: Source::Synthetic(kind), rows: count };
            metadata.further = super::material::SYNTHETIC.iter().map(further).collect();
        }
        Model::new(metadata, self.standardizer.preparation.clone(), Body::F32(network), &rows.x)
    }
}

/// Loss and label smoothing of a lesson. A lesson's [outputs](Lesson::outputs) already hold the shares of teacher and target.
fn recipe(lesson: Lesson, task: &Task) -> (Recipe, f32) {
    match (task, lesson) {
        (Task::Regression { .. }, _) => (Recipe::ValueMse, 0.0),
        (_, Lesson::Target) => (Recipe::HardLabels, 0.0),
        (_, Lesson::SmoothedLabels) => (Recipe::HardLabels, SMOOTHING),
        _ => (Recipe::SoftLabels(SoftLabels { temperature: 1.0, alpha: 1.0 }), 0.0),
    }
}
