//! Writer of TensorFlow Lite files for int8 networks: fully connected layers, with field numbers of schema version 3.

use flatbuffers::{FlatBufferBuilder, TableFinishedWIPOffset, WIPOffset};

use microdistill_train::network::Activation;
use microdistill_train::network::int8::{Codes, DenseI8, NetworkI8};

const INT32: i8 = 2;
const INT8: i8 = 9;
const FULLY_CONNECTED: i8 = 9;
const FULLY_CONNECTED_OPTIONS: u8 = 8;

type Builder = FlatBufferBuilder<'static>;
type Table = WIPOffset<TableFinishedWIPOffset>;

/// Returns the bytes of the file. Only the first weight scale of a layer is used.
pub(crate) fn file(network: &NetworkI8) -> Vec<u8> {
    let mut writer = Writer::default();
    let inputs = network.widths().first().map_or(0, |&width| width as i32);
    let mut codes = network.input;
    let first = writer.tensor(&[1, inputs], INT8, &[], codes);
    let mut last = first;
    for layer in &network.layers {
        last = writer.layer(layer, codes, last);
        codes = layer.output;
    }
    writer.finish(first, last)
}

/// Builder of a file, with the parts added so far.
#[derive(Default)]
struct Writer {
    builder: Builder,
    buffers: Vec<Table>,
    tensors: Vec<Table>,
    operators: Vec<Table>,
}

impl Writer {
    /// Adds `layer` after the tensor `input` with these `codes`. Returns the tensor of its outputs.
    fn layer(&mut self, layer: &DenseI8, codes: Codes, input: i32) -> i32 {
        let (inputs, outputs) = (layer.inputs() as i32, layer.outputs() as i32);
        let scale = layer.weight_scales.first().copied().unwrap_or_default();
        let bytes: Vec<u8> = layer.weights.iter().map(|weight| weight.to_le_bytes()[0]).collect();
        let weights = self.tensor(&[outputs, inputs], INT8, &bytes, Codes { scale, zero: 0 });
        let bytes: Vec<u8> = layer.bias.iter().flat_map(|bias| bias.to_le_bytes()).collect();
        let bias = self.tensor(&[outputs], INT32, &bytes, Codes { scale: codes.scale * scale, zero: 0 });
        let output = self.tensor(&[1, outputs], INT8, &[], layer.output);
        let activation: i8 = match layer.activation {
            Activation::Relu => 1,
            Activation::Relu6 => 3,
            _ => 0,
        };
        let options = table(&mut self.builder, |table| table.push_slot_always(slot(0), activation));
        let [from, to] =
            [&[input, weights, bias][..], &[output]].map(|list| self.builder.create_vector(list));
        self.operators.push(table(&mut self.builder, |table| {
            table.push_slot_always(slot(0), 0u32); // the first of the operator codes
            table.push_slot_always(slot(1), from);
            table.push_slot_always(slot(2), to);
            table.push_slot_always(slot(3), FULLY_CONNECTED_OPTIONS);
            table.push_slot_always(slot(4), options);
        }));
        output
    }

    /// Adds a tensor with its constant `bytes`, if any. Returns its index.
    fn tensor(&mut self, shape: &[i32], number: i8, bytes: &[u8], codes: Codes) -> i32 {
        let builder = &mut self.builder;
        let data = builder.create_vector(bytes);
        self.buffers.push(table(builder, |table| table.push_slot_always(slot(0), data)));
        let scale = builder.create_vector(&[codes.scale]);
        let zero = builder.create_vector(&[i64::from(codes.zero)]);
        let quantization = table(builder, |table| {
            table.push_slot_always(slot(2), scale);
            table.push_slot_always(slot(3), zero);
        });
        let shape = builder.create_vector(shape);
        let index = self.tensors.len();
        self.tensors.push(table(builder, |table| {
            table.push_slot_always(slot(0), shape);
            table.push_slot_always(slot(1), number);
            table.push_slot_always(slot(2), index as u32);
            table.push_slot_always(slot(4), quantization);
        }));
        index as i32
    }

    fn finish(mut self, input: i32, output: i32) -> Vec<u8> {
        let builder = &mut self.builder;
        let code = table(builder, |table| {
            table.push_slot_always(slot(0), FULLY_CONNECTED);
            table.push_slot_always(slot(2), 1i32);
            table.push_slot_always(slot(3), i32::from(FULLY_CONNECTED));
        });
        let codes = builder.create_vector(&[code]);
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
        let model = table(builder, |table| {
            table.push_slot_always(slot(0), 3u32);
            table.push_slot_always(slot(1), codes);
            table.push_slot_always(slot(2), subgraphs);
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads a little-endian number at `place`.
    fn number(file: &[u8], place: usize) -> usize {
        u32::from_le_bytes(file[place..place + 4].try_into().unwrap()) as usize
    }

    /// Offset of the field with this number in the table at `place`.
    fn field(file: &[u8], place: usize, field: u16) -> usize {
        // The list of fields comes before or after its table.
        let list = place.wrapping_sub(number(file, place) as i32 as usize);
        let entry = list + usize::from(slot(field));
        place + usize::from(u16::from_le_bytes([file[entry], file[entry + 1]]))
    }

    /// Offset of the object that a field refers to.
    fn follow(file: &[u8], place: usize, number_of_field: u16) -> usize {
        let place = field(file, place, number_of_field);
        place + number(file, place)
    }

    #[test]
    fn a_network_is_in_the_file() {
        let layer = DenseI8 {
            weights: vec![1, -2, 3, -4, 5, -127],
            group_scales: Vec::new(),
            bias: vec![7, -8],
            weight_scales: vec![0.5],
            activation: Activation::Relu,
            sums: None,
            output: Codes { scale: 0.25, zero: -3 },
        };
        let file = file(&NetworkI8 {
            input: Codes { scale: 2.0, zero: 4 },
            table: None,
            layers: vec![layer],
            values: None,
        });
        assert_eq!(&file[4..8], b"TFL3");
        let model = number(&file, 0);
        let subgraphs = follow(&file, model, 2);
        let subgraph = subgraphs + 4 + number(&file, subgraphs + 4);
        // The input, weights, biases and the output.
        let tensors = follow(&file, subgraph, 0);
        assert_eq!(number(&file, tensors), 4);
        // The second of the buffers holds the weights, as bytes.
        let buffers = follow(&file, model, 4);
        let weights = buffers + 8 + number(&file, buffers + 8);
        let data = follow(&file, weights, 0);
        assert_eq!(number(&file, data), 6);
        assert_eq!(file[data + 4..data + 10], [1, 254, 3, 252, 5, 129]);
    }
}
