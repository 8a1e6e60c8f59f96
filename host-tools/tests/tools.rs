//! Models in the formats of other tools give the outputs of the desktop there. `tools/requirements.txt` lists the tools; where they
//! are missing, the comparison shows as ignored. `MICRODISTILL_PYTHON` names the interpreter.

mod common;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Output};

use common::exported::{inputs, models};
use common::model;
use libtest_mimic::{Arguments, Failed, Trial};
use microdistill_train::export::{Exported, Format, export_as};
use microdistill_train::metrics::probabilities;
use microdistill_train::model::{Body, Model, Task};
use microdistill_train::network::Activation;
use safetensors::SafeTensors;
use tempfile::TempDir;

const FORMATS: [Format; 3] = [Format::Onnx, Format::Safetensors, Format::Tflite];

/// Exit code of the script where a tool is missing.
const MISSING: i32 = 77;

type Test = fn() -> Result<(), Failed>;

fn main() -> ExitCode {
    let tests: [(&str, Test); 3] = [
        ("formats_refuse_what_they_cannot_hold", formats_refuse_what_they_cannot_hold),
        ("formats_are_known_by_their_extensions", formats_are_known_by_their_extensions),
        ("a_sequential_tells_its_modules", a_sequential_tells_its_modules),
    ];
    let mut trials: Vec<Trial> = tests.into_iter().map(|(name, test)| Trial::test(name, test)).collect();
    let missing = missing_tool();
    let compared = Trial::test("tools_give_the_desktop_s_outputs", tools_give_the_desktop_s_outputs)
        .with_ignored_flag(missing.is_some())
        .with_kind(missing.unwrap_or_default());
    trials.push(compared);
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn tools_give_the_desktop_s_outputs() -> Result<(), Failed> {
    let folder = TempDir::new()?;
    for (name, model) in models().into_iter().chain([("origins", of_origins())]) {
        // Weights near the limits of f32 overflow in one order of operations and not in another.
        if name == "odd weights" {
            continue;
        }
        let stem = folder.path().join(name.replace(' ', "-"));
        for format in FORMATS {
            // TensorFlow Lite's numbers have 32 bits.
            if format == Format::Tflite && !model.metadata.origin.is_empty() {
                continue;
            }
            if let Ok(exported) = export_as(&model, format, "STUDENT", "") {
                std::fs::write(stem.with_extension(format.extension()), exported.bytes)?;
            }
        }
        let rows: Vec<Vec<f32>> = inputs(&model).into_iter().filter(|row| row.iter().all(is_usual)).collect();
        let outputs: Vec<Vec<f64>> = rows.iter().map(|raw| told(&model, raw)).collect();
        let origin = |index| model.metadata.origin.get(index).copied().unwrap_or_default();
        let absolute = |row: &Vec<f32>| {
            row.iter().enumerate().map(|(index, &value)| origin(index) + f64::from(value)).collect()
        };
        write_npy(&stem.with_extension("rows.npy"), &rows.iter().map(absolute).collect::<Vec<_>>())?;
        write_npy(&stem.with_extension("expected.npy"), &outputs)?;
    }
    let Output { status, stdout, stderr } = check(folder.path())?;
    let (told, errors) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    print!("{told}");
    if status.success() { Ok(()) } else { Err(format!("{told}{errors}").into()) }
}

/// A missing value, or one whose outputs do not overflow.
fn is_usual(value: &f32) -> bool {
    !value.is_finite() || value.abs() < 1e6
}

/// Outputs of `predict` for a row: probabilities, or values.
fn told(model: &Model, raw: &[f32]) -> Vec<f64> {
    let logits = model.logits(raw);
    match model.metadata.task {
        Task::Classification { .. } => probabilities(&logits).0,
        Task::Regression { .. } => {
            let origin = |index| model.metadata.target_origin.get(index).copied().unwrap_or_default();
            logits.iter().enumerate().map(|(index, &value)| origin(index) + f64::from(value)).collect()
        }
    }
}

fn of_origins() -> Model {
    let mut model = model(&[3, 8, 2], Activation::Relu, 2);
    model.metadata.task = Task::Regression { targets: vec!["latitude".into(), "longitude".into()] };
    model.metadata.origin = vec![1_732_800_001_000.0, 0.0, 52.123_463];
    model.metadata.target_origin = vec![52.123_463, -1e9];
    model
}

fn missing_tool() -> Option<String> {
    let folder = TempDir::new().ok()?;
    match check(folder.path()) {
        Ok(output) if output.status.code() == Some(MISSING) => {
            let told = String::from_utf8_lossy(&output.stdout).trim().to_owned();
            Some(format!("{told}: pip install -r host-tools/tests/tools/requirements.txt"))
        }
        Ok(_) => None,
        Err(error) => Some(format!("needs Python: {error}")),
    }
}

fn check(folder: &Path) -> std::io::Result<Output> {
    let python = std::env::var_os("MICRODISTILL_PYTHON").unwrap_or("python3".into());
    let script = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tools/check.py"));
    Command::new(python).args([script.as_path(), folder]).output()
}

/// Writes a matrix in numpy's format.
fn write_npy(path: &Path, rows: &[Vec<f64>]) -> std::io::Result<()> {
    let columns = rows.first().map_or(0, Vec::len);
    let header =
        format!("{{'descr': '<f8', 'fortran_order': False, 'shape': ({}, {columns}), }}", rows.len());
    // Magic and header fill a multiple of 64 bytes.
    let length = (10 + header.len() + 1).next_multiple_of(64) - 10;
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((length as u16).to_le_bytes());
    bytes.extend(format!("{header:<0$}\n", length - 1).into_bytes());
    bytes.extend(rows.iter().flatten().flat_map(|value| value.to_le_bytes()));
    std::fs::write(path, bytes)
}

fn formats_refuse_what_they_cannot_hold() -> Result<(), Failed> {
    for (name, model) in models() {
        for format in Format::ALL {
            let result = export_as(&model, format, "STUDENT", "");
            let refused = match format {
                Format::Rust | Format::C => None,
                Format::Onnx | Format::Safetensors => {
                    let codes = matches!(model.body, Body::Int8(_) | Body::Int4(_));
                    codes.then_some("export the f32 model that it was made from")
                }
                Format::Tflite => model.preparation.knots().map(|_| "--inputs standardized"),
            };
            match (refused, &result) {
                (None, Ok(exported)) => assert!(!exported.bytes.is_empty(), "{name}, {format:?}"),
                // The weights are too large for the scaler to be folded in.
                (None, Err(error)) if name == "odd weights" => {
                    assert!(error.to_string().contains("exceed f32"), "{format:?}: {error}");
                }
                (Some(reason), Err(error)) if error.to_string().contains(reason) => {}
                _ => return Err(format!("{name}, {format:?}: {refused:?}, {:?}", result.err()).into()),
            }
        }
    }
    Ok(())
}

fn formats_are_known_by_their_extensions() -> Result<(), Failed> {
    for format in Format::ALL {
        assert_eq!(Format::of(Path::new(&format!("a.b.{}", format.extension())))?, format);
    }
    assert_eq!(Format::of(Path::new("/dev/stdout"))?, Format::Rust);
    let error = Format::of(Path::new("model.pt")).unwrap_err().to_string();
    assert!(error.contains("no format has the extension .pt: name the file .rs, .h, .onnx"), "{error}");
    Ok(())
}

fn a_sequential_tells_its_modules() -> Result<(), Failed> {
    let model = model(&[4, 6, 5, 2], Activation::Tanh, 1);
    let Exported { bytes, notes } = export_as(&model, Format::Safetensors, "STUDENT", "")?;
    assert_eq!(notes[0], "in PyTorch: Sequential(Linear(4, 6), Tanh(), Linear(6, 5), Tanh(), Linear(5, 2))");
    let file = SafeTensors::deserialize(&bytes)?;
    let mut names = file.names();
    names.sort_unstable();
    assert_eq!(names, ["0.bias", "0.weight", "2.bias", "2.weight", "4.bias", "4.weight"]);
    assert_eq!(file.tensor("2.weight")?.shape(), [5, 6]);
    let (_, metadata) = SafeTensors::read_metadata(&bytes)?;
    let text = &metadata.metadata().as_ref().ok_or("no metadata")?["sequential"];
    let told: serde_json::Value = serde_json::from_str(text)?;
    assert_eq!(told["widths"], serde_json::json!([4, 6, 5, 2]));
    assert_eq!(told["activations"], serde_json::json!(["Tanh()", "Tanh()"]));
    assert_eq!(told["features"][3], "feature_3");
    Ok(())
}
