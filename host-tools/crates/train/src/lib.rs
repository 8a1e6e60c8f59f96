//! The training library of microdistill: from a CSV file to a student as Rust consts.
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
//! # let settings = { let mut settings = settings; settings.training.epochs = 10; settings };
//! let rows = Taught { data: &train, teacher: Some(&teacher.teacher_outputs(&train)) };
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
//! The pieces, in the order of the arrow:
//!
//! - [`dataset`] reads CSV files, and divides rows so that no group is on both sides.
//! - [`teacher`] trains accurate networks, batch by batch, as fast as the desktop can.
//! - [`outputs`] are a teacher's logits or values for rows; several teachers are averaged there.
//! - [`student`] trains small networks through the kernels of the device, on labels or on a teacher's outputs.
//!   [`synthetic`] makes more rows for it, and [`tune`] chooses a weight decay by cross-validation.
//! - [`mod@quantize`] rounds a student to int8 or int4. [`model`] is the file that holds any of these networks.
//! - [`mod@export`] writes a model as Rust consts; [`export::build`] does so in a `build.rs`.
//! - [`import`](mod@import) reads back the parameters that a device learned.
//!
//! This crate has no dependency that only plots, serial lines or terminals need, so a firmware that exports its model in
//! a `build.rs` compiles little. The crate `microdistill-study` compares recipes and searches for students,
//! `microdistill-boards` builds, runs and measures firmware, and `microdistill-host-tools` is the command line over all three.

pub mod class_weights;
pub mod dataset;
mod early_stopping;
pub mod error;
pub mod export;
pub mod file;
pub mod hyperparameters;
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
pub mod table;
pub mod teacher;
pub mod tune;

/// The dozen names that most programs need.
///
/// ```
/// use microdistill_train::prelude::*;
/// ```
pub mod prelude {
    pub use crate::dataset::{Columns, Dataset, read, read_like, split};
    pub use crate::error::{Error, Result};
    pub use crate::export::export;
    pub use crate::metrics::{Scores, evaluate};
    pub use crate::model::Model;
    pub use crate::network::precision::Precision;
    pub use crate::quantize::quantize;
    pub use crate::student::{self, Recipe, Taught};
    pub use crate::teacher;
}
