//! Sets linker arguments. The memory is that of the board in QEMU, although nothing runs.

fn main() {
    let memory = concat!(env!("CARGO_MANIFEST_DIR"), "/../qemu-mps2");
    println!("cargo::rerun-if-changed={memory}/memory.x");
    println!("cargo::rustc-link-search={memory}");
    println!("cargo::rustc-link-arg-bins=--nmagic");
    println!("cargo::rustc-link-arg-bins=-Tlink.x");
}
