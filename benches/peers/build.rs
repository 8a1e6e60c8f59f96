//! Sets linker arguments and the network's files, and compiles emlearn with the C compiler.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Options of the C compiler for the core of the board.
const CORE: [&str; 4] = ["-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16"];

fn main() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    println!("cargo::rustc-link-search={}", here.join("../../examples/firmware/qemu-mps2").display());
    println!("cargo::rustc-link-arg-bins=--nmagic");
    println!("cargo::rustc-link-arg-bins=-Tlink.x");
    println!("cargo::rustc-link-arg-bins=-Tdefmt.x");

    // All files of a network are in the folder of its exported model.
    println!("cargo::rerun-if-env-changed=MICRODISTILL_MODEL");
    let Some(model) = env::var_os("MICRODISTILL_MODEL").map(PathBuf::from) else {
        println!(
            "cargo::error=build this with `cargo microdistill board bench --peers`, which exports the networks"
        );
        return;
    };
    for file in ["model", "rows", "plain", "microflow"] {
        let path = model.with_file_name(file).with_extension("rs");
        println!("cargo::rerun-if-changed={}", path.display());
        println!("cargo::rustc-env={}={}", file.to_uppercase(), path.display());
    }
    if env::var_os("CARGO_FEATURE_EMLEARN").is_some() {
        emlearn(&here.join("../target/emlearn"), &model.with_file_name("emlearn.c"));
    }
}

/// Compiles `source`, which includes emlearn's header, at the optimization level of the Rust code.
fn emlearn(headers: &Path, source: &Path) {
    println!("cargo::rerun-if-changed={}", source.display());
    let out = env::var("OUT_DIR").unwrap_or_default();
    let object = format!("{out}/emlearn.o");
    let level = env::var("OPT_LEVEL").unwrap_or_default();
    let mut compile = Command::new("arm-none-eabi-gcc");
    compile.args(CORE).arg(format!("-O{level}")).args(["-ffunction-sections", "-w", "-I"]);
    compile.arg(headers.join("emlearn")).arg("-c").arg(source).args(["-o", &object]);
    if !compile.status().is_ok_and(|status| status.success()) {
        println!("cargo::error=emlearn does not compile: run `cargo microdistill setup --peers`");
        return;
    }
    println!("cargo::rustc-link-arg-bin=emlearn={object}");
    // Its activations call expf, logf and tanhf.
    for library in ["libm.a", "libc.a", "libgcc.a"] {
        let mut find = Command::new("arm-none-eabi-gcc");
        let found = find.args(CORE).arg(format!("-print-file-name={library}")).output();
        let path = found.map(|found| String::from_utf8_lossy(&found.stdout).trim().to_owned());
        println!("cargo::rustc-link-arg-bin=emlearn={}", path.unwrap_or_default());
    }
}
