//! The output and the sizes of every program on every board, and the costs of the reference networks, compared with a file in
//! `pins/` of the board's folder.
//!
//! Lines for people must be the same with every compiler. Sizes and measurements must be the same with the compiler that
//! the file names; with another one, differences are only printed.

use std::collections::BTreeMap;
use std::path::PathBuf;

use libtest_mimic::Failed;
use microdistill_boards::bench::{Work, counting, measured, references};
use microdistill_boards::{Board, Elf, Output, Profile, Sources};
use microdistill_train::model::Body;
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

use super::shipped::{PROGRAMS, Shipped, shipped};
use super::{boards, build, emulated, every_emulated, run, run_on};

const HEADER: &str = "# Written by `MICRODISTILL_BLESS=1 cargo test --test boards pinned`.\n";

/// Tolerance in bytes: panic messages contain the path of cargo's registry, whose length depends on the machine.
const PATHS: u64 = 64;

/// Contents of a board's file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Pins {
    /// Compiler that the sizes and measurements were made with.
    compiler: String,
    /// Instructions per inference, by `opt-level` and network.
    instructions: BTreeMap<String, BTreeMap<String, u64>>,
    #[serde(flatten)]
    programs: BTreeMap<String, Pin>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Pin {
    flash: u64,
    ram: u64,
    /// `None` if the program is not run.
    stack: Option<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    story: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    measured: Vec<String>,
}

pub(crate) fn outputs_and_sizes_are_those_pinned() -> Result<(), Failed> {
    let mut differences = Vec::new();
    for board in boards().iter().filter(|board| board.target.is_some()) {
        let found = programs(&board.name)?;
        let pinned = Pins::compare(board, |pins| pins.programs = found.clone())?;
        for (program, pin) in &found {
            let old = pinned.pins.programs.get(program).cloned().unwrap_or_default();
            if old.story != pin.story {
                let (name, old, new) = (&board.name, old.story.join("\n"), pin.story.join("\n"));
                differences.push(format!("{name} {program}:\n{new}\nwas\n{old}"));
            }
            if !old.same_sizes(pin) {
                differences.extend(pinned.difference(format!("{program}: {pin:#?} was {old:#?}")));
            }
        }
    }
    verdict(&differences)
}

pub(crate) fn instructions_of_the_reference_networks_are_those_pinned() -> Result<(), Failed> {
    let boards = distinct(every_emulated().map(|board| counting(&board)));
    let mut found: BTreeMap<&str, BTreeMap<String, BTreeMap<String, u64>>> = BTreeMap::new();
    let folder = TempDir::new()?;
    for (opt, profile) in [("s", Profile::Release), ("3", Profile::Speed)] {
        for (name, model) in references()? {
            // The level hardly changes f32, whose loops are assembly or calls into the compiler's library.
            if matches!((profile, &model.body), (Profile::Speed, Body::F32(_))) {
                continue;
            }
            let sources = Sources::bench(folder.path(), "bench.rs", &model)?;
            let runs = run_on(boards.iter().map(|board| (board.clone(), profile)), "bench", &sources)?;
            for (board, (_, output)) in boards.iter().zip(&runs) {
                let [inference, _] = measured(board, name, &model, output, &[])?;
                let Work::Inference { instructions: Some(count), .. } = inference.work else {
                    return Err(format!("{}: no count", board.name).into());
                };
                let levels = found.entry(&board.name).or_default();
                levels.entry(opt.into()).or_default().insert(format!("{name}-{}", inference.kind), count);
            }
        }
    }
    let mut differences = Vec::new();
    for board in &boards {
        let found = &found[board.name.as_str()];
        let pinned = Pins::compare(board, |pins| pins.instructions = found.clone())?;
        if pinned.pins.instructions != *found {
            let old = &pinned.pins.instructions;
            differences.extend(pinned.difference(format!("instructions: {found:#?} were {old:#?}")));
        }
    }
    verdict(&differences)
}

/// Firmware whose samples arrive by a timer: no sample is dropped, no inference is late, and no piece of learning takes longer
/// than a period.
pub(crate) fn an_interrupt_driven_program_is_as_pinned() -> Result<(), Failed> {
    const PROGRAM: &str = "microdistill-rtic";
    let mut board = counting(&emulated());
    board.folder.set_file_name("rtic");
    let elf = build(&board, PROGRAM, &Sources::default(), Profile::Release)?;
    let (memory, output) = (Elf::load(&elf)?.memory()?, run(&board, &elf)?);
    assert!(output.success, "{output:?}");
    assert!(
        output.value("samples").is_some_and(|samples| samples.starts_with("728, 0 dropped")),
        "{output:?}"
    );
    // The compiler decides between which pieces a sample arrives, and so also what is learned from it.
    let pin = Pin::of("bench", &Shipped { memory, output: Some(output) });
    let pinned = Pins::compare(&board, |pins| pins.programs = [(PROGRAM.into(), pin.clone())].into())?;
    let old = pinned.pins.programs.get(PROGRAM).cloned().unwrap_or_default();
    let difference = (!old.same_sizes(&pin)).then(|| pinned.difference(format!("{pin:#?} was {old:#?}")));
    verdict(&difference.flatten().into_iter().collect::<Vec<_>>())
}

/// Removes boards with the same firmware as another: the same package for the same target and flags.
fn distinct(boards: impl Iterator<Item = Board>) -> Vec<Board> {
    let mut distinct: Vec<Board> = Vec::new();
    for board in boards {
        let firmware = |board: &Board| {
            (board.folder.clone(), board.target.clone(), board.rustflags.clone(), board.features.clone())
        };
        if !distinct.iter().any(|other| firmware(other) == firmware(&board)) {
            distinct.push(board);
        }
    }
    distinct
}

fn verdict(differences: &[String]) -> Result<(), Failed> {
    if differences.is_empty() {
        return Ok(());
    }
    let mend =
        "if this is intended, write the files again: MICRODISTILL_BLESS=1 cargo test --test boards pinned";
    Err(format!("{}\n{mend}", differences.join("\n")).into())
}

/// A board's file and the current compiler.
struct Pinned {
    board: String,
    compiler: String,
    pins: Pins,
}

impl Pins {
    /// Reads the board's file. With `MICRODISTILL_BLESS`, `change` updates it first.
    fn compare(board: &Board, change: impl FnOnce(&mut Pins)) -> Result<Pinned, Failed> {
        let path = Pins::path(board);
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let mut pins: Pins = toml::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?;
        let compiler = board.compiler()?;
        if std::env::var_os("MICRODISTILL_BLESS").is_some() {
            change(&mut pins);
            pins.compiler.clone_from(&compiler);
            std::fs::create_dir_all(board.folder.join("pins"))?;
            std::fs::write(&path, HEADER.to_owned() + &toml::to_string_pretty(&pins)?)?;
        }
        Ok(Pinned { board: board.name.clone(), compiler, pins })
    }

    fn path(board: &Board) -> PathBuf {
        board.folder.join("pins").join(&board.name).with_extension("toml")
    }
}

impl Pinned {
    /// Returns a difference as an error with the compiler that the file names, and prints it with any other.
    fn difference(&self, text: String) -> Option<String> {
        let Pinned { board, compiler, pins } = self;
        if *compiler == pins.compiler {
            return Some(format!("{board} {text}"));
        }
        println!("by {compiler}, pinned by {}: {board} {text}", pins.compiler);
        None
    }
}

impl Pin {
    fn of(program: &str, Shipped { memory, output }: &Shipped) -> Self {
        let story = output.iter().flat_map(Output::story);
        let (stack, lines): (Vec<&str>, Vec<&str>) = story.partition(|line| line.starts_with("stack: "));
        let stack = stack.iter().find_map(|line| line.split(' ').nth(1)?.parse().ok());
        let lines = lines.into_iter().map(str::to_owned);
        let (measured, story) = lines.partition(|line: &String| program == "bench" || is_measured(line));
        Pin { flash: memory.flash, ram: memory.ram, stack, story, measured }
    }

    fn same_sizes(&self, other: &Pin) -> bool {
        self.flash.abs_diff(other.flash) <= PATHS
            && (self.ram, self.stack, &self.measured) == (other.ram, other.stack, &other.measured)
    }
}

/// Returns true if a line of `adapt` differs from board to board.
pub(crate) fn is_measured(line: &str) -> bool {
    ["tick: ", "longest ", "RAM: ", "stack: "].iter().any(|start| line.starts_with(start))
}

/// The current output and sizes of a board's programs.
fn programs(board: &str) -> Result<BTreeMap<String, Pin>, Failed> {
    let mut pins = BTreeMap::new();
    for program in PROGRAMS {
        if let Some(shipped) = shipped(program)?.get(board) {
            pins.insert(program.into(), Pin::of(program, shipped));
        }
    }
    Ok(pins)
}
