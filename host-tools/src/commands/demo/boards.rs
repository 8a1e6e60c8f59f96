//! The demo's models on boards: inference of every test row and a whole distillation, compared bit by bit.

use std::path::Path;

use anyhow::Result;
use microdistill_boards::{self as board, Board, Elf, Firmware, Memory, Output, Profile, Sources, is_story};
use microdistill_train::dataset::Dataset;
use microdistill_train::model::Model;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::commands::setup::install;
use crate::context::Context;
use crate::interrupt;

/// The result of a board.
#[derive(Serialize)]
pub(crate) struct Run {
    pub(crate) board: String,
    /// Number of rows whose outputs were compared with the desktop's, f32 and int8 together.
    pub(crate) compared: usize,
    pub(crate) different: usize,
    /// First 16 digits of the SHA-256 of the final weights, on the desktop and on the board.
    pub(crate) weights_hash_host: String,
    pub(crate) weights_hash_board: String,
    /// Correct predictions on the test rows and their total, before and after the student learned on the board.
    pub(crate) before: Option<(usize, usize)>,
    pub(crate) after: Option<(usize, usize)>,
    /// True if every program succeeded.
    pub(crate) success: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) memory: Option<Memory>,
    /// Lines of the programs' output that are meant for people.
    #[serde(skip)]
    pub(crate) story: Vec<(String, Vec<String>)>,
}

/// Returns the boards of the demo after installing what they need.
pub(crate) fn ready(context: &Context) -> Result<Vec<Board>> {
    let folder = board::firmware_folder()?;
    let boards = ["host", "qemu-mps2"].map(|name| board::find(&folder, name));
    let boards = boards.into_iter().collect::<Result<Vec<_>, _>>()?;
    install(context, &boards, false)?;
    Ok(boards)
}

/// Runs the models on the desktop, unoptimized and optimized, and on the other boards.
pub(crate) fn run(
    context: &Context,
    boards: &[Board],
    models: &[Model; 5],
    out: &Path,
    train: &Dataset,
    test: &Dataset,
) -> Result<Vec<Run>> {
    let [teacher, _, _, student, int8] = models;
    let programs = [
        DemoProgram {
            label: "infer, f32",
            program: "infer",
            sources: Sources::infer(out, "student.rs", student, test)?,
            model: Some(student),
        },
        DemoProgram {
            label: "infer, int8",
            program: "infer",
            sources: Sources::infer(out, "model.rs", int8, test)?,
            model: Some(int8),
        },
        DemoProgram {
            label: "distill",
            program: "distill",
            sources: Sources::distill(out, teacher, train, test)?,
            model: None,
        },
    ];
    let mut runs: Vec<Run> = Vec::new();
    let mut desktop_weights = None;
    for board in boards {
        let profiles: &[Profile] =
            if board.target.is_none() { &[Profile::Debug, Profile::Release] } else { &[Profile::Release] };
        for &profile in profiles {
            let mut run = Run::new(board, profile);
            for demo in &programs {
                interrupt::check()?;
                run.add(context, board, profile, demo, test)?;
            }
            let desktop = desktop_weights.get_or_insert_with(|| run.weights_hash_board.clone());
            run.weights_hash_host = desktop.clone();
            runs.push(run);
        }
    }
    Ok(runs)
}

/// A program and the contents of its firmware.
struct DemoProgram<'a> {
    label: &'static str,
    program: &'static str,
    sources: Sources,
    /// Model whose outputs on the desktop are compared with the board's.
    model: Option<&'a Model>,
}

impl Run {
    fn new(board: &Board, profile: Profile) -> Self {
        let suffix = match (&board.target, profile) {
            (None, Profile::Debug) => " (debug)",
            (None, Profile::Release | Profile::Speed) => " (release)",
            (Some(_), _) => "",
        };
        Run {
            board: format!("{}{suffix}", board.name),
            compared: 0,
            different: 0,
            weights_hash_host: String::new(),
            weights_hash_board: String::new(),
            before: None,
            after: None,
            success: true,
            memory: None,
            story: Vec::new(),
        }
    }

    fn add(
        &mut self,
        context: &Context,
        board: &Board,
        profile: Profile,
        demo: &DemoProgram,
        test: &Dataset,
    ) -> Result<()> {
        let spinner = context.console.spinner(format!("{}: {}", self.board, demo.label));
        let firmware = Firmware { board, program: demo.program, sources: demo.sources.clone(), profile };
        let elf = firmware.build()?;
        let output = board::run(board, &elf, &mut |line| {
            if is_story(line) {
                spinner.set_message(format!("{}: {}: {line}", self.board, demo.label));
            }
        })?;
        spinner.finish_and_clear();
        self.success &= output.success;
        self.story.push((demo.label.to_owned(), output.story().map(str::to_owned).collect()));
        match demo.model {
            Some(model) => {
                let expected = model.predict(test);
                let expected: Vec<Vec<f32>> = expected.column_iter().map(|y| y.as_slice().to_vec()).collect();
                self.compared += expected.len();
                self.different += output.different(&expected);
            }
            None => {
                // A program that fails early prints no weights, and then two empty hashes would be equal.
                let complete = output.success && !output.weights().is_empty();
                self.weights_hash_board = if complete { hash(&output) } else { "none".into() };
                self.success &= complete;
                (self.before, self.after) = (output.share("before"), output.share("after"));
                if board.target.is_some() {
                    self.memory = Some(Elf::load(elf)?.memory()?);
                }
            }
        }
        Ok(())
    }
}

fn hash(output: &Output) -> String {
    let bytes: Vec<u8> = output.weights().into_iter().flat_map(u32::to_le_bytes).collect();
    Sha256::digest(bytes).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}
