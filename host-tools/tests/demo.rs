//! The demo's results on the bundled data match the README and the committed models.

mod common;

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use common::bundled;
use microdistill_study::demo::{NAMES, Row, table, train, tune};
use microdistill_train::export::{Form, export, rows};
use microdistill_train::metrics::evaluate;
use microdistill_train::model::Model;

const COMMAND: &str = "microdistill demo";
const EXPORT: &str = "microdistill export teacher_int8.safetensors --name TEACHER --out teacher_int8.rs";

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

fn committed(name: &str) -> PathBuf {
    repository().join("examples/models/watch_small").join(name)
}

/// Tolerances of the figures, because another processor rounds the training of a teacher differently.
const POINTS: f64 = 1.5;
const NLL: f64 = 0.04;

#[test]
fn distillation_keeps_its_promises() {
    let (data, test) = bundled();
    let go_on = &|| ControlFlow::Continue(());
    let tuned = tune(&data, 1, go_on).unwrap();
    let models = train(&data, tuned, &[1, 2, 3, 4, 5], go_on).unwrap();
    let rows = table(&models, &data, &test).unwrap();
    let [teacher, hard, _, distilled, int8] = rows.as_slice() else { panic!("{rows:?}") };
    assert!(teacher.test_accuracy.mean >= 0.84, "{teacher:?}");
    assert!(distilled.test_accuracy.mean >= 0.84, "{distilled:?}");
    assert!(distilled.nll.mean <= 0.6 * hard.nll.mean, "{distilled:?} {hard:?}");
    assert!(int8.test_accuracy.minus(&distilled.test_accuracy).mean.abs() <= 0.005, "{int8:?}");
    the_readme_says_the_same(&rows);
    for (model, name) in models[0].iter().zip(["teacher", "", "", "student", "student_int8"]) {
        if !name.is_empty() {
            let committed = Model::load(committed(name).with_extension("safetensors")).unwrap();
            let [fresh, old] = [model, &committed].map(|model| evaluate(model, &test).unwrap().headline());
            assert!((fresh[0].1 - old[0].1).abs() * 100.0 < POINTS, "{name}: {fresh:?} {old:?}");
            assert!((fresh[1].1 - old[1].1).abs() < NLL, "{name}: {fresh:?} {old:?}");
        }
    }
}

/// Checks that the README's table has these rows, within the differences between processors.
fn the_readme_says_the_same(rows: &[Row]) {
    let readme = std::fs::read_to_string(repository().join("README.md")).unwrap();
    let numbers =
        |line: &str| -> Vec<f64> { line.split_whitespace().filter_map(|word| word.parse().ok()).collect() };
    for (row, name) in rows.iter().zip(NAMES) {
        // Some names are prefixes of others, so the whole first column, as wide as the longest name, is compared.
        let line = readme.lines().find(|line| line.get(1..23).is_some_and(|cell| cell.trim_end() == name));
        let line = line.unwrap_or_else(|| panic!("the README's table has no row {name:?}"));
        let found = numbers(&line[23..]);
        let expected = [&row.train_accuracy, &row.test_accuracy, &row.gap];
        for (found, expected) in found.iter().step_by(2).zip(expected) {
            assert!((found - 100.0 * expected.mean).abs() < POINTS, "{line}: {expected:?}");
        }
        assert!((found[6] - row.nll.mean).abs() < 0.1, "{line}: {row:?}");
        let sizes = [row.parameters, row.footprint.flash, row.footprint.ram].map(|size| size as f64);
        assert_eq!(found[8..], sizes, "{line}");
    }
}

#[test]
fn committed_files_are_the_exports_of_the_committed_models() {
    let fresh = |file: &str, text: String| {
        if std::env::var_os("MICRODISTILL_BLESS").is_some() {
            std::fs::write(committed(file), &text).unwrap();
        }
        let found = std::fs::read_to_string(committed(file)).unwrap();
        assert!(found == text, "{file} is old: set MICRODISTILL_BLESS=1 and test again, which writes it");
    };
    for (model, file, name, command) in [
        ("teacher.safetensors", "teacher.rs", "TEACHER", COMMAND),
        ("student.safetensors", "student.rs", "STUDENT", COMMAND),
        ("student_int8.safetensors", "model.rs", "STUDENT", COMMAND),
        ("teacher_int8.safetensors", "teacher_int8.rs", "TEACHER", EXPORT),
    ] {
        fresh(file, export(&Model::load(committed(model)).unwrap(), name, command).unwrap());
    }
    let (data, test) = bundled();
    for (model, form, names) in [
        ("teacher.safetensors", Form::Raw, ["train.rs", "test.rs"]),
        ("teacher_int8.safetensors", Form::Codes, ["train_int8.rs", "test_int8.rs"]),
    ] {
        let model = Model::load(committed(model)).unwrap();
        for (name, data) in names.into_iter().zip([&data, &test]) {
            fresh(name, rows(&model, data, form));
        }
    }
}

#[test]
fn the_int8_teacher_is_worth_asking() {
    let (_, test) = bundled();
    let teacher = Model::load(committed("teacher_int8.safetensors")).unwrap();
    let (_, accuracy) = evaluate(&teacher, &test).unwrap().headline()[0].clone();
    assert!(accuracy >= 0.84, "{accuracy}");
}
