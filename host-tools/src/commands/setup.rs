//! `microdistill setup`

use anyhow::Result;
use clap::Args;
use microdistill_boards::{self as board, setup};
use serde::Serialize;

use crate::context::Context;

#[derive(Args, Debug)]
pub(crate) struct Setup {
    /// Only tell what would be installed
    #[arg(long)]
    dry_run: bool,
    /// probe-rs as well, for `board flash`: it is compiled, which takes some minutes
    #[arg(long)]
    flash: bool,
    /// A C compiler and emlearn as well, for `board bench --peers`
    #[arg(long)]
    peers: bool,
}

#[derive(Serialize)]
struct Outcome {
    commands: Vec<String>,
}

impl Setup {
    pub(crate) fn run(&self, context: &Context) -> Result<()> {
        let boards = board::list(&board::firmware_folder()?)?;
        let mut commands = install(context, &boards, self.dry_run)?;
        if self.flash && board::which("probe-rs").is_none() {
            commands.extend(run(context, &[setup::flash_tool()], self.dry_run)?);
        }
        if self.peers {
            commands.extend(run(context, &setup::peers()?, self.dry_run)?);
        }
        if commands.is_empty() {
            context.console.say("Boards have all they need on this machine.")?;
        }
        context.console.json(&Outcome { commands })
    }
}

/// Installs what `boards` lack, each command said before it runs; gives the commands.
pub(crate) fn install(context: &Context, boards: &[board::Board], dry_run: bool) -> Result<Vec<String>> {
    run(context, &setup::steps(boards)?, dry_run)
}

/// Runs `steps`, and for one that fails what is to be done in its place.
fn run(context: &Context, steps: &[setup::Step], dry_run: bool) -> Result<Vec<String>> {
    let mut commands = Vec::new();
    for step in steps {
        context.console.say(format_args!("$ {}   # {}", step.line(), step.purpose))?;
        commands.push(step.line());
        match if dry_run { Ok(()) } else { step.run() } {
            Err(error) if !step.otherwise.is_empty() => {
                context.console.note(format_args!("{error}; another way:"));
                commands.extend(run(context, &step.otherwise, dry_run)?);
            }
            result => result?,
        }
    }
    Ok(commands)
}
