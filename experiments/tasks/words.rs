//! Generates a data set from Debian's word lists: the language of a word.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use rand_core::Rng as _;
use rand_pcg::Pcg32;

/// Packages with word lists, and their languages.
const LISTS: [(&str, &str); 8] = [
    ("wamerican", "english"),
    ("wdutch", "dutch"),
    ("wfrench", "french"),
    ("wngerman", "german"),
    ("witalian", "italian"),
    ("wpolish", "polish"),
    ("wspanish", "spanish"),
    ("wswedish", "swedish"),
];

/// Number of words per language.
const WORDS: usize = 1000;
/// Number of letters in a word.
const LETTERS: std::ops::RangeInclusive<usize> = 4..=14;
/// Words with this many first letters in common count as one family, which is never divided.
const STEM: usize = 5;
/// One in this many families is for the test.
const TEST: u32 = 4;

/// Downloads the lists with `apt-get` and writes `train.csv`, `groups_train.csv` and `test.csv` to `folder`.
///
/// Words that occur in several languages are left out.
pub(crate) fn make(folder: &Path) -> Result<()> {
    let mut languages = BTreeMap::<String, BTreeSet<&str>>::new();
    for (package, language) in LISTS {
        for word in list(package).with_context(|| format!("the package {package}"))? {
            languages.entry(word).or_default().insert(language);
        }
    }
    let mut rng = Pcg32::new(1, 1);
    let mut words: Vec<(u32, &str, &str)> = languages
        .iter()
        .filter(|(_, languages)| languages.len() == 1)
        .map(|(word, languages)| (rng.next_u32(), word.as_str(), *languages.first().unwrap_or(&"")))
        .collect();
    words.sort_unstable();
    let mut taken = BTreeMap::<&str, usize>::new();
    let mut families = BTreeMap::<String, bool>::new();
    let (mut train, mut groups) = (String::from("word,language\n"), String::from("group\n"));
    let mut test = train.clone();
    for (_, word, language) in words {
        let taken = taken.entry(language).or_default();
        if *taken == WORDS {
            continue;
        }
        *taken += 1;
        let stem: String = word.chars().take(STEM).collect();
        let row = format!("{word},{language}\n");
        if *families.entry(stem.clone()).or_insert_with(|| rng.next_u32().is_multiple_of(TEST)) {
            test += &row;
        } else {
            train += &row;
            groups += &format!("{stem}\n");
        }
    }
    fs::create_dir_all(folder)?;
    for (name, text) in [("train.csv", train), ("groups_train.csv", groups), ("test.csv", test)] {
        fs::write(folder.join(name), text)?;
    }
    Ok(())
}

/// Words of a package in lower case.
fn list(package: &str) -> Result<Vec<String>> {
    let folder = tempfile::tempdir()?;
    run(Command::new("apt-get").args(["-qq", "download", package]).current_dir(&folder))?;
    let file = fs::read_dir(&folder)?.next().context("apt-get downloaded nothing")??.path();
    run(Command::new("dpkg-deb").arg("-x").arg(file).arg(folder.path()))?;
    let mut words = Vec::new();
    for entry in fs::read_dir(folder.path().join("usr/share/dict"))? {
        let path = entry?.path();
        // Other files are notes.
        if path.is_symlink() || path.extension().is_some() {
            continue;
        }
        // Older lists are in Latin-1, whose bytes equal the first characters of Unicode.
        let text = String::from_utf8(fs::read(&path)?)
            .unwrap_or_else(|error| error.as_bytes().iter().map(|&byte| char::from(byte)).collect());
        words.extend(text.lines().map(str::to_lowercase));
    }
    words.retain(|word| LETTERS.contains(&word.chars().count()) && word.chars().all(char::is_alphabetic));
    ensure!(words.len() > WORDS, "it has only {} words", words.len());
    Ok(words)
}

fn run(command: &mut Command) -> Result<()> {
    ensure!(command.status()?.success(), "{command:?} failed");
    Ok(())
}
