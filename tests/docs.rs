//! The documentation: every link into the repository has a target, and the book has every page.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Finds every file with this extension below `folder`, except in build folders and hidden folders.
fn files(folder: &Path, extension: &str, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_symlink() || name.starts_with('.') || name == "target" || name == "microdistill-out" {
            continue;
        }
        if path.is_dir() {
            files(&path, extension, found);
        } else if path.extension().is_some_and(|found| found == extension) {
            found.push(path);
        }
    }
}

fn pages() -> Vec<PathBuf> {
    let mut found = Vec::new();
    files(root(), "md", &mut found);
    found.sort();
    found
}

/// The lines of a page outside its fenced code blocks.
fn prose(page: &str) -> impl Iterator<Item = &str> {
    let mut fenced = false;
    page.lines().filter(move |line| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        !fenced && !fence
    })
}

/// The anchors that code hosts and mdBook generate from the headings of a page.
fn anchors(page: &str) -> BTreeSet<String> {
    let headings = prose(page).filter(|line| line.starts_with('#'));
    let texts = headings.map(|line| line.trim_start_matches('#').trim().to_lowercase());
    let kept = |letter: &char| letter.is_alphanumeric() || "-_ ".contains(*letter);
    texts.map(|text| text.chars().filter(kept).collect::<String>().replace(' ', "-")).collect()
}

/// The destinations of the links of a page: inline ones, and reference definitions at its end.
fn links(page: &str) -> Vec<String> {
    let text = prose(page).collect::<Vec<_>>().join("\n");
    let inline = text.split("](").skip(1).filter_map(|part| part.split_once(')')).map(|(target, _)| target);
    let defined =
        text.lines().filter_map(|line| line.strip_prefix('[')?.split_once("]: ")).map(|(_, target)| target);
    inline.chain(defined).map(str::to_owned).collect()
}

/// The path, from the root, of an absolute link into this repository.
fn own(link: &str) -> Option<&str> {
    let path = link.strip_prefix(env!("CARGO_PKG_REPOSITORY"))?;
    path.strip_prefix("/blob/main/").or_else(|| path.strip_prefix("/tree/main/"))
}

/// The file that a link names, and the heading in it; `None` for a link to another site.
fn target<'a>(page: &Path, link: &'a str) -> Option<(PathBuf, Option<&'a str>)> {
    // This template becomes docs/results/tasks.md.
    let template = page.ends_with("experiments/tasks/page.md");
    let folder = if template { root().join("docs/results") } else { page.parent()?.to_owned() };
    let (folder, path) = match own(link) {
        Some(path) => (root().to_owned(), path),
        None if link.contains("://") => return None,
        None => (folder, link),
    };
    let (file, heading) = path.split_once('#').map_or((path, None), |(file, heading)| (file, Some(heading)));
    Some((if file.is_empty() { page.to_owned() } else { folder.join(file) }, heading))
}

#[test]
fn links_point_to_files_and_headings() {
    let docs = root().join("docs").canonicalize().unwrap();
    let mut broken = Vec::new();
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        for link in links(&text) {
            let Some((target, heading)) = target(&page, &link) else { continue };
            let named = heading.is_none_or(|heading| {
                fs::read_to_string(&target).is_ok_and(|text| anchors(&text).contains(heading))
            });
            // The book has the files of docs/ only.
            let leaves = || {
                page.starts_with(root().join("docs")) && !target.canonicalize().unwrap().starts_with(&docs)
            };
            if !target.exists() || !named || own(&link).is_none() && leaves() {
                broken.push(format!("{}: {link}", page.strip_prefix(root()).unwrap().display()));
            }
        }
    }
    assert!(broken.is_empty(), "broken links, or relative links out of docs/:\n{}", broken.join("\n"));
}

#[test]
fn the_book_has_every_page_once() {
    let docs = root().join("docs");
    let summary = fs::read_to_string(docs.join("SUMMARY.md")).unwrap();
    let listed = links(&summary);
    let unique: BTreeSet<PathBuf> = listed.iter().map(|link| docs.join(link)).collect();
    assert_eq!(unique.len(), listed.len(), "SUMMARY.md lists a page twice");
    let mut written = Vec::new();
    files(&docs, "md", &mut written);
    let written: BTreeSet<PathBuf> =
        written.into_iter().filter(|page| !page.ends_with("SUMMARY.md")).collect();
    assert_eq!(unique, written, "SUMMARY.md and the folder docs/ differ");
}

#[test]
fn the_rtic_page_shows_the_pinned_run() {
    let folder = root().join("examples/firmware/rtic");
    let page = fs::read_to_string(folder.join("README.md")).unwrap();
    let pins = fs::read_to_string(folder.join("pins/qemu-mps2.toml")).unwrap();
    let (_, measured) = pins.split_once("measured = [").unwrap();
    for line in measured.split('"').skip(1).step_by(2) {
        assert!(page.contains(line), "the page does not show {line:?}");
    }
}
