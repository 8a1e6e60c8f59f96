//! Models of other tools give the outputs of their tools, or are refused by the names of their operators; damaged files give an
//! error in little time.

use std::path::PathBuf;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use microdistill_train::foreign::{Imported, Names, Options, Outputs, from_bytes, read, verify};
use microdistill_train::model::Model;
use microdistill_train::network::Activation;
use proptest::prelude::*;
use serde::Deserialize;

/// A file by `tests/models/models.py`, and what its tool computes.
#[derive(Clone, Deserialize)]
struct Case {
    file: String,
    meaning: String,
    tolerance: f64,
    inputs: Vec<Vec<f64>>,
    outputs: Vec<Vec<f64>>,
    #[serde(default)]
    labels: Option<Vec<String>>,
    #[serde(default)]
    activation: Option<Activation>,
    #[serde(default)]
    dequantize: bool,
    #[serde(default)]
    kind: Option<String>,
    /// Nodes that the error names.
    #[serde(default)]
    refused: Option<String>,
}

fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/models"))
}

static CASES: LazyLock<Vec<Case>> = LazyLock::new(|| {
    let text = std::fs::read(folder().join("cases.json")).unwrap();
    serde_json::from_slice(&text).unwrap()
});

static FILES: LazyLock<Vec<Vec<u8>>> =
    LazyLock::new(|| CASES.iter().map(|case| std::fs::read(folder().join(&case.file)).unwrap()).collect());

fn options(case: &Case) -> Options {
    let outputs = if case.meaning == "logits" { Outputs::Logits } else { Outputs::Auto };
    Options { outputs, activation: case.activation, dequantize: case.dequantize, ..Options::default() }
}

fn import(case: &Case) -> Imported {
    read(folder().join(&case.file), &options(case)).unwrap_or_else(|error| panic!("{error}"))
}

fn case(file: &str) -> &'static Case {
    CASES.iter().find(|case| case.file == file).unwrap()
}

fn outputs(case: &Case, model: &Model, x: &[f64]) -> Vec<f64> {
    let x: Vec<f32> = x.iter().map(|&x| x as f32).collect();
    let found: Vec<f64> = model.logits(&x).into_iter().map(f64::from).collect();
    let sum: f64 = found.iter().map(|z| z.exp()).sum();
    match case.meaning.as_str() {
        "probabilities" => found.iter().map(|z| z.exp() / sum).collect(),
        "second" => vec![found[1].exp() / sum],
        _ => found,
    }
}

#[test]
fn models_give_the_outputs_of_their_tools() {
    for case in CASES.iter().filter(|case| case.refused.is_none()) {
        let Imported { model, report, .. } = import(case);
        for (x, wanted) in case.inputs.iter().zip(&case.outputs) {
            let found = outputs(case, &model, x);
            assert_eq!(found.len(), wanted.len(), "{}", case.file);
            for (found, wanted) in found.iter().zip(wanted) {
                let far = (found - wanted).abs() / wanted.abs().max(1.0);
                assert!(far <= case.tolerance, "{}: {found}, {wanted}", case.file);
            }
        }
        assert_eq!(case.meaning == "values", model.labels().is_empty(), "{}", case.file);
        if let Some(labels) = &case.labels {
            assert_eq!(model.labels(), labels, "{}", case.file);
        }
        if let Some(kind) = &case.kind {
            assert_eq!(model.kind(), kind, "{}", case.file);
        }
        assert_eq!(report.labels, model.labels());
        assert_eq!(Model::from_bytes(&model.to_bytes().unwrap()).unwrap(), model, "{}", case.file);
    }
}

#[test]
fn refusals_name_the_operators_and_the_way_out() {
    for case in CASES.iter() {
        let Some(nodes) = &case.refused else { continue };
        let error = read(folder().join(&case.file), &options(case)).unwrap_err().to_string();
        assert!(error.contains(nodes) && error.contains("--soft-labels"), "{error}");
    }
}

#[test]
fn models_that_no_board_runs_are_teachers_only() {
    let model = import(case("sequential.keras")).model;
    let error = microdistill_train::export::export(&model, "M", "").unwrap_err().to_string();
    assert!(error.contains("hidden layers have different activations"), "{error}");
    let error = microdistill_train::quantize::quantizable(&model).unwrap_err().to_string();
    assert!(error.contains("no board runs"), "{error}");
    for file in [
        "binary.tflite",
        "int8.tflite",
        "uint8.tflite",
        "labels.onnx",
        "two.onnx",
        "linear.onnx",
        "sequential.safetensors",
    ] {
        let Imported { model, report, .. } = import(case(file));
        assert_eq!(report.not_exportable, None);
        assert!(
            microdistill_train::export::export(&model, "M", "").unwrap().contains("pub static M"),
            "{file}"
        );
    }
}

#[test]
fn the_meaning_of_outputs_and_names_are_asked_for() {
    let file = case("float.tflite");
    let read = |options: &Options| read(folder().join(&file.file), options);
    let values = read(&Options::default()).unwrap();
    assert_eq!(values.model.metadata.task.targets(), ["target_0", "target_1", "target_2"]);
    assert!(values.notes.iter().any(|note| note.contains("--outputs logits")), "{:?}", values.notes);
    let names = |count: usize| Some((0..count).map(|index| format!("n{index}")).collect());
    let names = Names { features: names(4), labels: names(3), targets: Some(vec!["kind".into()]) };
    let named = read(&Options { outputs: Outputs::Logits, names: names.clone(), ..Options::default() })
        .unwrap()
        .model;
    assert_eq!(
        (named.labels(), named.features()[3].as_str()),
        (&["n0", "n1", "n2"].map(String::from)[..], "n3")
    );
    for (outputs, labels, message) in [
        (Outputs::Probabilities, None, "are no probabilities"),
        (Outputs::Logits, Some(vec!["a".into()]), "1 labels are named, but the model has 3"),
    ] {
        let names = Names { labels, ..names.clone() };
        let error = read(&Options { outputs, names, ..Options::default() }).unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    }
    let weights = case("sequential.safetensors");
    let error = microdistill_train::foreign::read(folder().join(&weights.file), &Options::default());
    assert!(error.unwrap_err().to_string().contains("--activation relu"));
}

#[test]
fn outputs_of_the_original_are_verified() {
    for file in ["sequential.keras", "functional.h5", "keras2.h5", "float.tflite"] {
        let (case, imported) = (case(file), import(case(file)));
        let verified = verify(&imported, &case.inputs, &case.outputs).unwrap();
        assert_eq!(verified.rows, case.inputs.len());
        let mut wrong = case.outputs.clone();
        wrong[1][0] += 0.1;
        let error = verify(&imported, &case.inputs, &wrong).unwrap_err().to_string();
        assert!(error.contains("row 2: the imported model gives"), "{error}");
        assert!(verify(&imported, &case.inputs[1..], &case.outputs).is_err());
    }
}

#[test]
fn other_files_are_told_by_what_they_are() {
    let long = [b"PK\x03\x04".as_slice(), b"archive/data.pkl"].concat();
    for (bytes, message) in [
        (&b""[..], "the file is empty"),
        (b"\x80\x04\x95\x10\0\0sklearn", "skl2onnx"),
        (&long, "safetensors.torch.save_file"),
        (b"PK\x03\x04saved_model.pb", "SavedModel"),
        (b"PK\x03\x04x/code/ constants.pkl data.pkl", "TorchScript"),
        (b"{\"learner\": {}}", "decision trees"),
        (b"tree\nversion=v4\n", "decision trees"),
        (b"{\"class_name\": \"Sequential\"}", "model.save"),
        (b"a,b\n1,2\n", "--like"),
        (b"\x08\x08\x12\x04test", "neither a graph nor a model"),
    ] {
        let error = from_bytes(bytes, &Options::default()).unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    }
}

#[derive(Clone, Debug)]
enum Damage {
    Flip(usize, u8),
    Set(usize, u8),
    Cut(usize),
    Remove(usize, usize),
    Copy(usize, usize, usize),
}

fn damage() -> impl Strategy<Value = Damage> {
    let at = || any::<usize>();
    let interesting = prop_oneof![Just(0), Just(1), Just(0x7F), Just(0x80), Just(0xFF), any::<u8>()];
    prop_oneof![
        4 => (at(), 0..8_u8).prop_map(|(at, bit)| Damage::Flip(at, 1 << bit)),
        4 => (at(), interesting).prop_map(|(at, byte)| Damage::Set(at, byte)),
        1 => at().prop_map(Damage::Cut),
        1 => (at(), 1..16_usize).prop_map(|(at, length)| Damage::Remove(at, length)),
        1 => (at(), at(), 1..64_usize).prop_map(|(from, to, length)| Damage::Copy(from, to, length)),
    ]
}

fn apply(bytes: &mut Vec<u8>, damage: &Damage) {
    let length = bytes.len().max(1);
    let place = |at: usize| at % length;
    match *damage {
        _ if bytes.is_empty() => {}
        Damage::Flip(at, bits) => bytes[place(at)] ^= bits,
        Damage::Set(at, byte) => bytes[place(at)] = byte,
        Damage::Cut(at) => bytes.truncate(place(at)),
        Damage::Remove(at, count) => drop(bytes.drain(place(at)..(place(at) + count).min(length))),
        Damage::Copy(from, to, count) => {
            let part = bytes[place(from)..(place(from) + count).min(length)].to_vec();
            bytes.splice(place(to)..place(to), part);
        }
    }
}

/// Imports a file that may be damaged, and checks the result.
fn check(bytes: &[u8]) {
    let start = Instant::now();
    for dequantize in [false, true] {
        let options = Options { activation: Some(Activation::Relu), dequantize, ..Options::default() };
        if let Ok(Imported { model, .. }) = from_bytes(bytes, &options) {
            assert_eq!(model.logits(&vec![0.5; model.features().len()]).len(), model.outputs());
            assert!(model.to_bytes().is_ok());
        }
    }
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8_000))]

    #[test]
    fn damaged_files_give_an_error_or_a_model(file in any::<usize>(), damage in prop::collection::vec(damage(), 1..4)) {
        let mut bytes = FILES[file % FILES.len()].clone();
        damage.iter().for_each(|damage| apply(&mut bytes, damage));
        check(&bytes);
    }

    #[test]
    fn damaged_heads_give_an_error_or_a_model(file in any::<usize>(), damage in prop::collection::vec(damage(), 1..3)) {
        let bytes = &FILES[file % FILES.len()];
        let (head, rest) = bytes.split_at(bytes.len().min(600));
        let mut head = head.to_vec();
        damage.iter().for_each(|damage| apply(&mut head, damage));
        check(&[&head, rest].concat());
    }
}
