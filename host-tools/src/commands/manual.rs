//! `microdistill completions` and `microdistill man`: completion scripts and manual pages, generated from the command line.

use std::io::stdout;
use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::{Args, Command};
use clap_complete::Shell;
use microdistill_train::file;
use serde::Serialize;

use crate::context::Context;

#[derive(Args, Debug)]
pub(crate) struct Completions {
    /// Shell to write for
    shell: Shell,
}

#[derive(Args, Debug)]
pub(crate) struct Man {
    /// Folder for the pages, one per command
    #[arg(long, value_name = "DIR", default_value = ".")]
    out: PathBuf,
}

#[derive(Serialize)]
struct Written<'a> {
    pages: usize,
    out: &'a Path,
}

impl Completions {
    pub(crate) fn run(&self, mut command: Command) -> Result<()> {
        let name = command.get_name().to_owned();
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut command, name, &mut script);
        Ok(std::io::Write::write_all(&mut stdout(), &script)?)
    }
}

impl Man {
    pub(crate) fn run(&self, context: &Context, mut command: Command) -> Result<()> {
        file::make_folder(&self.out)?;
        // Fills in the names of subcommands, such as `microdistill board run`.
        command.build();
        let pages = self.write(&command)?;
        context.console.say(format_args!("{pages} manual pages: {}", self.out.display()))?;
        context.console.json(&Written { pages, out: &self.out })?;
        Ok(())
    }

    /// Writes the page of `command` and of each of its subcommands. Returns the number of pages.
    fn write(&self, command: &Command) -> Result<usize> {
        let man = clap_mangen::Man::new(command.clone());
        let mut page = Vec::new();
        man.render(&mut page)?;
        file::write(self.out.join(man.get_filename()), &page)?;
        let subcommands = command.get_subcommands().filter(|command| command.get_name() != "help");
        subcommands.map(|command| self.write(command)).try_fold(1, |sum, pages| Ok(sum + pages?))
    }
}
