//! Sets linker arguments: the board's memory, cortex-m-rt's layout and defmt's table of formats.

fn main() {
    let board = if cfg!(feature = "an505") {
        "/an505"
    } else if cfg!(feature = "an547") {
        "/an547"
    } else {
        ""
    };
    let memory = env!("CARGO_MANIFEST_DIR").to_owned() + board;
    println!("cargo::rerun-if-changed={memory}/memory.x");
    println!("cargo::rustc-link-search={memory}");
    // Do not pad sections to pages.
    println!("cargo::rustc-link-arg-bins=--nmagic");
    println!("cargo::rustc-link-arg-bins=-Tlink.x");
    println!("cargo::rustc-link-arg-bins=-Tdefmt.x");
}
