//! The command line as users and scripts see it: results, `--json`, messages and exit codes.

mod answers;
mod blend;
mod cases;
mod files;
mod folder;
mod foreign;
mod length;
mod places;
mod recipes;
mod search;
mod shown;
mod study;
mod synthetic;
mod targets;

use std::path::Path;

use folder::{Folder, without_notes};

const TRAIN: &str = "train --data data.csv --groups person --hidden 8 --weight-decay 0.1 --rate 0.01 --epochs 50 --out teacher.safetensors";
const DISTILL: &str = "distill --teacher teacher.safetensors --data data.csv --groups person --student 4-6-3 --inputs standardized --out student.safetensors";
const QUANTIZE: &str = "quantize student.safetensors --data data.csv --groups person --out int8.safetensors";

#[test]
fn the_arrow_tells_machines_what_they_rely_on() {
    let folder = Folder::new();
    for (line, parameters) in [(TRAIN, 67), (DISTILL, 51), (QUANTIZE, 51)] {
        let outcome = folder.json(line);
        assert_eq!(outcome["parameters"], parameters, "{line}");
        assert!(folder.path(outcome["model"].as_str().unwrap()).is_file(), "{line}");
        assert!(outcome["seconds"].as_f64() > Some(0.0), "{line}");
        for part in ["train", "test"] {
            assert!(outcome[part]["accuracy"].as_f64() > Some(0.9), "{line}: {outcome}");
            assert!(outcome[part]["nll"].is_number() && outcome[part]["ece"].is_number(), "{line}");
        }
        assert_eq!(
            outcome["train"]["rows"].as_u64().unwrap() + outcome["test"]["rows"].as_u64().unwrap(),
            180
        );
    }
    let scores = folder.json("evaluate int8.safetensors --test data.csv --known-rows");
    assert_eq!(scores["rows"], 180);
    for key in ["accuracy", "nll", "brier", "ece"] {
        assert!(scores[key].is_number(), "{key}");
    }
    let outcome = folder.json("export int8.safetensors --out model.rs --name TOY");
    assert_eq!((&outcome["parameters"], &outcome["ram"]), (&51.into(), &10.into()));
    let text = std::fs::read_to_string(folder.path("model.rs")).unwrap();
    assert!(text.contains("// made by: microdistill export int8.safetensors --out model.rs --name TOY"));
    assert!(text.contains("pub static TOY: Toy = "));

    folder.json("predict int8.safetensors --data data.csv --out predictions.csv");
    let predictions = std::fs::read_to_string(folder.path("predictions.csv")).unwrap();
    let data = std::fs::read_to_string(folder.path("data.csv")).unwrap();
    assert_eq!(predictions.lines().next(), Some("prediction,p(long),p(round),p(square)"));
    let pairs = data.lines().zip(predictions.lines()).skip(1);
    let right = pairs.filter(|(data, prediction)| data.rsplit(',').next() == prediction.split(',').next());
    assert_eq!(right.count() as f64 / 180.0, scores["accuracy"].as_f64().unwrap());
}

#[test]
fn a_model_leaves_in_every_format() {
    let folder = Folder::new();
    folder.json(TRAIN);
    folder.json(&format!("{DISTILL} --loss logits"));
    folder.json(QUANTIZE);
    for (line, format) in [
        ("student.safetensors --out toy.h", "c"),
        ("int8.safetensors --out toy.h --name TOY", "c"),
        ("student.safetensors --out toy.onnx", "onnx"),
        ("student.safetensors --out torch.safetensors", "safetensors"),
        ("int8.safetensors --out toy.tflite", "tflite"),
        ("int8.safetensors --out toy.txt --format tflite", "tflite"),
        ("int8.safetensors --out toy", "rust"),
    ] {
        let outcome = folder.json(&format!("export {line}"));
        let file = std::fs::metadata(folder.path(outcome["file"].as_str().unwrap())).unwrap();
        assert_eq!((&outcome["format"], &outcome["bytes"]), (&format.into(), &file.len().into()), "{line}");
        assert_eq!(outcome["flash"].is_number(), format == "rust", "{line}");
    }
    assert!(std::fs::read_to_string(folder.path("toy.h")).unwrap().contains("toy_predict"));
    for (line, expected) in [
        ("student.safetensors --out toy.pt", "no format has the extension .pt"),
        (
            "int8.safetensors --out new.onnx",
            "int8.safetensors: the model is int8: ONNX rounds codes otherwise than a device does",
        ),
        ("student.safetensors --out student.safetensors", "the result is made from this file"),
        ("teacher.safetensors --out new.h --name student", "\"student\" is not a constant's name"),
    ] {
        let (error, code) = folder.error(&format!("export {line}"));
        assert!(error.contains(expected) && code == 1, "{line}: {error}");
    }
    assert!(!folder.path("new.onnx").exists() && !folder.path("new.h").exists());
}

#[test]
fn every_loss_and_activation_has_a_flag() {
    let folder = Folder::new();
    folder.json(TRAIN);
    for flags in ["--loss outputs", "--loss logits", "--activation leaky-relu", "--activation sigmoid"] {
        let outcome = folder.json(&format!("{DISTILL} {flags}"));
        assert!(outcome["test"]["accuracy"].as_f64() > Some(0.9), "{flags}: {outcome}");
    }
    for activation in ["relu6", "leaky-relu", "tanh", "sigmoid"] {
        folder.json(&format!("{DISTILL} --loss logits --activation {activation}"));
        assert!(folder.json(QUANTIZE)["test"]["accuracy"].as_f64() > Some(0.9), "{activation} in int8");
    }
}

#[test]
fn few_bits_are_trained_for_and_remembered() {
    let folder = Folder::new();
    folder.json(TRAIN);
    for (flags, type_of) in [
        ("--bits 8", "MlpI8![4, 6, 3]"),
        ("--bits 4", "MlpI4![4, 6, 3]"),
        ("--bits 4 --group 32", "MlpI4![4, 6, 3; by group]"),
        ("--bits 3", "MlpI4![4, 6, 3]"),
    ] {
        let student = folder.json(&format!("{DISTILL} {flags}"));
        let quantized = folder.json(QUANTIZE);
        for outcome in [&student, &quantized] {
            assert!(outcome["test"]["accuracy"].as_f64() > Some(0.85), "{flags}: {outcome}");
        }
        folder.json("evaluate int8.safetensors --test data.csv --known-rows");
        folder.json("export int8.safetensors --out model.rs");
        let text = std::fs::read_to_string(folder.path("model.rs")).unwrap();
        assert!(text.contains(&format!("pub type Student = ::microdistill::{type_of};")), "{flags}");
    }
    folder.json(DISTILL);
    folder.json(&format!("{QUANTIZE} --bits 4"));
    folder.json("export int8.safetensors --out model.rs");
    assert!(std::fs::read_to_string(folder.path("model.rs")).unwrap().contains("DenseI4::new"));
    let (error, code) = folder.error(&format!("{QUANTIZE} --bits 8 --group 32"));
    assert_eq!((error.as_str(), code), ("error: groups are for weights of 4 or 3 bits", 1));
}

#[test]
fn the_same_seed_gives_the_same_file() {
    let folder = Folder::new();
    let model = |seed: u64| {
        folder.json(&format!("{TRAIN} --seed {seed}"));
        folder.json(&format!("{DISTILL} --seed {seed}"));
        std::fs::read(folder.path("student.safetensors")).unwrap()
    };
    let first = model(3);
    assert_eq!(first, model(3));
    assert_ne!(first, model(4));
}

#[test]
fn people_read_tables_and_machines_nothing_else() {
    let folder = Folder::new();
    let output = folder.run(TRAIN);
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert!(stdout.contains("train") && stdout.contains("accuracy"), "{stdout}");
    let notes = String::from_utf8(output.stderr).unwrap();
    assert!(notes.contains("data.csv: target \"kind\": 3 classes (guessed: it holds text)"), "{notes}");
    assert!(folder.run("--help").status.success());
}

#[test]
fn regression_and_rows_without_a_target() {
    let folder = Folder::new();
    let mut csv = String::from("x,y\n");
    for row in 0..100 {
        let x = f64::from(row) / 10.0;
        csv += &format!("{x},{}\n", 100.5 + 3.0 * x);
    }
    folder.write("line.csv", &csv);
    folder.write("unlabelled.csv", &csv.replace(['y'], "z"));
    let train = "train --data line.csv --hidden 8 --weight-decay 0 --epochs 200 --out t.safetensors";
    assert!(folder.json(train)["test"]["r2"].as_f64() > Some(0.98));
    let distill = "distill --teacher t.safetensors --data unlabelled.csv --student 1-4-1 --out s.safetensors";
    let outcome = folder.json(distill);
    assert!(outcome["train"].is_null() && outcome["test"].is_null());
    let scores = folder.json("evaluate s.safetensors --data line.csv");
    assert!(scores["r2"].as_f64() > Some(0.95) && scores["rmse"].is_number(), "{scores}");
}

#[test]
fn failures_say_where_and_what_to_do() {
    let folder = Folder::new();
    folder.json(TRAIN);
    folder.write("ragged.csv", "a,b,kind\n1,2,x\n3,y\n");
    folder.write("text.csv", "a,b,kind\n1,2,x\n3,oops,y\n");
    folder.write("new.csv", "a,b,c,d,kind\n1,2,3,4,oval\n");
    folder.write("narrow.csv", "a,b,kind\n1,2,long\n");
    let cases = [
        ("train --data nothing.csv --out t", "error: nothing.csv: No such file or directory"),
        ("train --data ragged.csv --out t", "error: ragged.csv:3: 2 values, the header has 3"),
        ("train --data text.csv --out t", "error: text.csv:3: column \"b\": \"oops\" is not a number"),
        ("train --data data.csv --target knid --out t", "error: data.csv:1: no target column \"knid\""),
        ("train --data data.csv --split 0.5,0.5 --out t", "error: --split takes three shares"),
        ("train --train data.csv --weight-decay 1 --dropout 1 --out t", "error: dropout 1"),
        (
            "train --train data.csv --weight-decay 1 --epochs 1 --out none/t",
            "error: none/t: there is no folder none: make it",
        ),
        ("evaluate data.csv --data data.csv", "error: data.csv: not a safetensors file"),
        ("evaluate teacher.safetensors --data new.csv", "error: new.csv:2: unknown label \"oval\""),
        ("evaluate teacher.safetensors --data narrow.csv", "error: narrow.csv:1: the columns [\"c\", \"d\"]"),
        ("evaluate teacher.safetensors --data data.csv --target a", "error: the model predicts \"kind\""),
        (
            "export teacher.safetensors --name teacher --out t.rs",
            "error: teacher.safetensors: \"teacher\" is not a constant's name",
        ),
        (
            "distill --teacher teacher.safetensors --data data.csv --student 5-6-3 --out t",
            "error: the student must have the teacher's 4 features and 3 outputs: --student 4-6-3",
        ),
        (
            "distill --teacher teacher.safetensors --data data.csv --student 4-3 --temperature 0 --out t",
            "error: temperature 0: it must be above 0",
        ),
        ("board list", "error: no examples/firmware here or above"),
    ];
    for (line, expected) in cases {
        let (message, code) = folder.error(line);
        assert!(message.starts_with(expected), "{line}: {message}");
        assert_eq!(code, 1, "{line}");
    }
    for line in [
        "",
        "tarin",
        "train",
        "train --data data.csv",
        "train --data a --train b --out t",
        "distill --student 4",
    ] {
        assert_eq!(folder.run(line).status.code(), Some(2), "{line}");
    }
}

#[test]
fn numbers_out_of_their_range_are_refused_negative_ones_too() {
    let folder = Folder::new();
    folder.json(TRAIN);
    let train = "train --train data.csv --weight-decay 0 --out t".to_owned();
    let distill = "distill --teacher teacher.safetensors --data data.csv --student 4-3 --out t".to_owned();
    let count = "it must be a whole number of at least 1";
    for (flags, expected, wanted) in [
        ("--rate -1", "rate -1: it must be above 0", 1),
        ("--rate 0", "rate 0: it must be above 0", 1),
        ("--dropout -1", "dropout -1: it must be at least 0 and below 1", 1),
        ("--epochs -3", count, 2),
        ("--batch 0", count, 2),
        ("--patience 1.5", count, 2),
        ("--folds 1", "it must be a whole number of at least 2", 2),
        ("--folds -2", "it must be a whole number of at least 2", 2),
        ("--seed -1", "it must be a whole number from 0 to 18446744073709551615", 2),
        ("--text a --text-features -1", "-1 is not in 1..=65536", 2),
    ] {
        for verb in [&train, &distill] {
            let (error, code) = folder.error(&format!("{verb} {flags}"));
            assert!(error.contains(expected) && code == wanted, "{verb} {flags}: {error}");
        }
    }
    for (line, expected, wanted) in [
        (train.replace(" 0 ", " -0.5 "), "it must be `auto` or a number of at least 0", 2),
        (format!("{train} --hidden 4,0"), count, 2),
        ("board teach host --out t --passes -1".to_owned(), count, 2),
        ("board teach host --out t --batch 0".to_owned(), count, 2),
        (format!("{train} --hidden -4,2"), count, 2),
        (
            train.replace("train data.csv", "data data.csv --split -0.5,1,0.5"),
            "must be positive and sum to 1",
            1,
        ),
        (format!("{distill} --generations -1"), count, 2),
        (distill.replace("--student 4-3", "--budget-instructions -1"), count, 2),
    ] {
        let (error, code) = folder.error(&line);
        assert!(error.contains(expected) && code == wanted, "{line}: {error}");
    }
}

#[test]
fn models_name_no_place() {
    let folder = Folder::new();
    let out = folder.path("teacher.safetensors");
    folder.json(&TRAIN.replace("teacher.safetensors", out.to_str().unwrap()));
    let bytes = std::fs::read(&out).unwrap();
    let place = folder.0.path().to_str().unwrap().as_bytes();
    assert!(!bytes.windows(place.len()).any(|window| window == place));
    assert!(Path::new(&out).is_file());
}

#[test]
fn rows_that_were_not_trained_on_stay_so() {
    let folder = Folder::new();
    let teacher = folder.json(TRAIN);
    // Neither another seed nor forgotten groups move test rows into the training set.
    let student = folder.json(&format!("{} --seed 9", DISTILL.replace(" --groups person", "")));
    assert_eq!(student["test"]["rows"], teacher["test"]["rows"]);
    for model in ["teacher", "student"] {
        let scores = folder.json(&format!("evaluate {model}.safetensors --data data.csv --seed 5"));
        assert_eq!(scores["rows"], teacher["test"]["rows"]);
    }
    let scores = without_notes(folder.json("evaluate teacher.safetensors --data data.csv"));
    assert_eq!(scores, teacher["test"]);
    let (message, code) = folder.error(&DISTILL.replace("--student", "--split 0.5,0.2,0.3 --student"));
    assert!(message.starts_with("error: the model was trained on these rows, divided by [0.7, 0.15, 0.15]"));
    assert_eq!(code, 1);
    let (message, _) = folder.error(&DISTILL.replace("person", "kind"));
    assert!(message.contains("divided by person: leave out --groups"), "{message}");
}
