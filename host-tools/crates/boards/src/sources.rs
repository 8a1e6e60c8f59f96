//! The exported files that firmware includes.

use std::path::{Path, PathBuf};

use microdistill_train::dataset::Dataset;
use microdistill_train::error::Result;
use microdistill_train::export::{Form, NAME, export, rows};
use microdistill_train::file;
use microdistill_train::model::Model;

/// Exported files for a firmware. `None` means the file of the bundled example.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sources {
    /// The model that `infer` runs.
    pub model: Option<PathBuf>,
    /// The f32 student that `teach` starts from.
    pub student: Option<PathBuf>,
    /// The teacher of `distill`.
    pub teacher: Option<PathBuf>,
    /// The training rows of `distill`.
    pub train: Option<PathBuf>,
    /// The test rows of `infer` and `distill`.
    pub test: Option<PathBuf>,
    /// Optimizer of the programs `distill` and `bench`.
    pub optimizer: Optimizer,
}

/// The optimizers of the boards' programs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Optimizer {
    /// With momentum: one moment per parameter.
    #[default]
    Sgd,
    /// Two moments per parameter.
    Adam,
}

impl Optimizer {
    /// Name of the optimizer in the programs.
    pub fn name(self) -> &'static str {
        match self {
            Optimizer::Sgd => "sgd",
            Optimizer::Adam => "adam",
        }
    }
}

impl Sources {
    /// Exports the contents of `infer` to `folder`: `model`, as `file`, and the rows `test`, which have its features.
    pub fn infer(folder: &Path, file: &str, model: &Model, test: &Dataset) -> Result<Self> {
        Ok(Sources {
            model: Some(model_file(folder, file, model, NAME)?),
            test: Some(rows_file(folder, "test.rs", model, test, Form::Raw)?),
            ..Sources::default()
        })
    }

    /// Exports the contents of `bench` to `folder`: `model`, as `file`.
    pub fn bench(folder: &Path, file: &str, model: &Model) -> Result<Self> {
        Ok(Sources { model: Some(model_file(folder, file, model, NAME)?), ..Sources::default() })
    }

    /// Exports the contents of `teach` to `folder`: the f32 model `student`.
    pub fn teach(folder: &Path, student: &Model) -> Result<Self> {
        let student = Some(model_file(folder, "student.rs", student, NAME)?);
        Ok(Sources { student, ..Sources::default() })
    }

    /// Exports the contents of `distill` to `folder`: `teacher` and the rows, which have its features. For an int8 teacher the
    /// rows are exported as codes.
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

/// Writes the file only if its contents change, so that cargo does not rebuild without need.
fn write(path: PathBuf, text: &str) -> Result<PathBuf> {
    file::update(&path, text.as_bytes())?;
    Ok(path)
}
