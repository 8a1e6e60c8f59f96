//! The dependencies between the crates match `ARCHITECTURE.md`, their modules have no circle, no production file or
//! function is too long to read, and one module formats numbers.

use std::collections::{BTreeMap, BTreeSet};
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

/// Sources of the crates on the desktop.
const DESKTOP: [&str; 4] = [
    "host-tools/crates/train/src",
    "host-tools/crates/study/src",
    "host-tools/crates/boards/src",
    "host-tools/src",
];

/// Most lines of a production file.
const FILE_LINES: usize = 450;

/// Most lines of a production function. Kernels, whose loops are written out, may have more.
const FUNCTION_LINES: usize = 70;

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

/// Fails if names need each other in a circle.
fn assert_no_circle(mut needs: BTreeMap<String, BTreeSet<String>>) {
    while !needs.is_empty() {
        let free = |needed: &BTreeSet<String>| !needed.iter().any(|name| needs.contains_key(name));
        let free: Vec<String> =
            needs.iter().filter(|(_, needed)| free(needed)).map(|(name, _)| name.clone()).collect();
        if free.is_empty() {
            // Names that nothing needs are not of the circle.
            let needed: BTreeSet<String> = needs.values().flatten().cloned().collect();
            let before = needs.len();
            needs.retain(|name, _| needed.contains(name));
            assert!(needs.len() < before, "a circle among {needs:#?}");
        }
        needs.retain(|name, _| !free.contains(name));
    }
}

#[test]
fn dependencies_have_no_circle() {
    let sets = dependencies().into_iter().map(|(name, needs)| (name, needs.into_iter().collect()));
    assert_no_circle(sets.collect());
}

#[test]
fn top_level_modules_have_no_circle() {
    for folder in DESKTOP {
        let modules = modules(&root().join(folder));
        let names: BTreeSet<&str> = modules.keys().map(String::as_str).collect();
        let mut folders: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (name, text) in &modules {
            let top = |name: &str| name.split("::").next().unwrap().to_owned();
            let needed = needs(name, text, &names).into_iter().map(|needed| top(&needed));
            folders.entry(top(name)).or_default().extend(needed.filter(|needed| *needed != top(name)));
        }
        assert!(folders.len() > 1, "{folder}: {folders:?}");
        assert_no_circle(folders);
    }
}

/// Modules of a crate, other than tests and the crate's root: the path of each and its text without comments and tests.
fn modules(folder: &Path) -> BTreeMap<String, String> {
    let mut files = Vec::new();
    sources(folder, &mut files);
    let module = |file: &PathBuf| {
        let path = file.strip_prefix(folder).unwrap().with_extension("");
        let mut path: Vec<&str> = path.iter().map(|part| part.to_str().unwrap()).collect();
        if path.last().is_some_and(|last| ["mod", "lib", "main"].contains(last)) {
            path.pop();
        }
        let is_test = path.contains(&"tests");
        (!is_test && !path.is_empty()).then(|| (path.join("::"), production(file)))
    };
    files.iter().filter_map(module).collect()
}

/// The lines of a file before its tests, without comments.
fn production(file: &Path) -> String {
    let text = fs::read_to_string(file).unwrap();
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    text.lines().map(|line| line.split("//").next().unwrap().to_owned() + "\n").collect()
}

/// The other modules among `names` that a module names, by `crate::` or `super::`.
fn needs(module: &str, text: &str, names: &BTreeSet<&str>) -> BTreeSet<String> {
    let mut needs = BTreeSet::new();
    for start in ["crate::", "super::"] {
        for (place, _) in text.match_indices(start) {
            let before = text[..place].chars().next_back();
            if before.is_some_and(|before| before.is_alphanumeric() || "_:".contains(before)) {
                continue;
            }
            let mut paths = Vec::new();
            expand(&mut text[place..].trim_start(), &[], &mut paths);
            needs.extend(paths.iter().filter_map(|path| resolve(module, path, names)));
        }
    }
    needs.remove(module);
    needs
}

/// Reads a path, or a tree of paths as in `crate::{a, b::{c, d}}`, from the start of `text`.
fn expand(text: &mut &str, outer: &[String], paths: &mut Vec<Vec<String>>) {
    let mut path = outer.to_vec();
    loop {
        if let Some(rest) = text.strip_prefix('{') {
            *text = rest.trim_start();
            while !text.is_empty() && !text.starts_with('}') {
                expand(text, &path, paths);
                // Whatever follows a name, as `as other`, goes with it.
                *text = text.trim_start_matches(|c| c != ',' && c != '}');
                *text = text.trim_start_matches(',').trim_start();
            }
            *text = text.strip_prefix('}').unwrap_or(text);
            return;
        }
        let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
        path.push(text[..end].to_owned());
        *text = &text[end..];
        let Some(rest) = text.strip_prefix("::") else { break };
        *text = rest;
    }
    paths.push(path);
}

/// The innermost module among `names` on a path that `module` names.
fn resolve(module: &str, path: &[String], names: &BTreeSet<&str>) -> Option<String> {
    let mut full: Vec<&str> = module.split("::").collect();
    let mut path = path.iter().map(String::as_str).peekable();
    if path.next_if_eq(&"crate").is_some() {
        full.clear();
    }
    while path.next_if_eq(&"super").is_some() {
        full.pop();
    }
    full.extend(path);
    (1..=full.len()).rev().map(|length| full[..length].join("::")).find(|name| names.contains(name.as_str()))
}

#[test]
fn paths_are_found_in_trees() {
    let names = BTreeSet::from(["a", "a::b", "c", "d", "e", "e::f"]);
    let text = "use crate::{a::{self, b::X as Y}, c::Z};\nuse super::f::W;\nfn g() { crate::d::h(super::super::c::i) }";
    let found: Vec<String> = needs("e::g", text, &names).into_iter().collect();
    assert_eq!(found, ["a", "a::b", "c", "d", "e::f"]);
}

#[test]
fn no_production_file_is_too_long() {
    for file in production_files() {
        let lines = fs::read_to_string(&file).unwrap().lines().count();
        assert!(lines <= FILE_LINES, "{}: {lines} lines, of at most {FILE_LINES}", file.display());
    }
}

#[test]
fn no_production_function_is_too_long() {
    let kernels = root().join("src/kernel");
    let in_tests = |file: &PathBuf| file.iter().any(|part| part == "tests" || part == "tests.rs");
    for file in production_files().iter().filter(|file| !file.starts_with(&kernels) && !in_tests(file)) {
        let text = production(file);
        let lines: Vec<&str> = text.lines().collect();
        for (first, line) in lines.iter().enumerate().filter(|(_, line)| begins_function(line)) {
            let end = line[..line.len() - line.trim_start().len()].to_owned() + "}";
            let length = lines[first..].iter().position(|line| *line == end).map_or(0, |last| last + 1);
            assert!(
                length <= FUNCTION_LINES,
                "{}:{}: a function of {length} lines, of at most {FUNCTION_LINES}",
                file.display(),
                first + 1
            );
        }
    }
}

/// The file that formats measured numbers. Fixed decimals hide what is small and show digits that mean nothing.
const NUMBERS: &str = "host-tools/crates/train/src/number.rs";

#[test]
fn one_module_formats_numbers() {
    for folder in DESKTOP {
        let mut files = Vec::new();
        sources(&root().join(folder), &mut files);
        for file in files.iter().filter(|file| !file.ends_with(NUMBERS)) {
            let text = production(file);
            let found = precisions(&text);
            assert_eq!(found, [""; 0], "{}: use microdistill_train::number, or all digits", file.display());
        }
    }
    assert!(!precisions(&production(&root().join(NUMBERS))).is_empty());
}

/// The format arguments of `text` that have a precision, such as `{:.3}` or `{loss:+.digits$}`.
fn precisions(text: &str) -> Vec<&str> {
    let inner = |place: usize| text[place + 1..].split_once('}').map(|(inner, _)| inner);
    let is_name = |text: &str| text.chars().all(|c| c.is_alphanumeric() || c == '_');
    let has_precision = |inner: &&str| {
        let Some((name, format)) = inner.split_once(':') else { return false };
        let Some((width, precision)) = format.split_once('.') else { return false };
        let precision = precision.trim_end_matches(['e', 'E', '?']);
        let of_precision = precision == "*" || is_name(precision.trim_end_matches('$'));
        let of_width = width.chars().all(|c| c.is_alphanumeric() || "_$<>^+#".contains(c));
        is_name(name) && of_precision && of_width
    };
    text.match_indices('{').filter_map(|(place, _)| inner(place)).filter(has_precision).collect()
}

#[test]
fn precisions_are_found_and_code_is_not() {
    let text = r#"format!("{:.3} {loss:+.digits$} {:5.1} {:.*e} {} {name:24} {p:?}"); Point { x: 1.0 } match a { b => c.0 }"#;
    assert_eq!(precisions(text), [":.3", "loss:+.digits$", ":5.1", ":.*e"]);
}

/// Returns true for the first line of a function with a body of several lines, or of its signature.
fn begins_function(line: &str) -> bool {
    let mut words = line.split_whitespace();
    let before = |word: &&str| {
        ["const", "async", "unsafe", "extern", "\"C\""].contains(word) || word.starts_with("pub")
    };
    words.find(|word| !before(word)) == Some("fn") && !line.trim_end().ends_with(['}', ';'])
}

fn production_files() -> Vec<PathBuf> {
    let mut files = Vec::new();
    for folder in ["src", "host-tools/src", "host-tools/crates", "experiments"] {
        sources(&root().join(folder), &mut files);
    }
    assert!(files.len() > 200, "{}", files.len());
    files
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
