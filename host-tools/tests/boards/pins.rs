//! What every program of every board prints, and its sizes, as a file in `pins/` of the board's folder has them.
//!
//! Lines for people must be the same whatever the compiler. Sizes and measurements must be the same by the compiler that
//! the file names; by another one, differences are only printed.

use std::collections::BTreeMap;

use libtest_mimic::Failed;
use microdistill_host_tools::board::Output;
use serde::{Deserialize, Serialize};

use super::boards;
use super::shipped::{PROGRAMS, Shipped, shipped};

const HEADER: &str = "# Written by `MICRODISTILL_BLESS=1 cargo test --test boards pinned`.\n";

/// Messages of panics hold the path of cargo's registry, which is longer on one machine than on another.
const PATHS: u64 = 64;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Pins {
    /// What sizes and measurements were taken with.
    compiler: String,
    #[serde(flatten)]
    programs: BTreeMap<String, Pin>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Pin {
    flash: u64,
    ram: u64,
    /// None where nothing runs.
    stack: Option<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    story: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    measured: Vec<String>,
}

pub(crate) fn outputs_and_sizes_are_those_pinned() -> Result<(), Failed> {
    let bless = std::env::var_os("MICRODISTILL_BLESS").is_some();
    let mut wrong = Vec::new();
    for board in boards().iter().filter(|board| board.target.is_some()) {
        let found = Pins { compiler: board.compiler()?, programs: programs(&board.name)? };
        let path = board.folder.join("pins").join(&board.name).with_extension("toml");
        if bless {
            std::fs::create_dir_all(board.folder.join("pins"))?;
            std::fs::write(&path, HEADER.to_owned() + &toml::to_string_pretty(&found)?)?;
        }
        let pinned = std::fs::read_to_string(&path).unwrap_or_default();
        let pinned: Pins = toml::from_str(&pinned).map_err(|error| format!("{}: {error}", path.display()))?;
        for (program, pin) in &found.programs {
            let old = pinned.programs.get(program).cloned().unwrap_or_default();
            if old.story != pin.story {
                wrong.push(format!("{} {program}: {:#?} were {:#?}", board.name, pin.story, old.story));
            }
            if !old.same_sizes(pin) {
                let text = format!("{} {program}: {pin:#?} was {old:#?}", board.name);
                if pinned.compiler == found.compiler {
                    wrong.push(text);
                } else {
                    println!("by {}, pinned by {}: {text}", found.compiler, pinned.compiler);
                }
            }
        }
    }
    if wrong.is_empty() {
        return Ok(());
    }
    let mend =
        "if that is meant, write the files again: MICRODISTILL_BLESS=1 cargo test --test boards pinned";
    Err(format!("{}\n{mend}", wrong.join("\n")).into())
}

impl Pin {
    fn of(program: &str, Shipped { memory, output }: &Shipped) -> Self {
        let story = output.iter().flat_map(Output::story);
        let (stack, lines): (Vec<&str>, Vec<&str>) = story.partition(|line| line.starts_with("stack: "));
        let stack = stack.iter().find_map(|line| line.split(' ').nth(1)?.parse().ok());
        let lines = lines.into_iter().map(str::to_owned).collect();
        let (story, measured) = if program == "bench" { (Vec::new(), lines) } else { (lines, Vec::new()) };
        Pin { flash: memory.flash, ram: memory.ram, stack, story, measured }
    }

    fn same_sizes(&self, other: &Pin) -> bool {
        self.flash.abs_diff(other.flash) <= PATHS
            && (self.ram, self.stack, &self.measured) == (other.ram, other.stack, &other.measured)
    }
}

/// What the board's programs are now.
fn programs(board: &str) -> Result<BTreeMap<String, Pin>, Failed> {
    let pin = |program: &str| Ok((program.into(), Pin::of(program, &shipped(program)?[board])));
    PROGRAMS.into_iter().map(pin).collect()
}
