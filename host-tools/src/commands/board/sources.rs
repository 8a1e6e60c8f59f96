//! Flags for the contents of a board's firmware: models and rows.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use clap::{Args, ValueEnum};
use microdistill_boards::{self as board, Optimizer, Sources};
use microdistill_train::import::trainable;
use microdistill_train::model::Model;

use super::program::Program;
use super::{rows, sources_folder};

/// Optimizer of the student on the board.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum OptimizerFlag {
    /// With momentum
    Sgd,
    /// Two moments per parameter
    Adam,
}

impl From<OptimizerFlag> for Optimizer {
    fn from(flag: OptimizerFlag) -> Self {
        match flag {
            OptimizerFlag::Sgd => Optimizer::Sgd,
            OptimizerFlag::Adam => Optimizer::Adam,
        }
    }
}

/// Contents of the firmware [default: the bundled example's models and rows]
#[derive(Args, Debug)]
pub(crate) struct SourceFlags {
    /// Model file to run, for `infer`, or to measure, for `bench`
    #[arg(long, value_name = "MODEL", conflicts_with = "teacher")]
    model: Option<PathBuf>,
    /// f32 model file to start from, for `teach`
    #[arg(long, value_name = "MODEL", conflicts_with_all = ["model", "teacher", "test"])]
    student: Option<PathBuf>,
    /// Model file to learn from (f32 or int8), for `distill`
    #[arg(long, value_name = "MODEL", requires_all = ["train", "test"])]
    teacher: Option<PathBuf>,
    /// Data file of rows to learn from, for `distill`
    #[arg(long, value_name = "FILE", requires = "teacher")]
    train: Option<PathBuf>,
    /// Data file of test rows
    #[arg(long, value_name = "FILE")]
    test: Option<PathBuf>,
    /// Optimizer of the student, for `distill` and `bench`
    #[arg(long, value_enum, default_value = "sgd")]
    optimizer: OptimizerFlag,
}

impl SourceFlags {
    /// Exports the given models and rows into the build folder that all firmware shares.
    pub(crate) fn export(
        &self,
        board: &board::Board,
        program: Program,
    ) -> Result<(Sources, Option<Vec<Vec<f32>>>)> {
        let bundled = Sources { optimizer: self.optimizer.into(), ..Sources::default() };
        if let Some(student) = &self.student {
            if program != Program::Teach {
                bail!("--student is only for `teach`: name that program");
            }
            let student = Model::load(student)?;
            trainable(&student)?;
            return Ok((Sources::teach(&sources_folder(board)?, &student)?, None));
        }
        let (sources, expected) = match (program, &self.model, &self.teacher) {
            (Program::Teach, Some(_), _) => {
                bail!("`teach` starts from a student: give --student, not --model")
            }
            (Program::Distill, Some(_), _) => {
                bail!("`distill` learns from a teacher: give --teacher, not --model")
            }
            (Program::Adapt, Some(_), _) => {
                bail!("`adapt` runs the bundled example's story with its own models: leave the flag out")
            }
            (Program::Kernels, Some(_), _) => {
                bail!("`kernels` compares kernels and takes no model: leave the flag out")
            }
            (Program::Learn, Some(_), _) => {
                bail!("`learn` measures its own networks and takes no model: leave the flag out")
            }
            (
                Program::Infer
                | Program::Adapt
                | Program::Teach
                | Program::Bench
                | Program::Learn
                | Program::Kernels,
                _,
                Some(_),
            ) => {
                bail!(
                    "--teacher is only for `distill`: name that program, for example `board run {} distill`",
                    board.name
                )
            }
            (Program::Infer, Some(model), _) => self.for_infer(&sources_folder(board)?, model)?,
            (Program::Bench, Some(model), _) => {
                (Sources::bench(&sources_folder(board)?, "bench.rs", &Model::load(model)?)?, None)
            }
            (Program::Distill, None, Some(teacher)) => {
                (self.for_distill(&sources_folder(board)?, teacher)?, None)
            }
            (_, None, None) if self.test.is_some() => {
                bail!("--test needs a model for its rows: give --model")
            }
            (_, None, None) => (bundled.clone(), None),
        };
        Ok((Sources { optimizer: bundled.optimizer, ..sources }, expected))
    }

    /// Exports the model and its test rows. Also returns the desktop's outputs for the rows.
    fn for_infer(&self, folder: &Path, model: &Path) -> Result<(Sources, Option<Vec<Vec<f32>>>)> {
        let model = Model::load(model)?;
        let test = match &self.test {
            Some(test) => rows(&model, test)?,
            None => model.example_rows(),
        };
        let expected = model.predict(&test).column_iter().map(|y| y.as_slice().to_vec()).collect();
        Ok((Sources::infer(folder, "model.rs", &model, &test)?, Some(expected)))
    }

    fn for_distill(&self, folder: &Path, teacher: &Path) -> Result<Sources> {
        let teacher = Model::load(teacher)?;
        if teacher.labels().is_empty() {
            bail!("`distill` learns from a classifier; this teacher predicts values");
        }
        let (Some(train), Some(test)) = (&self.train, &self.test) else {
            bail!("--teacher needs rows: give --train and --test");
        };
        let (train, test) = (rows(&teacher, train)?, rows(&teacher, test)?);
        Ok(Sources::distill(folder, &teacher, &train, &test)?)
    }
}
