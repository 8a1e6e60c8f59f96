//! The desktop's half of microdistill: from a CSV file to a student as Rust consts. The command line `microdistill` is made
//! of this library, one file a verb.
//!
//! ```text
//! dataset → teacher → distill → student → quantize → export → firmware (infer · distill on the device)
//! ```
//!
//! ```
//! use std::ops::ControlFlow;
//!
//! use microdistill::loss::SoftLabels;
//! use microdistill_train::dataset::{Columns, read, read_like};
//! use microdistill_train::export::export;
//! use microdistill_train::metrics::evaluate;
//! use microdistill_train::network::precision::Precision;
//! use microdistill_train::quantize::quantize;
//! use microdistill_train::student::{self, Recipe, Taught};
//! use microdistill_train::teacher;
//!
//! # fn main() -> microdistill_train::error::Result<()> {
//! # let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../examples/data/watch_small");
//! let columns = Columns { groups: Some("person".into()), ..Columns::default() };
//! let train = read(format!("{folder}/train.csv"), &columns)?;
//! let test = read_like(format!("{folder}/test.csv"), train.expected())?;
//!
//! let mut settings = teacher::Settings::new(train.widths(&[128, 128]), train.rows(), 1);
//! settings.rates.weight_decay = 2.0;
//! # settings.epochs = 2;
//! let teacher = teacher::fit(&train, None, &settings, &mut |_| ControlFlow::Continue(()))?;
//!
//! let recipe = Recipe::SoftLabels(SoftLabels::DEFAULT);
//! let settings = student::Settings::new(train.widths(&[16]), recipe, train.rows(), 1);
//! # let settings = student::Settings { epochs: 10, ..settings };
//! let rows = Taught { data: &train, teacher: Some(&teacher.answers(&train)) };
//! let student = student::fit(rows, None, &settings, &mut |_| ControlFlow::Continue(()))?;
//!
//! let int8 = quantize(&student, &train.x, Precision::default())?;
//! assert!(evaluate(&int8, &test)?.loss() < 1.5);
//! let model_rs = export(&int8, "STUDENT", "the command that made it")?;
//! # assert!(model_rs.contains("pub static STUDENT"));
//! # Ok(())
//! # }
//! ```
//!
//! [`study`] compares recipes fairly on your data, [`search`] finds the best student within a budget, [`import`] reads back
//! what a device learned, and [`board`] builds, runs and measures firmware.

pub mod class_weights;
pub mod dataset;
pub mod error;
pub mod export;
pub mod file;
mod hyperparameters;
pub mod import;
pub mod metrics;
pub mod model;
pub mod network;
pub mod outputs;
pub mod progress;
pub mod quantize;
pub mod random;
pub mod student;
pub mod synthetic;
pub mod teacher;
pub mod tune;
