//! The recipes of `distill`, and teachers of several networks.

use crate::folder::{Folder, without_notes};
use crate::{DISTILL, TRAIN};

#[test]
fn an_ensemble_is_one_file_that_teaches_and_is_judged() {
    let folder = Folder::new();
    let single = folder.json(TRAIN);
    assert_eq!(folder.json(&format!("{TRAIN} --ensemble 1"))["test"], single["test"]);

    let ensemble = folder.json(&format!("{TRAIN} --ensemble 3"));
    assert_eq!(ensemble["parameters"], 3 * 67);
    assert!(ensemble["test"]["accuracy"].as_f64() > Some(0.9), "{ensemble}");
    let three = std::fs::read(folder.path("teacher.safetensors")).unwrap();
    folder.json(&format!("{TRAIN} --ensemble 3"));
    assert_eq!(three, std::fs::read(folder.path("teacher.safetensors")).unwrap());
    let scores = without_notes(folder.json("evaluate teacher.safetensors --data data.csv"));
    assert_eq!(scores, ensemble["test"]);
    folder.json("predict teacher.safetensors --data data.csv --out p.csv");

    let student = folder.json(DISTILL);
    assert!(student["test"]["accuracy"].as_f64() > Some(0.9), "{student}");
    for line in [
        "quantize teacher.safetensors --data data.csv --out int8.safetensors",
        "export teacher.safetensors --out model.rs",
    ] {
        let (message, code) = folder.error(line);
        assert_eq!(code, 1);
        assert!(
            message.starts_with(
                "error: teacher.safetensors: the model is an ensemble of 3 networks, which no board runs"
            ),
            "{message}"
        );
    }
    let (message, code) = folder.error(&format!("{TRAIN} --ensemble 0"));
    let expected = "error: invalid value '0' for '--ensemble <K>': it must be a whole number of at least 1";
    assert_eq!((message.as_str(), code), (expected, 2));
}

#[test]
fn every_recipe_has_its_flags() {
    let folder = Folder::new();
    folder.json(&format!("{TRAIN} --ensemble 2"));
    for flags in [
        "--loss decoupled",
        "--loss decoupled --temperature 2 --alpha 0.3 --beta 1",
        "--loss logits --mixup 0.2 --dropout 0.1",
        "--temperature 8..2 --cooling cosine --label-smoothing 0.1",
        "--patience 40 --epochs 300 --fraction 0.9",
        "--generations 3",
    ] {
        let first = folder.json(&format!("{DISTILL} {flags}"));
        assert!(first["test"]["accuracy"].as_f64() > Some(0.9), "{flags}: {first}");
        let bytes = std::fs::read(folder.path("student.safetensors")).unwrap();
        folder.json(&format!("{DISTILL} {flags}"));
        assert_eq!(bytes, std::fs::read(folder.path("student.safetensors")).unwrap(), "{flags}");
    }
    folder.json(TRAIN);
    let hinted = folder.json(&format!("{DISTILL} --hints"));
    assert!(hinted["test"]["accuracy"].as_f64() > Some(0.9), "{hinted}");
    let help = String::from_utf8(folder.run("distill --help").stdout).unwrap();
    for name in ["soft-labels", "decoupled", "outputs", "logits", "--mixup 0.2"] {
        assert!(help.contains(&format!("  {name}  ")), "{name}");
    }
}

const SOFT: &str =
    "distill --soft-labels soft.csv --train data.csv --student 4-6-3 --alpha 1 --out student.safetensors";

#[test]
fn soft_labels_of_any_model_teach_the_rows_that_they_are_of() {
    let folder = Folder::new();
    folder.json(TRAIN);
    folder.json("predict teacher.safetensors --data data.csv --out soft.csv");
    // Groups are not a feature of the teacher.
    let data = std::fs::read_to_string(folder.path("data.csv")).unwrap();
    let rows: String = data.lines().map(|line| line.split_once(',').unwrap().1.to_owned() + "\n").collect();
    folder.write("data.csv", &rows);
    for flags in ["", "--patience 30", "--fraction 0.8"] {
        let student = folder.json(&format!("{SOFT} {flags}"));
        assert!(student["train"]["accuracy"].as_f64() > Some(0.9), "{flags}: {student}");
    }
    // A part of --data is for the test; the other rows keep their soft labels.
    let student = folder.json(&SOFT.replace("--train", "--data"));
    assert!(student["test"]["accuracy"].as_f64() > Some(0.9), "{student}");
    // Together with a model.
    let both = SOFT.replace("--train", "--teacher teacher.safetensors --teacher-weights 1,3 --train");
    assert!(folder.json(&both)["train"]["accuracy"].as_f64() > Some(0.9));
    for further in ["--synthetic jitter", "--unlabelled data.csv"] {
        let (message, _) = folder.error(&format!("{SOFT} {further}"));
        assert!(message.starts_with("error: --synthetic and --unlabelled need a teacher model"), "{message}");
    }
    // Soft labels of other rows would give other results.
    let soft = std::fs::read_to_string(folder.path("soft.csv")).unwrap();
    let (header, answers) = soft.split_once('\n').unwrap();
    let moved: Vec<&str> = answers.lines().skip(1).chain(answers.lines().next()).collect();
    folder.write("soft.csv", &format!("{header}\n{}\n", moved.join("\n")));
    let student = folder.json(SOFT);
    assert!(student["train"]["accuracy"].as_f64() < Some(0.6), "{student}");
}

#[test]
fn several_teachers_have_their_weights() {
    let folder = Folder::new();
    folder.json(TRAIN);
    folder.json(&format!("{} --activation relu", TRAIN.replace("teacher.s", "other.s")));
    let both = DISTILL.replace("--data", "--weight-decay 0.1 --teacher other.safetensors --data");
    let student = |line: &str| {
        assert!(folder.json(line)["test"]["accuracy"].as_f64() > Some(0.9), "{line}");
        folder.json("evaluate student.safetensors --test data.csv --known-rows")["nll"].as_f64().unwrap()
    };
    let alike = student(&both);
    assert_eq!(alike, student(&format!("{both} --teacher-weights 2,2")));
    assert_ne!(alike, student(&format!("{both} --teacher-weights 1,9")));
}

#[test]
fn recipes_that_cannot_be_are_refused() {
    let folder = Folder::new();
    folder.json(TRAIN);
    let mut two = String::from("x,y,kind\n");
    let mut rare = String::from("a,b,c,d,kind\n");
    for row in 0..120 {
        two += &format!("{},{},{}\n", row % 7, row % 11, ["no", "yes"][row % 2]);
        let kind = if row % 40 == 0 { "long" } else { ["round", "square"][row % 2] };
        rare += &format!("{},{},{},7,{kind}\n", row % 7, row % 11, row % 5);
    }
    folder.write("two.csv", &two);
    folder.write("rare.csv", &rare);
    folder.write(
        "line.csv",
        &(0..100).fold(String::from("x,y\n"), |text, row| text + &format!("{row},{row}.5\n")),
    );
    let quick = "--weight-decay 0 --epochs 2";
    for (data, model) in [("two.csv", "two"), ("line.csv", "line")] {
        folder.json(&format!("train --data {data} {quick} --hidden 4 --out {model}.safetensors"));
    }
    folder.write("short.csv", "p(long),p(round),p(square)\n0.2,0.3,0.5\n");
    folder.write("sum.csv", "p(long),p(round),p(square)\n0.2,0.3,0.6\n");
    let to_two = "distill --teacher two.safetensors --data two.csv --student 2-2 --out t";
    let to_line = "distill --teacher line.safetensors --data line.csv --student 1-1 --out t";
    let to_rare = "distill --teacher teacher.safetensors --train rare.csv --student 4-3 --out t";
    let stored =
        |file: &str| SOFT.replace("soft.csv", file).replace("data.csv", "rare.csv").replace("4-6-3", "4-3");
    for (line, expected) in [
        (
            format!("{to_two} --loss decoupled"),
            "decoupled soft labels need three classes or more, the student has 2",
        ),
        (
            format!("{to_line} --loss soft-labels"),
            "--loss soft-labels is for classification, but the target holds values",
        ),
        (
            format!("{to_line} --loss decoupled"),
            "--loss decoupled is for classification, but the target holds values",
        ),
        (
            format!("{to_line} --loss logits"),
            "--loss logits is for classification, but the target holds values",
        ),
        (
            format!("{to_line} --label-smoothing 0.1"),
            "label smoothing 0.1: this loss has no labels to smooth",
        ),
        (format!("{DISTILL} --temperature -1"), "temperature -1: it must be above 0"),
        (format!("{DISTILL} --temperature NaN"), "temperature NaN: it must be above 0"),
        (format!("{DISTILL} --temperature 4..0"), "temperature 0: it must be above 0"),
        (format!("{DISTILL} --loss outputs --temperature 4..1"), "this loss has no temperature to change"),
        (format!("{DISTILL} --alpha 1.1"), "alpha 1.1: it must be in [0, 1]"),
        (format!("{DISTILL} --alpha -0.1"), "alpha -0.1: it must be in [0, 1]"),
        (format!("{DISTILL} --beta 2"), "--beta is only for --loss decoupled"),
        (format!("{DISTILL} --loss decoupled --beta -2"), "beta -2: it must be at least 0"),
        (format!("{DISTILL} --dropout 1"), "dropout 1: it must be at least 0 and below 1"),
        (format!("{DISTILL} --dropout -0.1"), "dropout -0.1: it must be at least 0 and below 1"),
        (format!("{DISTILL} --mixup 0"), "mixup 0: it must be above 0"),
        (format!("{DISTILL} --label-smoothing 1"), "label smoothing 1: it must be at least 0 and below 1"),
        (format!("{DISTILL} --fraction 0"), "--fraction 0: it must be above 0 and at most 1"),
        (format!("{DISTILL} --teacher-weights 1,2"), "--teacher-weights has 2 numbers for 1 teachers"),
        (format!("{DISTILL} --teacher-weights -1"), "a teacher's weight of -1: it must be above 0"),
        (
            format!("{DISTILL} --hints --student 4-3").replace(" --student 4-6-3", ""),
            "hints are for hidden layers",
        ),
        (
            format!("{to_rare} --fraction 0.1"),
            "none of the 12 rows to distill on has the label \"long\", which 3 rows of the file have: increase --fraction",
        ),
        (
            DISTILL.replace("--data", "--teacher two.safetensors --data"),
            "teachers need the same features: two.safetensors has [\"x\", \"y\"], teacher.safetensors has",
        ),
        (stored("short.csv"), "short.csv: soft labels for 1 rows, but the data has 120"),
        (stored("sum.csv"), "sum.csv:2: the probabilities sum to 1.1, not 1"),
        (stored("two.csv"), "two.csv:1: no column of soft labels"),
        (format!("{} --weight-decay auto", stored("short.csv")), "short.csv: soft labels for 1 rows"),
        (
            "distill --soft-labels short.csv --data line.csv --student 1-1 --out t".into(),
            "short.csv:1: no column of soft labels: give one per target, such as prediction(TARGET), for [\"y\"]",
        ),
    ] {
        let (message, code) = folder.error(&line);
        assert!(message.starts_with(&format!("error: {expected}")), "{line}: {message}");
        assert_eq!(code, 1, "{line}");
    }
}
