//! Instructions that firmware executes while it measures, and their cycles.

use std::path::Path;

use super::cost::Core;
use super::trace::trace;
use crate::{Board, Elf};
use microdistill_train::error::{Error, Result};

/// Something known may seem so many instructions longer or shorter: two readings of a counter of 16 MHz.
pub(crate) const TOLERANCE: u64 = 2;

/// The function of the boards' programs that looks at the counter, before and after what it measures.
const LOOK: &str = "look";

/// Instructions executed during a measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Executed {
    /// Number of instructions.
    pub instructions: u64,
    /// Cycles of those instructions.
    pub cycles: u64,
}

/// Runs `elf` and traces what it executes while it measures, of the measurements that are `wanted`. The first one, of
/// nothing, tells what the looks at the counter take, which is left out of the others. Nothing, if the board is not
/// emulated or its core's costs are not known.
///
/// # Errors
/// A run that cannot be traced.
pub(crate) fn executed(board: &Board, elf: &Path, wanted: impl Fn(usize) -> bool) -> Result<Vec<Executed>> {
    let (Some(core), Some(_)) = (Core::named(&board.core), &board.qemu) else { return Ok(Vec::new()) };
    let elf = Elf::load(elf)?;
    let code = elf.code()?;
    let fetch = |address: u32| {
        code.iter().find_map(|&(start, bytes)| {
            let (first, rest) = bytes.get(address.checked_sub(start)? as usize..)?.split_first_chunk()?;
            // Behind the last instruction there is nothing.
            let second = rest.first_chunk().map_or(0, |&bytes| u16::from_le_bytes(bytes));
            Some([u16::from_le_bytes(*first), second])
        })
    };
    let mut costs = Vec::new();
    for path in trace(board, &elf, LOOK, |index| index == 0 || wanted(index))? {
        let cycles = core.cycles(&path, fetch).ok_or_else(|| {
            Error::Invalid(format!("{} executes what is no code of {}", board.name, elf.path().display()))
        })?;
        costs.push(Executed { instructions: path.len() as u64, cycles });
    }
    let Some((looks, costs)) = costs.split_first() else { return Ok(Vec::new()) };
    let without_looks = |all: &Executed| Executed {
        instructions: all.instructions.saturating_sub(looks.instructions),
        cycles: all.cycles.saturating_sub(looks.cycles),
    };
    Ok(costs.iter().map(without_looks).collect())
}

/// The cycles of several measurements, of which the board's counter says that they took so many instructions.
///
/// # Errors
/// Others than were traced.
pub(crate) fn cycles(board: &Board, executed: &[Executed], counted: u64) -> Result<u64> {
    let traced: u64 = executed.iter().map(|executed| executed.instructions).sum();
    if counted.abs_diff(traced) > TOLERANCE * executed.len() as u64 {
        return Err(Error::Invalid(format!(
            "{} executes {traced} instructions and counts {counted}: its figures would be wrong",
            board.name
        )));
    }
    Ok(executed.iter().map(|executed| executed.cycles).sum())
}
