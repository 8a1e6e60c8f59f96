//! Odd, damaged and wrong files give a clear message or work.

use std::io::Write as _;
use std::process::Stdio;

use crate::folder::Folder;
use crate::{DISTILL, TRAIN};

const QUICK: &str = "--hidden 4 --weight-decay 0 --epochs 2 --out t.safetensors";

#[test]
fn damaged_model_files_are_refused_by_every_verb() {
    let folder = Folder::new();
    folder.json(TRAIN);
    let good = std::fs::read(folder.path("teacher.safetensors")).unwrap();
    let last = good.len() - 4;
    let with = |value: f32| [&good[..last], &value.to_le_bytes()].concat();
    for (bytes, message) in [
        (with(f32::NAN), " holds NaN at position "),
        (with(f32::INFINITY), " holds inf at position "),
        (good[..last].to_vec(), "damaged"),
        (good[..20].to_vec(), "not a safetensors file, or a damaged one"),
        (Vec::new(), "not a safetensors file, or a damaged one"),
        (b"a,b\n1,2\n".to_vec(), "not a safetensors file, or a damaged one"),
    ] {
        std::fs::write(folder.path("bad.safetensors"), bytes).unwrap();
        for line in [
            "evaluate bad.safetensors --data data.csv",
            "predict bad.safetensors --data data.csv --out p.csv",
            "export bad.safetensors --out model.rs",
            "quantize bad.safetensors --data data.csv --out int8.safetensors",
            "distill --teacher bad.safetensors --data data.csv --student 4-3 --out s.safetensors",
        ] {
            let (error, code) = folder.error(line);
            assert!(
                error.starts_with("error: bad.safetensors: ") && error.contains(message),
                "{line}: {error}"
            );
            assert_eq!(code, 1, "{line}");
        }
    }
    assert_eq!(std::fs::read_dir(folder.0.path()).unwrap().count(), 3, "nothing was written");
}

#[test]
fn unusable_data_are_refused_and_say_where() {
    let folder = Folder::new();
    for (text, message) in [
        ("", "x.csv: the file is empty"),
        ("\n\n", "x.csv: the file is empty"),
        ("a,kind\n", "x.csv: only a header"),
        ("a,a,kind\n1,2,u\n", "x.csv:1: two columns are named \"a\""),
        ("a,b,kind\n1,2,u\n1,2,3,v\n", "x.csv:3: 4 values, the header has 3"),
        ("a,kind\n1,u\n\"2\n\",v\n3x,v\n", "x.csv:5: column \"a\": \"3x\" is not a number"),
        ("a,kind\n1,u\n2,u\n", "x.csv: all rows have the label \"u\" in \"kind\""),
        ("a,kind\n1,u\n2,v\n", "x.csv: 2 rows are too few for a part of"),
        ("a,kind\n1,u\n2,\"v\n3,u\n4,v\n", "x.csv:3: a quote in the last column is never closed"),
    ] {
        folder.write("x.csv", text);
        let (error, code) = folder.error(&format!("train --data x.csv {QUICK}"));
        assert!(error.starts_with(&format!("error: {message}")), "{text:?}: {error}");
        assert_eq!(code, 1, "{text:?}");
    }
    let (error, code) = folder.error(&format!("train --data . {QUICK}"));
    assert!(error.contains("Is a directory") && code == 1, "{error}");
    assert!(!folder.path("t.safetensors").exists());
}

#[test]
fn what_cannot_be_quantized_or_divided_names_its_file() {
    let folder = Folder::new();
    folder.json(TRAIN);
    folder.json(&TRAIN.replace("teacher.safetensors", "t.safetensors --ensemble 2"));
    let quantize = "quantize teacher.safetensors --data data.csv --out";
    folder.json(&format!("{quantize} int8.safetensors"));
    folder.write("huge.csv", "a,b,c,d,kind\n3e38,3e38,3e38,3e38,round\n1,2,3,4,long\n");
    for (line, expected) in [
        ("quantize int8.safetensors --data none.csv --out q", "int8.safetensors: the model is int8 already"),
        ("quantize t.safetensors --data none.csv --out q", "t.safetensors: the model is an ensemble of 2"),
        (
            "import data.csv --like int8.safetensors --out q",
            "int8.safetensors: the model is int8, which does not",
        ),
        ("export t.safetensors --out q", "t.safetensors: the model is an ensemble of 2"),
        (
            "quantize teacher.safetensors --data huge.csv --out q",
            "huge.csv: 2 rows are too few for a part of",
        ),
        ("train --data data.csv --split 0.5,0.2,0.2 --out q", "--split: the shares [0.5, 0.2, 0.2] must be"),
        ("train --data data.csv --split 0.5,0.5 --out q", "--split takes three shares"),
        (
            "distill --teacher teacher.safetensors --train huge.csv --student 4-3 --fraction 0.1 --out q",
            "--fraction 0.1: 2 rows are too few for a part of 0.9 of them",
        ),
    ] {
        let (error, code) = folder.error(line);
        assert!(error.starts_with(&format!("error: {expected}")) && code == 1, "{line}: {error}");
    }
    assert!(!folder.path("q").exists());
}

#[test]
fn every_dialect_and_standard_input_give_the_same_model() {
    let folder = Folder::new();
    let plain = std::fs::read_to_string(folder.path("data.csv")).unwrap();
    let trained = |text: &str, file: &str| {
        let line = format!("train --data {file} {QUICK} --json");
        let mut command = folder.command(&line);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        folder.write("x.csv", text);
        let mut stdin = child.stdin.take().unwrap();
        // The program may refuse the file.
        let _ = stdin.write_all(text.as_bytes());
        drop(stdin);
        let output = child.wait_with_output().unwrap();
        let outcome: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        (outcome["train"].clone(), outcome["test"].clone())
    };
    folder.write("x.csv", &plain);
    let expected = trained(&plain, "x.csv");
    assert_eq!(trained(&plain, "-"), expected, "standard input");
    for text in [
        format!("\u{feff}{}", plain.replace('\n', "\r\n")),
        plain.replace(',', ";"),
        plain.replace(',', "\t"),
        plain.replace("kind\n", "\"kind\"\n\n").replace("round\n", "\"round\"\n\n"),
    ] {
        assert_eq!(trained(&text, "-"), expected, "{text:.40?}");
    }
}

/// `rows` rows of `classes` classes in two features.
fn rows(rows: usize, classes: usize) -> String {
    let mut csv = String::from("a,b,kind\n");
    for row in 0..rows {
        let class = row % classes;
        csv += &format!("{class}.{},{},k{class}\n", row % 7, row % 5);
    }
    csv
}

#[test]
fn two_classes_and_three_hundred() {
    let folder = Folder::new();
    for classes in [2, 300] {
        folder.write("x.csv", &rows(1500, classes));
        let outcome = folder.json(&format!("train --data x.csv {QUICK}"));
        assert_eq!(outcome["test"]["confusion"].as_array().unwrap().len(), classes);
        folder.json(&format!("distill --teacher t.safetensors --data x.csv --student 2-4-{classes} --epochs 2 --out s.safetensors"));
        assert!(folder.run("evaluate s.safetensors --data x.csv").status.success());
        folder.json("quantize s.safetensors --data x.csv --out q.safetensors");
        folder.json("export q.safetensors --out model.rs");
    }
}

#[test]
fn odd_labels_go_the_whole_way() {
    let folder = Folder::new();
    let labels = ["say \"ah\"", "two\nlines, one label", "日本 {x}\\n"];
    let mut csv = String::from("a,b,kind\r\n");
    for row in 0..150 {
        let label = labels[row % 3].replace('"', "\"\"");
        csv += &format!("{}.{},{},\"{label}\"\r\n", row % 3, row % 7, row % 5);
    }
    folder.write("x.csv", &csv);
    folder.json("train --data x.csv --hidden 8 --weight-decay 0 --out t.safetensors");
    folder.json("distill --teacher t.safetensors --data x.csv --student 2-8-3 --out s.safetensors");
    folder.json("quantize s.safetensors --data x.csv --out q.safetensors");
    folder.json("predict q.safetensors --data x.csv --out p.csv");
    // Predictions can be read again as soft labels.
    folder.json("distill --soft-labels p.csv --train x.csv --student 2-8-3 --out s.safetensors");
    let predicted = std::fs::read_to_string(folder.path("p.csv")).unwrap();
    let first = "\n\"say \"\"ah\"\"\",";
    assert!(predicted.contains(first), "{predicted:.400}");
    folder.json("export q.safetensors --out model.rs");
    let text = std::fs::read_to_string(folder.path("model.rs")).unwrap();
    let list = labels.map(|label| format!("{label:?}"));
    assert!(text.contains(&format!("LABELS: [&str; 3] = [{}];", list.join(", "))), "{text}");
}

#[test]
fn a_class_may_be_missing_from_a_part() {
    let folder = Folder::new();
    folder.write("train.csv", &rows(60, 3));
    folder.write("test.csv", &rows(20, 2));
    let outcome = folder.json(&format!("train --train train.csv --test test.csv {QUICK}"));
    assert_eq!(outcome["test"]["confusion"][2], serde_json::json!([0, 0, 0]));
    // The third class belongs to a single person, who is in one part.
    let lonely = "who,a,kind\n".to_owned()
        + &(0..60)
            .map(|row| format!("{},{row},{}\n", row % 6, ["u", "v", "w"][usize::from(row % 6 == 5) * 2]))
            .collect::<String>()
        + &(0..60).map(|row| format!("{},{row},v\n", row % 5)).collect::<String>();
    folder.write("x.csv", &lonely);
    let mut said = 0;
    for seed in 1..=8 {
        let output = folder.run(&format!("train --data x.csv --groups who --seed {seed} {QUICK}"));
        let notes = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{notes}");
        said += usize::from(notes.contains("no training row has these labels: [\"w\"]"));
    }
    assert!((1..8).contains(&said), "{said}");
    let (error, _) = folder.error(&format!("train --train test.csv --test train.csv {QUICK}"));
    assert!(error.starts_with("error: train.csv:4: unknown label \"k2\" in \"kind\""), "{error}");
}

#[test]
fn a_million_rows_are_read_and_trained_on() {
    let folder = Folder::new();
    folder.write("x.csv", &rows(1_000_000, 2));
    let outcome = folder.json(&format!("train --data x.csv {}", QUICK.replace("--epochs 2", "--epochs 1")));
    assert_eq!(outcome["train"]["rows"], 850_000);
}

#[test]
fn categories_go_the_whole_way_and_rare_classes_count() {
    let folder = Folder::new();
    let mut csv = String::from("island,a,kind\n");
    for row in 0..400 {
        let rare = row % 10 == 0;
        let island = ["x", "y", ""][row % 3];
        csv += &format!(
            "{island},{},{}\n",
            row % 4 + usize::from(rare) * 2,
            ["many", "rare"][usize::from(rare)]
        );
    }
    folder.write("x.csv", &csv);
    let recall = |weights: &str| {
        folder.json(&format!("train --data x.csv --hidden 8 --weight-decay 0.1 --epochs 30 --class-weights {weights} --out t.safetensors"));
        let distill =
            "distill --teacher t.safetensors --data x.csv --student 3-6-2 --epochs 30 --out s.safetensors";
        folder.json(&format!("{distill} --class-weights {weights}"));
        folder.json("quantize s.safetensors --data x.csv --out q.safetensors");
        let scores = folder.json("evaluate q.safetensors --test x.csv");
        scores["confusion"][1][1].as_u64().unwrap()
    };
    let (alike, balanced) = (recall("none"), recall("balanced"));
    assert!(balanced >= alike && balanced > 20, "{alike} {balanced}");
    folder.json("export q.safetensors --out model.rs");
    let text = std::fs::read_to_string(folder.path("model.rs")).unwrap();
    assert!(text.contains("\"island=x\"") && text.contains("static MISSING"), "{text}");
    folder.write("new.csv", "a,island,kind\n1,z,\n2,x,\n");
    let output = folder.run("predict q.safetensors --data new.csv --out -");
    assert_eq!(String::from_utf8(output.stdout).unwrap().lines().count(), 3);
    let notes = String::from_utf8(output.stderr).unwrap();
    assert!(notes.contains("does not know the category \"z\" of \"island\""), "{notes}");
}

#[test]
fn what_stands_for_a_missing_value_is_said_once() {
    let folder = Folder::new();
    folder.write("x.csv", &(rows(60, 2) + "-200,1,k0\n"));
    folder
        .json("train --data x.csv --missing -200 --hidden 4 --weight-decay 0 --epochs 2 --out t.safetensors");
    folder
        .json("distill --teacher t.safetensors --data x.csv --student 2-4-2 --epochs 2 --out s.safetensors");
    folder.write("given.csv", "a,b,kind\n-200,1,k0\n");
    folder.write("empty.csv", "a,b,kind\n,1,k0\n");
    for model in ["t.safetensors", "s.safetensors"] {
        let predict = |rows: &str| folder.run(&format!("predict {model} --data {rows} --out -")).stdout;
        assert_eq!(predict("given.csv"), predict("empty.csv"), "{model}");
    }
}

#[test]
fn a_distillation_without_a_teacher_is_refused() {
    let folder = Folder::new();
    let (error, code) = folder.error(DISTILL);
    assert_eq!(
        (error.as_str(), code),
        ("error: teacher.safetensors: No such file or directory (os error 2)", 1)
    );
}
