//! The command line of microdistill.

mod commands;
mod console;
mod context;
mod finish;
mod flags;
mod interrupt;
mod table;

fn main() -> std::process::ExitCode {
    commands::main()
}
