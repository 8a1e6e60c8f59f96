//! Writer of TensorFlow Lite files: a chain of operators over one row, with field numbers of schema version 3.

use flatbuffers::{FlatBufferBuilder, TableFinishedWIPOffset, WIPOffset};

use crate::network::int8::Codes;

type Builder = FlatBufferBuilder<'static>;
type Table = WIPOffset<TableFinishedWIPOffset>;

/// Number type of a tensor.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Float = 0,
    Int32 = 2,
    Bool = 6,
    Int8 = 9,
}

/// Operator, by its number in `BuiltinOperator`.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Operator {
    Add = 0,
    Dequantize = 6,
    FullyConnected = 9,
    Logistic = 14,
    Mul = 18,
    Softmax = 25,
    Tanh = 28,
    Sub = 41,
    Equal = 71,
    LeakyRelu = 98,
    Quantize = 114,
    SelectV2 = 123,
}

/// Options of an operator.
#[derive(Clone, Copy)]
pub(super) enum Options {
    None,
    /// Those of Add, Mul and Sub: no activation.
    Plain,
    /// Activation, by its number in `ActivationFunctionType`.
    FullyConnected(i8),
    /// Factor of the logits.
    Softmax(f32),
    /// Slope below zero.
    LeakyRelu(f32),
}

/// Builder of a file, with the parts added so far. Tensors are known by their index.
pub(super) struct Writer {
    builder: Builder,
    buffers: Vec<Table>,
    tensors: Vec<Table>,
    operators: Vec<Table>,
    codes: Vec<Operator>,
}

impl Writer {
    pub(super) fn new() -> Self {
        let mut builder = Builder::default();
        // The format requires an empty first buffer, which tensors without constants name.
        let nothing = table(&mut builder, |_| ());
        Writer {
            builder,
            buffers: vec![nothing],
            tensors: Vec::new(),
            operators: Vec::new(),
            codes: Vec::new(),
        }
    }

    /// Adds a tensor of real numbers for one row, without constants.
    pub(super) fn row(&mut self, name: &str, width: usize) -> i32 {
        self.tensor(name, &[1, width], Kind::Float, &[], &[])
    }

    /// Adds a tensor of codes for one row, without constants.
    pub(super) fn codes_row(&mut self, name: &str, width: usize, codes: Codes) -> i32 {
        self.tensor(name, &[1, width], Kind::Int8, &[], &[codes])
    }

    /// Adds a constant of real numbers, shape (1, length).
    pub(super) fn floats(&mut self, name: &str, shape: &[usize], values: &[f32]) -> i32 {
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.tensor(name, shape, Kind::Float, &bytes, &[])
    }

    /// Adds a tensor with its constant `bytes`, if any, and the quantization of all its numbers or of each of its rows.
    pub(super) fn tensor(
        &mut self,
        name: &str,
        shape: &[usize],
        kind: Kind,
        bytes: &[u8],
        codes: &[Codes],
    ) -> i32 {
        let builder = &mut self.builder;
        let mut buffer = 0;
        if !bytes.is_empty() {
            let data = builder.create_vector(bytes);
            buffer = self.buffers.len() as u32;
            self.buffers.push(table(builder, |table| table.push_slot_always(slot(0), data)));
        }
        let quantization = (!codes.is_empty()).then(|| {
            let scales: Vec<f32> = codes.iter().map(|codes| codes.scale).collect();
            let zeros: Vec<i64> = codes.iter().map(|codes| codes.zero.into()).collect();
            let (scales, zeros) = (builder.create_vector(&scales), builder.create_vector(&zeros));
            table(builder, |table| {
                table.push_slot_always(slot(2), scales);
                table.push_slot_always(slot(3), zeros);
            })
        });
        let shape: Vec<i32> = shape.iter().map(|&size| size as i32).collect();
        let (shape, name) = (builder.create_vector(&shape), builder.create_string(name));
        let index = self.tensors.len() as i32;
        self.tensors.push(table(builder, |table| {
            table.push_slot_always(slot(0), shape);
            table.push_slot_always(slot(1), kind as i8);
            table.push_slot_always(slot(2), buffer);
            table.push_slot_always(slot(3), name);
            if let Some(quantization) = quantization {
                table.push_slot_always(slot(4), quantization);
            }
        }));
        index
    }

    /// Adds an operator from tensors to a tensor.
    pub(super) fn operator(&mut self, code: Operator, options: Options, inputs: &[i32], output: i32) {
        let place = self.codes.iter().position(|known| *known == code).unwrap_or_else(|| {
            self.codes.push(code);
            self.codes.len() - 1
        });
        let builder = &mut self.builder;
        // Number of the type in the union `BuiltinOptions`.
        let (kind, options) = match options {
            Options::None => (0u8, None),
            Options::Plain => {
                let kind = match code {
                    Operator::Add => 11,
                    Operator::Mul => 21,
                    _ => 28,
                };
                (kind, Some(table(builder, |_| ())))
            }
            Options::FullyConnected(activation) => {
                (8, Some(table(builder, |table| table.push_slot_always(slot(0), activation))))
            }
            Options::Softmax(factor) => {
                (9, Some(table(builder, |table| table.push_slot_always(slot(0), factor))))
            }
            Options::LeakyRelu(slope) => {
                (75, Some(table(builder, |table| table.push_slot_always(slot(0), slope))))
            }
        };
        let (from, to) = (builder.create_vector(inputs), builder.create_vector(&[output]));
        self.operators.push(table(builder, |table| {
            table.push_slot_always(slot(0), place as u32);
            table.push_slot_always(slot(1), from);
            table.push_slot_always(slot(2), to);
            if let Some(options) = options {
                table.push_slot_always(slot(3), kind);
                table.push_slot_always(slot(4), options);
            }
        }));
    }

    /// Returns the bytes of the file, whose graph goes from the tensor `input` to `output`.
    pub(super) fn finish(mut self, input: i32, output: i32) -> Vec<u8> {
        let builder = &mut self.builder;
        let codes: Vec<Table> = self
            .codes
            .iter()
            .map(|&code| {
                table(builder, |table| {
                    // Codes below 127 are in a field of 8 bits, too, for older readers.
                    table.push_slot_always(slot(0), code as i8);
                    table.push_slot_always(slot(2), 1i32);
                    table.push_slot_always(slot(3), code as i32);
                })
            })
            .collect();
        let codes = builder.create_vector(&codes);
        let [buffers, tensors, operators] =
            [&self.buffers, &self.tensors, &self.operators].map(|list| builder.create_vector(list));
        let [inputs, outputs] = [input, output].map(|index| builder.create_vector(&[index]));
        let subgraph = table(builder, |table| {
            table.push_slot_always(slot(0), tensors);
            table.push_slot_always(slot(1), inputs);
            table.push_slot_always(slot(2), outputs);
            table.push_slot_always(slot(3), operators);
        });
        let subgraphs = builder.create_vector(&[subgraph]);
        let description = builder.create_string("microdistill");
        let model = table(builder, |table| {
            table.push_slot_always(slot(0), 3u32);
            table.push_slot_always(slot(1), codes);
            table.push_slot_always(slot(2), subgraphs);
            table.push_slot_always(slot(3), description);
            table.push_slot_always(slot(4), buffers);
        });
        builder.finish(model, Some("TFL3"));
        builder.finished_data().to_vec()
    }
}

fn table(builder: &mut Builder, fill: impl FnOnce(&mut Builder)) -> Table {
    let start = builder.start_table();
    fill(builder);
    builder.end_table(start)
}

/// Offset of a field in a table's list of fields, by its number in the schema.
fn slot(field: u16) -> u16 {
    4 + 2 * field
}
