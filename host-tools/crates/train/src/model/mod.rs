//! A model: network, input scaler, and what is known about them, in one `.safetensors` file.

mod check;
mod format;
mod metadata;

use std::path::Path;

use microdistill::scaler::standardize;
use nalgebra::DMatrix;

pub use metadata::{Division, Further, Machine, Metadata, Role, Source, command_line};

use crate::dataset::{Dataset, Expected, Target};
pub use crate::dataset::{Scaler, Task};
use crate::error::{Error, Result};
use crate::file;
use crate::network::Network;
use crate::network::int8::NetworkI8;
use crate::outputs::TeacherOutputs;

/// A teacher or a student, from raw features to logits or values.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    /// Origin of the model and meaning of its numbers.
    pub metadata: Metadata,
    /// The first step of every inference.
    pub scaler: Scaler,
    /// The network.
    pub body: Body,
    /// A few raw training rows, shape (inputs × rows): the golden vectors of an export are made of them.
    pub examples: DMatrix<f32>,
}

/// The network behind the scaler.
#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    /// The network as it was trained.
    F32(Network),
    /// Several as they were trained, of one shape, whose probabilities or values are averaged: a teacher.
    Ensemble(Vec<Network>),
    /// After [`quantize`](crate::quantize::quantize).
    Int8(NetworkI8),
    /// An int8 network whose weights are stored in 4 bits.
    Int4(NetworkI8),
}

impl Model {
    /// A model trained on the raw rows `x`, shape (inputs × rows), of which it keeps a few as examples.
    pub fn new(metadata: Metadata, scaler: Scaler, body: Body, x: &DMatrix<f32>) -> Self {
        let mut examples = spread(x, EXAMPLES);
        scaler.fill_missing(&mut examples);
        Model { metadata, scaler, body, examples }
    }

    /// Reads a model file. Whatever the bytes, the result is a usable model or an error that says what is wrong.
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let bytes = std::fs::read(path).map_err(Error::io(path))?;
        Model::decode(&bytes).map_err(|message| Error::Model { path: path.into(), message })
    }

    /// The model of a file's bytes, as [`load`](Model::load) reads them.
    ///
    /// # Errors
    /// Bytes that are no usable model.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        Model::decode(bytes).map_err(Error::Invalid)
    }

    /// The bytes that [`save`](Model::save) writes.
    ///
    /// # Errors
    /// A model that [`load`](Model::load) would refuse.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        self.encode().map_err(Error::Invalid)
    }

    /// Writes the model file, whole or not at all. The same model gives the same bytes.
    ///
    /// # Errors
    /// The file system's, and a model that [`load`](Model::load) would refuse: a tensor that is not finite, for one.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let bytes = self.encode().map_err(|message| Error::Model { path: path.into(), message })?;
        file::write(path, &bytes)
    }

    /// The contents required of a data file for this model, including its target.
    pub fn expected(&self) -> Expected<'_> {
        Expected {
            features: self.features(),
            task: &self.metadata.task,
            target_optional: false,
            groups: None,
            missing: &self.metadata.missing,
        }
    }

    /// The rows that the model keeps as examples, without a target.
    pub fn example_rows(&self) -> Dataset {
        Dataset {
            features: self.features().to_vec(),
            x: self.examples.clone(),
            task: self.metadata.task.clone(),
            target: Target::Absent,
            groups: None,
            hash: self.metadata.data_hash.clone(),
            missing: self.metadata.missing.clone(),
            notes: Vec::new(),
        }
    }

    /// Names of the inputs, in order.
    pub fn features(&self) -> &[String] {
        &self.metadata.features
    }

    /// Labels in the order of the logits; none for regression.
    pub fn labels(&self) -> &[String] {
        self.metadata.task.labels()
    }

    /// Widths from input to output.
    pub fn widths(&self) -> Vec<usize> {
        match &self.body {
            Body::F32(network) => network.widths(),
            Body::Ensemble(members) => members.first().map(Network::widths).unwrap_or_default(),
            Body::Int8(network) | Body::Int4(network) => network.widths(),
        }
    }

    /// `f32`, `ensemble`, `int8` or `int4`.
    pub fn kind(&self) -> &'static str {
        match &self.body {
            Body::F32(_) => "f32",
            Body::Ensemble(_) => "ensemble",
            Body::Int8(_) => "int8",
            Body::Int4(_) => "int4",
        }
    }

    /// Number of logits, or 1.
    pub fn outputs(&self) -> usize {
        self.widths().last().copied().unwrap_or_default()
    }

    /// Number of weights and biases.
    pub fn parameters(&self) -> usize {
        match &self.body {
            Body::F32(network) => network.parameters(),
            Body::Ensemble(members) => members.iter().map(Network::parameters).sum(),
            Body::Int8(network) | Body::Int4(network) => network.parameters(),
        }
    }

    /// The network's input for raw features, shape (inputs).
    pub fn standardize(&self, raw: &[f32]) -> Vec<f32> {
        let mut x = raw.to_vec();
        standardize(&mut x, &self.scaler.mean, &self.scaler.scale);
        x
    }

    /// Logits, or a value, for raw features, shape (inputs): bit for bit what the exported model gives on a board.
    pub fn logits(&self, raw: &[f32]) -> Vec<f32> {
        let x = self.standardize(raw);
        match &self.body {
            Body::F32(network) => network.predict(&x),
            Body::Ensemble(members) => {
                self.average(members, &DMatrix::from_vec(x.len(), 1, x)).as_slice().to_vec()
            }
            Body::Int8(network) | Body::Int4(network) => network.predict(&x),
        }
    }

    /// The model's outputs for the rows of `data`, as a teacher.
    pub fn teacher_outputs(&self, data: &Dataset) -> TeacherOutputs {
        match &self.body {
            Body::Ensemble(members) => teacher_outputs(members, &self.scaler.apply(&data.x)),
            Body::F32(_) | Body::Int8(_) | Body::Int4(_) => self.predict(data).into(),
        }
    }

    /// Outputs of the middle hidden layer for every row of `data`, for
    /// [students](crate::student::fit_with_hints) of
    /// another width: shape (units × rows). None without a hidden layer, and of an ensemble or a quantized model.
    pub fn hints(&self, data: &Dataset) -> Option<DMatrix<f32>> {
        let Body::F32(network) = &self.body else { return None };
        let middle = network.layers().len().checked_sub(2)?.div_ceil(2);
        let rows = self.scaler.apply(&data.x);
        let outputs = rows.column_iter().map(|x| network.activations(x.as_slice()).swap_remove(middle));
        let outputs: Vec<f32> = outputs.flatten().collect();
        Some(DMatrix::from_vec(network.layers()[middle].outputs(), rows.ncols(), outputs))
    }

    /// [`logits`](Model::logits) for every row of `data`, which has the model's features: shape (outputs × rows).
    /// A missing value counts as the training rows' mean.
    pub fn predict(&self, data: &Dataset) -> DMatrix<f32> {
        let x = self.scaler.apply(&data.x);
        match &self.body {
            Body::F32(network) => network.predict_all(&x),
            Body::Ensemble(members) => self.average(members, &x),
            Body::Int8(network) | Body::Int4(network) => network.predict_all(&x),
        }
    }

    /// The members' joint outputs for the standardized rows `x`: shape (outputs × rows).
    fn average(&self, members: &[Network], x: &DMatrix<f32>) -> DMatrix<f32> {
        let teacher_outputs = teacher_outputs(members, x);
        match self.metadata.task {
            Task::Classification { .. } => teacher_outputs.logits(1.0).into_owned(),
            Task::Regression { .. } => teacher_outputs.values().into_owned(),
        }
    }
}

/// Each member's outputs for the standardized rows `x`.
fn teacher_outputs(members: &[Network], x: &DMatrix<f32>) -> TeacherOutputs {
    TeacherOutputs::alike(members.iter().map(|member| member.predict_all(x)))
}

/// Number of rows that become golden vectors.
const EXAMPLES: usize = 4;

/// `count` columns of `x`, evenly spaced.
fn spread(x: &DMatrix<f32>, count: usize) -> DMatrix<f32> {
    let count = count.min(x.ncols());
    DMatrix::from_fn(x.nrows(), count, |row, column| x[(row, column * x.ncols() / count)])
}
