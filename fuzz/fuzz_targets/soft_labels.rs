//! Soft labels in files, and answers of programs: any bytes give an error, a distribution for each row, or values for each
//! row.
#![no_main]

use std::io::Write as _;

use libfuzzer_sys::fuzz_target;
use microdistill_train::dataset::answers::read_answers;
use microdistill_train::dataset::{Join, OutputKind, Task, read_soft_labels};
use tempfile::NamedTempFile;

fuzz_target!(|bytes: &[u8]| {
    let mut file = NamedTempFile::new().expect("a temporary file");
    file.write_all(bytes).expect("a temporary file");
    let names = ["a", "b", "c"].map(String::from);
    let classes = Task::Classification { target: "y".into(), labels: names.to_vec() };
    for task in [classes, Task::Regression { targets: names.to_vec() }] {
        for rows in 1..4 {
            for kind in [None, Some(OutputKind::Logits), Some(OutputKind::LogProbabilities)] {
                let join = Join::Order { rows, left_out: &[1] };
                if let Ok(read) = read_soft_labels(&file, &task, &[1.0], kind, join) {
                    assert_eq!(read.outputs.shape(), (3, rows));
                    assert!(read.outputs.logits(1.0).iter().all(|logit| logit.is_finite()));
                }
            }
        }
        let keys = ["1", "2"].map(String::from);
        let join = Join::Key { column: "id", keys: &keys, others: &[] };
        if let Ok(read) = read_soft_labels(&file, &task, &[], None, join) {
            assert_eq!(read.outputs.shape(), (3, 2));
        }
        for count in 0..3 {
            if let Ok(answers) = read_answers(&String::from_utf8_lossy(bytes), &task, count, None) {
                assert_eq!(answers.rows.len(), count);
                assert!(
                    answers
                        .rows
                        .iter()
                        .all(|row| row.len() == 3 && row.iter().all(|output| output.is_finite()))
                );
            }
        }
    }
});
