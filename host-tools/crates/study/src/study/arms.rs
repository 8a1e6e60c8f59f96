//! The arms of a study: every way to make a model, by name.

use microdistill::loss::{DecoupledSoftLabels, SoftLabels};

use super::results::{ArmInfo, ArmKind};
use microdistill_train::error::{Error, Result};
use microdistill_train::student::{Recipe, WEIGHT_DECAY};
use microdistill_train::synthetic::Synthetic;

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
    /// The default recipe of `distill`.
    pub(crate) const DEFAULT: &str = "default";
}

const HARD: Method = Method {
    kind: ArmKind::Hard,
    recipe: Recipe::HardLabels,
    fraction: 1.0,
    weight_decay: 0.0,
    teachers: 0,
    synthetic: None,
};

const DEFAULT: Method = Method {
    kind: ArmKind::Distilled,
    recipe: Recipe::SoftLabels(SoftLabels::DEFAULT),
    fraction: 1.0,
    weight_decay: WEIGHT_DECAY,
    teachers: 1,
    synthetic: None,
};

const OUTPUT_MSE: Method = Method { recipe: Recipe::OutputMse, fraction: 0.9, weight_decay: 0.0, ..DEFAULT };

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
    let teacher = Method { kind: ArmKind::Teacher, ..HARD };
    let tuned = |name, description, knob| Arm::new(name, description, HARD).tuned(knob);
    vec![
        Arm::new(names::TEACHER, "the large model, tuned weight decay", teacher).tuned(Knob::WeightDecay),
        Arm::new(names::HARD, "student trained on the target only, no regularizer", HARD),
        tuned(names::HARD_L2, "student trained on the target only, tuned weight decay", Knob::WeightDecay),
        tuned(names::HARD_DROPOUT, "student trained on the target only, tuned dropout", Knob::Dropout),
        tuned(
            names::HARD_SMOOTHING,
            "student trained on labels only, tuned label smoothing",
            Knob::LabelSmoothing,
        ),
        Arm::new(
            names::OUTPUT_MSE,
            "the original recipe: squared difference of the outputs, one teacher, 90 % of the rows, no regularizer",
            OUTPUT_MSE,
        ),
        Arm::new(
            names::DEFAULT,
            "the default recipe of `distill`: one teacher, a small weight decay, nothing tuned",
            DEFAULT,
        ),
    ]
}

/// The arms of every study of values. Arms that need classes are left out.
pub fn always_of_values() -> Vec<Arm> {
    always().into_iter().filter(|arm| arm.knob != Some(Knob::LabelSmoothing)).map(Arm::of_values).collect()
}

/// The arms that may be added by name.
pub fn others() -> Vec<Arm> {
    let outputs = Method { recipe: Recipe::OutputMse, ..DEFAULT };
    let logits = Method { recipe: Recipe::LogitMse, ..DEFAULT };
    let decoupled = Method { recipe: Recipe::Decoupled(DecoupledSoftLabels::DEFAULT), ..DEFAULT };
    let synthetic = Synthetic::ALL.map(|kind| {
        let description =
            format!("the default, plus as many synthetic rows as training rows: {}", kind.name());
        Arm::new(kind.name(), &description, Method { synthetic: Some(kind), ..DEFAULT })
    });
    let others = [
        Arm::new("outputs", "the default, but with the squared difference of the outputs", outputs),
        Arm::new("logits", "the default, but with the squared difference of the logits", logits),
        Arm::new("dkd", "the default, but with decoupled soft labels (three or more classes)", decoupled),
        Arm::new("soft-l2", "the default, but with tuned weight decay", DEFAULT).tuned(Knob::WeightDecay),
        Arm::new("ensemble", "the default, but with five teachers", Method { teachers: 5, ..DEFAULT }),
    ];
    others.into_iter().chain(synthetic).collect()
}

/// The arms that may be added to a study of values: those that differ from the default in more than the loss.
pub fn others_of_values() -> Vec<Arm> {
    let is_default = |arm: &Arm| arm.method.recipe == DEFAULT.recipe;
    others().into_iter().filter(is_default).map(Arm::of_values).collect()
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
