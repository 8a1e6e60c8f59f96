//! The command line of microdistill.

mod cli;

fn main() -> std::process::ExitCode {
    cli::main()
}
