//! The arms of a study: every way to make a model, by name.

use microdistill::loss::{DecoupledSoftLabels, SoftLabels};
use microdistill_train::distill::Lesson;

use super::results::{ArmInfo, ArmKind};
use microdistill_train::error::{Error, Result};
use microdistill_train::student::{Recipe, WEIGHT_DECAY};
use microdistill_train::synthetic::Synthetic;
use microdistill_train::teacher::zoo::Species;

/// A way to make a model.
#[derive(Clone, Debug, PartialEq)]
pub struct Arm {
    /// Name, as typed on the command line and shown in reports.
    pub name: String,
    /// Description, one line.
    pub description: String,
    /// The fixed part of the method.
    pub(crate) method: Method,
    /// The hyperparameter that is tuned.
    pub(crate) knob: Option<Knob>,
}

/// A training method, without the hyperparameter that is tuned.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Method {
    /// Source of the labels.
    pub(crate) kind: ArmKind,
    /// What is trained. The other fields are about networks.
    pub(crate) way: Way,
    /// The loss. Teachers always use cross-entropy.
    pub(crate) recipe: Recipe,
    /// Share of the training rows that the model is trained on.
    pub(crate) fraction: f64,
    /// Decoupled weight decay.
    pub(crate) weight_decay: f32,
    /// Number of teachers, with different seeds, whose probabilities are averaged.
    pub(crate) teachers: usize,
    /// Kind of synthetic rows to add. There are as many of them as training rows, labelled only by the
    /// teachers.
    pub(crate) synthetic: Option<Synthetic>,
}

/// What is trained, and how its settings are found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Way {
    /// A network, with a single hyperparameter that may be tuned.
    Network,
    /// A blend of these kinds of models, as by `microdistill train`.
    Blend(&'static [Species]),
    /// A student as by `microdistill distill`: lesson, inputs and weight decay are chosen among candidates.
    Recipe(Lessons),
}

/// What a student of [`Way::Recipe`] may learn from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lessons {
    /// The target alone.
    Own,
    /// The teacher.
    Distilled,
    /// Whichever is better on held-out rows.
    All,
}

impl Lessons {
    /// True if the lesson is one of these.
    pub(crate) fn include(self, lesson: Lesson) -> bool {
        match self {
            Lessons::Own => !lesson.is_distilled(),
            Lessons::Distilled => lesson.is_distilled(),
            Lessons::All => true,
        }
    }
}

/// A hyperparameter that can be chosen by cross-validation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Knob {
    /// Weight decay for a training set of 1,000 rows: see
    /// [`beside_rows`](microdistill_train::tune::beside_rows).
    WeightDecay,
    /// Share of hidden units dropped.
    Dropout,
    /// Share of a label that is spread over all classes.
    LabelSmoothing,
}

/// Number of candidates per knob.
pub(crate) const CANDIDATES: usize = 6;

impl Knob {
    /// The candidates. Every knob has the same number of them, including zero, so that no arm is forced to
    /// regularize.
    pub(crate) fn candidates(self) -> [f32; CANDIDATES] {
        match self {
            Knob::WeightDecay => [0.0, 0.05, 0.15, 0.5, 1.5, 5.0],
            Knob::Dropout => [0.0, 0.05, 0.1, 0.2, 0.3, 0.5],
            Knob::LabelSmoothing => [0.0, 0.02, 0.05, 0.1, 0.2, 0.4],
        }
    }

    /// Name of the knob in reports.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Knob::WeightDecay => "weight decay",
            Knob::Dropout => "dropout",
            Knob::LabelSmoothing => "label smoothing",
        }
    }
}

impl Arm {
    /// Description of the arm for reports.
    pub(crate) fn info(&self) -> ArmInfo {
        ArmInfo { name: self.name.clone(), description: self.description.clone(), kind: self.method.kind }
    }

    /// Returns true if the arm's candidates are those of `distill`.
    pub(super) fn is_recipe(&self) -> bool {
        matches!(self.method.way, Way::Recipe(_))
    }

    /// Returns true if both arms produce the same models.
    pub(super) fn same(&self, other: &Arm) -> bool {
        (self.method, self.knob) == (other.method, other.knob)
    }

    fn new(name: &str, description: &str, method: Method) -> Self {
        Arm { name: name.into(), description: description.into(), method, knob: None }
    }

    fn tuned(self, knob: Knob) -> Self {
        Arm { knob: Some(knob), ..self }
    }

    /// The same arm for values, trained on the squared difference.
    fn of_values(self) -> Self {
        Arm { method: Method { recipe: Recipe::ValueMse, ..self.method }, ..self }
    }
}

/// Names that reports and sentences refer to.
pub(crate) mod names {
    /// The large model.
    pub(crate) const TEACHER: &str = "teacher";
    /// A student trained on labels only.
    pub(crate) const HARD: &str = "hard";
    /// A student trained on labels, with tuned weight decay.
    pub(crate) const HARD_L2: &str = "hard-l2";
    /// A student trained on labels, with tuned dropout.
    pub(crate) const HARD_DROPOUT: &str = "hard-dropout";
    /// A student trained on labels, with tuned label smoothing.
    pub(crate) const HARD_SMOOTHING: &str = "hard-smoothing";
    /// A student trained on the squared difference of the outputs, the recipe that the project began with.
    pub(crate) const OUTPUT_MSE: &str = "output-mse";
    /// A student trained on labels, with everything chosen as for `default`.
    pub(crate) const LABELS: &str = "labels";
    /// A student trained on soft labels of the data's own rows.
    pub(crate) const SOFT: &str = "soft";
    /// The default recipe of `distill`.
    pub(crate) const DEFAULT: &str = "default";
}

const HARD: Method = Method {
    kind: ArmKind::Hard,
    way: Way::Network,
    recipe: Recipe::HardLabels,
    fraction: 1.0,
    weight_decay: 0.0,
    teachers: 0,
    synthetic: None,
};

const SOFT: Method = Method {
    kind: ArmKind::Distilled,
    way: Way::Network,
    recipe: Recipe::SoftLabels(SoftLabels::DEFAULT),
    fraction: 1.0,
    weight_decay: WEIGHT_DECAY,
    teachers: 1,
    synthetic: None,
};

const OUTPUT_MSE: Method = Method { recipe: Recipe::OutputMse, fraction: 0.9, weight_decay: 0.0, ..SOFT };

/// The arms of the preset with random labels. The teacher is trained for the usual number of epochs, without
/// a regularizer.
pub fn random_labels() -> Vec<Arm> {
    let teacher = Method { kind: ArmKind::Teacher, ..HARD };
    vec![
        Arm::new(names::TEACHER, "the large model, no regularizer", teacher),
        Arm::new(names::HARD, "student trained on labels only", HARD),
        Arm::new(
            names::OUTPUT_MSE,
            "student distilled on 90 % of the rows by the squared difference of the outputs",
            OUTPUT_MSE,
        ),
    ]
}

/// The arms of every study of classes.
pub fn always() -> Vec<Arm> {
    vec![
        blend(names::TEACHER, "the blend of different models that `train` makes by default", &Species::ALL),
        Arm::new(names::HARD, "student trained on the target only, no regularizer", HARD),
        Arm::new(names::HARD_L2, "student trained on the target only, tuned weight decay", HARD)
            .tuned(Knob::WeightDecay),
        recipe(
            names::LABELS,
            "student trained on the target only, as carefully as `default`: piecewise-linear or standardized inputs, weight \
             decay, label smoothing and as many steps; chosen among those of its candidates that have no teacher",
            Lessons::Own,
        ),
        Arm::new(
            names::OUTPUT_MSE,
            "the original recipe: squared difference of the outputs, one teacher, 90 % of the rows, no regularizer",
            OUTPUT_MSE,
        ),
        Arm::new(
            names::SOFT,
            "soft labels of the training rows: temperature 2, a small weight decay, nothing tuned",
            SOFT,
        ),
        recipe(
            names::DEFAULT,
            "what `distill` does by default: synthetic rows, inputs and weight decay are chosen on held-out rows, and so is \
             whether to ignore the teacher",
            Lessons::All,
        ),
    ]
}

fn blend(name: &str, description: &str, species: &'static [Species]) -> Arm {
    Arm::new(name, description, Method { kind: ArmKind::Teacher, way: Way::Blend(species), ..HARD })
}

fn recipe(name: &str, description: &str, lessons: Lessons) -> Arm {
    let method = if lessons == Lessons::Own { HARD } else { SOFT };
    Arm::new(name, description, Method { way: Way::Recipe(lessons), ..method })
}

/// The `arms`, with another teacher: a network with tuned weight decay.
pub fn taught_by_a_network(arms: Vec<Arm>) -> Vec<Arm> {
    let method = Method { kind: ArmKind::Teacher, ..HARD };
    let network = Arm::new(names::TEACHER, "the large network, tuned weight decay", method);
    let others = arms.into_iter().filter(|arm| arm.name != names::TEACHER);
    std::iter::once(network.tuned(Knob::WeightDecay)).chain(others).collect()
}

/// The kind alone.
fn alone(species: Species) -> &'static [Species] {
    let place = Species::ALL.iter().position(|&other| other == species).unwrap_or_default();
    const ALL: &[Species] = &Species::ALL;
    &ALL[place..=place]
}

fn described(species: Species) -> &'static str {
    match species {
        Species::Boosting => "gradient-boosted trees",
        Species::Forest => "a random forest",
        Species::ExtraTrees => "extra trees",
        Species::Kernel => "kernel ridge regression",
        Species::Linear => "logistic or ridge regression",
        Species::Perceptrons => "multilayer perceptrons",
    }
}

/// Names of the kinds of models, as `train --teacher` has them.
fn named(species: Species) -> &'static str {
    match species {
        Species::Boosting => "trees",
        Species::Forest => "forest",
        Species::ExtraTrees => "extra-trees",
        Species::Kernel => "kernel",
        Species::Linear => "linear",
        Species::Perceptrons => "mlp",
    }
}

/// The arms of every study of values.
pub fn always_of_values() -> Vec<Arm> {
    always().into_iter().map(Arm::of_values).collect()
}

/// The arms that may be added by name.
pub fn others() -> Vec<Arm> {
    let outputs = Method { recipe: Recipe::OutputMse, ..SOFT };
    let logits = Method { recipe: Recipe::LogitMse, ..SOFT };
    let decoupled = Method { recipe: Recipe::Decoupled(DecoupledSoftLabels::DEFAULT), ..SOFT };
    let synthetic = Synthetic::ALL.map(|kind| {
        let description = format!("as `soft`, plus as many synthetic rows as training rows: {}", kind.name());
        Arm::new(kind.name(), &description, Method { synthetic: Some(kind), ..SOFT })
    });
    let alone = Species::ALL
        .map(|species| blend(named(species), &format!("{}, no student", described(species)), alone(species)));
    let tuned = |name, description, knob| Arm::new(name, description, HARD).tuned(knob);
    let others = [
        tuned(names::HARD_DROPOUT, "student trained on the target only, tuned dropout", Knob::Dropout),
        tuned(
            names::HARD_SMOOTHING,
            "student trained on labels only, tuned label smoothing",
            Knob::LabelSmoothing,
        ),
        recipe(
            "always-distilled",
            "as `default`, chosen among the candidates that learn from the teacher",
            Lessons::Distilled,
        ),
        Arm::new("outputs", "as `soft`, but with the squared difference of the outputs", outputs),
        Arm::new("logits", "as `soft`, but with the squared difference of the logits", logits),
        Arm::new("dkd", "as `soft`, but with decoupled soft labels (three or more classes)", decoupled),
        Arm::new("soft-l2", "as `soft`, but with tuned weight decay", SOFT).tuned(Knob::WeightDecay),
        Arm::new("ensemble", "as `soft`, but with five teachers", Method { teachers: 5, ..SOFT }),
    ];
    others.into_iter().chain(synthetic).chain(alone).collect()
}

/// The arms that may be added to a study of values: those that need no classes, and differ in more than the loss.
pub fn others_of_values() -> Vec<Arm> {
    let suits = |arm: &Arm| {
        matches!(arm.method.recipe, Recipe::HardLabels | Recipe::SoftLabels(_))
            && arm.knob != Some(Knob::LabelSmoothing)
    };
    others().into_iter().filter(suits).map(Arm::of_values).collect()
}

/// Selects the `known` arms with these names, in the order of the names.
///
/// # Errors
/// Returns an error for an unknown name.
pub fn by_name(known: &[Arm], names: &[String]) -> Result<Vec<Arm>> {
    let arm = |name: &String| {
        let found = known.iter().find(|arm| arm.name == *name).cloned();
        found.ok_or_else(|| {
            let known: Vec<&str> = known.iter().map(|arm| arm.name.as_str()).collect();
            Error::Invalid(format!(
                "{name:?} is not a recipe that can be added: choose among {}",
                known.join(", ")
            ))
        })
    };
    names.iter().map(arm).collect()
}

/// `arm` with soft labels at another temperature; `None` if its recipe has no soft labels.
pub(super) fn at_temperature(arm: &Arm, temperature: f32) -> Option<Arm> {
    let Recipe::SoftLabels(labels) = arm.method.recipe else { return None };
    let recipe = Recipe::SoftLabels(SoftLabels { temperature, ..labels });
    Some(Arm {
        name: format!("{}, T = {temperature}", arm.name),
        method: Method { recipe, ..arm.method },
        ..arm.clone()
    })
}
