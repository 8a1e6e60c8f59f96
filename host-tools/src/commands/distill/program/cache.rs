//! Answers of a program, kept in memory and, if asked for, in a file.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use microdistill_train::dataset::{Dataset, OutputKind};
use microdistill_train::error::{Error, Result};
use sha2::{Digest as _, Sha256};

/// First words of the file.
const MAGIC: &str = "microdistill answers 1";

/// Hash of a row's text: the first half of its SHA-256.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Key([u8; 16]);

impl Key {
    pub(super) fn of(text: &str) -> Self {
        let mut key = [0; 16];
        key.iter_mut().zip(Sha256::digest(text)).for_each(|(to, from)| *to = from);
        Key(key)
    }

    fn hexadecimal(self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn parse(text: &str) -> Option<Self> {
        let mut key = [0; 16];
        if text.len() != 2 * key.len() || !text.is_ascii() {
            return None;
        }
        for (place, byte) in key.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[2 * place..2 * place + 2], 16).ok()?;
        }
        Some(Key(key))
    }
}

/// Answers of a program: logits or values of rows.
#[derive(Default)]
pub(super) struct Cache {
    answers: HashMap<Key, Vec<f64>>,
    /// Number of answers that the file had.
    loaded: usize,
    /// The file, to which new answers are added.
    file: Option<(PathBuf, File)>,
}

impl Cache {
    /// Reads the file, or makes it. Its first line ties it to the command, the features and the outputs.
    pub(super) fn open(
        path: &Path,
        words: &[String],
        known: &Dataset,
        kind: Option<OutputKind>,
    ) -> Result<Self> {
        let io = || Error::io(path);
        let mut options = OpenOptions::new();
        let mut file = options.read(true).append(true).create(true).open(path).map_err(io())?;
        let mut text = String::new();
        file.read_to_string(&mut text).map_err(io())?;
        let first = format!("{MAGIC} {}\n", identity(words, known, kind).hexadecimal());
        // A run that was ended in the middle of a line leaves a part of it.
        if text.starts_with(MAGIC) {
            text.truncate(text.rfind('\n').map_or(0, |end| end + 1));
        }
        let mut cache = Cache::default();
        if text.is_empty() {
            file.set_len(0).map_err(io())?;
            file.write_all(first.as_bytes()).map_err(io())?;
        } else {
            cache.load(path, &text, &first, known.task.outputs())?;
            file.set_len(text.len() as u64).map_err(io())?;
        }
        cache.loaded = cache.answers.len();
        cache.file = Some((path.to_owned(), file));
        Ok(cache)
    }

    fn load(&mut self, path: &Path, text: &str, first: &str, outputs: usize) -> Result<()> {
        let error = |line: usize, message: &str| Error::Data {
            path: path.to_owned(),
            line: Some(line as u64 + 1),
            message: message.to_owned(),
        };
        let Some(rest) = text.strip_prefix(first) else {
            return Err(error(
                0,
                match text.starts_with(MAGIC) {
                    true => {
                        "these are answers of another command, or for other features or outputs: delete the file, or \
                         name another one"
                    }
                    false => "this is no file of a program's answers: name another one for --teacher-cache",
                },
            ));
        };
        for (line, text) in rest.lines().enumerate() {
            let mut words = text.split(' ');
            let key = words.next().and_then(Key::parse);
            let numbers: Option<Vec<f64>> = words.map(|word| word.parse().ok()).collect();
            let numbers = numbers.filter(|numbers| {
                numbers.len() == outputs && numbers.iter().all(|number| number.is_finite())
            });
            let (Some(key), Some(numbers)) = (key, numbers) else {
                return Err(error(line + 1, "the answer is damaged: delete this line"));
            };
            self.answers.insert(key, numbers);
        }
        Ok(())
    }

    /// Number of answers that the file had.
    pub(super) fn loaded(&self) -> usize {
        self.loaded
    }

    /// The answer for a row.
    pub(super) fn get(&self, key: &Key) -> Option<&[f64]> {
        self.answers.get(key).map(Vec::as_slice)
    }

    /// Adds answers, also to the file.
    pub(super) fn add(&mut self, answers: impl Iterator<Item = (Key, Vec<f64>)>) -> Result<()> {
        let mut text = String::new();
        for (key, numbers) in answers {
            text.push_str(&key.hexadecimal());
            for number in &numbers {
                // Writing to a string does not fail.
                let _ = write!(text, " {number}");
            }
            text.push('\n');
            self.answers.insert(key, numbers);
        }
        match &mut self.file {
            Some((path, file)) => file.write_all(text.as_bytes()).map_err(Error::io(path)),
            None => Ok(()),
        }
    }
}

/// Hash of all that answers depend on, other than the row.
fn identity(words: &[String], known: &Dataset, kind: Option<OutputKind>) -> Key {
    let outputs = if known.task.labels().is_empty() { known.task.targets() } else { known.task.labels() };
    Key::of(&format!("{words:?} {:?} {outputs:?} {kind:?}", known.features))
}
