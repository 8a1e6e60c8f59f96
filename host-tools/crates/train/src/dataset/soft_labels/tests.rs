use super::*;

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

fn read_as(text: &str, task: &Task, origin: &[f64], rows: usize) -> Result<TeacherOutputs> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    let join = Join::Order { rows, left_out: &[] };
    Ok(read_soft_labels(file.path(), task, origin, None, join)?.outputs)
}

fn read(text: &str, rows: usize) -> Result<TeacherOutputs> {
    read_as(text, &Task::Classification { target: "y".into(), labels: names(&["a", "b"]) }, &[], rows)
}

#[test]
fn values_go_by_their_targets() {
    let task = |targets: &[&str]| Task::Regression { targets: names(targets) };
    for (text, targets) in [
        ("prediction(b),prediction(a)\n0.5,1013.25\n-1,990\n", &["a", "b"][..]),
        ("a;b\n1013,25;0,5\n990,00;-1,0\n", &["a", "b"]),
        ("prediction\n1013.25\n990\n", &["a"]),
        ("a\n1013.25\n990\n", &["a"]),
    ] {
        let outputs = read_as(text, &task(targets), &[1000.0, 0.0], 2).unwrap();
        let values = outputs.values();
        assert_eq!(values.row(0).iter().copied().collect::<Vec<_>>(), [13.25, -10.0], "{text}");
        if targets.len() > 1 {
            assert_eq!(values.row(1).iter().copied().collect::<Vec<_>>(), [0.5, -1.0], "{text}");
        }
    }
    for (text, expected) in [
        ("a,c\n1,2\n", ":1: no soft label column \"b\""),
        ("prediction\n1\n", ":1: no column of soft labels: give one per target, such as prediction(TARGET)"),
        ("a,b,prediction\n1,2,3\n", ":1: the column \"prediction\" belongs to none of the targets"),
        ("a,b\n1,inf\n", ":2: column \"b\": \"inf\" is no value: it must be finite"),
    ] {
        let error = read_as(text, &task(&["a", "b"]), &[], 1).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn columns_go_by_their_names() {
    for text in ["a,b\n0.25,0.75\n", "prediction,p(b),p(a)\nb,0.75,0.25\n", "b;a\n0.748;0.249\n"] {
        let teacher_outputs = read(text, 1).unwrap();
        let logits = teacher_outputs.logits(1.0);
        assert!((logits[(1, 0)] - logits[(0, 0)] - 3f32.ln()).abs() < 2e-3, "{text}");
    }
    let teacher_outputs = read("logit(b),logit(a)\n-3,12.5\n", 1).unwrap();
    assert_eq!(teacher_outputs.logits(1.0).as_slice(), [12.5, -3.0]);
    // A probability of 1 still has finite logits.
    assert!(read("a,b\n1,0\n", 1).unwrap().logits(1.0).iter().all(|logit| logit.is_finite()));
}

#[test]
fn errors_say_where() {
    for (text, rows, expected) in [
        ("a,b\n0.2,0.7\n", 1, ":2: the probabilities sum to 0.9, not 1"),
        ("a,b\n0.2,0.8\n2,-1\n", 2, ":3: column \"a\": \"2\" is no probability"),
        ("a,b\n0.2,x\n", 1, ":2: column \"b\": \"x\" is not a number"),
        ("a,b\nNaN,0.5\n", 1, ":2: column \"a\": \"NaN\" is no probability"),
        ("logit(a),logit(b)\n1,inf\n", 1, ":2: column \"logit(b)\": \"inf\" is no logit"),
        ("a,b\n0.2,0.8\n", 2, ": soft labels for 1 rows, but the data has 2"),
        ("a,c\n0.2,0.8\n", 1, ":1: no soft label column \"b\""),
        ("a,b,c\n0.2,0.8,0\n", 1, ":1: the column \"c\" belongs to none of the labels"),
        ("x,y\n0.2,0.8\n", 1, ":1: no column of soft labels"),
        ("a,b\n0.2\n", 1, ":2: 1 value, the header has 2"),
    ] {
        let error = read(text, rows).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

fn classes(labels: &[&str]) -> Task {
    Task::Classification { target: "y".into(), labels: names(labels) }
}

/// Reads soft labels of two rows, and returns their logits row by row.
fn logits(text: &str, labels: &[&str], kind: Option<OutputKind>) -> Result<Vec<f32>> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    let join = Join::Order { rows: 2, left_out: &[] };
    let read = read_soft_labels(file.path(), &classes(labels), &[], kind, join)?;
    Ok(read.outputs.logits(1.0).as_slice().to_vec())
}

/// The probabilities of logits, row by row.
fn probabilities(logits: &[f32], labels: usize) -> Vec<f64> {
    logits.chunks(labels).flat_map(|row| crate::metrics::probabilities(row).0).collect()
}

#[test]
fn numbers_tell_what_they_are() {
    use OutputKind::{LogProbabilities, Logits, Probabilities};
    let three = &["a", "b", "c"][..];
    for (text, labels, kind, expected) in [
        ("a,b,c\n0.5,0.25,0.25\n0,0,1\n", three, None, &[0.5, 0.25, 0.25, 0.0, 0.0, 1.0][..]),
        ("0.5,0.25,0.25\n0.2,0.8,0\n", three, None, &[0.5, 0.25, 0.25, 0.2, 0.8, 0.0]),
        ("0,1,2\n0.5,0.25,0.25\n0.2,0.8,0\n", three, None, &[0.5, 0.25, 0.25, 0.2, 0.8, 0.0]),
        ("c,b,a\n-inf,-0.6931472,-0.6931472\n0,-inf,-inf\n", three, None, &[0.5, 0.5, 0.0, 0.0, 0.0, 1.0]),
        ("a,b,c\n0,0,0\n100,0,100\n", three, Some(Logits), &[1.0 / 3.0, 1.0 / 3.0, 1.0 / 3.0, 0.5, 0.0, 0.5]),
        // One column for two labels: of the label that it names, or of the second.
        ("p(a)\n0.25\n1\n", &["a", "b"], None, &[0.25, 0.75, 1.0, 0.0]),
        ("score\n0.25\n1\n", &["a", "b"], None, &[0.75, 0.25, 0.0, 1.0]),
        ("-1.0986123\n2.1972246\n", &["a", "b"], None, &[0.75, 0.25, 0.1, 0.9]),
        ("-1.0986123\n-20\n", &["a", "b"], Some(Logits), &[0.75, 0.25, 1.0, 0.0]),
        ("-1.3862944\n-20\n", &["a", "b"], Some(LogProbabilities), &[0.75, 0.25, 1.0, 0.0]),
        ("0.25\n0.5\n", &["a", "b"], Some(Probabilities), &[0.75, 0.25, 0.5, 0.5]),
    ] {
        let found = logits(text, labels, kind).unwrap_or_else(|error| panic!("{text}: {error}"));
        for (found, expected) in probabilities(&found, labels.len()).iter().zip(expected) {
            assert!((found - expected).abs() < 1e-6, "{text}: {found}, not {expected}");
        }
    }
    for (text, labels, kind, expected) in [
        (
            "a,b,c\n0.5,0.25,0.25\n1,2,3\n",
            three,
            None,
            ":3: column \"b\": \"2\" is no probability: it must be in [0, 1]; if these are logits, give --soft-labels-are logits",
        ),
        (
            "-1\n-2\n",
            &["a", "b"],
            None,
            ":1: the only column holds log-probabilities or logits (margins): say which by --soft-labels-are",
        ),
        ("a,b\n1,2\n3,4\n", &["a", "b"], Some(OutputKind::Values), ":1: the target holds labels"),
        (
            "p(a),p(b)\n1,0\n0,1\n",
            &["a", "b"],
            Some(Logits),
            ":1: the column \"p(a)\" holds probabilities by its name, not logits",
        ),
        ("p(c)\n1\n0\n", &["a", "b"], None, ":1: no column of soft labels"),
        (
            "1,2,3,4\n5,6,7,8\n",
            three,
            None,
            ":1: 4 columns for the labels [\"a\", \"b\", \"c\"]: give one per label",
        ),
        ("0.5,0.5\n0,1\n1,0\n", &["a", "b"], None, ": soft labels for 3 rows, but the data has 2"),
    ] {
        let error = logits(text, labels, kind).unwrap_err().to_string();
        assert!(error.contains(expected), "{text}: {error}");
    }
}

#[test]
fn keys_join_rows_in_any_order() {
    let keys = names(&["7", "x", "9"]);
    let others = names(&["8"]);
    let join = Join::Key { column: "id", keys: &keys, others: &others };
    let read = |text: &str| {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        read_soft_labels(file.path(), &classes(&["a", "b"]), &[], Some(OutputKind::Logits), join)
    };
    let read_whole = read("b,id,a\n0,8,4\n0,9.0,3\n0,x,2\n0,7,1\n0,z,5\n").unwrap();
    assert_eq!(read_whole.outputs.logits(1.0).row(0).iter().copied().collect::<Vec<_>>(), [1.0, 2.0, 3.0]);
    assert_eq!(read_whole.notes, ["passed over 1 row of keys that the data do not have, such as \"z\""]);
    for (text, expected) in [
        (
            "id,a,b\n7,1,0\n8,2,0\n",
            ": no soft labels for the row whose \"id\" is \"x\", and 1 more: add them",
        ),
        ("id,a,b\n7,1,0\nx,2,0\n9,1,1\n7,3,0\n", ":5: the key \"7\" in \"id\" is that of line 2, too"),
        ("id,a,b\n7,1,0\n,2,0\n9,1,1\n", ":3: no key in \"id\": fill it in"),
        ("row,a,b\n7,1,0\n", ":1: no key column \"id\": the columns are"),
    ] {
        let error = read(text).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}
