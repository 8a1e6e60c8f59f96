//! Data files: any bytes give an error or a data set, which reads the same again and can be divided.
#![no_main]

use std::io::Write as _;

use libfuzzer_sys::fuzz_target;
use microdistill_train::dataset::{Columns, Dataset, Text, folds, read, read_like, read_unlabelled};
use microdistill_train::table::Options;
use tempfile::NamedTempFile;

fuzz_target!(|bytes: &[u8]| {
    let mut file = NamedTempFile::new().expect("a temporary file");
    file.write_all(bytes).expect("a temporary file");
    let text = Text { column: "text".into(), lengths: [1, 3], features: 16 };
    let options = Options { missing: vec!["-200".into()], ..Options::default() };
    let columns = [
        Columns::default(),
        Columns { groups: Some("group".into()), options, ..Columns::default() },
        Columns { text: vec![text], ..Columns::default() },
    ];
    for columns in columns {
        let Ok(data) = read(&file, &columns) else { continue };
        whole(&data);
        let again = read_like(&file, data.expected()).expect("a file has its own columns");
        assert_eq!(data.target, again.target, "the targets of a file read again");
        assert_eq!(bits(&data), bits(&again), "the features of a file read again");
        let unlabelled = read_unlabelled(&file, data.expected()).expect("rows need no target");
        assert!(unlabelled.rows() >= data.rows());
        if let Ok(folds) = folds(&data, 3, 1) {
            for fold in folds {
                assert_eq!(fold.train.len() + fold.validation.len(), data.rows());
                whole(&data.select(&fold.train));
            }
        }
    }
});

/// Checks that every row has all features, and a group if any has one.
fn whole(data: &Dataset) {
    assert_eq!((data.x.nrows(), data.x.ncols()), (data.features.len(), data.rows()));
    assert!(data.groups.as_ref().is_none_or(|groups| groups.len() == data.rows()));
    assert!(!data.x.iter().any(|value| value.is_infinite()), "a feature is infinite");
}

fn bits(data: &Dataset) -> Vec<u32> {
    data.x.iter().map(|value| value.to_bits()).collect()
}
