//! Several targets of values, from the file to the exported model.

use std::fmt::Write as _;

use serde_json::Value;

use crate::folder::Folder;

/// 20 men of a fitness club: three exercises, and weight, waist and pulse (A. C. Linnerud, NC State University).
const CLUB: &str = "chins,situps,jumps,weight,waist,pulse
5,162,60,191,36,50\n2,110,60,189,37,52\n12,101,101,193,38,58\n12,105,37,162,35,62\n13,155,58,189,35,46
4,101,42,182,36,56\n8,101,38,211,38,56\n6,125,40,167,34,60\n15,200,40,176,31,74\n17,251,250,154,33,56
17,120,38,169,34,50\n13,210,115,166,33,52\n14,215,105,154,34,64\n1,50,50,247,46,50\n6,70,31,193,36,46
12,210,120,202,37,62\n4,60,25,176,37,54\n11,230,80,157,32,52\n15,225,73,156,33,54\n2,110,43,138,33,68\n";

/// Pascals far from zero, millimetres near it, and whole numbers.
const TARGETS: [&str; 3] = ["pressure", "height", "count"];

/// Three features in ±1, and the targets.
fn station() -> String {
    let mut text = String::from("a,b,c,pressure,height,count\n");
    for row in 0..400u32 {
        let [a, b, c] = [17u32, 29, 41].map(|step| f64::from(row * step % 401) / 200.0 - 1.0);
        let (pressure, height) = (101_325.0 + 400.0 * (a - b * b), 0.8 * a * c + 0.02 * b);
        let _ =
            writeln!(text, "{a:.4},{b:.4},{c:.4},{pressure:.2},{height:.5},{}", (5.0 + 3.0 * b - c).round());
    }
    text
}

const DATA: &str = "--data station.csv --weight-decay 0.001 --epochs 300";

fn trained() -> Folder {
    let folder = Folder::new();
    folder.write("station.csv", &station());
    let train = format!("train {DATA} --target pressure,height,count --hidden 32 --out teacher.safetensors");
    folder.json(&train);
    folder
}

/// R² of each target.
fn r2(scores: &Value) -> Vec<f64> {
    let targets = scores["targets"].as_array().unwrap_or_else(|| panic!("{scores}"));
    let names: Vec<&str> = targets.iter().map(|target| target["target"].as_str().unwrap()).collect();
    assert_eq!(names, TARGETS);
    let each: Vec<f64> = targets.iter().map(|target| target["r2"].as_f64().unwrap()).collect();
    let mean = each.iter().sum::<f64>() / each.len() as f64;
    assert!((scores["mean_r2"].as_f64().unwrap() - mean).abs() < 1e-9, "{scores}");
    each
}

#[test]
fn every_step_takes_several_targets() {
    let folder = trained();
    let teacher = r2(&folder.json("evaluate teacher.safetensors --data station.csv"));
    assert!(teacher.iter().all(|r2| *r2 > 0.95), "{teacher:?}");
    let distill =
        format!("distill --teacher teacher.safetensors {DATA} --student 3-16-3 --out student.safetensors");
    let student = r2(&folder.json(&distill)["test"]);
    assert!(student.iter().all(|r2| *r2 > 0.93), "{student:?}");
    folder.json("quantize student.safetensors --data station.csv --out int8.safetensors");
    let int8 = r2(&folder.json("evaluate int8.safetensors --data station.csv"));
    for (int8, f32) in int8.iter().zip(&student) {
        assert!((int8 - f32).abs() < 0.01, "{int8:?}, {student:?}");
    }
    folder.json("export int8.safetensors --out model.rs");
    let text = std::fs::read_to_string(folder.path("model.rs")).unwrap();
    assert!(
        text.contains("pub static TARGETS: [&str; 3] = [\"pressure\", \"height\", \"count\"];"),
        "{text}"
    );
    assert!(text.contains("pub fn predict(raw: &[f32; 3]) -> [f32; 3]"), "{text}");
}

#[test]
fn people_read_a_row_per_target() {
    let folder = trained();
    let told = |line: &str| {
        let output = folder.run(line);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8([output.stderr, output.stdout].concat()).unwrap()
    };
    let check = told("check station.csv --target pressure --target height,count");
    assert!(check.contains("3 features, targets [\"pressure\", \"height\", \"count\"]"), "{check}");
    for (name, least) in [("pressure", "100525"), ("count", "1.00000")] {
        let row = check.lines().find(|line| line.trim_start().starts_with(&format!("{name} ")));
        assert!(row.is_some_and(|row| row.contains(least)), "{check}");
        let note = format!("target {name:?}: values, for regression (one of 3 targets), from {least} to ");
        assert!(check.contains(&note), "{check}");
    }
    let scores = told("evaluate teacher.safetensors --data station.csv");
    for words in [&["mean R²"][..], &["pressure"], &["height"], &["count"]] {
        assert!(scores.lines().any(|line| words.iter().all(|word| line.contains(word))), "{scores}");
    }
}

#[test]
fn predictions_are_soft_labels_of_another_student() {
    let folder = trained();
    folder.json("predict teacher.safetensors --data station.csv --out outputs.csv");
    let outputs = std::fs::read_to_string(folder.path("outputs.csv")).unwrap();
    assert_eq!(outputs.lines().next(), Some("prediction(pressure),prediction(height),prediction(count)"));
    let distill = |teacher: &str| {
        folder.json(&format!(
            "distill {teacher} {DATA} --student 3-8-3 --target pressure,height,count --out s"
        ));
        std::fs::read(folder.path("s")).unwrap()
    };
    let student = |bytes: Vec<u8>| microdistill_train::model::Model::from_bytes(&bytes).unwrap().body;
    let stored = student(distill("--soft-labels outputs.csv"));
    assert_eq!(stored, student(distill("--teacher teacher.safetensors")), "f32 has exact decimals");
}

#[test]
fn the_men_of_the_club() {
    let folder = Folder::new();
    folder.write("club.csv", CLUB);
    let train = "train --train club.csv --target weight,waist,pulse --epochs 2000 --weight-decay 0 --out t.safetensors";
    let scores = folder.json(train);
    assert!(scores["train"]["mean_r2"].as_f64() > Some(0.9), "{scores}");
    let distill = "distill --teacher t.safetensors --train club.csv --student 3-24-3 --weight-decay 0 --epochs 2000 --out s.safetensors";
    let student = folder.json(distill);
    assert!(student["train"]["mean_r2"].as_f64() > Some(0.6), "{student}");
    let int8 = folder.json("quantize s.safetensors --train club.csv --out q.safetensors");
    let mean = |scores: &Value| scores["train"]["mean_r2"].as_f64().unwrap();
    assert!((mean(&int8) - mean(&student)).abs() < 0.01, "{int8}, {student}");
}

#[test]
fn targets_that_the_model_does_not_predict_are_refused() {
    let folder = trained();
    for (line, expected) in [
        (
            "evaluate teacher.safetensors --data station.csv --target pressure",
            "error: the model predicts [\"pressure\", \"height\", \"count\"], not \"pressure\": leave out --target",
        ),
        (
            "distill --teacher teacher.safetensors --data station.csv --student 3-8-1 --out s",
            "error: the student must have the teacher's 3 features and 3 outputs: --student 3-8-3",
        ),
        (
            "train --data data.csv --target a,kind --out t",
            "error: data.csv: target \"kind\" holds labels, and several targets of labels are not supported",
        ),
    ] {
        let (message, code) = folder.error(line);
        assert!(message.starts_with(expected) && code == 1, "{line}: {message}");
    }
}

#[test]
fn a_weight_decay_a_search_and_a_study_take_several_targets() {
    let folder = Folder::new();
    folder.write("station.csv", &station());
    let train = "train --data station.csv --target pressure,height,count --hidden 6 --epochs 20 --weight-decay auto --out t.safetensors";
    assert!(folder.json(train)["weight_decay"].is_number());
    let search = "distill --teacher t.safetensors --data station.csv --budget-flash 600 --candidates 3 --out s.safetensors";
    let found = folder.json(search);
    assert!(found["search"].is_object() && found["test"]["mean_r2"].is_number(), "{found}");
    // Each value has a range of its own, which the budget counts.
    let exported = folder.json("export s.safetensors --out s.rs");
    assert_eq!(found["search"]["best"]["flash"], exported["flash"]);
    assert!(exported["flash"].as_u64() <= Some(600), "{exported}");
    folder.json(
        "study --data station.csv --target pressure,height,count --seeds 2 --hidden 4 --teacher-hidden 6 --effort quick --recipes gaussian --out study",
    );
    let results = std::fs::read_to_string(folder.path("study/study.json")).unwrap();
    let results: Value = serde_json::from_str(&results).unwrap();
    let scores = &results["sets"][0]["cells"][0]["test"];
    assert!(scores["mean_r2"].is_number() && scores["targets"][2]["target"] == "count", "{scores}");
    let page = std::fs::read_to_string(folder.path("study/study.html")).unwrap();
    assert!(page.contains("R² is the mean of 3 targets"));
}
