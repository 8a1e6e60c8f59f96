//! Tools that boards need on this machine, and the commands that install them.

use std::process::Command;

use crate::bench::peers;
use crate::step::step;
pub use crate::step::{Step, flash_tool};
use crate::{Board, Missing, SYSTEM_TOOLCHAIN, which};
use microdistill_train::error::{Error, Result};

/// Returns the commands that install the missing tools of `boards`; empty if nothing is missing.
///
/// # Errors
/// If a tool is missing and this machine has no known package manager.
pub fn steps(boards: &[Board]) -> Result<Vec<Step>> {
    let mut steps: Vec<Step> = Vec::new();
    for missing in boards.iter().flat_map(Board::missing) {
        for step in install(&missing)? {
            if !steps.contains(&step) {
                steps.push(step);
            }
        }
    }
    Ok(steps)
}

/// Returns the commands that install emlearn for `board bench --peers`: Debian's C compiler for Arm, and emlearn's headers
/// from its wheel; empty if both are installed.
///
/// # Errors
/// If there is no clone of the repository, or the compiler is missing and this machine has no known package manager.
pub fn peers() -> Result<Vec<Step>> {
    let mut steps = Vec::new();
    if !peers::emlearn_headers()?.is_file() {
        let folder = microdistill_train::file::repository()?.join(peers::EMLEARN).display().to_string();
        let release = format!("emlearn=={}", peers::EMLEARN_VERSION);
        let install = ["python3", "-m", "pip", "install", "--quiet", "--no-deps", "--target"];
        steps.push(step("emlearn's headers", &[&install[..], &[&folder, &release]].concat()));
    }
    if which(peers::C_COMPILER).is_none() {
        if which("apt-get").is_none() {
            return Err(Error::Invalid(format!(
                "{} is missing: install it and try again",
                peers::C_COMPILER
            )));
        }
        let names = ["gcc-arm-none-eabi", "libnewlib-arm-none-eabi"];
        steps.extend(packages("the C compiler for boards", &names, sudo()));
    }
    Ok(steps)
}

fn install(missing: &Missing) -> Result<Vec<Step>> {
    match missing {
        Missing::Target(target) => {
            let mut add = step("the core library for boards", &["rustup", "target", "add", target]);
            if which("apt-get").is_some() {
                add.otherwise = system_toolchain(target, sudo());
            }
            Ok(vec![add])
        }
        Missing::Emulator(program) => {
            if which("apt-get").is_some() {
                // Debian has one package for Arm and one for less common targets.
                let package = if program == "qemu-system-arm" { program } else { "qemu-system-misc" };
                Ok(packages("the emulator", &[package], sudo()).into())
            } else if which("brew").is_some() {
                Ok(vec![step("the emulator", &["brew", "install", "qemu"])])
            } else {
                Err(Error::Invalid(format!(
                    "{program} is missing: install QEMU (7.2 or later) and try again"
                )))
            }
        }
    }
}

/// `sudo`, unless we are root.
fn sudo() -> &'static [&'static str] {
    if is_root() { &[] } else { &["sudo"] }
}

fn packages(purpose: &str, packages: &[&str], sudo: &[&str]) -> [Step; 2] {
    let install: &[&str] = &["apt-get", "install", "--quiet=2", "--yes", "--no-install-recommends"];
    [
        step("the list of packages", &[sudo, &["apt-get", "update", "--quiet=2"]].concat()),
        step(purpose, &[sudo, install, packages].concat()),
    ]
}

/// Installs Debian's compiler, builds a core library for `target` from its source, and links both as a rustup toolchain. For
/// machines where rustup cannot download the library.
fn system_toolchain(target: &str, sudo: &[&str]) -> Vec<Step> {
    let purpose = "a compiler with the source of its core library";
    let mut steps: Vec<Step> = packages(purpose, &["rustc-web", "rust-web-src"], sudo).into();
    // `microdistill` is `no_std` on every target, so building it also builds the core libraries. They need bitcode,
    // because firmware is optimized across crates.
    let environment = ["env", "RUSTC=/usr/bin/rustc", "RUSTC_BOOTSTRAP=1", "RUSTFLAGS=-Cembed-bitcode=yes"];
    let build = [&environment[..], &["cargo", "build", "--release", "--quiet"]].concat();
    let core = ["-Zbuild-std=core,alloc", "--package", "microdistill", "--target", target];
    steps.push(step("the core library", &[&build[..], &core[..], &["--target-dir", BUILT]].concat()));
    let libraries = format!("/usr/lib/rustlib/{target}/lib");
    steps.push(step("the folder of the core library", &[sudo, &["mkdir", "-p", &libraries]].concat()));
    let copy =
        format!("cp {BUILT}/{target}/release/deps/lib{{core,alloc,compiler_builtins}}-*.rlib {libraries}/");
    steps.push(step("the core library in its folder", &[sudo, &["bash", "-c", &copy]].concat()));
    let host = "/usr/lib/rustlib/x86_64-unknown-linux-gnu/bin";
    steps.push(step("the folder of the linker", &[sudo, &["mkdir", "-p", host]].concat()));
    // The user's rustc, not root's, knows where rustup keeps its linker.
    let linker = "\"$(rustc --print sysroot)/lib/rustlib/x86_64-unknown-linux-gnu/bin/rust-lld\"";
    let link = [sudo, &["ln", "-sf", linker, host]].concat().join(" ");
    steps.push(step("the linker", &["bash", "-c", &link]));
    steps.push(step("the toolchain's name", &["rustup", "toolchain", "link", SYSTEM_TOOLCHAIN, "/usr"]));
    steps
}

/// Build folder of the core library.
const BUILT: &str = "target/system";

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_that_rustup_cannot_fetch_is_built() {
        let lines: Vec<String> =
            system_toolchain("thumbv6m-none-eabi", &["sudo"]).iter().map(Step::line).collect();
        let expected = [
            "sudo apt-get update --quiet=2",
            "sudo apt-get install --quiet=2 --yes --no-install-recommends rustc-web rust-web-src",
            "env RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 RUSTFLAGS=-Cembed-bitcode=yes cargo build --release --quiet -Zbuild-std=core,alloc \
             --package microdistill --target thumbv6m-none-eabi --target-dir target/system",
            "sudo mkdir -p /usr/lib/rustlib/thumbv6m-none-eabi/lib",
            "sudo bash -c 'cp target/system/thumbv6m-none-eabi/release/deps/lib{core,alloc,compiler_builtins}-*.rlib \
             /usr/lib/rustlib/thumbv6m-none-eabi/lib/'",
            "sudo mkdir -p /usr/lib/rustlib/x86_64-unknown-linux-gnu/bin",
            "bash -c 'sudo ln -sf \"$(rustc --print sysroot)/lib/rustlib/x86_64-unknown-linux-gnu/bin/rust-lld\" \
             /usr/lib/rustlib/x86_64-unknown-linux-gnu/bin'",
            "rustup toolchain link debian /usr",
        ];
        assert_eq!(lines, expected);
    }
}
