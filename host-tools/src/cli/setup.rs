//! `microdistill setup`

use anyhow::Result;
use clap::Args;
use microdistill_host_tools::{board, setup};
use serde::Serialize;

use super::Context;

#[derive(Args, Debug)]
pub(super) struct Setup {
    /// Only tell what would be installed
    #[arg(long)]
    dry_run: bool,
}

#[derive(Serialize)]
struct Outcome {
    commands: Vec<String>,
}

impl Setup {
    pub(super) fn run(&self, context: &Context) -> Result<()> {
        let boards = board::list(&board::firmware_folder()?)?;
        let commands = install(context, &boards, self.dry_run)?;
        if commands.is_empty() {
            context.console.say("Boards have all they need on this machine.")?;
        }
        context.console.json(&Outcome { commands })
    }
}

/// Installs what `boards` lack, each command said before it runs; gives the commands.
pub(super) fn install(context: &Context, boards: &[board::Board], dry_run: bool) -> Result<Vec<String>> {
    let steps = setup::steps(boards)?;
    for step in &steps {
        context.console.say(format_args!("$ {}   # {}", step.line(), step.purpose))?;
        if !dry_run {
            step.run()?;
        }
    }
    Ok(steps.iter().map(setup::Step::line).collect())
}
