//! Training library of microdistill: from a data file to a small network as Rust constants.
//!
//! A microcontroller has room for a network of a few kilobytes. Trained on labels alone, such a network is often
//! accurate but overconfident. *Distillation* trains it on the outputs of a large network instead: the *teacher*,
//! which runs on the desktop, also tells how likely each other class is. The small *student* is then quantized and
//! exported, and firmware runs it with the crate [`microdistill`].
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
//! # settings.length = microdistill_train::hyperparameters::Length::Epochs(2);
//! let teacher = teacher::fit(&train, None, &settings, &mut |_| ControlFlow::Continue(()))?;
//!
//! let recipe = Recipe::SoftLabels(SoftLabels::DEFAULT);
//! let settings = student::Settings::new(train.widths(&[16]), recipe, train.rows(), 1);
//! # let settings = { let mut settings = settings; settings.training.length = microdistill_train::hyperparameters::Length::Epochs(10); settings };
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
//! The example reads data, trains a teacher, distills a student, quantizes it to int8, scores it on held-out rows and
//! exports it. Its steps are the modules of this crate:
//!
//! - [`dataset`] reads data files and divides their rows so that no group, such as a person, is in two parts.
//! - [`teacher`] trains accurate networks in batches, as fast as the desktop can. [`tune`] chooses the weight decay by
//!   cross-validation.
//! - [`blend`] is a teacher of several kinds of models, which [`teacher::zoo`] trains and weighs.
//! - [`distill`] chooses, on held-out rows, what a student learns from, the form of its inputs and its weight decay.
//! - [`outputs`] holds the logits or values of teachers for the rows of a data set, and averages several teachers.
//! - [`student`] trains small networks with the kernels of the device, on labels or on teacher outputs. [`synthetic`]
//!   generates additional rows for it.
//! - [`mod@quantize`] rounds a student to int8 or int4. [`model`] defines the file that holds any of these networks.
//! - [`metrics`] scores a model on rows it has not seen.
//! - [`mod@export`] writes a model as Rust constants; [`export::build`] does so in a `build.rs`.
//! - [`import`](mod@import) reads back the parameters that a device learned, and [`foreign`] reads models of other tools.
//!
//! Results are reproducible: the same rows, teacher outputs and seed give the same student, bit for bit, on every
//! machine. Networks trained in batches, which are teachers and the generators VAE and GAN, repeat only on the same
//! kind of CPU.
//!
//! This crate has none of the dependencies that plots, serial lines and terminals need, so a firmware that exports
//! its model in a `build.rs` compiles few crates. The crate `microdistill-study` compares recipes and searches for
//! students, `microdistill-boards` builds, runs and measures firmware, and `microdistill-host-tools` is the command
//! line for all three.

pub mod blend;
pub mod class_weights;
pub mod dataset;
pub mod distill;
mod early_stopping;
pub mod effort;
pub mod error;
pub mod export;
pub mod file;
pub mod foreign;
pub mod hyperparameters;
pub mod import;
pub mod metrics;
pub mod model;
pub mod network;
pub mod number;
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
