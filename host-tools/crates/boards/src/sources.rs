//! The exported files that firmware takes in.

use std::path::{Path, PathBuf};

use microdistill_train::dataset::Dataset;
use microdistill_train::error::Result;
use microdistill_train::export::{Form, NAME, export, rows};
use microdistill_train::file;
use microdistill_train::model::Model;

/// Exported files for a firmware; those of the bundled example where none is given.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sources {
    /// The model that `infer` runs.
    pub model: Option<PathBuf>,
    /// The f32 model that `teach` starts from.
    pub student: Option<PathBuf>,
    /// The model that `distill` asks.
    pub teacher: Option<PathBuf>,
    /// The rows that `distill` learns from.
    pub train: Option<PathBuf>,
    /// The rows that both are judged by.
    pub test: Option<PathBuf>,
    /// Optimizer of the `distill` program; the `bench` program measures it.
    pub optimizer: Optimizer,
}

/// The optimizers of the boards' programs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Optimizer {
    /// With momentum: one moment a parameter.
    #[default]
    Sgd,
    /// Two moments a parameter.
    Adam,
}

impl Optimizer {
    /// The name that the programs use.
    pub fn name(self) -> &'static str {
        match self {
            Optimizer::Sgd => "sgd",
            Optimizer::Adam => "adam",
        }
    }
}

impl Sources {
    /// For `infer`: exports `model`, to `file`, and the rows `test`, which have its features, to `folder`.
    pub fn infer(folder: &Path, file: &str, model: &Model, test: &Dataset) -> Result<Self> {
        Ok(Sources {
            model: Some(model_file(folder, file, model, NAME)?),
            test: Some(rows_file(folder, "test.rs", model, test, Form::Raw)?),
            ..Sources::default()
        })
    }

    /// For `bench`: exports `model`, to `file` in `folder`.
    pub fn bench(folder: &Path, file: &str, model: &Model) -> Result<Self> {
        Ok(Sources { model: Some(model_file(folder, file, model, NAME)?), ..Sources::default() })
    }

    /// For `teach`: exports `student`, which is f32, to `folder`.
    pub fn teach(folder: &Path, student: &Model) -> Result<Self> {
        let student = Some(model_file(folder, "student.rs", student, NAME)?);
        Ok(Sources { student, ..Sources::default() })
    }

    /// For `distill`: exports `teacher` and rows, which have its features, to `folder`; an
    /// int8 teacher's rows are its codes.
    pub fn distill(folder: &Path, teacher: &Model, train: &Dataset, test: &Dataset) -> Result<Self> {
        Ok(Sources {
            teacher: Some(model_file(folder, "teacher.rs", teacher, "TEACHER")?),
            train: Some(rows_file(folder, "train.rs", teacher, train, Form::Codes)?),
            test: Some(rows_file(folder, "test.rs", teacher, test, Form::Codes)?),
            ..Sources::default()
        })
    }
}

fn model_file(folder: &Path, file: &str, model: &Model, name: &str) -> Result<PathBuf> {
    write(folder.join(file), &export(model, name, &model.metadata.command)?)
}

fn rows_file(folder: &Path, file: &str, model: &Model, data: &Dataset, form: Form) -> Result<PathBuf> {
    write(folder.join(file), &rows(model, data, form))
}

/// A file that does not change is not built again.
fn write(path: PathBuf, text: &str) -> Result<PathBuf> {
    file::update(&path, text.as_bytes())?;
    Ok(path)
}
