//! The command line of microdistill.

mod commands;
mod console;
mod context;
mod finish;
mod flags;
mod interrupt;
mod parts;
mod table;
mod wrap;

fn main() -> std::process::ExitCode {
    commands::main()
}
