//! The demo's results on the bundled data match the README and the committed models.

mod common;

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use common::bundled;
use microdistill_study::demo::{NAMES, Row, choose, network, table, train};
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
    let chosen = choose(&data, 1, go_on).unwrap();
    let models = train(&data, chosen, &[1, 2, 3, 4, 5], go_on, &|| {}).unwrap();
    let rows = table(&models, &data, &test).unwrap();
    let [_, hard, labels, distilled, int8] = rows.as_slice() else { panic!("{rows:?}") };
    let ahead = |other: &Row| distilled.test_accuracy.minus(&other.test_accuracy).mean;
    assert!(ahead(hard) >= 0.01 && distilled.nll.mean <= 0.45 * hard.nll.mean, "{distilled:?} {hard:?}");
    assert!(ahead(labels) >= 0.0 && distilled.nll.mean <= labels.nll.mean, "{distilled:?} {labels:?}");
    assert!(int8.test_accuracy.minus(&distilled.test_accuracy).mean.abs() <= 0.005, "{int8:?}");
    the_readme_says_the_same(&rows);
    let committed = Model::load(committed("teacher.safetensors")).unwrap();
    let fresh = network(&data, 1, go_on).unwrap();
    let [fresh, old] = [&fresh, &committed].map(|model| evaluate(model, &test).unwrap().headline());
    assert!((fresh[0].1 - old[0].1).abs() * 100.0 < POINTS, "{fresh:?} {old:?}");
    assert!((fresh[1].1 - old[1].1).abs() < NLL, "{fresh:?} {old:?}");
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
        let bytes = row.footprint.as_ref().map(|footprint| [footprint.flash, footprint.ram]);
        let sizes = std::iter::once(row.parameters).chain(bytes.into_iter().flatten());
        assert_eq!(found[8..], sizes.map(|size| size as f64).collect::<Vec<_>>(), "{line}");
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
