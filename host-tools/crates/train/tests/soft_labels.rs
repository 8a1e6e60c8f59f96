//! Soft labels in NumPy arrays and Parquet files: every type, order and name gives the same outputs.

use std::io::Write as _;
use std::sync::Arc;

use microdistill_train::dataset::{Join, SoftLabels, Task, read_soft_labels};
use microdistill_train::error::Result;
use microdistill_train::metrics::probabilities;
use parquet::basic::Type as Physical;
use parquet::data_type::{ByteArrayType, DoubleType};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::Type;

/// Probabilities that 16 bits hold, row by row.
const ROWS: [[f64; 3]; 4] = [[0.25, 0.25, 0.5], [0.5, 0.0, 0.5], [0.0, 0.75, 0.25], [0.0, 0.0, 1.0]];
const LABELS: [&str; 3] = ["ash", "beech", "oak"];

fn read(bytes: &[u8], join: Join<'_>) -> Result<SoftLabels> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    let labels = LABELS.map(String::from).to_vec();
    read_soft_labels(file.path(), &Task::Classification { target: "tree".into(), labels }, &[], None, join)
}

const IN_ORDER: Join<'_> = Join::Order { rows: ROWS.len(), left_out: &[] };

#[track_caller]
fn assert_rows(read: &SoftLabels, expected: &[[f64; 3]]) {
    let logits = read.outputs.logits(1.0);
    assert_eq!(logits.ncols(), expected.len());
    for (logits, expected) in logits.column_iter().zip(expected) {
        let (found, _) = probabilities(logits.as_slice());
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-6, "{found:?}, not {expected:?}");
        }
    }
}

/// A NumPy array of a type, of numbers in the order of the file.
fn npy(kind: &str, fortran: bool, shape: &str, numbers: &[f64]) -> Vec<u8> {
    let order = if fortran { "True" } else { "False" };
    let header = format!("{{'descr': '{kind}', 'fortran_order': {order}, 'shape': {shape}, }}\n");
    let length = u16::try_from(header.len()).unwrap().to_le_bytes();
    let mut bytes = [b"\x93NUMPY\x01\x00", &length[..], header.as_bytes()].concat();
    for &number in numbers {
        let mut item = match &kind[1..] {
            "f2" => half(number).to_le_bytes().to_vec(),
            "f4" => (number as f32).to_le_bytes().to_vec(),
            "f8" => number.to_le_bytes().to_vec(),
            "i8" => (number as i64).to_le_bytes().to_vec(),
            "u1" => vec![number as u8],
            other => panic!("{other}"),
        };
        if kind.starts_with('>') {
            item.reverse();
        }
        bytes.extend(item);
    }
    bytes
}

/// 16 bits of a power of two, or of 0.75.
fn half(number: f64) -> u16 {
    match number {
        0.0 => 0,
        0.25 => 0x3400,
        0.5 => 0x3800,
        0.75 => 0x3A00,
        1.0 => 0x3C00,
        other => panic!("{other}"),
    }
}

#[test]
fn arrays_have_any_type_and_order() {
    let by_rows = ROWS.as_flattened();
    let by_columns: Vec<f64> = (0..3).flat_map(|column| ROWS.map(|row| row[column])).collect();
    for kind in ["<f2", ">f2", "<f4", ">f4", "<f8", ">f8"] {
        for (fortran, numbers) in [(false, by_rows), (true, &by_columns)] {
            let read = read(&npy(kind, fortran, "(4, 3)", numbers), IN_ORDER).unwrap();
            assert_rows(&read, &ROWS);
            let note = "the columns are taken for the labels in the order [\"ash\", \"beech\", \"oak\"]";
            assert!(read.notes.iter().any(|found| found == note), "{:?}", read.notes);
        }
    }
    let one_hot = [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
    for kind in ["<i8", ">i8", "|u1"] {
        assert_rows(&read(&npy(kind, false, "(4, 3)", one_hot.as_flattened()), IN_ORDER).unwrap(), &one_hot);
    }
}

#[test]
fn arrays_that_do_not_fit_are_refused() {
    let error = |bytes: &[u8]| read(bytes, IN_ORDER).unwrap_err().to_string();
    let objects = npy("|O", false, "(4, 3)", &[]);
    assert!(error(&objects).contains("the array holds Python objects: save it with a type"));
    let turned = error(&npy("<f8", false, "(3, 4)", ROWS.as_flattened()));
    assert!(turned.contains("4 columns for the labels [\"ash\", \"beech\", \"oak\"]"), "{turned}");
    assert!(turned.contains("is turned by NumPy's `x.T`"), "{turned}");
    let short = error(&npy("<f8", false, "(3, 3)", &ROWS.as_flattened()[..9]));
    assert!(short.contains("soft labels for 3 rows, but the data has 4"), "{short}");
    let logits = error(&npy("<f8", false, "(4, 3)", &[2.0; 12]));
    assert!(logits.contains("give --soft-labels-are logits"), "{logits}");
    let mut missing = ROWS;
    missing[1][1] = f64::NAN;
    let one = error(&npy("<f8", false, "(4, 3)", missing.as_flattened()));
    assert!(one.contains(":3: column \"x2\": \"\" is not a number"), "{one}");
    missing[1] = [f64::NAN; 3];
    let all = error(&npy("<f8", false, "(4, 3)", missing.as_flattened()));
    assert!(
        all.contains("soft labels for 3 rows (1 further row without any value), but the data has 4"),
        "{all}"
    );
}

#[test]
fn archives_hold_probabilities_and_keys() {
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let mut add = |name: &str, bytes: &[u8]| {
        archive.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        archive.write_all(bytes).unwrap();
    };
    add("id.npy", &npy("<i8", false, "(4,)", &[40.0, 30.0, 20.0, 10.0]));
    add("probabilities.npy", &npy("<f4", false, "(4, 3)", ROWS.as_flattened()));
    let bytes = archive.finish().unwrap().into_inner();
    let keys = ["10", "30"].map(String::from);
    let read = read(&bytes, Join::Key { column: "id", keys: &keys, others: &[] }).unwrap();
    assert_rows(&read, &[ROWS[3], ROWS[1]]);
    assert!(read.notes.iter().any(|note| note.starts_with("passed over 2 rows")), "{:?}", read.notes);
}

/// A Parquet file of these columns of doubles, after one of texts.
fn parquet(names: [&str; 3], keys: &[&str]) -> Vec<u8> {
    let column = |name: &str, kind| {
        let repetition = parquet::basic::Repetition::REQUIRED;
        Arc::new(Type::primitive_type_builder(name, kind).with_repetition(repetition).build().unwrap())
    };
    let columns = [column("id", Physical::BYTE_ARRAY)].into_iter();
    let columns = columns.chain(names.map(|name| column(name, Physical::DOUBLE)));
    let schema = Type::group_type_builder("schema").with_fields(columns.collect()).build().unwrap();
    let mut writer = SerializedFileWriter::new(Vec::new(), Arc::new(schema), Arc::default()).unwrap();
    let mut group = writer.next_row_group().unwrap();
    let mut place = 0;
    while let Some(mut column) = group.next_column().unwrap() {
        if place == 0 {
            let keys: Vec<_> = keys.iter().map(|&key| key.into()).collect();
            column.typed::<ByteArrayType>().write_batch(&keys, None, None).unwrap();
        } else {
            let numbers = ROWS.map(|row| row[place - 1]);
            column.typed::<DoubleType>().write_batch(&numbers, None, None).unwrap();
        }
        column.close().unwrap();
        place += 1;
    }
    group.close().unwrap();
    writer.into_inner().unwrap()
}

#[test]
fn parquet_is_joined_by_texts() {
    let keys = ["w3", "w1", "w0", "w2"].map(String::from);
    let join = Join::Key { column: "id", keys: &keys, others: &[] };
    for names in [["p(ash)", "p(beech)", "p(oak)"], ["ash", "beech", "oak"], ["0", "1", "2"]] {
        let read = read(&parquet(names, &["w0", "w1", "w2", "w3"]), join).unwrap();
        assert_rows(&read, &[ROWS[3], ROWS[1], ROWS[0], ROWS[2]]);
    }
    let turned = read(&parquet(["oak", "ash", "beech"], &["w0", "w1", "w2", "w3"]), join).unwrap();
    assert_rows(&turned, &[[0.0, 1.0, 0.0], [0.0, 0.5, 0.5], [0.25, 0.5, 0.25], [0.75, 0.25, 0.0]]);
    let extra = read(&parquet(LABELS, &["w0", "w1", "w2", "w3"]), IN_ORDER).unwrap_err().to_string();
    assert!(
        extra.contains("the column \"id\" belongs to none of the labels") && extra.contains("give --key id"),
        "{extra}"
    );
}
