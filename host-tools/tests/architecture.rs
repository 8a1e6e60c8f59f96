//! The dependencies between the crates match `ARCHITECTURE.md`, and no production file is too long to read.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Manifests of the crates, in the order of the table.
const CRATES: [&str; 6] = [
    "Cargo.toml",
    "host-tools/crates/train/Cargo.toml",
    "host-tools/crates/study/Cargo.toml",
    "host-tools/crates/boards/Cargo.toml",
    "host-tools/Cargo.toml",
    "experiments/Cargo.toml",
];

/// Most lines of a production file.
const LINES: usize = 450;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// The crates of this project that each crate depends on, without dev-dependencies.
fn dependencies() -> BTreeMap<String, Vec<String>> {
    let read = |path: &&str| {
        let manifest = fs::read_to_string(root().join(path)).unwrap();
        let manifest: toml::Table = toml::from_str(&manifest).unwrap();
        let name = manifest["package"]["name"].as_str().unwrap().to_owned();
        let all = manifest["dependencies"].as_table().unwrap().keys();
        (name, all.filter(|name| name.starts_with("microdistill")).cloned().collect())
    };
    CRATES.iter().map(read).collect()
}

#[test]
fn crates_depend_on_each_other_as_the_table_says() {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    for (name, found) in dependencies() {
        let row = text.lines().find(|line| line.starts_with(&format!("| `{name}` |")));
        let row = row.unwrap_or_else(|| panic!("ARCHITECTURE.md: the table of crates has no row for {name}"));
        let cell = row.split('|').nth(3).unwrap();
        let told: Vec<&str> = cell.split('`').skip(1).step_by(2).collect();
        assert_eq!(told, found, "ARCHITECTURE.md: the dependencies of {name}");
    }
}

#[test]
fn dependencies_have_no_circle() {
    let mut left = dependencies();
    while !left.is_empty() {
        let free: Vec<String> = left
            .iter()
            .filter(|(_, needs)| !needs.iter().any(|need| left.contains_key(need)))
            .map(|(name, _)| name.clone())
            .collect();
        assert!(!free.is_empty(), "a circle among {left:?}");
        left.retain(|name, _| !free.contains(name));
    }
}

#[test]
fn no_production_file_is_too_long() {
    let mut files = Vec::new();
    for folder in ["src", "host-tools/src", "host-tools/crates", "experiments"] {
        sources(&root().join(folder), &mut files);
    }
    assert!(files.len() > 200, "{}", files.len());
    for file in files {
        let lines = fs::read_to_string(&file).unwrap().lines().count();
        assert!(lines <= LINES, "{}: {lines} lines, of at most {LINES}", file.display());
    }
}

fn sources(folder: &Path, files: &mut Vec<PathBuf>) {
    for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            sources(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}
