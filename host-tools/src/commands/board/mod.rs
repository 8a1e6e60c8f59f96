//! `microdistill board`

mod bench;
mod build;
mod peers;
mod program;
mod run;
mod sources;
mod teach;

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use clap::{Args, Subcommand};
use microdistill_boards::{self as board, Elf, Memory, Output};
use microdistill_train::dataset::{Dataset, Expected, read_like};
use microdistill_train::model::Model;
use serde::Serialize;

use crate::context::Context;
use crate::table;

#[derive(Args, Debug)]
pub(crate) struct Board {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List the boards
    List,
    /// Build a program for a board
    Build(build::Build),
    /// Build a program and run it, in QEMU or on this desktop
    Run(run::Run),
    /// Build a program, flash it to a real board with probe-rs and show what it prints
    Flash(build::Build),
    /// Measure instructions, cycles, flash, RAM and stack of inference and of training
    Bench(bench::Bench),
    Teach(teach::Teach),
}

#[derive(Serialize)]
struct Listed {
    board: String,
    core: String,
    target: Option<String>,
    runs: &'static str,
}

impl Board {
    pub(crate) fn run(&self, context: &Context) -> Result<()> {
        match &self.verb {
            Verb::List => list(context),
            Verb::Build(build) => build.run(context),
            Verb::Run(run) => run.run(context),
            Verb::Flash(build) => build.flash(context),
            Verb::Bench(bench) => bench.run(context),
            Verb::Teach(teach) => teach.run(context),
        }
    }
}

fn list(context: &Context) -> Result<()> {
    let boards = board::list(&board::firmware_folder()?)?;
    let listed: Vec<Listed> = boards
        .into_iter()
        .map(|board| Listed {
            runs: match (&board.target, &board.qemu) {
                (None, _) => "here",
                (Some(_), Some(_)) => "in QEMU",
                (Some(_), None) => "when flashed",
            },
            board: board.name,
            core: board.core,
            target: board.target,
        })
        .collect();
    let mut table = table::plain(["board", "core", "target", "runs"]);
    for row in &listed {
        let target = row.target.as_deref().unwrap_or("this machine's");
        table.add_row([&row.board, &row.core, target, row.runs]);
    }
    context.console.table(&table)?;
    context.console.json(&serde_json::json!({ "boards": listed }))
}

/// Reads rows for a board. They need no target column.
fn rows(model: &Model, path: &Path) -> Result<Dataset> {
    Ok(read_like(path, Expected { target_optional: true, ..model.expected() })?)
}

/// Folder for exported files, inside the build folder that all firmware shares.
fn sources_folder(board: &board::Board) -> Result<PathBuf> {
    let folder = board.target_folder().join("sources");
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// Returns an error if this machine lacks a tool to build for `board`.
fn ready(board: &board::Board) -> Result<()> {
    if !board.missing().is_empty() {
        bail!("tools for {} are missing on this machine: run `cargo microdistill setup`", board.name);
    }
    Ok(())
}

fn verdict(board: &str, output: &Output, different: usize) -> Result<()> {
    if !output.success {
        bail!("the program on {board} failed\n{}", output.stderr.trim_end());
    }
    if different > 0 {
        bail!("{different} rows differ between {board} and the desktop");
    }
    Ok(())
}

/// Prints the flash and RAM that a microcontroller's firmware takes.
fn tell_memory(context: &Context, board: &board::Board, elf: &Path) -> Result<Option<Memory>> {
    if board.target.is_none() {
        return Ok(None);
    }
    let memory = Elf::load(elf)?.memory()?;
    let Memory { flash, ram } = memory;
    context
        .console
        .note(format_args!("{}: {flash} bytes of flash, {ram} bytes of RAM plus the stack", board.name));
    Ok(Some(memory))
}
