//! Models of other tools: imported, predicted with, distilled from and exported.

use crate::folder::Folder;

/// A model by `models.py`.
fn model(name: &str) -> String {
    format!("{}/crates/train/tests/models/{name}", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn a_model_of_another_tool_is_a_teacher_or_runs_on_a_board() {
    let folder = Folder::new();
    let names = "--features a,b,c,d --labels long,round,square --target kind";
    let found = folder.json(&format!("import {} {names} --out teacher.safetensors", model("labels.onnx")));
    assert_eq!(found["widths"], serde_json::json!([4, 6, 3]));
    assert_eq!(found["labels"], serde_json::json!(["long", "round", "square"]));
    assert_eq!((found["head"].as_str(), found["not_exportable"].is_null()), (Some("softmax"), true));
    let notes = found["notes"].to_string();
    assert!(notes.contains("the final softmax is dropped") && notes.contains("folded: Scaler"), "{notes}");
    folder.json("predict teacher.safetensors --data data.csv --out predictions.csv");
    folder.json("export teacher.safetensors --out model.rs");
    let distill = "distill --teacher teacher.safetensors --data data.csv --groups person --student 4-6-3 --weight-decay 0 --steps 50";
    folder.json(&format!("{distill} --out student.safetensors"));
}

#[test]
fn outputs_of_the_original_are_compared() {
    let folder = Folder::new();
    folder.write("x.csv", "a,b,c,d\n1,2,3,4\n");
    folder.write("y.csv", "5,5,5\n");
    let import = format!("import {} --out out.safetensors", model("float.tflite"));
    let (error, code) = folder.error(&format!("{import} --verify x.csv y.csv"));
    assert!(error.contains("y.csv: row 1: the imported model gives") && code == 1, "{error}");
    assert!(!folder.path("out.safetensors").exists());
    let found = folder.json(&format!("{import} --outputs logits --features a,b,c,d"));
    assert_eq!(found["labels"], serde_json::json!(["0", "1", "2"]));
    folder.json("predict out.safetensors --data x.csv --target kind --out p.csv");
    let predictions = std::fs::read_to_string(folder.path("p.csv")).unwrap();
    assert!(predictions.starts_with("prediction,p(0),p(1),p(2)\n"), "{predictions}");
}

#[test]
fn refusals_leave_no_file_and_flags_are_not_ignored() {
    let folder = Folder::new();
    for (line, message) in [
        (format!("import {}", model("normalized.onnx")), "LayerNormalization \"norm\", Sin \"wave\""),
        (format!("import {}", model("sequential.safetensors")), "--activation relu"),
        (format!("import {} --output z", model("gelu.onnx")), "the model has no output \"z\""),
        ("import data.csv".into(), "--like FILE"),
        (
            "import data.csv --like student.safetensors --dequantize".into(),
            "--dequantize is for models of other tools",
        ),
    ] {
        let (error, code) = folder.error(&format!("{line} --out out.safetensors"));
        assert!(error.contains(message) && code == 1, "{line}: {error}");
        assert!(!folder.path("out.safetensors").exists());
    }
}
