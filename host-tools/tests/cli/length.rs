//! The length of a training: chosen on held-out rows, or named by a flag.

use serde_json::Value;

use crate::folder::Folder;

/// A data set with `rows` rows of y = 3x + 2.
fn line(rows: usize) -> String {
    let row = |row: usize| {
        let x = (row * 37 % rows) as f64 / 7.0;
        format!("{x},{}\n", 3.0 * x + 2.25)
    };
    "x,y\n".to_owned() + &(0..rows).map(row).collect::<String>()
}

/// A folder with `line.csv`, `thermistor.csv` and the usual `data.csv`.
fn folder() -> Folder {
    let folder = Folder::new();
    folder.write("line.csv", &line(60));
    let cases = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cases");
    std::fs::copy(format!("{cases}/19-tiny-calibration-table.csv"), folder.path("thermistor.csv")).unwrap();
    folder
}

/// Notes and JSON of a command that must succeed.
fn told(folder: &Folder, line: &str) -> (String, Value) {
    let output = folder.run(&format!("{line} --json"));
    let notes = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{line}: {notes}");
    (notes, serde_json::from_slice(&output.stdout).unwrap())
}

fn r2(outcome: &Value) -> f64 {
    outcome["test"]["r2"].as_f64().unwrap()
}

#[test]
fn small_tables_are_fitted_without_flags() {
    let folder = folder();
    let (notes, line) = told(&folder, "train --teacher mlp --data line.csv --out line.safetensors");
    assert!(r2(&line) > 0.999, "{line}");
    assert!(notes.contains("teacher's length: ") && notes.contains("held-out rows: 500 → "), "{notes}");
    let thermistor = folder.json("train --teacher mlp --data thermistor.csv --out t.safetensors");
    assert!(r2(&thermistor) > 0.99, "{thermistor}");
    let steps = thermistor["length"]["steps"].as_u64().unwrap();
    assert!(steps >= 2000 && thermistor["length"]["basis"]["held-out"] == 21, "{thermistor}");
    // Students, too.
    let distill = "distill --weight-decay 0.1 --teacher t.safetensors --data thermistor.csv --student 1-16-1 --out s.safetensors";
    let (notes, student) = told(&folder, distill);
    assert!(r2(&student) > 0.95, "{student}");
    assert!(notes.contains("student's length: "), "{notes}");
}

/// A teacher that is trained in a moment.
const QUICK: &str = "train --data data.csv --groups person --hidden 8 --weight-decay 0.1 --rate 0.01";

#[test]
fn the_choice_repeats_and_is_recorded() {
    let folder = folder();
    let outcome = folder.json(&format!("{QUICK} --out a.safetensors"));
    folder.json(&format!("{QUICK} --out b.safetensors"));
    let [a, b] = ["a", "b"].map(|name| std::fs::read(folder.path(&format!("{name}.safetensors"))).unwrap());
    let text = String::from_utf8_lossy(&a).into_owned();
    let command = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace("b.safetensors", "a.safetensors");
    assert_eq!(command(&a), command(&b));
    let steps = outcome["length"]["steps"].as_u64().unwrap();
    for recorded in [format!("steps\\\":{steps},"), "chosen_length".into()] {
        assert!(text.contains(&recorded), "{recorded} is not in {text:.3000}");
    }
}

#[test]
fn flags_name_the_length() {
    let folder = folder();
    let teach = |flags: &str| told(&folder, &format!("{QUICK} {flags} --out t.safetensors"));
    let (notes, epochs) = teach("--epochs 50");
    assert!(!notes.contains("length") && epochs["length"].is_null(), "{notes}");
    // 153 rows outside of the test part make 5 steps an epoch, so these are 50 epochs.
    let (_, steps) = teach("--steps 246");
    assert_eq!((&epochs["train"], &epochs["test"]), (&steps["train"], &steps["test"]));
    let (error, code) = folder.error(&format!("{QUICK} --epochs 5 --steps 5 --out t.safetensors"));
    assert!(code == 2 && error.contains("--epochs") && error.contains("--steps"), "{error}");
    let (error, _) = folder.error("train --data line.csv --rate 1e30 --weight-decay 0 --out t.safetensors");
    assert!(error.contains("diverged") && error.contains("lower the rate"), "{error}");
}

#[test]
fn what_cannot_be_chosen_is_said() {
    let folder = folder();
    folder.write("few.csv", &line(12));
    let flags = "--hidden 4 --weight-decay 0 --out t.safetensors";
    let (notes, outcome) = told(&folder, &format!("train --data few.csv {flags}"));
    assert!(
        notes.contains("teacher's length: 2000 steps (2000 epochs), not chosen, because 10 rows are too few"),
        "{notes}"
    );
    assert_eq!(outcome["length"]["basis"], "too-few");
}

#[test]
fn students_of_every_kind_have_their_length_chosen() {
    let folder = folder();
    folder.json(&format!("{QUICK} --epochs 20 --out t.safetensors"));
    folder.json("predict t.safetensors --data data.csv --out soft.csv");
    let student = "--data data.csv --groups person --student 4-6-3 --out s.safetensors";
    for flags in [
        "--teacher t.safetensors --hints --temperature 8..2",
        "--teacher t.safetensors --bits 8 --generations 2",
        "--teacher t.safetensors --synthetic jitter --further-share 0.5 --weight-decay auto --folds 2",
        "--soft-labels soft.csv --weight-decay 0.1",
    ] {
        let (notes, outcome) = told(&folder, &format!("distill {flags} {student}"));
        assert!(outcome["length"]["steps"].as_u64() >= Some(500), "{flags}: {outcome}");
        assert!(notes.contains("student's length: "), "{flags}: {notes}");
    }
    // The user's validation rows choose: one person of six.
    let (_, outcome) = told(&folder, &format!("distill --teacher t.safetensors --patience 20 {student}"));
    assert_eq!(outcome["length"]["basis"]["held-out"], 30, "{outcome}");
}
