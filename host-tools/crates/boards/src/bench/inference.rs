//! Results of the boards' `bench` program: instructions, cycles and memory.

use std::path::Path;

use serde::Serialize;

use crate::cycles::executed::{self, Executed, TOLERANCE};
use crate::{Board, Output};
use microdistill_train::error::{Error, Result};
use microdistill_train::model::Model;
use microdistill_train::network::macs;

/// QEMU's arguments for counting: an instruction is 2⁶ ns of virtual time.
const COUNTING: &str = " -icount shift=6,align=off,sleep=off";
/// Picoseconds an instruction.
const INSTRUCTION: u64 = 64_000;
/// One row of results: something measured on a board.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Measured {
    /// The board's name.
    pub board: String,
    /// Its core.
    pub core: String,
    /// The model's name; of training, the student's widths.
    pub model: String,
    /// Arithmetic: `f32` or `int8`.
    pub kind: &'static str,
    /// Multiplications of an inference.
    pub macs: u64,
    /// Cycles of the counted instructions, modelled by the tables of the core's manual; none for a core
    /// without tables.
    pub cycles: Option<u64>,
    /// Bytes of flash: a network and its edges, as the board's kernels lay them out; of training, the teacher's.
    pub flash: u64,
    /// Bytes of RAM: working memory of an inference by the board's kernels, which is on its stack; of training, all that
    /// it keeps.
    pub ram: u64,
    /// Bytes of stack, painted.
    pub stack: Option<u64>,
    /// The work that was measured.
    #[serde(flatten)]
    pub work: Work,
}

/// Work that was measured.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Work {
    /// An inference.
    Inference {
        /// From the network's input, which is quantized where the network is, to the index of the largest output.
        instructions: Option<u64>,
        /// Instructions per multiplication.
        instructions_per_mac: Option<f64>,
        /// From raw features to logits.
        instructions_from_features: Option<u64>,
    },
    /// A sample of a distillation: its gradient and its share of the update.
    Training {
        /// Name of the optimizer.
        optimizer: String,
        /// Samples an update.
        batch: u64,
        /// Instructions of an update, per sample.
        instructions_per_sample: Option<u64>,
    },
}

/// The board with an emulator that counts instructions, where there is one.
pub fn counting(board: &Board) -> Board {
    let mut board = board.clone();
    if let Some(qemu) = &mut board.qemu {
        qemu.push_str(COUNTING);
    }
    board
}

/// Runs the board's `bench` a second time, tracing what an inference executes, each time, and an update. Nothing, if the
/// board is not emulated or its core's costs are not known.
///
/// # Errors
/// A run that cannot be traced.
pub fn executed(board: &Board, elf: &Path) -> Result<Vec<Executed>> {
    // Behind the two loops come the network and the whole in turn, and at last the update.
    executed::executed(board, elf, |index| index > 2 && index % 2 == 1)
}

/// The results of a run of `bench`, with `model` in it, on a [`counting`] board: its inference, and training; and what
/// was [`executed`] in another.
///
/// # Errors
/// Lines that are missing, a counter that does not count instructions, or others than were executed.
pub fn measured(
    board: &Board,
    name: &str,
    model: &Model,
    output: &Output,
    executed: &[Executed],
) -> Result<[Measured; 2]> {
    let run = Run { board, output, tick: tick(board, output)? };
    let (inferences, update) = match executed {
        [inferences @ .., update] => (inferences, std::slice::from_ref(update)),
        [] => (executed, executed),
    };
    Ok([run.inference(name, model, inferences)?, run.training(update)?])
}

/// A run of `bench`.
struct Run<'a> {
    board: &'a Board,
    output: &'a Output,
    /// Picoseconds a tick; none where no emulator counts.
    tick: Option<u64>,
}

/// Length of a tick, where an emulator counts.
///
/// # Errors
/// A counter that counts something else.
fn tick(board: &Board, output: &Output) -> Result<Option<u64>> {
    let ticks = number(board, output, "loop")?;
    if board.qemu.is_none() {
        return Ok(None);
    }
    let tick = number(board, output, "tick")?;
    let found = instructions(ticks, tick, 1);
    if found.abs_diff(LOOP) > TOLERANCE {
        return Err(Error::Invalid(format!(
            "{} counts {found} instructions in a loop of {LOOP}: its figures would be wrong",
            board.name
        )));
    }
    Ok(Some(tick))
}

impl Run<'_> {
    fn inference(&self, name: &str, model: &Model, executed: &[Executed]) -> Result<Measured> {
        let (runs, macs) = (self.number("inferences")?, macs(&model.widths()));
        let network = self.instructions("network", runs)?;
        Ok(Measured {
            board: self.board.name.clone(),
            core: self.board.core.clone(),
            model: name.into(),
            kind: model.kind(),
            macs,
            cycles: self.cycles("network", executed, runs)?,
            flash: self.number("inference flash")?,
            ram: self.number("inference RAM")?,
            stack: self.stack("inference stack")?,
            work: Work::Inference {
                instructions: network,
                instructions_per_mac: network.map(|count| count as f64 / macs as f64),
                instructions_from_features: self.instructions("features to logits", runs)?,
            },
        })
    }

    fn training(&self, executed: &[Executed]) -> Result<Measured> {
        let batch = self.number("samples an update")?;
        let student = self.output.value("student").unwrap_or_default();
        let widths: Vec<usize> = student.split('-').filter_map(|width| width.parse().ok()).collect();
        Ok(Measured {
            board: self.board.name.clone(),
            core: self.board.core.clone(),
            model: student.into(),
            kind: "f32",
            macs: macs(&widths),
            cycles: self.cycles("update", executed, batch)?,
            flash: self.number("teacher flash")?,
            ram: self.number("training RAM")?,
            stack: self.stack("training stack")?,
            work: Work::Training {
                optimizer: self.output.value("optimizer").unwrap_or_default().to_owned(),
                batch,
                instructions_per_sample: self.instructions("update", batch)?,
            },
        })
    }

    fn number(&self, name: &str) -> Result<u64> {
        number(self.board, self.output, name)
    }

    /// Instructions of the measurement called `name`, divided by `share`.
    fn instructions(&self, name: &str, share: u64) -> Result<Option<u64>> {
        let ticks = self.number(name)?;
        Ok(self.tick.map(|tick| instructions(ticks, tick, share)))
    }

    /// The same of cycles, where something was executed for them.
    fn cycles(&self, name: &str, executed: &[Executed], share: u64) -> Result<Option<u64>> {
        match self.instructions(name, 1)? {
            Some(counted) if !executed.is_empty() => {
                Ok(Some((executed::cycles(self.board, executed, counted)? + share / 2) / share))
            }
            _ => Ok(None),
        }
    }

    /// None on the desktop, where nothing is painted.
    fn stack(&self, name: &str) -> Result<Option<u64>> {
        let bytes = self.number(name)?;
        Ok(self.board.target.is_some().then_some(bytes))
    }
}

/// Instructions that a program on a [`counting`] board took for the measurement `name`; none if no emulator
/// counted.
///
/// # Errors
/// A line that is missing.
pub fn counted(board: &Board, output: &Output, name: &str) -> Result<Option<u64>> {
    if board.qemu.is_none() {
        return Ok(None);
    }
    Ok(Some(instructions(number(board, output, name)?, number(board, output, "tick")?, 1)))
}

/// Instructions of the loop that `bench` measures first.
const LOOP: u64 = 20_000;

/// The number that follows `name: ` in the output.
pub(crate) fn number(board: &Board, output: &Output, name: &str) -> Result<u64> {
    let text = output.value(name).and_then(|text| text.split(' ').next()?.parse().ok());
    text.ok_or_else(|| Error::Invalid(format!("the program on {} did not print {name:?}", board.name)))
}

/// Instructions in `ticks` ticks of `tick` picoseconds each, divided by `share`.
pub(crate) fn instructions(ticks: u64, tick: u64, share: u64) -> u64 {
    let divisor = INSTRUCTION * share;
    (ticks * tick + divisor / 2) / divisor
}
