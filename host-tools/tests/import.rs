//! What a device kept or printed is read back to the bit, or refused with the reason.

mod common;

use std::path::PathBuf;

use common::model;
use microdistill::activation::{LeakyRelu, Relu, Tanh};
use microdistill::checkpoint::record;
use microdistill::{Mlp, Params};
use microdistill_host_tools::error::Result;
use microdistill_host_tools::import::{Learned, import};
use microdistill_host_tools::model::{Body, Model};
use microdistill_host_tools::network::{Activation, Network};
use microdistill_host_tools::precision::Scales;
use microdistill_host_tools::quantize::quantize;
use tempfile::TempDir;

type Student = Mlp![5, 4, 3];

/// The model that the device started from, and the one it ended with.
fn models() -> (Model, Model) {
    (model(&[5, 4, 3], Activation::Relu, 1), model(&[5, 4, 3], Activation::Relu, 2))
}

fn network(model: &Model) -> &Network {
    let Body::F32(network) = &model.body else { panic!("{} does not learn", model.kind()) };
    network
}

/// As the device has it.
fn typed(model: &Model) -> Student {
    let mut student = Student::ZERO;
    let tensors = network(model).tensors();
    student.tensors_mut().zip(tensors).for_each(|((_, to), (_, from))| to.copy_from_slice(from));
    student
}

/// As `distill` prints it.
fn printed(model: &Model) -> Vec<String> {
    let mut lines = Vec::new();
    for (tensor, (_, values)) in typed(model).tensors().enumerate() {
        for (line, values) in values.chunks(8).enumerate() {
            let bits: Vec<u32> = values.iter().map(|value| value.to_bits()).collect();
            lines.push(format!("weights {tensor} {}: {bits:?}", 8 * line));
        }
    }
    lines
}

fn read(bytes: impl AsRef<[u8]>, like: &Model) -> Result<Learned> {
    let folder = TempDir::new().unwrap();
    let path: PathBuf = folder.path().join("learned");
    std::fs::write(&path, bytes).unwrap();
    import(&path, like)
}

fn error(bytes: impl AsRef<[u8]>, like: &Model) -> String {
    let message = read(bytes, like).unwrap_err().to_string();
    message.split_once("learned: ").map_or(message.clone(), |(_, message)| message.to_owned())
}

#[test]
fn records_and_printed_weights_are_read_to_the_bit() {
    let (like, learned) = models();
    let record: Vec<u8> = record::encode(&typed(&learned), 9).collect();
    let mut lines = printed(&like);
    lines.extend(printed(&learned).into_iter().map(|line| format!("0.25 INFO  {line}")));
    lines.insert(3, "step 250: loss 0.5".into());
    for bytes in [record, lines.join("\r\n").into_bytes()] {
        let Learned { model, changed } = read(bytes, &like).unwrap();
        assert_eq!(network(&model), network(&learned));
        assert_eq!(changed, Student::COUNT, "the last of two runs counts");
        assert!(model.metadata.scores.is_empty() && model.metadata.machine.is_none());
        assert_eq!((&model.scaler, &model.metadata.division), (&like.scaler, &like.metadata.division));
    }
    assert_eq!(read(printed(&like).join("\n"), &like).unwrap().changed, 0);
}

#[test]
fn what_is_damaged_or_of_another_network_is_refused() {
    let (like, learned) = models();
    let mut record: Vec<u8> = record::encode(&typed(&learned), 9).collect();
    let other = model(&[5, 4, 3], Activation::Tanh, 1);
    assert_eq!(
        error(&record, &other),
        "the record of another network: of other widths, activations or layouts"
    );
    record[40] ^= 1;
    assert!(error(&record, &like).starts_with("no record of a network, or a damaged one; "));
    assert!(error("before: 1 of 2\n", &like).starts_with("no record of a network"));

    let lines = printed(&learned);
    for gap in 1..lines.len() - 1 {
        let mut lines = lines.clone();
        lines.remove(gap);
        let message = error(lines.join("\n"), &like);
        let line = format!("line {}: weights are missing before it", gap + 1);
        // Without its last line a tensor is too short.
        assert!(message == line || message.starts_with("tensors of ["), "{gap}: {message}");
    }
    let cut = lines[..lines.len() - 1].join("\n");
    assert_eq!(error(cut, &like), "tensors of [20, 4, 12] parameters, the model has [20, 4, 12, 3]");
    let int8 = quantize(&like, &common::rows(5, 100, 8), Scales::PerChannel).unwrap();
    assert!(error(lines.join("\n"), &int8).starts_with("the model is int8, which does not learn"));
}

#[test]
fn fingerprints_are_those_of_typed_networks() {
    let of = |widths: &[usize], hidden| Network::zero(widths, hidden).fingerprint();
    let pairs = [
        (of(&[5, 4, 3], Activation::Relu), <Mlp![5, 4, 3; Relu]>::FINGERPRINT),
        (of(&[5, 3], Activation::Relu), <Mlp![5, 3]>::FINGERPRINT),
        (of(&[5, 4, 3], Activation::Tanh), <Mlp![5, 4, 3; Tanh]>::FINGERPRINT),
        (of(&[4, 5, 3], Activation::Tanh), <Mlp![4, 5, 3; Tanh]>::FINGERPRINT),
        (of(&[5, 4, 4, 3], Activation::LeakyRelu), <Mlp![5, 4, 4, 3; LeakyRelu]>::FINGERPRINT),
    ];
    assert!(pairs.iter().all(|(run_time, typed)| run_time == typed), "{pairs:?}");
    for (index, (one, _)) in pairs.iter().enumerate() {
        assert!(pairs[..index].iter().all(|(other, _)| other != one), "{pairs:?}");
    }
}
