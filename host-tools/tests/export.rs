//! Exported files compile without warnings in a `no_std` crate and give the same bits as the desktop.

mod common;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::exported::{canonical, inputs, models};
use common::{model, rows, scaler};
use microdistill_train::export::{self, Footprint, Form, build, export};
use microdistill_train::model::{Body, Metadata, Model, Task};
use microdistill_train::network::precision::{Bits, Precision, Scales};
use microdistill_train::network::{Activation, macs};
use microdistill_train::quantize::quantize;
use tempfile::TempDir;

const COMMAND: &str = "microdistill export student.safetensors";

#[test]
fn exported_networks_give_the_desktop_s_bits() {
    let core = Core::build();
    for (name, model) in models() {
        let text = export(&model, "STUDENT_1", COMMAND).unwrap();
        let rows = inputs(&model);
        let found = core.run(&model, &text, &rows);
        let expected: Vec<Vec<u32>> =
            rows.iter().map(|raw| model.logits(raw).into_iter().map(canonical).collect()).collect();
        assert_eq!(found, expected, "{name}");
    }
}

/// The core crate, built once for the crates that the tests write.
struct Core {
    folder: TempDir,
    library: PathBuf,
    dependencies: PathBuf,
}

impl Core {
    fn build() -> Self {
        let folder = TempDir::new().unwrap();
        // It needs its own target folder, because the one of the running `cargo test` is locked.
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("core");
        let built = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--lib", "--offline", "--package", "microdistill", "--target-dir"])
            .arg(&target)
            .current_dir(workspace)
            .status()
            .unwrap();
        assert!(built.success());
        let debug = target.join("debug");
        Core { folder, library: debug.join("libmicrodistill.rlib"), dependencies: debug.join("deps") }
    }

    /// Compiles `text` in a crate that runs the self-test and then each given row. Returns the bits of the outputs.
    fn run(&self, model: &Model, text: &str, rows: &[Vec<f32>]) -> Vec<Vec<u32>> {
        let path = |name| self.folder.path().join(name);
        std::fs::write(path("student.rs"), text).unwrap();
        std::fs::write(path("rows.rs"), export::rows(model, &model.example_rows(), Form::Codes)).unwrap();
        std::fs::write(path("firmware.rs"), FIRMWARE).unwrap();
        let driver =
            self.errors_of("clippy-driver".as_ref(), &STRICT, &path("firmware.rs"), &path("firmware.rmeta"));
        assert!(driver.is_empty(), "{driver}");
        let edge = if text.contains("static OUTPUT") { "student::OUTPUT.apply(&output)" } else { "output" };
        std::fs::write(path("main.rs"), MAIN.replace("EDGE", edge)).unwrap();
        self.compile(&[], &path("main.rs"), &path("main"));
        let arguments = rows
            .iter()
            .map(|row| row.iter().map(|value| value.to_bits().to_string()).collect::<Vec<_>>().join(" "));
        let output = Command::new(path("main")).args(arguments).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let lines = String::from_utf8(output.stdout).unwrap();
        let bits = |line: &str| {
            line.split(' ').map(|bits| canonical(f32::from_bits(bits.parse().unwrap()))).collect()
        };
        lines.lines().map(bits).collect()
    }

    fn compile(&self, options: &[&str], source: &Path, result: &Path) {
        let errors = self.errors(options, source, result);
        assert!(errors.is_empty(), "{errors}");
    }

    /// Compiles the crate. Returns the compiler's messages, which are empty on success.
    fn errors(&self, options: &[&str], source: &Path, result: &Path) -> String {
        let rustc = std::env::var_os("RUSTC").unwrap_or("rustc".into());
        self.errors_of(&rustc, options, source, result)
    }

    fn errors_of(&self, compiler: &OsStr, options: &[&str], source: &Path, result: &Path) -> String {
        let output = Command::new(compiler)
            .args(["--edition=2024", "-Dwarnings", "-Wmissing-docs", "-Wunreachable-pub"])
            .args(options)
            .arg(format!("--extern=microdistill={}", self.library.display()))
            .arg(format!("-Ldependency={}", self.dependencies.display()))
            .args([source.as_os_str(), "-o".as_ref(), result.as_os_str()])
            .output()
            .unwrap();
        if output.status.success() {
            String::new()
        } else {
            String::from_utf8_lossy(&output.stderr).into_owned()
        }
    }
}

/// Options of the strictest firmware: all lints of clippy's pedantic group, too.
const STRICT: [&str; 3] = ["--crate-type=lib", "--emit=metadata", "-Wclippy::pedantic"];

const FIRMWARE: &str = r#"//! Both ways to take in a file.
#![no_std]
#![deny(warnings)]
mod student;
mod rows;
/// With the items of an enclosing module.
pub mod included {
    include!("student.rs");
}
"#;

const MAIN: &str = r#"//! Rows of bits in, outputs' bits out.
mod student;
use microdistill::Prepare as _;
use student::{GOLDEN, INPUT, STUDENT_1};

static _NAMED: &student::Student1 = &STUDENT_1;

fn main() {
    assert_eq!(GOLDEN.len(), 3);
    microdistill::golden::self_test(&INPUT, &STUDENT_1, &GOLDEN).unwrap();
    assert_eq!(student::KERNEL, "portable");
    assert!(student::LABELS.get(1).is_none_or(|label| *label == "label 1 \"é\""));
    for row in std::env::args().skip(1) {
        let mut raw = [0.0; student::FEATURES.len()];
        for (raw, bits) in raw.iter_mut().zip(row.split(' ')) {
            *raw = f32::from_bits(bits.parse().unwrap());
        }
        let output = STUDENT_1.predict(&INPUT.apply(&raw));
        println!("{}", EDGE.map(|y: f32| y.to_bits().to_string()).join(" "));
    }
}
"#;

#[test]
fn a_network_over_its_budget_does_not_compile() {
    let core = Core::build();
    let path = |name| core.folder.path().join(name);
    for (name, model) in models() {
        let text = export(&model, "STUDENT_1", COMMAND).unwrap();
        let Footprint { flash, ram } = Footprint::of(&model).unwrap();
        let errors = |flash, ram, macs| {
            let budget = format!(
                "const _: () = assert!(FLASH_BYTES <= {flash} && SCRATCH_BYTES <= {ram} && MACS <= {macs}, \"over the budget\");"
            );
            std::fs::write(path("budget.rs"), format!("//! A budget.\n#![no_std]\n{text}{budget}\n"))
                .unwrap();
            core.errors(&["--crate-type=lib", "--emit=metadata"], &path("budget.rs"), &path("budget.rmeta"))
        };
        let macs = macs(&model.widths());
        assert_eq!(errors(flash, ram, macs), "", "{name}");
        for errors in
            [errors(flash - 1, ram, macs), errors(flash, ram - 1, macs), errors(flash, ram, macs - 1)]
        {
            assert!(errors.contains("over the budget"), "{name}: {errors}");
        }
    }
}

#[test]
fn a_text_has_its_features_on_the_device() {
    let core = Core::build();
    let mut model = model(&[5, 2], Activation::Relu, 1);
    for (place, name) in model.metadata.features.iter_mut().skip(1).enumerate() {
        *name = format!("a \"word\":2-3-grams:{place}/4");
    }
    let text = export(&model, "STUDENT", COMMAND).unwrap();
    let test = "const _: () = assert!(TEXT_1.shortest == 2 && TEXT_1.longest == 3);
        /// From text to logits.
        pub fn answer(number: f32, word: &str) -> [f32; 2] {
            let [a, b, c, d] = TEXT_1.features(word);
            predict(&[number, a, b, c, d])
        }";
    let path = |name| core.folder.path().join(name);
    std::fs::write(path("text.rs"), format!("//! Text.\n#![no_std]\n{text}{test}\n")).unwrap();
    core.compile(&["--crate-type=lib", "--emit=metadata"], &path("text.rs"), &path("text.rmeta"));
}

#[test]
fn origins_reach_the_device() {
    let core = Core::build();
    let mut model = model(&[2, 1], Activation::Relu, 1);
    let plain = export(&model, "STUDENT", COMMAND).unwrap();
    assert!(!plain.contains("ORIGIN"), "{plain}");
    assert!(!rows_of(&model).contains("ORIGIN"));
    model.metadata.task = Task::Regression { targets: vec!["value".into()] };
    model.metadata.origin = vec![1_732_800_001_000.0, 0.0];
    model.metadata.target_origin = vec![52.123463];
    assert!(rows_of(&model).contains("/// Raw features, less the `ORIGIN` of the model."));
    let text = export(&model, "STUDENT", COMMAND).unwrap();
    let test = "const _: () = assert!(ORIGIN[0] == 1_732_800_001_000.0 && ORIGIN[1] == 0.0);
        /// From features and to a value that f32 cannot hold.
        pub fn answer(raw: [f64; 2]) -> f64 {
            let raw = core::array::from_fn(|i| (raw[i] - ORIGIN[i]) as f32);
            TARGET_ORIGIN + f64::from(predict(&raw)[0])
        }";
    let path = |name| core.folder.path().join(name);
    std::fs::write(path("origin.rs"), format!("//! Origins.\n#![no_std]\n{text}{test}\n")).unwrap();
    core.compile(&["--crate-type=lib", "--emit=metadata"], &path("origin.rs"), &path("origin.rmeta"));
}

/// Two targets, of which f32 cannot hold one.
fn two_targets(origin: Vec<f64>) -> Model {
    let mut model = model(&[4, 6, 2], Activation::Relu, 3);
    model.metadata.task = Task::Regression { targets: vec!["mm".into(), "t, \"Pa\"".into()] };
    model.metadata.target_origin = origin;
    if let Body::F32(network) = &mut model.body {
        let last = &mut network.layers_mut()[1];
        last.edit_weights(|weights| weights[6..].iter_mut().for_each(|weight| *weight *= 400.0));
        last.bias[1] = 101_325.0;
    }
    model
}

#[test]
fn several_values_have_names_and_the_desktop_s_bits() {
    let core = Core::build();
    let plain = export(&two_targets(Vec::new()), "STUDENT", COMMAND).unwrap();
    assert!(plain.contains("// targets: mm, t, \"Pa\"") && !plain.contains("TARGET_ORIGIN"), "{plain}");
    let model = two_targets(vec![0.0, 1e9]);
    let int8 = quantize(&model, &rows(4, 50, 2), Scales::PerChannel).unwrap();
    for (name, model) in [("f32", &model), ("int8", &int8)] {
        let text = export(model, "STUDENT", COMMAND).unwrap();
        let raw = &inputs(model)[0];
        let bits: Vec<u32> = model.logits(raw).into_iter().map(f32::to_bits).collect();
        let main = format!(
            "#[allow(dead_code)]
            mod student;
            fn main() {{
                student::self_test().unwrap();
                assert_eq!(student::TARGETS, [\"mm\", \"t, \\\"Pa\\\"\"]);
                assert_eq!(student::TARGET_ORIGIN, [0.0, 1e9]);
                let values = student::predict(&{raw:?});
                assert_eq!(values.map(f32::to_bits), {bits:?});
                assert_eq!(student::TARGET_ORIGIN[1] + f64::from(values[1]), 1e9 + f64::from(values[1]));
            }}"
        );
        let path = |name| core.folder.path().join(name);
        std::fs::write(path("student.rs"), text).unwrap();
        std::fs::write(path("several.rs"), format!("//! Several.\n{main}")).unwrap();
        core.compile(&[], &path("several.rs"), &path("several"));
        let output = Command::new(path("several")).output().unwrap();
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

fn rows_of(model: &Model) -> String {
    export::rows(model, &model.example_rows(), Form::Raw)
}

#[test]
fn origins_that_do_not_fit_are_refused() {
    let refused = |change: fn(&mut Metadata)| {
        let mut model = model(&[2, 2], Activation::Relu, 1);
        change(&mut model.metadata);
        export(&model, "STUDENT", COMMAND).unwrap_err().to_string()
    };
    let error = refused(|metadata| metadata.origin = vec![1.0]);
    assert!(error.contains("origin has 1 values, the model has 2 features"), "{error}");
    let error = refused(|metadata| metadata.origin = vec![1.0, f64::NAN]);
    assert!(error.contains("an origin is NaN"), "{error}");
    let error = refused(|metadata| metadata.target_origin = vec![1.0]);
    assert!(error.contains("classes have none"), "{error}");
    let error = export(&two_targets(vec![1.0]), "STUDENT", COMMAND).unwrap_err().to_string();
    assert!(error.contains("target_origin has 1 values, the model has 2 targets"), "{error}");
}

#[test]
fn build_scripts_export_into_out_dir() {
    let folder = TempDir::new().unwrap();
    let model = model(&[2, 2], Activation::Relu, 1);
    let path = folder.path().join("student.safetensors");
    model.save(&path).unwrap();
    // OUT_DIR must be set before the process starts.
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "build_script", "--nocapture"])
        .env("OUT_DIR", folder.path())
        .env("BUILD_SCRIPT_MODEL", &path)
        .output()
        .unwrap();
    let output = String::from_utf8(output.stdout).unwrap();
    assert!(output.contains(&format!("cargo::rerun-if-changed={}\n", path.display())), "{output}");
    let text = std::fs::read_to_string(folder.path().join("student.rs")).unwrap();
    assert_eq!(text, export(&model, "STUDENT", "build.rs").unwrap());
}

/// Build script that [`build_scripts_export_into_out_dir`] runs; does nothing on its own.
#[test]
fn build_script() {
    if let Some(model) = std::env::var_os("BUILD_SCRIPT_MODEL") {
        build(model, "STUDENT", "student.rs").unwrap();
    }
}

#[test]
fn names_are_constants_names() {
    let model = model(&[2, 2], Activation::Relu, 1);
    for name in ["", "student", "1A", "A-B", "A B", "É", "_A", "A;"] {
        let error = export(&model, name, COMMAND).unwrap_err().to_string();
        assert!(error.contains("is not a constant's name"), "{error}");
    }
    for name in ["INPUT", "GOLDEN", "KERNEL", "ORIGIN", "SELF", "TEXT", "TEXT_7"] {
        assert!(export(&model, name, COMMAND).unwrap_err().to_string().contains("is taken"));
    }
    assert!(export(&model, "TEACHER_INT8", COMMAND).unwrap().contains("pub type TeacherInt8 = "));
}

#[test]
fn what_cannot_be_exported_is_said() {
    let mut bare = model(&[2, 2], Activation::Relu, 1);
    bare.examples = nalgebra::DMatrix::zeros(2, 0);
    assert!(export(&bare, "STUDENT", COMMAND).unwrap_err().to_string().contains("example rows"));
    let mut broken = model(&[2, 2], Activation::Relu, 1);
    scaler(&mut broken).mean[1] = f32::NAN;
    let error = export(&broken, "STUDENT", COMMAND).unwrap_err().to_string();
    assert!(error.contains("scaler.mean holds NaN at position 1"), "{error}");
    let mut overflowing = model(&[2, 2], Activation::Relu, 1);
    scaler(&mut overflowing).scale = vec![f32::MAX; 2];
    let error = export(&overflowing, "STUDENT", COMMAND).unwrap_err().to_string();
    assert!(error.contains("are not finite"), "{error}");
}

#[test]
fn lines_fit_a_screen() {
    let model = model(&[40, 70, 12], Activation::Relu, 1);
    let int8 = quantize(&model, &rows(40, 10, 1), Scales::default()).unwrap();
    let int4 = quantize(&model, &rows(40, 10, 1), Precision::per_group(Bits::Four)).unwrap();
    for model in [model, int8, int4] {
        for line in export(&model, "STUDENT", COMMAND).unwrap().lines() {
            assert!(line.chars().count() <= 120, "{line}");
        }
    }
}
