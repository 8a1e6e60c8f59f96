//! Import of what a device learned.

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use microdistill_train::file;
use microdistill_train::import::{Base, Learned, Trained, import, trainable};
use microdistill_train::model::Model;
use serde::Serialize;

use super::Import;
use crate::context::Context;

#[derive(Serialize)]
struct ImportReport<'a> {
    model: &'a PathBuf,
    parameters: usize,
    changed: usize,
    trained: Vec<Trained>,
}

impl Import {
    pub(super) fn import_device(&self, context: &Context) -> Result<()> {
        let Some(path) = self.shipped.as_ref().or(self.like.as_ref()) else {
            bail!("the model that the device started from is missing: give --like FILE or --shipped FILE")
        };
        file::probe_apart(&self.out, [self.file.as_path(), path])?;
        let model = Model::load(path)?;
        trainable(&model).with_context(|| path.display().to_string())?;
        let base = if self.shipped.is_some() { Base::Shipped(&model) } else { Base::Like(&model) };
        let Learned { mut model, changed, trained, notes } = import(&self.file, base)?;
        notes.iter().for_each(|note| context.console.note(format_args!("{}: {note}", self.file.display())));
        model.metadata.command = context.command.clone();
        model.save(&self.out)?;
        let (parameters, like) = (model.parameters(), path.display());
        context.console.say(format_args!(
            "{}: {parameters} parameters, {changed} of them differ from those of {like}",
            self.out.display()
        ))?;
        context.console.json(&ImportReport { model: &self.out, parameters, changed, trained })
    }
}
