//! Search for a student within a budget, and columns of text.

use microdistill_train::export::Footprint;
use microdistill_train::model::Model;

use super::TRAIN;
use super::folder::Folder;

const SEARCH: &str = "distill --teacher teacher.safetensors --data data.csv --groups person --out found.safetensors --candidates 6 --search-folds 2";

#[test]
fn a_student_that_was_searched_for_keeps_to_its_budget() {
    let folder = Folder::new();
    folder.json(TRAIN);
    let outcome = folder.json(&format!("{SEARCH} --budget-flash 500"));
    let best = &outcome["search"]["best"];
    let model = Model::load(folder.path("found.safetensors")).unwrap();
    let Footprint { flash, ram } = Footprint::of(&model).unwrap();
    assert!(flash <= 500);
    assert_eq!((&best["flash"], &best["ram"]), (&flash.into(), &(2 * ram).into()));
    assert_eq!(best["widths"], serde_json::json!(model.widths()));
    assert!(outcome["search"]["front"].as_array().unwrap().contains(best));
    assert_eq!(
        (&outcome["search"]["candidates"], &outcome["search"]["teachers"]),
        (&6.into(), &"own".into())
    );
    let bytes = std::fs::read(folder.path("found.safetensors")).unwrap();
    folder.json(&format!("{SEARCH} --budget-flash 500"));
    assert!(
        bytes == std::fs::read(folder.path("found.safetensors")).unwrap(),
        "the same seed, the same student"
    );

    let (error, code) = folder.error(&format!("{SEARCH} --budget-flash 80"));
    assert!(error.starts_with("error: no student fits: the smallest, 4-3 with 4 bits, needs "), "{error}");
    assert_eq!(code, 1);
    for flags in [
        "--budget-ram 64 --student 4-2-3",
        "--budget-ram 0",
        "--budget-instructions 9k",
        "--budget-flash 1kB --alpha 1",
    ] {
        assert_eq!(folder.run(&format!("{SEARCH} {flags}")).status.code(), Some(2), "{flags}");
    }
    assert_eq!(folder.run(SEARCH).status.code(), Some(2), "neither a student nor a budget");
}

#[test]
fn who_taught_in_the_folds_is_said() {
    let folder = Folder::new();
    folder.json(TRAIN);
    let search = format!("{SEARCH} --budget-flash 500");
    let told = |flags: &str| {
        let output = folder.run(&format!("{search} {flags}"));
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(told("").contains("so held-out rows are unseen"));
    assert!(told("--search-teachers given").contains("were trained on the held-out rows"));
    let mut teacher = Model::load(folder.path("teacher.safetensors")).unwrap();
    let training = teacher.metadata.training.take();
    teacher.save(folder.path("teacher.safetensors")).unwrap();
    assert!(told("").contains("it is unknown how the given teachers were trained"));
    let (error, _) = folder.error(&format!("{search} --search-teachers own"));
    assert!(error.contains("train the teacher again"), "{error}");
    teacher.metadata.training = training;
    teacher.metadata.data_hash = "of another file".into();
    teacher.metadata.division = None;
    teacher.save(folder.path("teacher.safetensors")).unwrap();
    assert!(told("").contains("were trained on another file"));
}

#[test]
fn texts_are_trained_on_exported_and_predicted() {
    let folder = Folder::new();
    let words = ["lautner", "strasse", "nacht", "schule", "the", "this", "with", "which"];
    let rows = (0..160).map(|row| format!("{}{row},{}\n", words[row % 8], ["de", "en"][row / 4 % 2]));
    folder.write("words.csv", &format!("word,language\n{}", rows.collect::<String>()));
    let train = "train --data words.csv --text word --text-features 32 --ngrams 2-3 --hidden 8 --weight-decay 0.1 --out t.safetensors";
    let outcome = folder.json(train);
    assert!(outcome["test"]["accuracy"].as_f64() > Some(0.9), "{outcome}");
    folder.json(
        "distill --teacher t.safetensors --data words.csv --student 32-4-2 --epochs 20 --out s.safetensors",
    );
    folder.json("export s.safetensors --out s.rs");
    let text = std::fs::read_to_string(folder.path("s.rs")).unwrap();
    assert!(text.contains(
        "pub static TEXT: ::microdistill::text::NGrams<32> = ::microdistill::text::NGrams::new(2, 3);"
    ));
    let (error, _) = folder.error("evaluate t.safetensors --data words.csv --text word");
    assert_eq!(error, "error: the model already records which columns are text: leave out --text");
    assert_eq!(folder.run(&format!("{train} --ngrams 3-2")).status.code(), Some(2));
    assert_eq!(folder.run(&format!("{TRAIN} --ngrams 1-2")).status.code(), Some(2), "--ngrams needs --text");
}
