//! Sets linker arguments: the board's memory, riscv-rt's layout and defmt's table of formats.

fn main() {
    let folder = env!("CARGO_MANIFEST_DIR");
    let board = if cfg!(feature = "sifive-e") { "/sifive-e" } else { "" };
    for file in [format!("{folder}{board}/memory.x"), format!("{folder}/regions.x")] {
        println!("cargo::rerun-if-changed={file}");
    }
    // The linker takes `memory.x` from the first folder that has one.
    println!("cargo::rustc-link-search={folder}{board}");
    println!("cargo::rustc-link-search={folder}");
    // Do not pad sections to pages.
    println!("cargo::rustc-link-arg-bins=--nmagic");
    println!("cargo::rustc-link-arg-bins=-Tlink.x");
    println!("cargo::rustc-link-arg-bins=-Tdefmt.x");
}
