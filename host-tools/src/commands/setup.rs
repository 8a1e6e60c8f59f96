//! `microdistill setup`

use anyhow::Result;
use clap::Args;
use microdistill_boards::{self as board, setup};
use serde::Serialize;

use crate::context::Context;

#[derive(Args, Debug)]
pub(crate) struct Setup {
    /// Only print the commands that would run
    #[arg(long)]
    dry_run: bool,
    /// Also install probe-rs, for `board flash`; it is compiled, which takes some minutes
    #[arg(long)]
    flash: bool,
    /// Also install a C compiler and emlearn, for `board bench --peers`
    #[arg(long)]
    peers: bool,
}

#[derive(Serialize)]
struct SetupReport {
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
            context.console.say("This machine has all the tools that boards need.")?;
        }
        context.console.json(&SetupReport { commands })
    }
}

/// Installs the missing tools of `boards`. Prints each command before it runs and returns all commands.
pub(crate) fn install(context: &Context, boards: &[board::Board], dry_run: bool) -> Result<Vec<String>> {
    run(context, &setup::steps(boards)?, dry_run)
}

/// Runs `steps`; where one fails, runs its alternative.
fn run(context: &Context, steps: &[setup::Step], dry_run: bool) -> Result<Vec<String>> {
    let mut commands = Vec::new();
    for step in steps {
        context.console.say(format_args!("$ {}   # {}", step.line(), step.purpose))?;
        commands.push(step.line());
        match if dry_run { Ok(()) } else { step.run() } {
            Err(error) if !step.otherwise.is_empty() => {
                context.console.note(format_args!("{error}; trying another way:"));
                commands.extend(run(context, &step.otherwise, dry_run)?);
            }
            result => result?,
        }
    }
    Ok(commands)
}
