//! Style of doc comments: summaries start with a noun or a verb, not with "What", "Of" or "Whether".

use std::fs;
use std::path::{Path, PathBuf};

/// Words that rarely start a summary in well-written crates.
const SELDOM: [&str; 12] =
    ["What", "Of", "How", "Whether", "As", "Where", "Those", "Who", "Whoever", "Whatever", "So", "Which"];

/// Largest allowed share of summaries that start with one of these words, in percent.
const LIMIT: usize = 4;

/// The areas of the repository.
const AREAS: [&[&str]; 3] = [
    &["src"],
    &["host-tools/src", "host-tools/crates"],
    &["tests", "examples", "experiments", "fuzz", "host-tools/tests"],
];

#[test]
fn summaries_start_with_a_noun_or_a_verb() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for folders in AREAS {
        let mut files = Vec::new();
        for folder in folders {
            sources(&root.join(folder), &mut files);
        }
        let (mut summaries, mut odd) = (0, Vec::new());
        for file in &files {
            let text = fs::read_to_string(file).unwrap();
            let mut previous = "";
            for (index, line) in text.lines().map(str::trim).enumerate() {
                if let Some(summary) = summary(line).filter(|_| !is_doc(previous)) {
                    summaries += 1;
                    let word = summary.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
                    if SELDOM.contains(&word) {
                        odd.push(format!("{}:{}: {summary}", file.display(), index + 1));
                    }
                }
                previous = line;
            }
        }
        assert!(summaries > 0, "{folders:?} has no summaries");
        assert!(
            100 * odd.len() <= LIMIT * summaries,
            "{folders:?}: {} of {summaries} summaries:\n{}",
            odd.len(),
            odd.join("\n")
        );
    }
}

fn is_doc(line: &str) -> bool {
    line.starts_with("///") || line.starts_with("//!")
}

fn summary(line: &str) -> Option<&str> {
    line.strip_prefix("/// ").or_else(|| line.strip_prefix("//! "))
}

/// Finds all Rust files below `folder`, except in build folders.
fn sources(folder: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for path in entries.map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            if !path.ends_with("target") {
                sources(&path, files);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}
