//! Format of a model file: safetensors, with everything other than tensors as JSON in one metadata key.
//!
//! | tensor | type | shape |
//! |---|---|---|
//! | `scaler.mean`, `scaler.scale` | F32 | (features) |
//! | `knots.values`, `knots.starts`, `knots.mean` (piecewise-linear inputs, instead of a scaler) | F32, I32, F32 | (knots of all features), (features): index of the first knot, (features) |
//! | `examples` | F32 | (rows, features) |
//! | `layers.N.weights` | F32 or I8 | (outputs, inputs); (outputs, knots) for a piecewise-linear first layer |
//! | `layers.N.bias` | F32 or I32 | (outputs) |
//! | `members.K.layers.N.…` (ensemble) | F32 | as above, for each member |
//! | `members.K.…` (blend) | | see [`blend`] |
//! | `layers.N.weight_scale` (int8, int4) | F32 | (outputs) or (1) |
//! | `layers.N.group_scale` (int4) | U8 | (outputs, groups of 32 inputs), or (outputs, 0) without groups; weights are multiples of them |
//! | `activations.scale`, `activations.zero` (int8, int4) | F32, I8 | (1 + layers): the input, then the output of each layer |
//! | `values.lowest`, `values.scale` (int8, int4, of values that do not share one scale with an exact zero) | F32 | (outputs): value of the code −128, size of one code |
//! | `sums.scale`, `sums.zero` (int8, int4, if the activation is a lookup table) | F32, I8 | (layers − 1): the input of each table |

mod blend;

use std::collections::HashMap;

use nalgebra::DMatrix;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use serde::{Deserialize, Serialize};

use super::{Body, Knots, Metadata, Model, Preparation, Scaler};
use crate::network::int8::{Codes, DenseI8, NetworkI8, Table, Values};
use crate::network::{Activation, Dense, Network};

/// The only metadata key. The crate stores keys in a hash map, so several keys would be written in random order.
const KEY: &str = "microdistill";
const VERSION: u32 = 1;

/// Read first, so that a newer file can be told apart from a damaged one.
#[derive(Deserialize)]
struct Version {
    version: u32,
}

#[derive(Serialize, Deserialize)]
struct Header {
    version: u32,
    numbers: Numbers,
    activations: Vec<Activation>,
    /// Number of members of an ensemble.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    members: Option<usize>,
    /// Members of a blend.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    blend: Option<Vec<blend::Kind>>,
    metadata: Metadata,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Numbers {
    F32,
    Ensemble,
    Blend,
    Int8,
    Int4,
}

impl Model {
    /// Returns the bytes of the model file.
    pub(super) fn encode(&self) -> Result<Vec<u8>, String> {
        self.check()?;
        let mut tensors = Tensors::default();
        tensors.add_preparation(&self.preparation);
        // nalgebra is column-major, so a column of the matrix is a row of the tensor.
        let shape = vec![self.examples.ncols(), self.examples.nrows()];
        tensors.add("examples", shape, self.examples.as_slice());
        let (numbers, activations) = match &self.body {
            Body::F32(network) => {
                tensors.add_network(network, "");
                (Numbers::F32, activations(network))
            }
            Body::Ensemble(members) => {
                for (index, network) in members.iter().enumerate() {
                    tensors.add_network(network, &member_prefix(index));
                }
                (Numbers::Ensemble, members.first().map(activations).unwrap_or_default())
            }
            Body::Blend(blend) => {
                tensors.add_blend(blend);
                (Numbers::Blend, Vec::new())
            }
            Body::Int8(network) => {
                tensors.add_network_i8(network);
                (Numbers::Int8, network.layers.iter().map(|layer| layer.activation).collect())
            }
            Body::Int4(network) => {
                tensors.add_network_i8(network);
                tensors.add_group_scales(network);
                (Numbers::Int4, network.layers.iter().map(|layer| layer.activation).collect())
            }
        };
        let mut metadata = self.metadata.clone();
        metadata.scores.retain(|_, score| score.is_finite());
        let members = match &self.body {
            Body::Ensemble(members) => Some(members.len()),
            Body::F32(_) | Body::Blend(_) | Body::Int8(_) | Body::Int4(_) => None,
        };
        let blend = match &self.body {
            Body::Blend(blend) => Some(blend.members.iter().map(blend::Kind::of).collect()),
            Body::F32(_) | Body::Ensemble(_) | Body::Int8(_) | Body::Int4(_) => None,
        };
        tensors.finish(&Header { version: VERSION, numbers, activations, members, blend, metadata })
    }

    /// Reads a model from the bytes of its file.
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, String> {
        let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(|error| {
            format!(
                "not a safetensors file, or a damaged one: {error}; name a model file that this program wrote"
            )
        })?;
        let foreign =
            "a safetensors file, but not a model of microdistill: name a file that this program wrote";
        let json = metadata.metadata().as_ref().and_then(|map| map.get(KEY)).ok_or(foreign)?;
        let broken = |error| format!("the metadata is damaged: {error}; make the model again");
        let Version { version } = serde_json::from_str(json).map_err(broken)?;
        if version != VERSION {
            return Err(format!(
                "format version {version}, but this program reads {VERSION}: use the program version that wrote it"
            ));
        }
        let header: Header = serde_json::from_str(json).map_err(broken)?;
        let tensors = SafeTensors::deserialize(bytes)
            .map_err(|error| format!("the file is damaged: {error}; was it copied whole?"))?;
        let mut tensors = Reader { tensors, read: 0 };
        let preparation = tensors.preparation()?;
        let inputs = preparation.knots().map(|knots| knots.starts.len());
        let table = preparation.knots().map(Knots::table);
        let ([rows, features], examples) = tensors.array("examples")?;
        let body = match header.numbers {
            Numbers::F32 => Body::F32(tensors.network("", &header.activations, inputs)?),
            Numbers::Ensemble => {
                let members = 0..header.members.unwrap_or_default();
                let member = |index| tensors.network(&member_prefix(index), &header.activations, inputs);
                Body::Ensemble(members.map(member).collect::<Result<_, _>>()?)
            }
            Numbers::Blend => Body::Blend(tensors.blend(header.blend.unwrap_or_default(), features)?),
            Numbers::Int8 => Body::Int8(tensors.network_i8(&header.activations, table)?),
            Numbers::Int4 => {
                let mut network = tensors.network_i8(&header.activations, table)?;
                tensors.group_scales(&mut network)?;
                Body::Int4(network)
            }
        };
        tensors.finish()?;
        let model = Model {
            metadata: header.metadata,
            preparation,
            body,
            examples: DMatrix::from_vec(features, rows, examples),
        };
        model.check()?;
        Ok(model)
    }
}

/// Names of the tensors of [`Knots`].
pub(super) const KNOTS: [&str; 3] = ["knots.values", "knots.starts", "knots.mean"];

/// Names of the tensors of [`Values`].
const VALUES: [&str; 2] = ["values.lowest", "values.scale"];

/// Prefix of the tensor names of a member.
pub(super) fn member_prefix(index: usize) -> String {
    format!("members.{index}.")
}

/// Prefix of the tensor names of a network of a member.
pub(super) fn network_prefix(member: &str, index: usize) -> String {
    format!("{member}networks.{index}.")
}

fn activations(network: &Network) -> Vec<Activation> {
    network.layers().iter().map(|layer| layer.activation).collect()
}

/// Element type of tensors.
trait Number: Copy {
    const TYPE: Dtype;
    fn write(self, bytes: &mut Vec<u8>);
    fn read(bytes: &[u8]) -> Vec<Self>;
}

macro_rules! number {
    ($($number:ty: $dtype:ident),+) => { $(
        impl Number for $number {
            const TYPE: Dtype = Dtype::$dtype;
            fn write(self, bytes: &mut Vec<u8>) {
                bytes.extend(self.to_le_bytes());
            }
            fn read(bytes: &[u8]) -> Vec<Self> {
                bytes.as_chunks().0.iter().copied().map(Self::from_le_bytes).collect()
            }
        }
    )+ };
}
number!(f32: F32, i32: I32, i8: I8, u8: U8);

/// Tensors to be written to a file.
#[derive(Default)]
struct Tensors(Vec<(String, Dtype, Vec<usize>, Vec<u8>)>);

impl Tensors {
    fn add<T: Number>(&mut self, name: impl Into<String>, shape: Vec<usize>, values: &[T]) {
        let mut bytes = Vec::with_capacity(size_of_val(values));
        values.iter().for_each(|value| value.write(&mut bytes));
        self.0.push((name.into(), T::TYPE, shape, bytes));
    }

    fn add_layer<W: Number, B: Number>(&mut self, prefix: &str, index: usize, weights: &[W], bias: &[B]) {
        let shape = vec![bias.len(), weights.len() / bias.len()];
        self.add(format!("{prefix}layers.{index}.weights"), shape, weights);
        self.add(format!("{prefix}layers.{index}.bias"), vec![bias.len()], bias);
    }

    fn add_preparation(&mut self, preparation: &Preparation) {
        match preparation {
            Preparation::Scaler(Scaler { mean, scale }) => {
                self.add("scaler.mean", vec![mean.len()], mean);
                self.add("scaler.scale", vec![scale.len()], scale);
            }
            Preparation::Knots(Knots { knots, starts, mean }) => {
                let starts: Vec<i32> = starts.iter().copied().map(i32::from).collect();
                self.add(KNOTS[0], vec![knots.len()], knots);
                self.add(KNOTS[1], vec![starts.len()], &starts);
                self.add(KNOTS[2], vec![mean.len()], mean);
            }
        }
    }

    fn add_network(&mut self, network: &Network, prefix: &str) {
        for (index, layer) in network.layers().iter().enumerate() {
            self.add_layer(prefix, index, &layer.weights(), &layer.bias);
        }
    }

    fn add_network_i8(&mut self, network: &NetworkI8) {
        let mut codes = vec![network.input];
        for (index, layer) in network.layers.iter().enumerate() {
            self.add_layer("", index, &layer.weights, &layer.bias);
            let scales = &layer.weight_scales;
            self.add(format!("layers.{index}.weight_scale"), vec![scales.len()], scales);
            codes.push(layer.output);
        }
        self.add_codes("activations", codes);
        let sums: Vec<Codes> = network.layers.iter().filter_map(|layer| layer.sums).collect();
        if !sums.is_empty() {
            self.add_codes("sums", sums);
        }
        if let Some(Values { lowest, scale }) = &network.values {
            self.add(VALUES[0], vec![lowest.len()], lowest);
            self.add(VALUES[1], vec![scale.len()], scale);
        }
    }

    fn add_codes(&mut self, name: &str, codes: Vec<Codes>) {
        let (scales, zeros): (Vec<f32>, Vec<i8>) =
            codes.iter().map(|codes| (codes.scale, codes.zero)).unzip();
        self.add(format!("{name}.scale"), vec![scales.len()], &scales);
        self.add(format!("{name}.zero"), vec![zeros.len()], &zeros);
    }

    fn add_group_scales(&mut self, network: &NetworkI8) {
        for (index, layer) in network.layers.iter().enumerate() {
            let (outputs, scales) = (layer.outputs(), &layer.group_scales);
            self.add(format!("layers.{index}.group_scale"), vec![outputs, scales.len() / outputs], scales);
        }
    }

    fn finish(self, header: &Header) -> Result<Vec<u8>, String> {
        let json = serde_json::to_string(header).map_err(|error| error.to_string())?;
        let views = self
            .0
            .iter()
            .map(|(name, dtype, shape, bytes)| Ok((name, TensorView::new(*dtype, shape.clone(), bytes)?)));
        let bytes = views
            .collect::<Result<Vec<_>, safetensors::SafeTensorError>>()
            .and_then(|views| safetensors::serialize(views, Some(HashMap::from([(KEY.into(), json)]))));
        bytes.map_err(|error| error.to_string())
    }
}

/// Tensors read from a file, by name.
struct Reader<'a> {
    tensors: SafeTensors<'a>,
    read: usize,
}

impl Reader<'_> {
    fn array<T: Number, const RANK: usize>(&mut self, name: &str) -> Result<([usize; RANK], Vec<T>), String> {
        let tensor = self.tensors.tensor(name).map_err(|_| format!("the tensor {name} is missing"))?;
        if tensor.dtype() != T::TYPE {
            return Err(format!("the tensor {name} is {}, expected {}", tensor.dtype(), T::TYPE));
        }
        let shape = tensor.shape();
        let Ok(shape) = shape.try_into() else {
            return Err(format!("the tensor {name} has the shape {shape:?}, expected {RANK} dimensions"));
        };
        self.read += 1;
        Ok((shape, T::read(tensor.data())))
    }

    fn vector<T: Number>(&mut self, name: &str) -> Result<Vec<T>, String> {
        let ([_], values) = self.array(name)?;
        Ok(values)
    }

    /// Reads the weights, shape (outputs, inputs), and the bias, shape (outputs), of a layer.
    fn layer<W: Number, B: Number>(
        &mut self,
        prefix: &str,
        index: usize,
    ) -> Result<(Vec<W>, Vec<B>), String> {
        let ([outputs, inputs], weights) = self.array(&format!("{prefix}layers.{index}.weights"))?;
        let bias = self.vector(&format!("{prefix}layers.{index}.bias"))?;
        if bias.len() != outputs {
            let values = bias.len();
            return Err(format!(
                "{prefix}layers.{index}.bias has {values} values, but {prefix}layers.{index}.weights has the shape \
                 ({outputs}, {inputs})"
            ));
        }
        Ok((weights, bias))
    }

    fn has(&self, name: &str) -> bool {
        self.tensors.tensor(name).is_ok()
    }

    fn preparation(&mut self) -> Result<Preparation, String> {
        if !self.has(KNOTS[0]) {
            let mean = self.vector("scaler.mean")?;
            return Ok(Scaler { mean, scale: self.vector("scaler.scale")? }.into());
        }
        let (knots, mean) = (self.vector(KNOTS[0])?, self.vector(KNOTS[2])?);
        let starts = self.vector(KNOTS[1])?.into_iter().map(|start: i32| start.try_into());
        let starts = starts
            .collect::<Result<_, _>>()
            .map_err(|_| format!("{} holds a number that is no index of a knot", KNOTS[1]))?;
        Ok(Knots { knots, starts, mean }.into())
    }

    /// Reads an f32 network. `piecewise`: number of inputs, if its first layer is piecewise linear.
    fn network(
        &mut self,
        prefix: &str,
        activations: &[Activation],
        piecewise: Option<usize>,
    ) -> Result<Network, String> {
        let layer = |(index, &activation)| {
            let (weights, bias) = self.layer(prefix, index)?;
            let Some(inputs) = piecewise.filter(|_| index == 0) else {
                return Ok(Dense::new(weights, bias, activation));
            };
            let table = vec![0.0; weights.len()];
            let mut layer = Dense::piecewise_linear(inputs, table, bias, activation);
            layer.set_weights(&weights);
            Ok(layer)
        };
        Ok(Network::new(activations.iter().enumerate().map(layer).collect::<Result<Vec<_>, String>>()?))
    }

    /// Reads `wanted` quantization parameters from the tensors `name.scale` and `name.zero`.
    fn codes(&mut self, name: &str, wanted: usize) -> Result<Vec<Codes>, String> {
        let scales = self.vector(&format!("{name}.scale"))?;
        let zeros = self.vector(&format!("{name}.zero"))?;
        if scales.len() != wanted || zeros.len() != wanted {
            return Err(format!("{name}.scale and {name}.zero need {wanted} values each"));
        }
        Ok(scales.into_iter().zip(zeros).map(|(scale, zero)| Codes { scale, zero }).collect())
    }

    fn network_i8(&mut self, activations: &[Activation], table: Option<Table>) -> Result<NetworkI8, String> {
        let mut codes = self.codes("activations", 1 + activations.len())?.into_iter();
        let input = codes.next().ok_or("activations.scale is empty")?;
        let tables = activations.iter().filter(|activation| activation.is_curved()).count();
        let mut sums = if tables > 0 { self.codes("sums", tables)? } else { Vec::new() }.into_iter();
        let layer = |(index, (&activation, output)): (usize, (&Activation, Codes))| {
            let (weights, bias) = self.layer("", index)?;
            let weight_scales = self.vector(&format!("layers.{index}.weight_scale"))?;
            let sums = if activation.is_curved() { sums.next() } else { None };
            let group_scales = Vec::new();
            Ok(DenseI8 { weights, group_scales, bias, weight_scales, activation, sums, output })
        };
        let layers = activations.iter().zip(codes).enumerate().map(layer).collect::<Result<_, String>>()?;
        Ok(NetworkI8 { input, table, layers, values: self.values()? })
    }

    /// Reads the ranges of values, if the file has any.
    fn values(&mut self) -> Result<Option<Values>, String> {
        if !VALUES.iter().any(|name| self.has(name)) {
            return Ok(None);
        }
        Ok(Some(Values { lowest: self.vector(VALUES[0])?, scale: self.vector(VALUES[1])? }))
    }

    fn group_scales(&mut self, network: &mut NetworkI8) -> Result<(), String> {
        for (index, layer) in network.layers.iter_mut().enumerate() {
            let ([_, _], scales) = self.array(&format!("layers.{index}.group_scale"))?;
            layer.group_scales = scales;
        }
        Ok(())
    }

    /// Checks that every tensor was read, because a file with ignored tensors would be a model read only in part.
    fn finish(self) -> Result<(), String> {
        match self.tensors.len() - self.read {
            0 => Ok(()),
            more => Err(format!("{more} tensors more than the network of this file has")),
        }
    }
}
