//! The recipes of `distill`, and teachers of several networks.

use crate::folder::Folder;
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
    let scores = folder.json("evaluate teacher.safetensors --data data.csv");
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
            message.starts_with("error: the model is an ensemble of 3 networks, which no board runs"),
            "{message}"
        );
    }
    let (message, code) = folder.error(&format!("{TRAIN} --ensemble 0"));
    assert_eq!((message.as_str(), code), ("error: --ensemble 0: a teacher needs at least one network", 1));
}
