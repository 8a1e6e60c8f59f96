//! Chooses the exported files that the programs include, the example's or those that environment variables name, and the
//! optimizer.

use std::env;
use std::path::{Path, PathBuf};

const FILES: [(&str, &str); 5] = [
    ("MODEL", "student.rs"),
    ("STUDENT", "student.rs"),
    ("TEACHER", "teacher.rs"),
    ("TRAIN", "train.rs"),
    ("TEST", "test.rs"),
];
const INT8: [(&str, &str); 5] = [
    ("MODEL", "model.rs"),
    ("STUDENT", "student.rs"),
    ("TEACHER", "teacher_int8.rs"),
    ("TRAIN", "train_int8.rs"),
    ("TEST", "test_int8.rs"),
];

fn main() {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/watch_small");
    for (name, default) in if cfg!(feature = "int8") { INT8 } else { FILES } {
        let variable = format!("MICRODISTILL_{name}");
        println!("cargo::rerun-if-env-changed={variable}");
        let path = env::var_os(&variable).map_or_else(|| example.join(default), PathBuf::from);
        if !(path.is_absolute() && path.is_file()) {
            println!("cargo::error={variable}: {} is not the absolute path of a file", path.display());
        }
        println!("cargo::rerun-if-changed={}", path.display());
        println!("cargo::rustc-env={name}={}", path.display());
    }
    println!("cargo::rerun-if-env-changed=MICRODISTILL_OPTIMIZER");
    println!("cargo::rustc-check-cfg=cfg(adam)");
    match env::var("MICRODISTILL_OPTIMIZER").as_deref() {
        Err(_) | Ok("sgd") => {}
        Ok("adam") => println!("cargo::rustc-cfg=adam"),
        Ok(other) => println!("cargo::error=MICRODISTILL_OPTIMIZER: {other} is neither sgd nor adam"),
    }
}
