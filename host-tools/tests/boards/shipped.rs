//! The shipped programs with the example's models on every board, built and run once for all tests.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use libtest_mimic::Failed;
use microdistill_boards::bench::counting;
use microdistill_boards::{Board, Elf, Memory, Output, Profile, Sources};

use super::{boards, build, run};

/// A program on a board.
#[derive(Clone, Debug)]
pub(crate) struct Shipped {
    pub(crate) memory: Memory,
    /// `None` if the program is not run.
    pub(crate) output: Option<Output>,
}

/// The programs of every microcontroller. The last one runs only on some.
pub(crate) const PROGRAMS: [&str; 4] = ["infer", "distill", "bench", "adapt"];

/// Boards that run `adapt`, which takes long: a core with an FPU, one with 16 KiB of RAM, and one of another
/// architecture.
pub(crate) const ADAPT: [&str; 3] = ["qemu-mps2", "microbit", "qemu-riscv"];

/// Results of one of the [`PROGRAMS`] on the microcontrollers, by the board's name.
pub(crate) fn shipped(program: &str) -> Result<&'static BTreeMap<String, Shipped>, Failed> {
    static RUNS: [OnceLock<Result<BTreeMap<String, Shipped>, String>>; 4] = [const { OnceLock::new() }; 4];
    let index = PROGRAMS.iter().position(|name| *name == program).ok_or("no such program")?;
    let runs = RUNS[index].get_or_init(|| {
        build_and_run(program).map_err(|failed| failed.message().unwrap_or_default().to_owned())
    });
    Ok(runs.as_ref()?)
}

/// Builds for one board after the other, and runs each firmware while the next ones build.
fn build_and_run(program: &str) -> Result<BTreeMap<String, Shipped>, Failed> {
    std::thread::scope(|scope| {
        let mut runs = Vec::new();
        let runs_on = |board: &Board| program != "adapt" || ADAPT.contains(&board.name.as_str());
        for board in boards().into_iter().filter(|board| board.target.is_some() && runs_on(board)) {
            let elf = build(&board, program, &Sources::default(), Profile::Release)?;
            runs.push(scope.spawn(move || {
                let memory = Elf::load(&elf)?.memory()?;
                // QEMU is slower when it counts instructions.
                let counts = program == "bench" || program == "adapt";
                let emulated = if counts { counting(&board) } else { board };
                let output = emulated.qemu.is_some().then(|| run(&emulated, &elf)).transpose()?;
                Ok((emulated.name, Shipped { memory, output }))
            }));
        }
        runs.into_iter().map(|run| run.join().unwrap()).collect()
    })
}
