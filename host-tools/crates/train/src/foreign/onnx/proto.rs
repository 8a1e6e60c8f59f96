//! The messages of an ONNX file that are needed.

use super::tensors::{self, External};
use super::wire::{Wire, fields};
use crate::foreign::tensor::Tensor;

/// `ModelProto`
#[derive(Debug, Default)]
pub(super) struct Model {
    pub(super) graph: Option<Graph>,
    /// Domains and versions of the operators.
    pub(super) opsets: Vec<(String, i64)>,
    pub(super) producer: String,
}

/// `GraphProto`
#[derive(Debug, Default)]
pub(super) struct Graph {
    pub(super) nodes: Vec<Node>,
    pub(super) initializers: Vec<Stored>,
    pub(super) inputs: Vec<Value>,
    pub(super) outputs: Vec<Value>,
    pub(super) has_sparse: bool,
}

/// `NodeProto`
#[derive(Debug, Default)]
pub(super) struct Node {
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) domain: String,
    pub(super) inputs: Vec<String>,
    pub(super) outputs: Vec<String>,
    pub(super) attributes: Vec<Attribute>,
}

/// `AttributeProto`
#[derive(Debug, Default)]
pub(super) struct Attribute {
    pub(super) name: String,
    pub(super) float: Option<f64>,
    pub(super) integer: Option<i64>,
    pub(super) text: Option<String>,
    pub(super) tensor: Option<Stored>,
    pub(super) floats: Vec<f64>,
    pub(super) integers: Vec<i64>,
    pub(super) texts: Vec<String>,
}

/// `TensorProto`
#[derive(Clone, Debug)]
pub(super) struct Stored {
    pub(super) name: String,
    /// Code of the type of the elements.
    pub(super) kind: i64,
    pub(super) contents: Contents,
}

/// Elements of a tensor.
#[derive(Clone, Debug)]
pub(super) enum Contents {
    Numbers(Tensor),
    Texts(Vec<String>),
    /// Elements in a file of their own.
    External(External),
}

/// `ValueInfoProto`
#[derive(Debug, Default)]
pub(super) struct Value {
    pub(super) name: String,
    /// Code of the type of the elements; 0 for a sequence or a map.
    pub(super) kind: i64,
    /// Lengths of the dimensions, if they are known; −1 for one that is not.
    pub(super) dims: Option<Vec<i64>>,
}

const DAMAGED: &str = "a field has another type than ONNX defines: the file is damaged, or is no ONNX file";

/// Reads every field of a message with `read`, which returns none for a field of a wrong type.
fn each<'a>(
    bytes: &'a [u8],
    mut read: impl FnMut(u64, Wire<'a>) -> Result<Option<()>, String>,
) -> Result<(), String> {
    for field in fields(bytes) {
        let (number, value) = field?;
        read(number, value)?.ok_or(DAMAGED)?;
    }
    Ok(())
}

/// Reads a message of a field.
fn nested<T>(value: Wire<'_>, read: impl FnOnce(&[u8]) -> Result<T, String>) -> Result<T, String> {
    read(value.bytes().ok_or(DAMAGED)?)
}

pub(super) fn model(bytes: &[u8]) -> Result<Model, String> {
    let mut model = Model::default();
    each(bytes, |number, value| {
        Ok(match number {
            2 => value.text().map(|text| model.producer = text),
            7 => {
                model.graph = Some(nested(value, graph)?);
                Some(())
            }
            8 => {
                model.opsets.push(nested(value, opset)?);
                Some(())
            }
            _ => Some(()),
        })
    })?;
    Ok(model)
}

fn opset(bytes: &[u8]) -> Result<(String, i64), String> {
    let mut opset = (String::new(), 0);
    each(bytes, |number, value| {
        Ok(match number {
            1 => value.text().map(|text| opset.0 = text),
            2 => value.integer().map(|version| opset.1 = version),
            _ => Some(()),
        })
    })?;
    Ok(opset)
}

fn graph(bytes: &[u8]) -> Result<Graph, String> {
    let mut graph = Graph::default();
    each(bytes, |number, value| {
        match number {
            1 => graph.nodes.push(nested(value, node)?),
            5 => graph.initializers.push(nested(value, tensors::read)?),
            11 => graph.inputs.push(nested(value, value_info)?),
            12 => graph.outputs.push(nested(value, value_info)?),
            15 => graph.has_sparse = true,
            _ => {}
        }
        Ok(Some(()))
    })?;
    Ok(graph)
}

fn node(bytes: &[u8]) -> Result<Node, String> {
    let mut node = Node::default();
    each(bytes, |number, value| {
        Ok(match number {
            1 => value.text().map(|text| node.inputs.push(text)),
            2 => value.text().map(|text| node.outputs.push(text)),
            3 => value.text().map(|text| node.name = text),
            4 => value.text().map(|text| node.kind = text),
            5 => {
                node.attributes.push(nested(value, attribute)?);
                Some(())
            }
            7 => value.text().map(|text| node.domain = text),
            _ => Some(()),
        })
    })?;
    Ok(node)
}

fn attribute(bytes: &[u8]) -> Result<Attribute, String> {
    let mut attribute = Attribute::default();
    each(bytes, |number, value| {
        Ok(match number {
            1 => value.text().map(|text| attribute.name = text),
            2 => {
                let mut floats = Vec::new();
                let read = value.extend_floats(&mut floats);
                attribute.float = floats.first().copied();
                read
            }
            3 => value.integer().map(|integer| attribute.integer = Some(integer)),
            4 => value.text().map(|text| attribute.text = Some(text)),
            5 => {
                attribute.tensor = Some(nested(value, tensors::read)?);
                Some(())
            }
            7 => value.extend_floats(&mut attribute.floats),
            8 => value.extend_integers(&mut attribute.integers),
            9 => value.text().map(|text| attribute.texts.push(text)),
            _ => Some(()),
        })
    })?;
    Ok(attribute)
}

fn value_info(bytes: &[u8]) -> Result<Value, String> {
    let mut info = Value::default();
    each(bytes, |number, value| {
        Ok(match number {
            1 => value.text().map(|text| info.name = text),
            2 => {
                nested(value, |bytes| value_type(bytes, &mut info))?;
                Some(())
            }
            _ => Some(()),
        })
    })?;
    Ok(info)
}

fn value_type(bytes: &[u8], info: &mut Value) -> Result<(), String> {
    each(bytes, |number, value| {
        if number == 1 {
            nested(value, |bytes| {
                each(bytes, |number, value| {
                    Ok(match number {
                        1 => value.integer().map(|kind| info.kind = kind),
                        2 => {
                            info.dims = Some(nested(value, shape)?);
                            Some(())
                        }
                        _ => Some(()),
                    })
                })
            })?;
        }
        Ok(Some(()))
    })
}

fn shape(bytes: &[u8]) -> Result<Vec<i64>, String> {
    let mut dims = Vec::new();
    each(bytes, |number, value| {
        if number == 1 {
            let mut length = -1;
            nested(value, |bytes| {
                each(bytes, |number, value| {
                    if number == 1 {
                        length = value.integer().unwrap_or(-1);
                    }
                    Ok(Some(()))
                })
            })?;
            dims.push(length);
        }
        Ok(Some(()))
    })?;
    Ok(dims)
}

impl Node {
    fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes.iter().find(|attribute| attribute.name == name)
    }

    pub(super) fn float(&self, name: &str) -> Option<f64> {
        self.attribute(name)?.float
    }

    pub(super) fn integer(&self, name: &str) -> Option<i64> {
        self.attribute(name)?.integer
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.attribute(name)?.text.as_deref()
    }

    pub(super) fn tensor(&self, name: &str) -> Option<&Stored> {
        self.attribute(name)?.tensor.as_ref()
    }

    pub(super) fn floats(&self, name: &str) -> Option<&[f64]> {
        self.attribute(name).map(|attribute| attribute.floats.as_slice())
    }

    pub(super) fn integers(&self, name: &str) -> Option<&[i64]> {
        self.attribute(name).map(|attribute| attribute.integers.as_slice())
    }

    pub(super) fn texts(&self, name: &str) -> Option<&[String]> {
        self.attribute(name).map(|attribute| attribute.texts.as_slice())
    }

    /// Returns the name for messages: that of the node, or of its first output.
    pub(super) fn named(&self) -> &str {
        if self.name.is_empty() { self.outputs.first().map_or("", String::as_str) } else { &self.name }
    }
}
