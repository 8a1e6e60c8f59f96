//! The arms of a study: each way to make a model, by name.

use microdistill::loss::{DecoupledSoftLabels, SoftLabels};

use super::results::{ArmInfo, ArmKind};
use microdistill_train::error::{Error, Result};
use microdistill_train::student::{Recipe, WEIGHT_DECAY};
use microdistill_train::synthetic::Synthetic;

/// A way to make a model.
#[derive(Clone, Debug, PartialEq)]
pub struct Arm {
    /// Name, as typed and shown.
    pub name: String,
    /// One line.
    pub description: String,
    /// The fixed part of the method.
    pub method: Method,
    /// The hyperparameter that is tuned.
    pub knob: Option<Knob>,
}

/// A way to train a model, without the hyperparameter that is tuned.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Method {
    /// Source of the labels.
    pub kind: ArmKind,
    /// The loss; a teacher's is always cross-entropy.
    pub recipe: Recipe,
    /// Share of the training rows that it learns from.
    pub fraction: f64,
    /// Decoupled, as everywhere.
    pub weight_decay: f32,
    /// Number of teachers whose probabilities are averaged. They differ in their seeds.
    pub teachers: usize,
    /// Kind of synthetic rows, as many as training rows, labelled by the teachers alone.
    pub synthetic: Option<Synthetic>,
}

/// A hyperparameter that cross-validation may choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Knob {
    /// L2, beside 1,000 rows: see [`beside_rows`](microdistill_train::tune::beside_rows).
    WeightDecay,
    /// Share of hidden units dropped.
    Dropout,
    /// Share of a label that is spread over all classes.
    LabelSmoothing,
}

/// Number of candidates of each knob.
pub const CANDIDATES: usize = 6;

impl Knob {
    /// The candidates: the same number for each knob, with zero among them, so that no arm is forced to
    /// regularize.
    pub fn candidates(self) -> [f32; CANDIDATES] {
        match self {
            Knob::WeightDecay => [0.0, 0.05, 0.15, 0.5, 1.5, 5.0],
            Knob::Dropout => [0.0, 0.05, 0.1, 0.2, 0.3, 0.5],
            Knob::LabelSmoothing => [0.0, 0.02, 0.05, 0.1, 0.2, 0.4],
        }
    }

    /// Name for people.
    pub fn name(self) -> &'static str {
        match self {
            Knob::WeightDecay => "weight decay",
            Knob::Dropout => "dropout",
            Knob::LabelSmoothing => "label smoothing",
        }
    }
}

impl Arm {
    /// Description for reports.
    pub fn info(&self) -> ArmInfo {
        ArmInfo { name: self.name.clone(), description: self.description.clone(), kind: self.method.kind }
    }

    /// Returns true if both arms make the same models.
    pub(super) fn same(&self, other: &Arm) -> bool {
        (self.method, self.knob) == (other.method, other.knob)
    }

    fn new(name: &str, description: &str, method: Method) -> Self {
        Arm { name: name.into(), description: description.into(), method, knob: None }
    }

    fn tuned(self, knob: Knob) -> Self {
        Arm { knob: Some(knob), ..self }
    }

    /// The same for values, learned by their squared difference.
    fn of_values(self) -> Self {
        Arm { method: Method { recipe: Recipe::ValueMse, ..self.method }, ..self }
    }
}

/// Names that reports and sentences refer to.
pub mod names {
    /// A large model.
    pub const TEACHER: &str = "teacher";
    /// Labels and nothing else.
    pub const HARD: &str = "hard";
    /// Labels with the weight decay that suits them.
    pub const HARD_L2: &str = "hard-l2";
    /// Labels with the dropout that suits them.
    pub const HARD_DROPOUT: &str = "hard-dropout";
    /// Labels with the smoothing that suits them.
    pub const HARD_SMOOTHING: &str = "hard-smoothing";
    /// The squared difference of the outputs: the form that the project began with.
    pub const OUTPUT_MSE: &str = "output-mse";
    /// The recipe of `distill`.
    pub const DEFAULT: &str = "default";
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

/// The arms of the preset of random labels. The teacher has as many epochs as other teachers, and no regularizer.
pub fn random_labels() -> Vec<Arm> {
    let teacher = Method { kind: ArmKind::Teacher, ..HARD };
    vec![
        Arm::new(names::TEACHER, "the large model, no regularizer", teacher),
        Arm::new(names::HARD, "student on labels alone", HARD),
        Arm::new(
            names::OUTPUT_MSE,
            "student on 90 % of the rows, squared difference of the outputs",
            OUTPUT_MSE,
        ),
    ]
}

/// The arms of every study of classes.
pub fn always() -> Vec<Arm> {
    let teacher = Method { kind: ArmKind::Teacher, ..HARD };
    let tuned = |name, description, knob| Arm::new(name, description, HARD).tuned(knob);
    vec![
        Arm::new(names::TEACHER, "the large model, weight decay tuned", teacher).tuned(Knob::WeightDecay),
        Arm::new(names::HARD, "student on the target alone, no regularizer", HARD),
        tuned(names::HARD_L2, "student on the target alone, weight decay tuned", Knob::WeightDecay),
        tuned(names::HARD_DROPOUT, "student on the target alone, dropout tuned", Knob::Dropout),
        tuned(names::HARD_SMOOTHING, "student on labels alone, label smoothing tuned", Knob::LabelSmoothing),
        Arm::new(
            names::OUTPUT_MSE,
            "the original form: squared difference of the outputs, one teacher, 90 % of the rows, no regularizer",
            OUTPUT_MSE,
        ),
        Arm::new(
            names::DEFAULT,
            "what `distill` does: one teacher, a small weight decay, nothing tuned",
            DEFAULT,
        ),
    ]
}

/// The arms of every study of values, without those that need classes.
pub fn always_of_values() -> Vec<Arm> {
    always().into_iter().filter(|arm| arm.knob != Some(Knob::LabelSmoothing)).map(Arm::of_values).collect()
}

/// The arms that may be added by name.
pub fn others() -> Vec<Arm> {
    let outputs = Method { recipe: Recipe::OutputMse, ..DEFAULT };
    let logits = Method { recipe: Recipe::LogitMse, ..DEFAULT };
    let decoupled = Method { recipe: Recipe::Decoupled(DecoupledSoftLabels::DEFAULT), ..DEFAULT };
    let synthetic = Synthetic::ALL.map(|kind| {
        let description = format!("the default, with as many synthetic rows again: {}", kind.name());
        Arm::new(kind.name(), &description, Method { synthetic: Some(kind), ..DEFAULT })
    });
    let others = [
        Arm::new("outputs", "the default, but the squared difference of the outputs", outputs),
        Arm::new("logits", "the default, but the squared difference of the logits", logits),
        Arm::new("dkd", "the default, but decoupled soft labels, of three classes or more", decoupled),
        Arm::new("soft-l2", "the default, weight decay tuned", DEFAULT).tuned(Knob::WeightDecay),
        Arm::new("ensemble", "the default, of five teachers", Method { teachers: 5, ..DEFAULT }),
    ];
    others.into_iter().chain(synthetic).collect()
}

/// The arms that may be added to a study of values: those that differ from the default in more than their
/// loss.
pub fn others_of_values() -> Vec<Arm> {
    let is_default = |arm: &Arm| arm.method.recipe == DEFAULT.recipe;
    others().into_iter().filter(is_default).map(Arm::of_values).collect()
}

/// The `known` arms with these names, in order of the names.
///
/// # Errors
/// A name that none has.
pub fn by_name(known: &[Arm], names: &[String]) -> Result<Vec<Arm>> {
    let arm = |name: &String| {
        let found = known.iter().find(|arm| arm.name == *name).cloned();
        found.ok_or_else(|| {
            let known: Vec<&str> = known.iter().map(|arm| arm.name.as_str()).collect();
            Error::Invalid(format!("{name:?} is no recipe that can be added: these are {}", known.join(", ")))
        })
    };
    names.iter().map(arm).collect()
}

/// `arm` with soft labels at another temperature.
pub(super) fn at_temperature(arm: &Arm, temperature: f32) -> Option<Arm> {
    let Recipe::SoftLabels(labels) = arm.method.recipe else { return None };
    let recipe = Recipe::SoftLabels(SoftLabels { temperature, ..labels });
    Some(Arm {
        name: format!("{}, T = {temperature}", arm.name),
        method: Method { recipe, ..arm.method },
        ..arm.clone()
    })
}
