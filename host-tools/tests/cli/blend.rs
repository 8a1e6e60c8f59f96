//! Blends of several kinds of models as teachers.

use crate::folder::Folder;

#[test]
fn a_blend_is_the_teacher_unless_flags_are_for_a_network() {
    let folder = Folder::new();
    let data = "--data data.csv --groups person";
    let found = folder.json(&format!("train {data} --effort quick --out teacher.safetensors"));
    let candidates = found["blend"]["candidates"].as_array().unwrap();
    assert_eq!(candidates.len(), 3);
    let weights: f64 = candidates.iter().map(|candidate| candidate["weight"].as_f64().unwrap()).sum();
    assert!((weights - 1.0).abs() < 1e-6, "{found}");
    assert!(found["blend"]["score"].as_f64() > Some(0.9), "{found}");
    let first = std::fs::read(folder.path("teacher.safetensors")).unwrap();
    folder.json(&format!("train {data} --effort quick --out teacher.safetensors"));
    assert_eq!(std::fs::read(folder.path("teacher.safetensors")).unwrap(), first, "the seed says it all");
    let student = folder.json(&format!(
        "distill --teacher teacher.safetensors {data} --student 4-6-3 --weight-decay 0.1 --steps 500 --out s.safetensors"
    ));
    assert!(student["test"]["accuracy"].as_f64() > Some(0.8), "{student}");
    let (error, _) = folder.error(&format!("quantize teacher.safetensors {data} --out int8.safetensors"));
    assert!(error.contains("distill a student from it"), "{error}");

    let output =
        folder.run(&format!("train {data} --teacher trees,linear --effort quick --out two.safetensors"));
    let table = String::from_utf8(output.stdout).unwrap();
    for word in ["boosted trees", "linear", "blend", "weight", "temperature"] {
        assert!(table.contains(word), "{word}: {table}");
    }
    let (error, _) = folder.error(&format!("train {data} --teacher trees --hidden 8 --out t.safetensors"));
    assert!(error.contains("--hidden is for a network"), "{error}");
    let network =
        folder.run(&format!("train {data} --hidden 8 --epochs 5 --weight-decay 0 --out net.safetensors"));
    let notes = String::from_utf8(network.stderr).unwrap();
    assert!(notes.contains("--hidden is for a network, so the teacher is one"), "{notes}");
}
