//! Records and printed weights of a device are read back bit by bit, or refused with a reason.

mod common;

use std::path::PathBuf;

use common::model;
use microdistill::activation::{LeakyRelu, Relu, Tanh};
use microdistill::checkpoint::record;
use microdistill::finetune::Shipped;
use microdistill::{FineTuned, Mlp, Params, shipped};
use microdistill_train::error::Result;
use microdistill_train::import::{Base, Learned, Trained, import, import_bytes};
use microdistill_train::model::{Body, Model};
use microdistill_train::network::precision::Scales;
use microdistill_train::network::{Activation, Network};
use microdistill_train::quantize::quantize;
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

/// The student on the device.
fn typed(model: &Model) -> Student {
    let mut student = Student::ZERO;
    let tensors = network(model).tensors();
    student.tensors_mut().zip(tensors).for_each(|((_, to), (_, from))| to.copy_from_slice(from));
    student
}

/// The student in the output of `distill`, with its check value.
fn checked(model: &Model) -> Vec<String> {
    let check = format!("weights check: {}", record::seal(&typed(model), 0));
    [printed(model), vec![check]].concat()
}

/// The student in the output of older programs.
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
    import(&path, Base::Like(like))
}

fn error(bytes: impl AsRef<[u8]>, like: &Model) -> String {
    let message = read(bytes, like).unwrap_err().to_string();
    message.split_once("learned: ").map_or(message.clone(), |(_, message)| message.to_owned())
}

#[test]
fn records_and_printed_weights_are_read_to_the_bit() {
    let (like, learned) = models();
    let record: Vec<u8> = record::encode(&typed(&learned), 9).collect();
    let mut lines = checked(&like);
    lines.extend(checked(&learned).into_iter().map(|line| format!("0.25 INFO  {line}")));
    lines.insert(3, "step 250: loss 0.5".into());
    for bytes in [record, lines.join("\r\n").into_bytes()] {
        let Learned { model, changed, .. } = read(bytes, &like).unwrap();
        assert_eq!(network(&model), network(&learned));
        assert_eq!(changed, Student::COUNT, "the last of two runs counts");
        assert!(model.metadata.scores.is_empty() && model.metadata.machine.is_none());
        assert_eq!(
            (&model.preparation, &model.metadata.division),
            (&like.preparation, &like.metadata.division)
        );
    }
    assert_eq!(read(checked(&like).join("\n"), &like).unwrap().changed, 0);
}

#[test]
fn logs_of_any_terminal_are_read_and_what_was_skipped_is_told() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let like = Model::load(folder.join("../examples/models/watch_small/student.safetensors")).unwrap();
    let log = |name: &str| std::fs::read(folder.join("tests/cases").join(name)).unwrap();
    let whole = read(log("27-log-whole.txt"), &like).unwrap();
    assert!(whole.changed > 0);
    assert_eq!(whole.notes, [UNCHECKED]);
    for name in ["27b-log-utf16.txt", "27c-log-ansi.txt", "27d-log-boot-noise.txt"] {
        assert_eq!(network(&read(log(name), &like).unwrap().model), network(&whole.model), "{name}");
    }
    let text = String::from_utf8(log("27-log-whole.txt")).unwrap();
    let mut lines: Vec<&str> = text.lines().collect();
    lines.extend(text.lines().take(20));
    let cut = read(lines.join("\n"), &like).unwrap();
    assert_eq!(network(&cut.model), network(&whole.model));
    assert_eq!(cut.notes, ["the last record in the log is cut: the whole one before it is taken", UNCHECKED]);
    let message = error(log("27-log-lost-digit.txt"), &like);
    assert!(message.contains("a digit was lost, and no line `weights check: …` tells"), "{message}");
}

const UNCHECKED: &str = "no check value follows the weights, as older programs print none: a digit lost on the way may go \
                         unnoticed";

#[test]
fn whatever_character_is_lost_changed_or_doubled_no_other_weights_are_read() {
    let (like, learned) = models();
    let text = checked(&learned).join("\n");
    let (mut refused, mut read) = (0, 0);
    let mut check = |bytes: String| match import_bytes(bytes.as_bytes(), Base::Like(&like)) {
        Ok(found) => {
            assert_eq!(network(&found.model), network(&learned), "{bytes}");
            read += 1;
        }
        Err(_) => refused += 1,
    };
    for (at, _) in text.char_indices() {
        let (before, char, after) = (&text[..at], &text[at..=at], &text[at + 1..]);
        check([before, after].concat());
        check([before, char, char, after].concat());
        for other in ["0", "1", "7", " ", "\n", "x", "\u{1b}"].into_iter().filter(|other| *other != char) {
            check([before, other, after].concat());
        }
        check(before.to_owned());
    }
    // Only the word `weights`, the spaces around numbers and the check value itself may suffer.
    assert!(refused > 20 * read, "{refused} {read}");
}

#[test]
fn the_last_record_with_the_right_check_value_counts() {
    let (like, learned) = models();
    let (first, mut last) = (checked(&learned), checked(&like));
    let log = |last: &[String]| [&first, last].concat().join("\n");
    let taken = |text: String| {
        let found = import_bytes(text.as_bytes(), Base::Like(&like)).unwrap();
        (network(&found.model) == network(&learned), found.notes)
    };
    assert_eq!(taken(log(&last)), (false, vec![]));
    assert!(taken(log(&last[..last.len() - 1])).0, "no check value where others have one");
    last[1] = last[1].replacen(['1', '2'], "3", 1);
    assert_eq!(taken(log(&last)), (true, vec!["skipped 1 record whose check value is wrong".into()]));
    let lines = last.len();
    let expected = format!(
        "line {lines}: the check value does not fit the weights above it, so a digit was lost or changed"
    );
    assert!(error(last.join("\n"), &like).starts_with(&expected));
}

#[test]
fn what_is_damaged_or_of_another_network_is_refused() {
    let (like, learned) = models();
    let mut record: Vec<u8> = record::encode(&typed(&learned), 9).collect();
    let other = model(&[5, 4, 3], Activation::Tanh, 1);
    assert_eq!(
        error(&record, &other),
        "the record belongs to another network, of other widths, activations or layouts: give the model that the \
         device trains"
    );
    record[40] ^= 1;
    let expected = "no record of a network, or a damaged one. Give a record; the whole flash range passed to \
                    `Checkpoint::new`, with an intact checkpoint of this network; or text with lines \
                    such as \"weights 0 0: [1065353216, …]\"";
    assert_eq!(error(&record, &like), expected);
    assert_eq!(error("before: 1 of 2\n", &like), expected);

    let lines = printed(&learned);
    for gap in 1..lines.len() - 1 {
        let mut lines = lines.clone();
        lines.remove(gap);
        let message = error(lines.join("\n"), &like);
        let line =
            format!("line {}: weights are missing before it; give the whole output of the run", gap + 1);
        // Without its last line, a tensor is too short.
        assert!(message == line || message.starts_with("the text has tensors of ["), "{gap}: {message}");
    }
    let cut = lines[..lines.len() - 1].join("\n");
    let expected = "the text has tensors of [20, 4, 12] parameters, but the model has [20, 4, 12, 3]";
    assert!(error(cut, &like).starts_with(expected));
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

static SHIPPED: Student = Student::ZERO;
shipped!(Factory: Student = SHIPPED);

/// Imports the record of a student trained in part, whose parameters count from 1.
fn trained<P: Params<Scalar = f32>>(mut student: P) -> (Vec<u8>, Result<Learned>) {
    let parameters = student.tensors_mut().flat_map(|(_, tensor)| tensor);
    parameters.zip(1u16..).for_each(|(to, index)| *to = f32::from(index));
    let record: Vec<u8> = record::encode(&student, 1).collect();
    let learned = import_bytes(&record, Base::Shipped(&models().0));
    (record, learned)
}

#[test]
fn what_a_device_trains_in_part_is_joined_with_what_was_shipped() {
    use Trained::{Biases, Frozen, Trained as All};
    let shipped = models().0;
    let before: Vec<Vec<f32>> = network(&shipped).tensors().map(|(_, tensor)| tensor.to_vec()).collect();
    let check = |learned: Result<Learned>, expected: [Trained; 2], tensors: &[usize]| {
        let Learned { model, changed, trained, .. } = learned.unwrap();
        assert_eq!(trained, expected);
        let mut next = 1u16..;
        for (index, (_, tensor)) in network(&model).tensors().enumerate() {
            let counted: Vec<f32> = match tensors.contains(&index) {
                true => next.by_ref().take(tensor.len()).map(f32::from).collect(),
                false => before[index].clone(),
            };
            assert_eq!(tensor, counted, "tensor {index} of {expected:?}");
        }
        assert_eq!(changed, usize::from(next.start - 1));
    };
    check(trained(Factory::student::<FineTuned![Factory; frozen, trained]>()).1, [Frozen, All], &[2, 3]);
    check(trained(Factory::student::<FineTuned![Factory; biases, trained]>()).1, [Biases, All], &[1, 2, 3]);
    check(trained(Factory::student::<FineTuned![Factory; biases, biases]>()).1, [Biases, Biases], &[1, 3]);
    check(trained(Factory::student::<FineTuned![Factory; trained, frozen]>()).1, [All, Frozen], &[0, 1]);
    check(trained(Student::ZERO).1, [All, All], &[0, 1, 2, 3]);
}

#[test]
fn a_part_needs_the_model_that_was_shipped() {
    let (record, _) = trained(Factory::student::<FineTuned![Factory; frozen, trained]>());
    let message = error(&record, &models().0);
    assert!(message.starts_with("the device trained a part, [Frozen, Trained]"), "{message}");
    assert!(message.contains("--shipped"), "{message}");
    for other in [model(&[5, 6, 3], Activation::Relu, 1), model(&[5, 4, 3], Activation::Tanh, 1)] {
        let message = import_bytes(&record, Base::Shipped(&other)).unwrap_err().to_string();
        assert!(message.starts_with("the record belongs to another network"), "{message}");
    }
}

#[test]
fn layers_that_stay_together_are_known() {
    type Deep = Mlp![5, 4, 4, 3];
    static DEEP: Deep = Deep::ZERO;
    shipped!(Base3: Deep = DEEP);
    let shipped = model(&[5, 4, 4, 3], Activation::Relu, 1);
    let found = |record: Vec<u8>| import_bytes(&record, Base::Shipped(&shipped)).unwrap().trained;
    use Trained::{Biases, Frozen, Trained as All};
    let one = Base3::student::<FineTuned![Base3; biases, frozen]>();
    assert_eq!(found(record::encode(&one, 1).collect()), [Biases, Frozen, Frozen]);
    let rest = Base3::student::<FineTuned![Base3; frozen, trained]>();
    assert_eq!(found(record::encode(&rest, 1).collect()), [Frozen, All, All]);
    let last = Base3::student::<FineTuned![Base3; frozen, frozen, trained]>();
    assert_eq!(found(record::encode(&last, 1).collect()), [Frozen, Frozen, All]);
}
