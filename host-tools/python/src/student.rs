//! A student: predictions, quantization, export, and its bytes.

use std::path::PathBuf;

use microdistill_train::export::{Footprint, Format, export_file};
use microdistill_train::metrics::probabilities;
use microdistill_train::model::{Model, Task};
use microdistill_train::network::macs;
use microdistill_train::network::precision::{Bits, Precision};
use microdistill_train::quantize::quantize;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use serde_json::json;

use crate::border::{bytes, exception, numbers};

/// A distilled model.
#[pyclass(frozen, module = "microdistill._microdistill")]
pub(crate) struct Student {
    pub(crate) model: Model,
}

#[pymethods]
impl Student {
    /// Probabilities or values for rows of features, row by row.
    fn outputs<'py>(&self, py: Python<'py>, x: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
        let Student { model } = self;
        let x = numbers(x);
        let outputs = py.detach(|| {
            let rows = model.example_rows().with_numbers(&x)?;
            let origin = &model.metadata.target_origin;
            let told = |logits: &[f32]| match model.metadata.task {
                Task::Classification { .. } => probabilities(logits).0,
                Task::Regression { .. } => {
                    let value = |(index, &value): (usize, &f32)| {
                        f64::from(value) + origin.get(index).copied().unwrap_or_default()
                    };
                    logits.iter().enumerate().map(value).collect()
                }
            };
            Ok(bytes(model.predict(&rows).column_iter().flat_map(|logits| told(logits.as_slice()))))
        });
        Ok(PyBytes::new(py, &outputs.map_err(exception)?))
    }

    /// The student with weights of 8 or 4 bits, calibrated on rows of features.
    fn quantized(&self, py: Python<'_>, x: &[u8], bits: u8) -> PyResult<Self> {
        let bits = Bits::try_from(bits).map_err(|error| PyValueError::new_err(error.to_string()))?;
        let x = numbers(x);
        let quantized = py.detach(|| {
            let rows = self.model.example_rows().with_numbers(&x)?;
            quantize(&self.model, &rows.x, Precision::per_channel(bits))
        });
        Ok(Student { model: quantized.map_err(exception)? })
    }

    /// Writes the student to a file, in the format of its extension unless one is named. Returns notes for the user.
    #[pyo3(signature = (path, format, name))]
    fn export(&self, path: PathBuf, format: Option<&str>, name: &str) -> PyResult<Vec<String>> {
        let format = match format {
            None => Format::of(&path).map_err(exception)?,
            Some(asked) => {
                Format::ALL.into_iter().find(|format| format.name() == asked).ok_or_else(|| {
                    let names = Format::ALL.map(Format::name).join(", ");
                    PyValueError::new_err(format!("{asked:?} is no format: name one of {names}"))
                })?
            }
        };
        export_file(&self.model, format, name, "microdistill in Python", path)
            .map(|exported| exported.notes)
            .map_err(exception)
    }

    /// Facts about the student, as JSON.
    fn facts(&self) -> PyResult<String> {
        let model = &self.model;
        let Footprint { flash, ram } = Footprint::of(model).map_err(exception)?;
        let recipe = model.metadata.recipe.as_ref();
        let facts = json!({
            "kind": model.kind(),
            "widths": model.widths(),
            "parameters": model.parameters(),
            "macs": macs(&model.widths()),
            "flash": flash,
            "ram": ram,
            "recipe": recipe.map(|recipe| &recipe.chosen),
        });
        Ok(facts.to_string())
    }

    /// Writes the model file that the command line reads.
    fn save(&self, path: PathBuf) -> PyResult<()> {
        self.model.save(path).map_err(exception)
    }

    /// The bytes of the model file.
    fn to_bytes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        Ok(PyBytes::new(py, &self.model.to_bytes().map_err(exception)?))
    }

    /// Reads the bytes of a model file.
    #[staticmethod]
    fn from_bytes(bytes: &[u8]) -> PyResult<Self> {
        Ok(Student { model: Model::from_bytes(bytes).map_err(exception)? })
    }

    /// For pickle.
    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, (Bound<'py, PyBytes>,))> {
        let from_bytes = py.get_type::<Student>().getattr("from_bytes")?;
        Ok((from_bytes, (self.to_bytes(py)?,)))
    }
}
