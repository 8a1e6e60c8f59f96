//! Models: a network, its input scaler and metadata, in one `.safetensors` file.

mod check;
mod format;
mod metadata;

use std::path::Path;

use nalgebra::DMatrix;

pub use metadata::{Division, Further, Machine, Metadata, Recipe, Role, Source, command_line};

use crate::blend::Blend;
use crate::dataset::{Dataset, Expected, Target};
pub use crate::dataset::{Knots, Preparation, Scaler, Task};
use crate::error::{Error, Result};
use crate::file;
use crate::network::Network;
use crate::network::int8::NetworkI8;
use crate::outputs::TeacherOutputs;
use crate::table::Options;

/// A teacher or a student that maps raw features to logits or values.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    /// Origin of the model and meaning of its numbers.
    pub metadata: Metadata,
    /// First step of every inference: a scaler of the raw features, or knots.
    pub preparation: Preparation,
    /// The network.
    pub body: Body,
    /// A few raw training rows, shape (inputs × rows). An export makes its golden vectors from them.
    pub examples: DMatrix<f32>,
}

/// Network of a model, in one of several precisions.
#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    /// A trained f32 network.
    F32(Network),
    /// Several trained f32 networks of the same shape, whose probabilities or values are averaged. Used as a teacher.
    Ensemble(Vec<Network>),
    /// Models of different kinds, whose probabilities or values are averaged. Used as a teacher.
    Blend(Blend),
    /// An int8 network, made by [`quantize`](crate::quantize::quantize).
    Int8(NetworkI8),
    /// An int8 network whose weights are stored in 4 bits.
    Int4(NetworkI8),
}

impl Model {
    /// Creates a model trained on the raw rows `x`, shape (inputs × rows), of which it keeps a few as examples.
    pub fn new(
        metadata: Metadata,
        preparation: impl Into<Preparation>,
        body: Body,
        x: &DMatrix<f32>,
    ) -> Self {
        let preparation = preparation.into();
        let mut examples = spread(x, EXAMPLES);
        preparation.fill_missing(&mut examples);
        Model { metadata, preparation, body, examples }
    }

    /// Reads a model file.
    ///
    /// # Errors
    /// Fails if the file cannot be read, or if it holds no usable model. The message names the tensor at fault.
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let bytes = std::fs::read(path).map_err(Error::io(path))?;
        Model::decode(&bytes).map_err(|message| Error::Model { path: path.into(), message })
    }

    /// Reads a model from the bytes of a file, as [`load`](Model::load) does.
    ///
    /// # Errors
    /// Fails if the bytes hold no usable model.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        Model::decode(bytes).map_err(Error::Invalid)
    }

    /// Returns the bytes that [`save`](Model::save) writes.
    ///
    /// # Errors
    /// Fails if [`load`](Model::load) would refuse the model.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        self.encode().map_err(Error::Invalid)
    }

    /// Writes the model file atomically. The same model gives the same bytes.
    ///
    /// # Errors
    /// Fails if the file cannot be written, or if [`load`](Model::load) would refuse the model, for example because a
    /// weight is not finite.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let bytes = self.encode().map_err(|message| Error::Model { path: path.into(), message })?;
        file::write(path, &bytes)
    }

    /// Returns the contents that a data file for this model must have, including the target.
    pub fn expected(&self) -> Expected<'_> {
        Expected {
            features: self.features(),
            origin: &self.metadata.origin,
            task: &self.metadata.task,
            target_origin: &self.metadata.target_origin,
            target_optional: false,
            groups_optional: false,
            groups: None,
            key: None,
            options: self.options(),
        }
    }

    /// Returns how a file must be read for this model, as far as the model knows.
    fn options(&self) -> Options {
        Options { missing: self.metadata.missing.clone(), ..Options::default() }
    }

    /// Returns the example rows of the model, without a target.
    pub fn example_rows(&self) -> Dataset {
        Dataset {
            features: self.features().to_vec(),
            x: self.examples.clone(),
            task: self.metadata.task.clone(),
            target: Target::Absent,
            origin: self.metadata.origin.clone(),
            target_origin: self.metadata.target_origin.clone(),
            left_out: Vec::new(),
            keys: None,
            groups: None,
            hash: self.metadata.data_hash.clone(),
            options: self.options(),
            notes: Vec::new(),
        }
    }

    /// Returns the names of the inputs, in order.
    pub fn features(&self) -> &[String] {
        &self.metadata.features
    }

    /// Returns the labels in the order of the logits; empty for regression.
    pub fn labels(&self) -> &[String] {
        self.metadata.task.labels()
    }

    /// Returns the layer widths from input to output. A blend, which has no layers, has these two only.
    pub fn widths(&self) -> Vec<usize> {
        match &self.body {
            Body::F32(network) => network.widths(),
            Body::Ensemble(members) => members.first().map(Network::widths).unwrap_or_default(),
            Body::Blend(blend) => vec![self.features().len(), blend.outputs()],
            Body::Int8(network) | Body::Int4(network) => network.widths(),
        }
    }

    /// Returns the kind of network: `f32`, `ensemble`, `blend`, `int8` or `int4`.
    pub fn kind(&self) -> &'static str {
        match &self.body {
            Body::F32(_) => "f32",
            Body::Ensemble(_) => "ensemble",
            Body::Blend(_) => "blend",
            Body::Int8(_) => "int8",
            Body::Int4(_) => "int4",
        }
    }

    /// Returns the number of outputs: logits, or values.
    pub fn outputs(&self) -> usize {
        self.widths().last().copied().unwrap_or_default()
    }

    /// Returns the number of weights and biases; for a blend, of all stored numbers.
    pub fn parameters(&self) -> usize {
        match &self.body {
            Body::F32(network) => network.parameters(),
            Body::Ensemble(members) => members.iter().map(Network::parameters).sum(),
            Body::Blend(blend) => blend.parameters(),
            Body::Int8(network) | Body::Int4(network) => network.parameters(),
        }
    }

    /// Prepares raw features, shape (inputs): the input of the network.
    pub fn prepare(&self, raw: &[f32]) -> Vec<f32> {
        self.preparation.apply_row(raw)
    }

    /// Returns the logits, or the values, for raw features, shape (inputs). The exported model gives the same bits on
    /// a board.
    pub fn logits(&self, raw: &[f32]) -> Vec<f32> {
        let x = self.prepare(raw);
        match &self.body {
            Body::F32(network) => network.predict(&x),
            Body::Ensemble(members) => {
                self.average(members, &DMatrix::from_vec(x.len(), 1, x)).as_slice().to_vec()
            }
            Body::Blend(blend) => blend.predict_all(&DMatrix::from_vec(x.len(), 1, x)).as_slice().to_vec(),
            Body::Int8(network) | Body::Int4(network) => network.predict(&x),
        }
    }

    /// Returns the model's outputs for the rows of `data`, for use as teacher outputs.
    pub fn teacher_outputs(&self, data: &Dataset) -> TeacherOutputs {
        match &self.body {
            Body::Ensemble(members) => teacher_outputs(members, &self.preparation.apply(&data.x)),
            Body::F32(_) | Body::Blend(_) | Body::Int8(_) | Body::Int4(_) => self.predict(data).into(),
        }
    }

    /// Returns the outputs of the middle hidden layer for every row of `data`, shape (units × rows), as hints for
    /// [students](crate::student::fit_with_hints) of another width. None for a network without a hidden layer, an
    /// ensemble, a blend or a quantized model.
    pub fn hints(&self, data: &Dataset) -> Option<DMatrix<f32>> {
        let Body::F32(network) = &self.body else { return None };
        let middle = network.layers().len().checked_sub(2)?.div_ceil(2);
        let rows = self.preparation.apply(&data.x);
        let outputs = rows.column_iter().map(|x| network.activations(x.as_slice()).swap_remove(middle));
        let outputs: Vec<f32> = outputs.flatten().collect();
        Some(DMatrix::from_vec(network.layers()[middle].outputs(), rows.ncols(), outputs))
    }

    /// Returns the [`logits`](Model::logits) for every row of `data`, shape (outputs × rows). `data` must have the
    /// model's features. A missing value is replaced with the mean of the training rows.
    pub fn predict(&self, data: &Dataset) -> DMatrix<f32> {
        let x = self.preparation.apply(&data.x);
        match &self.body {
            Body::F32(network) => network.predict_all(&x),
            Body::Ensemble(members) => self.average(members, &x),
            Body::Blend(blend) => blend.predict_all(&x),
            Body::Int8(network) | Body::Int4(network) => network.predict_all(&x),
        }
    }

    /// Returns the joint outputs of an ensemble for the standardized rows `x`, shape (outputs × rows).
    fn average(&self, members: &[Network], x: &DMatrix<f32>) -> DMatrix<f32> {
        let teacher_outputs = teacher_outputs(members, x);
        match self.metadata.task {
            Task::Classification { .. } => teacher_outputs.logits(1.0).into_owned(),
            Task::Regression { .. } => teacher_outputs.values().into_owned(),
        }
    }
}

/// Returns the outputs of each member for the standardized rows `x`.
fn teacher_outputs(members: &[Network], x: &DMatrix<f32>) -> TeacherOutputs {
    TeacherOutputs::alike(members.iter().map(|member| member.predict_all(x)))
}

/// Number of example rows, which become golden vectors.
const EXAMPLES: usize = 4;

/// Selects `count` columns of `x`, evenly spaced.
fn spread(x: &DMatrix<f32>, count: usize) -> DMatrix<f32> {
    let count = count.min(x.ncols());
    DMatrix::from_fn(x.nrows(), count, |row, column| x[(row, column * x.ncols() / count)])
}
