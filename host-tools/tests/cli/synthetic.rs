//! Additional rows for a student, labelled by its teacher.

use crate::folder::Folder;
use crate::{DISTILL, TRAIN};
use microdistill_train::model::Model;

/// The additional rows that the model file lists.
fn further(folder: &Folder) -> Vec<String> {
    let model = Model::load(folder.path("student.safetensors")).unwrap();
    model.metadata.further.iter().map(ToString::to_string).collect()
}

#[test]
fn every_kind_teaches_and_is_remembered() {
    let folder = Folder::new();
    folder.json(TRAIN);
    for kind in ["jitter", "gaussian", "mixup", "munge", "vae", "gan"] {
        let outcome = folder.json(&format!("{DISTILL} --synthetic {kind}"));
        assert!(outcome["test"]["accuracy"].as_f64() > Some(0.9), "{kind}: {outcome}");
        let rows = outcome["train"]["rows"].as_u64().unwrap();
        assert_eq!(
            further(&folder),
            [format!("{rows} synthetic rows ({kind})")],
            "as many as rows by default"
        );
    }
    folder.json(DISTILL);
    assert!(further(&folder).is_empty());
}

#[test]
fn kinds_share_what_is_asked_for_and_come_from_the_rows_distilled_on() {
    let folder = Folder::new();
    folder.json(TRAIN);
    let line = format!("{DISTILL} --synthetic gaussian,jitter --synthetic-rows 31");
    let said = String::from_utf8(folder.run(&line).stderr).unwrap();
    let list = "16 synthetic rows (gaussian), 15 synthetic rows (jitter)";
    assert!(
        said.contains(&format!("labelled by the teacher: {list}; all rows are shuffled together")),
        "{said}"
    );
    assert_eq!(further(&folder).join(", "), list);
    // A part of the rows with whole people, and twice as many rows generated from it.
    let said = folder.run(&format!("{DISTILL} --synthetic mixup --synthetic-rows 2x --fraction 0.5")).stderr;
    let said = String::from_utf8(said).unwrap();
    let beside = said.lines().find_map(|line| line.strip_prefix("in addition to ")).unwrap();
    let rows: usize = beside.split(' ').next().unwrap().parse().unwrap();
    assert!((60..=90).contains(&rows), "{said}");
    assert_eq!(further(&folder), [format!("{} synthetic rows (mixup)", 2 * rows)]);
    // The same holds in every fold.
    let outcome =
        folder.json(&format!("{DISTILL} --synthetic jitter --weight-decay auto --folds 2 --epochs 5"));
    assert!(outcome["weight_decay"].is_number());
}

#[test]
fn unlabelled_rows_teach_whatever_their_target_holds() {
    let folder = Folder::new();
    folder.json(TRAIN);
    folder.write("more.csv", "d,c,b,a,kind\n7,0.2,0.1,1.5,nobody knows\n7,NA,1,2,\n7,0.1,0.5,0.1,round\n");
    let line = format!("{DISTILL} --unlabelled more.csv --synthetic gaussian --synthetic-rows 5");
    assert!(folder.json(&line)["test"]["accuracy"].as_f64() > Some(0.9));
    assert_eq!(further(&folder), ["5 synthetic rows (gaussian)", "3 unlabelled rows"]);
    folder.write("more.csv", "a,b,kind\n1,2,round\n");
    let (error, code) = folder.error(&format!("{DISTILL} --unlabelled more.csv"));
    let message =
        r#"error: more.csv:1: the columns ["c", "d"] are missing: the model needs them as features"#;
    assert_eq!((error.as_str(), code), (message, 1));
}

#[test]
fn further_rows_may_have_a_share_of_each_batch() {
    let folder = Folder::new();
    folder.json(TRAIN);
    folder.write("more.csv", "d,c,b,a,kind\n7,0.2,0.1,1.5,\n7,NA,1,2,\n7,0.1,0.5,0.1,\n");
    let student = |flags: &str| {
        let outcome = folder.json(&format!("{DISTILL} --unlabelled more.csv --synthetic jitter {flags}"));
        assert!(outcome["test"]["accuracy"].as_f64() > Some(0.9), "{flags}: {outcome}");
        Model::load(folder.path("student.safetensors")).unwrap()
    };
    let shuffled = student("");
    let quarter = student("--further-share 0.25");
    assert_eq!((shuffled.metadata.further_share, quarter.metadata.further_share), (None, Some(0.25)));
    assert_eq!(quarter, student("--further-share 0.25"));
    for other in [student("--further-share 0.5"), shuffled] {
        assert_ne!(quarter.body, other.body);
        assert_eq!(quarter.metadata.further, other.metadata.further);
    }
    student("--further-share 0.5 --hints --mixup 0.2 --patience 60");
    student("--further-share 0.5 --generations 2 --bits 4");
    // The same holds in every fold. However many rows are added, an epoch does not get longer.
    let flags = "--further-share 0.5 --weight-decay auto --folds 2 --epochs 20 --synthetic-rows 100x";
    let said = String::from_utf8(folder.run(&format!("{DISTILL} --synthetic mixup {flags}")).stderr).unwrap();
    assert!(said.contains("(mixup); they make up 0.5 of each batch"), "{said}");
}

#[test]
fn values_are_learned_from_synthetic_rows_too() {
    let folder = Folder::new();
    let mut csv = String::from("a,b,value\n");
    for row in 0..120 {
        let (a, b) = (f64::from(row % 11) / 10.0, f64::from(row * 7 % 13) / 10.0);
        csv += &format!("{a},{b},{}\n", 100.0 + 5.0 * a - 3.0 * b * b);
    }
    folder.write("values.csv", &csv);
    folder.json("train --data values.csv --task regression --hidden 8 --weight-decay 0 --rate 0.01 --epochs 200 --out t.safetensors");
    for kind in ["gaussian", "vae"] {
        let line =
            "distill --teacher t.safetensors --data values.csv --student 2-6-1 --out student.safetensors";
        let outcome = folder.json(&format!("{line} --synthetic {kind}"));
        assert!(outcome["test"]["r2"].as_f64() > Some(0.9), "{kind}: {outcome}");
    }
}

#[test]
fn amounts_and_shares_that_cannot_be_are_refused() {
    let folder = Folder::new();
    folder.json(TRAIN);
    for (flags, message, code) in [
        ("--synthetic smote", "it must be one of jitter, gaussian, mixup, munge, interpolation, vae, gan", 2),
        (
            "--synthetic jitter --synthetic-rows 0x",
            "it must be a number of rows, such as 500, or a multiple of the rows, such as 2x",
            2,
        ),
        ("--synthetic-rows 2x", "the following required arguments were not provided:", 2),
        ("--synthetic jitter --synthetic-rows 1e18x", "are too many", 1),
        ("--synthetic jitter --further-share 1", "it must be above 0 and below 1, such as 0.5", 2),
        ("--synthetic jitter --further-share -0.5", "it must be above 0 and below 1, such as 0.5", 2),
        ("--synthetic jitter --further-share NaN", "it must be above 0 and below 1, such as 0.5", 2),
        ("--synthetic jitter --further-share 0.9999999999", "take a smaller share", 1),
        (
            "--further-share 0.5",
            "--further-share 0.5 needs additional rows: add --synthetic or --unlabelled",
            1,
        ),
    ] {
        let (error, exit) = folder.error(&format!("{DISTILL} {flags}"));
        assert!(error.contains(message) && exit == code, "{flags}: {error}");
    }
}
