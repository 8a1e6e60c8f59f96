//! Damaged files give an error or a table, never a panic, and in little time.

use std::io::Write as _;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::*;

/// All fixtures.
static FILES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let folder = std::fs::read_dir(file("")).unwrap();
    let mut paths: Vec<PathBuf> = folder.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let mut files: Vec<Vec<u8>> = paths.iter().map(|path| std::fs::read(path).unwrap()).collect();
    files.push(
        b"@relation r\n@attribute a numeric\n@attribute c {'x y',b}\n@data\n1,'x y'\n{0 2, 1 b}\n?,?\n"
            .to_vec(),
    );
    files
});

#[derive(Clone, Debug)]
enum Damage {
    Flip(usize, u8),
    Set(usize, u8),
    Cut(usize),
    Remove(usize, usize),
    Copy(usize, usize, usize),
    Splice(usize, usize, usize),
}

fn damage() -> impl Strategy<Value = Damage> {
    let at = || any::<usize>();
    let interesting = prop_oneof![Just(0), Just(0x7F), Just(0x80), Just(0xFF), any::<u8>()];
    prop_oneof![
        4 => (at(), 0..8_u8).prop_map(|(at, bit)| Damage::Flip(at, 1 << bit)),
        4 => (at(), interesting).prop_map(|(at, byte)| Damage::Set(at, byte)),
        1 => at().prop_map(Damage::Cut),
        1 => (at(), 1..16_usize).prop_map(|(at, length)| Damage::Remove(at, length)),
        1 => (at(), at(), 1..64_usize).prop_map(|(from, to, length)| Damage::Copy(from, to, length)),
        1 => (at(), at(), at()).prop_map(|(file, from, to)| Damage::Splice(file, from, to)),
    ]
}

fn apply(bytes: &mut Vec<u8>, damage: &Damage) {
    let length = bytes.len().max(1);
    let place = |at: usize| at % length;
    match *damage {
        _ if bytes.is_empty() => {}
        Damage::Flip(at, bits) => bytes[place(at)] ^= bits,
        Damage::Set(at, byte) => bytes[place(at)] = byte,
        Damage::Cut(at) => bytes.truncate(place(at)),
        Damage::Remove(at, count) => drop(bytes.drain(place(at)..(place(at) + count).min(length))),
        Damage::Copy(from, to, count) => {
            let part = bytes[place(from)..(place(from) + count).min(length)].to_vec();
            bytes.splice(place(to)..place(to), part);
        }
        Damage::Splice(file, from, to) => {
            let other = &FILES[file % FILES.len()];
            bytes.truncate(place(to));
            bytes.extend(&other[from % other.len().max(1)..]);
        }
    }
}

/// Opens a file that may be damaged, and checks the result.
fn check(bytes: Vec<u8>) {
    let start = Instant::now();
    if let Ok(opened) = of_bytes(bytes) {
        match &opened.contents {
            Contents::Text(_) => drop(text_of(&opened)),
            Contents::Cells(rows) => assert!(rows.iter().all(|row| row.len() == rows[0].len())),
            Contents::Columns(columns) => {
                let length = |column: &Typed| match &column.values {
                    Values::Numbers(numbers) | Values::Times(numbers) => numbers.len(),
                    Values::Texts(texts) => texts.len(),
                };
                assert!(columns.iter().all(|column| length(column) == length(&columns[0])));
            }
        }
    }
    // Damaged sizes must not make a file of kilobytes take forever. Busy machines take seconds.
    assert!(start.elapsed() < Duration::from_secs(30), "{:?}", start.elapsed());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn damaged_files_are_errors(file in any::<usize>(), damages in prop::collection::vec(damage(), 1..6)) {
        let mut bytes = FILES[file % FILES.len()].clone();
        damages.iter().for_each(|damage| apply(&mut bytes, damage));
        check(bytes);
    }
}

/// Files of a zip archive.
fn unzip(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(bytes)).unwrap();
    let mut files = Vec::new();
    for index in 0..archive.len() {
        let mut file = archive.by_index(index).unwrap();
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).unwrap();
        files.push((file.name().unwrap().into_owned(), bytes));
    }
    files
}

fn zipped(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let stored = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for (name, bytes) in files {
        archive.start_file(name, stored).unwrap();
        archive.write_all(bytes).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(5_000))]

    /// Damage behind the check value of the archive.
    #[test]
    fn archives_of_damaged_files_are_errors(
        which in 0..5_usize,
        inner in any::<usize>(),
        damages in prop::collection::vec(damage(), 1..6),
    ) {
        let name = ["sheet.xlsx", "sheets.xlsx", "xy.npz", "extra.npz", "columns.npz"][which];
        let mut files = unzip(&bytes(name));
        let inner = inner % files.len();
        damages.iter().for_each(|damage| apply(&mut files[inner].1, damage));
        check(zipped(&files));
    }
}

#[test]
fn files_that_end_early_are_errors() {
    for file in FILES.iter() {
        for end in (0..file.len()).step_by(file.len().div_ceil(200).max(1)) {
            check(file[..end].to_vec());
        }
    }
}
