//! Exported C headers compile without warnings and give the same bits as the desktop.

mod common;

use std::path::Path;
use std::process::Command;

use common::exported::{canonical, inputs, models};
use common::model;
use microdistill_train::export::{Format, export_as};
use microdistill_train::model::{Body, Model};
use microdistill_train::network::Activation;
use tempfile::TempDir;

const COMMAND: &str = "microdistill export ends.safetensors */ \\";

#[test]
fn c_gives_the_desktop_s_bits() {
    let folder = TempDir::new().unwrap();
    for (name, model) in models() {
        let rows = inputs(&model);
        let found = run(folder.path(), &model, &rows);
        for (raw, (class, outputs)) in rows.iter().zip(found) {
            let expected = model.logits(raw);
            assert_eq!(class, expected_class(&model, &expected), "{name}: {raw:?}");
            assert_eq!(outputs.len(), expected.len());
            for (&found, &expected) in outputs.iter().zip(&expected) {
                // The functions of the C library differ from libm's in the last place.
                let near = uses_library(&model) && (found - expected).abs() <= 1e-6 * expected.abs().max(1.0);
                assert!(
                    near || canonical(found) == canonical(expected),
                    "{name}: {found} {expected} {raw:?}"
                );
            }
        }
    }
}

/// True for f32 networks with `tanhf` or `expf`.
fn uses_library(model: &Model) -> bool {
    let Body::F32(network) = &model.body else { return false };
    let curved = |activation| matches!(activation, Activation::Tanh | Activation::Sigmoid);
    network.layers().iter().any(|layer| curved(layer.activation))
}

fn expected_class(model: &Model, outputs: &[f32]) -> usize {
    if model.labels().is_empty() { 0 } else { microdistill::argmax(outputs) }
}

/// Compiles the header of `model`. Returns the class and the outputs of each row.
fn run(folder: &Path, model: &Model, rows: &[Vec<f32>]) -> Vec<(usize, Vec<f32>)> {
    let path = |name| folder.join(name);
    std::fs::write(path("student.h"), header(model)).unwrap();
    std::fs::write(path("main.c"), MAIN).unwrap();
    let result = path("main");
    compile(&["-std=c99", "-ffp-contract=off"], &path("main.c"), &result);
    let arguments = rows
        .iter()
        .map(|row| row.iter().map(|value| format!("{:08x}", value.to_bits())).collect::<Vec<_>>().join(" "));
    let output = Command::new(&result).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).unwrap();
    let number = |text: &str| u32::from_str_radix(text, 16).unwrap();
    let line = |line: &str| {
        let (class, outputs) = line.split_once(' ').unwrap();
        (number(class) as usize, outputs.split(' ').map(|bits| f32::from_bits(number(bits))).collect())
    };
    lines.lines().map(line).collect()
}

fn header(model: &Model) -> String {
    String::from_utf8(export_as(model, Format::C, "STUDENT", COMMAND).unwrap().bytes).unwrap()
}

/// Compiles with the C compiler of the environment or `cc`, all warnings being errors.
fn compile(options: &[&str], source: &Path, result: &Path) {
    let compiler = std::env::var_os("CC").unwrap_or("cc".into());
    let output = Command::new(&compiler)
        .args(["-O2", "-pedantic", "-Wall", "-Wextra", "-Wshadow", "-Werror"])
        .args(options)
        .args([source.as_os_str(), "-o".as_ref(), result.as_os_str(), "-lm".as_ref()])
        .output()
        .unwrap_or_else(|error| panic!("{}: {error}: install a C compiler", compiler.display()));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

const MAIN: &str = r#"/* Rows of bits in, the class and the outputs' bits out. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "student.h"
#include "student.h"

int main(int count, char **rows) {
    int row, i;
    for (row = 1; row < count; row++) {
        float x[STUDENT_INPUTS], y[STUDENT_OUTPUTS];
        char *text = rows[row];
        for (i = 0; i < STUDENT_INPUTS; i++) {
            const uint32_t bits = (uint32_t)strtoul(text, &text, 16);
            memcpy(&x[i], &bits, sizeof bits);
        }
        printf("%x", (unsigned)student_predict(x, y));
        for (i = 0; i < STUDENT_OUTPUTS; i++) {
            uint32_t bits;
            memcpy(&bits, &y[i], sizeof bits);
            printf(" %08x", (unsigned)bits);
        }
        putchar('\n');
    }
    return 0;
}
"#;

/// Compiles headers as C++, which an Arduino sketch is.
#[test]
fn the_header_is_cpp_too() {
    if Command::new("c++").arg("--version").output().is_err() {
        eprintln!("not compiled as C++: there is no c++");
        return;
    }
    let folder = TempDir::new().unwrap();
    let path = |name| folder.path().join(name);
    for (name, model) in models() {
        std::fs::write(path("student.h"), header(&model)).unwrap();
        std::fs::write(path("main.cpp"), MAIN).unwrap();
        let output = Command::new("c++")
            .args(["-std=c++11", "-fsyntax-only", "-pedantic", "-Wall", "-Wextra", "-Werror"])
            .arg(path("main.cpp"))
            .output()
            .unwrap();
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn names_and_origins_are_in_the_header() {
    let mut model = model(&[2, 3, 2], Activation::Relu, 1);
    model.metadata.origin = vec![1_732_800_001_000.0, 0.0];
    let text = header(&model);
    assert!(
        text.contains("static const double student_origin[2] = {\n    1732800001000.0, 0.0,\n};"),
        "{text}"
    );
    assert!(text.contains(r#""label 1 \"\303\251\"","#), "{text}");
    assert!(text.contains("#define STUDENT_INPUTS 2\n"), "{text}");
    assert!(text.contains(" * made by: microdistill export ends.safetensors * / \\\n"), "{text}");
    assert!(!text.contains("math.h"));
    let error = export_as(&model, Format::C, "int", COMMAND).unwrap_err().to_string();
    assert!(error.contains("not a constant's name"), "{error}");
}
