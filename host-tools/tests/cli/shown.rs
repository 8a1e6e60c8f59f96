//! Numbers and words as people see them: significant digits, whole words, and the people behind a score.

use std::collections::BTreeSet;

use crate::folder::Folder;

const TRAIN: &str = "train --hidden 8 --weight-decay 0.1 --epochs 40 --out model.safetensors";

/// Standard output and standard error of a command that must succeed, in a terminal of `columns`.
fn shown(folder: &Folder, line: &str, columns: usize) -> [String; 2] {
    let output = folder.command(line).env("COLUMNS", columns.to_string()).output().unwrap();
    let texts = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
    assert!(output.status.success(), "{line}: {texts:?}");
    texts
}

/// The words of a text. A colon ends a name in a list.
fn words(text: &str) -> BTreeSet<&str> {
    text.split_whitespace().map(|word| word.trim_end_matches(':')).collect()
}

#[test]
fn words_are_never_broken() {
    let folder = Folder::new();
    let csv = std::fs::read_to_string(folder.path("data.csv")).unwrap();
    let csv = csv.replace("round", "walking upstairs").replace("square", "lying_on_the_back");
    folder.write("long.csv", &csv.replacen("person,a,b", "person,acceleration_along_the_first_axis,b", 1));
    let train = format!("{TRAIN} --data long.csv --groups person");
    shown(&folder, &train, 200);
    for line in [
        "check long.csv --groups person",
        train.as_str(),
        "evaluate model.safetensors --data long.csv",
        "study --data long.csv --groups person --seeds 2 --hidden 4 --teacher-hidden 6 --effort quick --out study",
    ] {
        let wide = shown(&folder, line, 1000);
        for columns in [80, 60, 40] {
            let narrow = shown(&folder, line, columns);
            for (wide, narrow) in wide.iter().zip(&narrow) {
                // Lines of tables and progress, which know no words, differ.
                let is_word = |word: &&&str| word.chars().any(char::is_alphanumeric);
                let (all, found) = (words(wide), words(narrow));
                let broken: Vec<_> = all.difference(&found).filter(is_word).collect();
                // The second run of a study trains nothing.
                let told = ["trainings", "candidates"];
                if !wide.contains(told[0]) || narrow.contains(told[0]) {
                    assert!(broken.is_empty(), "{line} at {columns}: {broken:?}\n{narrow}");
                }
                for text in narrow.lines().filter(|text| text.chars().count() > columns) {
                    assert_eq!(text.split_whitespace().count(), 1, "{line} at {columns}: {text:?}");
                }
            }
        }
    }
}

#[test]
fn targets_of_any_size_have_significant_digits() {
    for (unit, exponent) in [("e-6", "e-7"), ("e-9", "e-10"), ("e30", "e29")] {
        let folder = Folder::new();
        let rows = (0..80).map(|row| format!("{},{},{}{unit}\n", row % 7, row % 5, row % 7 + row % 3));
        folder.write("data.csv", &(String::from("a,b,amperes\n") + &rows.collect::<String>()));
        let exported = "export student.safetensors --out model.rs";
        for line in [
            &format!("{TRAIN} --data data.csv --task regression"),
            "distill --teacher model.safetensors --data data.csv --student 2-4-1 --epochs 40 --out student.safetensors",
            "evaluate model.safetensors --data data.csv",
            "predict model.safetensors --data data.csv --out predictions.csv",
            exported,
            "study --data data.csv --task regression --seeds 2 --hidden 2 --teacher-hidden 2 --effort quick --out study",
        ] {
            let [stdout, _] = shown(&folder, line, 200);
            assert!(!stdout.contains("0.000 ") && !stdout.contains("00000000"), "{line}: {stdout}");
            if line != exported {
                assert!(stdout.contains(exponent) || stdout.contains(unit), "{line}: {stdout}");
            }
        }
        let model = std::fs::read_to_string(folder.path("model.rs")).unwrap();
        let scores = model.lines().find(|line| line.starts_with("// scores:")).unwrap();
        assert!(scores.contains(exponent) || scores.contains(unit), "{scores}");
        let page = std::fs::read_to_string(folder.path("study/study.html")).unwrap();
        assert!(!page.contains("0.000 ± 0.000") && !page.contains("00000000"), "{unit}");
    }
}

#[test]
fn people_stand_beside_the_score() {
    let folder = Folder::new();
    let train = format!("{TRAIN} --data data.csv --groups person");
    let [stdout, notes] = shown(&folder, &train, 200);
    assert!(
        stdout.lines().any(|line| words(line).is_superset(&BTreeSet::from(["rows", "groups", "accuracy"])))
    );
    for said in [
        "test: 30 rows of 1 group (",
        "; long 33 %, round 33 %, square 33 %",
        "the test holds only 1 group, so its score says little about others; `study --leave-one-group-out`",
    ] {
        assert!(notes.contains(said), "{said}: {notes}");
    }
    let outcome = folder.json(&train);
    assert_eq!((&outcome["train"]["groups"], &outcome["test"]["groups"]), (&5.into(), &1.into()));
    assert_eq!(outcome["parts"][1]["groups"].as_object().unwrap().len(), 1);
    // Later commands know the column, whether or not it is named again.
    assert_eq!(folder.json("evaluate model.safetensors --data data.csv")["groups"], 1);
    folder.write("new.csv", &std::fs::read_to_string(folder.path("data.csv")).unwrap());
    let new = folder.json("evaluate model.safetensors --test new.csv --known-rows");
    assert_eq!((&new["rows"], &new["groups"]), (&180.into(), &6.into()));
    let line = "distill --teacher model.safetensors --data data.csv --student 4-4-3 --epochs 40 --out student.safetensors";
    assert_eq!(folder.json(line)["test"]["groups"], 1);
    let predicted = folder.json("predict model.safetensors --data data.csv --out predictions.csv");
    assert_eq!((&predicted["scores"]["rows"], &predicted["scores"]["groups"]), (&180.into(), &6.into()));
    let checked = folder.json("check data.csv --groups person");
    let groups = |part: usize| checked["parts"][part]["groups"].as_object().unwrap().len();
    assert_eq!([0, 1, 2].map(groups), [4, 1, 1]);
}

#[test]
fn people_that_are_trained_on_and_tested_are_named() {
    let folder = Folder::new();
    let csv = std::fs::read_to_string(folder.path("data.csv")).unwrap();
    let part = |remainder: usize| {
        let lines = csv.lines().enumerate().filter(|(line, _)| *line == 0 || line % 2 == remainder);
        lines.map(|(_, line)| format!("{line}\n")).collect::<String>()
    };
    folder.write("one.csv", &part(0));
    folder.write("other.csv", &part(1));
    let [_, notes] =
        shown(&folder, &format!("{TRAIN} --train one.csv --test other.csv --groups person"), 300);
    let said = "WARNING: 6 of the 6 groups of the test are trained on, too, so its score says nothing about others: 0, 1, 2";
    assert!(notes.contains(said), "{notes}");
    // A model remembers the column of files that were not divided.
    assert_eq!(folder.json("evaluate model.safetensors --test other.csv")["groups"], 6);
    folder.write("nameless.csv", &part(1).replace("person,", "who,"));
    let [_, notes] =
        shown(&folder, &format!("{TRAIN} --train one.csv --test nameless.csv --groups person"), 300);
    assert!(
        notes.contains("there is no column \"person\", so the number of groups in the test is unknown"),
        "{notes}"
    );
}
