//! The commands of `microdistill`, one file per command.

mod board;
mod check;
mod demo;
pub(crate) mod distill;
mod evaluate;
mod export;
mod import;
mod manual;
mod predict;
mod quantize;
mod setup;
mod study;
mod train;

use std::process::ExitCode;

use clap::{Command, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use microdistill_train::error::Error;
use microdistill_train::model::command_line;

use crate::console::{self, Console};
use crate::context::Context;
use crate::flags::parse;
use crate::interrupt;

/// Distill a model into kilobytes, measure what that costs, and run it on a microcontroller.
///
/// dataset → teacher → distill → student → quantize → export → firmware (infer · distill on the device)
#[derive(Debug, Parser)]
#[command(name = "microdistill", version, max_term_width = 110)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
    /// Print one JSON object to standard output, and human-readable text to standard error
    #[arg(long, global = true)]
    json: bool,
    /// Seed of all random numbers; the same seed gives the same result
    #[arg(long, global = true, default_value_t = 1, value_parser = parse::seed)]
    seed: u64,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Run the whole pipeline on the bundled data, up to an emulated board
    Demo(demo::Demo),
    /// Check a data file: what is read from it, and what would make a score too good
    Check(check::Check),
    /// Train a teacher, as accurate as the data allow
    Train(train::Train),
    /// Train a student that imitates a teacher
    Distill(Box<distill::Distill>),
    /// Quantize a student to int8 or int4
    Quantize(quantize::Quantize),
    /// Export a model for firmware in Rust or C, or for other tools
    Export(export::Export),
    /// Import a model of another tool, or what a device learned
    Import(Box<import::Import>),
    /// Score a model on test rows
    Evaluate(evaluate::Evaluate),
    /// Compare students trained on hard labels and by distillation, fairly, on your data
    Study(Box<study::Study>),
    /// Write a model's predictions for rows
    Predict(predict::Predict),
    /// Build, run, flash, teach and measure firmware
    Board(board::Board),
    /// Install the tools for boards: compiler targets and the emulator
    Setup(setup::Setup),
    /// Print a completion script for a shell
    Completions(manual::Completions),
    /// Write manual pages
    Man(manual::Man),
}

/// Lets `-1` be the value of a flag rather than a flag, so that the error names the allowed values.
fn numbers(command: Command) -> Command {
    let values = |arg: clap::Arg| match arg.get_action().takes_values() {
        true => arg.allow_negative_numbers(true),
        false => arg,
    };
    command.mut_args(values).mut_subcommands(numbers)
}

/// Parses the command line and runs the command. Exit codes: 0, 1 (failure), 2 (usage) or 130 (Ctrl-C).
pub(crate) fn main() -> ExitCode {
    console::silence_caught_panics();
    let matches = numbers(Cli::command()).get_matches();
    let Cli { verb, json, seed } = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    // Metadata name the program `microdistill`, whatever path it was called by.
    let typed = std::env::args_os().skip(1).map(|argument| argument.to_string_lossy().into_owned());
    let command = command_line(std::iter::once("microdistill".into()).chain(typed));
    let context = Context { console: Console::new(json), seed, command };
    let result = interrupt::listen().and_then(|()| match verb {
        Verb::Demo(demo) => demo.run(&context),
        Verb::Check(check) => check.run(&context),
        Verb::Train(train) => train.run(&context),
        Verb::Distill(distill) => distill.run(&context),
        Verb::Quantize(quantize) => quantize.run(&context),
        Verb::Export(export) => export.run(&context),
        Verb::Import(import) => import.run(&context),
        Verb::Evaluate(evaluate) => evaluate.run(&context),
        Verb::Study(study) => study.run(&context),
        Verb::Predict(predict) => predict.run(&context),
        Verb::Board(board) => board.run(&context),
        Verb::Setup(setup) => setup.run(&context),
        Verb::Completions(completions) => completions.run(numbers(Cli::command())),
        Verb::Man(man) => man.run(&context, numbers(Cli::command())),
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        // The reader of our output closed the pipe, as `| head` does.
        Err(error) if console::is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            context.console.error(&error);
            // Programs that we run share the terminal and get the Ctrl-C too, so they may have failed first.
            let interrupted =
                interrupt::requested() || matches!(error.downcast_ref(), Some(Error::Interrupted));
            ExitCode::from(if interrupted { interrupt::EXIT_CODE } else { 1 })
        }
    }
}
