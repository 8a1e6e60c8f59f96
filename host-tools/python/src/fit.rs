//! Distillation of a student.

use std::ops::ControlFlow;
use std::sync::{Mutex, PoisonError};

use microdistill_train::class_weights::ClassWeights;
use microdistill_train::dataset::{Dataset, Knots, Targets, Task};
use microdistill_train::distill::{self, Choice, Plan, Problem, Scope, Teachers, pieces};
use microdistill_train::effort::Effort;
use microdistill_train::error::{Error, Result};
use microdistill_train::export::Footprint;
use microdistill_train::model::Model;
use microdistill_train::network::Activation;
use microdistill_train::network::precision::Precision;
use microdistill_train::outputs::TeacherOutputs;
use microdistill_train::student::Inputs;
use microdistill_train::teacher::zoo;
use nalgebra::DMatrix;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use serde_json::json;

use crate::border::{bytes, exception, numbers};
use crate::student::Student;
use crate::supervise::supervise;

/// Smallest probability of a class, whose logarithm is finite.
const LEAST: f64 = 1e-7;

/// Parameters of an estimator, by their names in Python.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct Settings {
    hidden: Vec<usize>,
    activation: String,
    effort: String,
    inputs: String,
    always_distill: bool,
    budget: Option<usize>,
    seed: u64,
}

/// Distills a student of rows `x` and their targets: labels, which `classes` are indices into, or values. `teacher` answers for rows
/// of features with probabilities or values; without one, a blend is trained. Returns the student and a report as JSON.
#[pyfunction]
#[pyo3(signature = (x, features, targets, labels, classes, values, teacher, settings))]
#[allow(clippy::too_many_arguments)] // the border is flat
pub(crate) fn fit(
    py: Python<'_>,
    x: &[u8],
    features: Vec<String>,
    targets: Vec<String>,
    labels: Vec<String>,
    classes: Vec<usize>,
    values: &[u8],
    teacher: Option<Py<PyAny>>,
    settings: Settings,
) -> PyResult<(Student, String)> {
    let meaning = match labels.is_empty() {
        true => Targets::Values(targets, numbers(values)),
        false => Targets::Classes(targets.into_iter().next().unwrap_or_default(), labels, classes),
    };
    let rows = Dataset::of_numbers(features, &numbers(x), meaning).map_err(exception)?;
    let settings = settings.read(&rows)?;
    // The first exception of the teacher.
    let failure = Mutex::new(None);
    let trained = supervise(py, |flow| match &teacher {
        Some(teacher) => {
            let answer = |rows: &Dataset| {
                ask(teacher, rows).map_err(|error| {
                    failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
                    Error::Interrupted
                })
            };
            settings.distill(&rows, Teachers::Fixed(&answer), flow)
        }
        None => {
            let blend = zoo::Settings::of(settings.scope.effort, settings.student.seed);
            let teacher = zoo::fit(&rows, &blend, &|_| flow())?.model;
            settings.distill(&rows, Teachers::Like(&[(1.0, teacher)]), flow)
        }
    });
    if let Some(error) = failure.into_inner().unwrap_or_else(PoisonError::into_inner) {
        return Err(error);
    }
    let (model, choice) = trained?;
    let report = json!({ "choice": choice, "notes": rows.notes });
    Ok((Student { model }, report.to_string()))
}

/// The answers of a Python function for rows.
fn ask(teacher: &Py<PyAny>, rows: &Dataset) -> PyResult<TeacherOutputs> {
    let outputs = rows.task.outputs();
    let answer = Python::attach(|py| {
        let answer = teacher.call1(py, (PyBytes::new(py, &bytes(rows.numbers())), rows.rows()))?;
        Ok::<_, PyErr>(numbers(answer.extract(py)?))
    })?;
    if answer.len() != outputs * rows.rows() || answer.iter().any(|number| !number.is_finite()) {
        return Err(PyValueError::new_err(format!(
            "the teacher must give {outputs} finite numbers for each of {} rows",
            rows.rows()
        )));
    }
    let number = |(place, number): (usize, f64)| match rows.task {
        Task::Classification { .. } => number.max(LEAST).ln() as f32,
        Task::Regression { .. } => {
            let origin = rows.target_origin.get(place % outputs.max(1)).copied().unwrap_or_default();
            (number - origin) as f32
        }
    };
    let answer = answer.into_iter().enumerate().map(number);
    Ok(DMatrix::from_iterator(outputs, rows.rows(), answer).into())
}

/// The settings in the library's terms.
struct Distillation {
    student: distill::Student,
    scope: Scope,
}

impl Settings {
    /// # Errors
    /// Fails if a name is unknown, and if no student fits the budget.
    fn read(self, rows: &Dataset) -> PyResult<Distillation> {
        let unknown = |what: &str, name: &str, known: &str| {
            PyValueError::new_err(format!("{what}={name:?}: it must be one of {known}"))
        };
        let effort = match self.effort.as_str() {
            "quick" => Effort::Quick,
            "default" => Effort::Default,
            "best" => Effort::Best,
            other => return Err(unknown("effort", other, "\"quick\", \"default\", \"best\"")),
        };
        let activations = [
            Activation::Relu,
            Activation::Relu6,
            Activation::LeakyRelu,
            Activation::Tanh,
            Activation::Sigmoid,
        ];
        let activation = activations.into_iter().find(|known| known.name() == self.activation);
        let activation = activation.ok_or_else(|| {
            unknown("activation", &self.activation, &format!("{:?}", activations.map(Activation::name)))
        })?;
        let most = pieces(rows.features.len(), self.hidden.first().copied().unwrap_or(1));
        let inputs = match self.inputs.as_str() {
            "auto" => None,
            "standardized" => Some(Inputs::Standardized),
            "pieces" => Some(Inputs::Pieces(most)),
            other => return Err(unknown("inputs", other, "\"auto\", \"standardized\", \"pieces\"")),
        };
        let student = distill::Student {
            hidden: self.hidden,
            activation,
            steps: 0,
            class_weights: ClassWeights::None,
            seed: self.seed,
        };
        let inputs = match self.budget {
            None => inputs,
            Some(budget) => within(budget, rows, &student, inputs, most).map_err(exception)?,
        };
        let scope = Scope { effort, inputs, asks_teacher: true, may_ignore_teacher: !self.always_distill };
        Ok(Distillation { student, scope })
    }
}

impl Distillation {
    fn distill(
        &self,
        rows: &Dataset,
        teachers: Teachers<'_>,
        flow: &(dyn Fn() -> ControlFlow<()> + Sync),
    ) -> Result<(Model, Choice)> {
        let plan = Plan::new(rows, &self.student.hidden, self.scope);
        let problem = Problem { rows, teachers, student: &self.student };
        let distilled = distill::fit(problem, &plan, flow, &|_| ())?;
        Ok((distilled.model, distilled.choice))
    }
}

/// The inputs among those asked for with which the student fits `budget` bytes of flash in int8.
fn within(
    budget: usize,
    rows: &Dataset,
    student: &distill::Student,
    asked: Option<Inputs>,
    most: usize,
) -> Result<Option<Inputs>> {
    let widths = rows.widths(&student.hidden);
    let values = matches!(rows.task, Task::Regression { .. });
    let (precision, activation) = (Precision::default(), student.activation);
    let standardized = Footprint::of_codes(&widths, precision, activation, values).flash;
    let in_pieces = || {
        let knots = Knots::fit(&rows.x, most)?;
        Ok::<_, Error>(Footprint::of_piecewise_codes(&widths, &knots, precision, activation, values).flash)
    };
    let (inputs, flash) = match asked {
        Some(Inputs::Pieces(_)) => (asked, in_pieces()?),
        None if in_pieces()? <= budget => (None, standardized),
        _ => (Some(Inputs::Standardized), standardized),
    };
    if flash > budget {
        return Err(Error::Invalid(format!(
            "a student of widths {widths:?} takes {flash} bytes of flash in int8, but the budget is {budget}: make the hidden layers \
             narrower"
        )));
    }
    Ok(inputs)
}
