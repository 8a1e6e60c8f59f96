use super::*;

#[test]
fn types_keep_their_values() {
    for name in ["f8", "f8-big", "f4", "f4-big", "fortran"] {
        let opened = opened(&format!("{name}.npy"));
        let columns = columns_of(&opened);
        assert_eq!(names(columns), ["x1", "x2", "x3"], "{name}");
        for (index, column) in columns.iter().enumerate() {
            let narrow = name.starts_with("f4");
            let number = |row| if narrow { f64::from(value(row, index) as f32) } else { value(row, index) };
            numbers(column, (0..ROWS).map(number));
        }
    }
    for (name, first) in [
        ("i8", -7.0),
        ("i4-big", -7.0),
        ("i2", -7.0),
        ("i1", -7.0),
        ("u8", 0.0),
        ("u2-big", 0.0),
        ("u1", 0.0),
    ] {
        let opened = opened(&format!("{name}.npy"));
        for (index, column) in columns_of(&opened).iter().enumerate() {
            numbers(column, (0..ROWS).map(|row| (row * COLUMNS + index) as f64 + first));
        }
    }
    numbers(&columns_of(&opened("b1.npy"))[0], [0.0, 1.0, 1.0, 1.0, 1.0, 1.0]);
    numbers(&columns_of(&opened("vector.npy"))[0], (0..ROWS).map(|row| value(row, 0)));
    let [infinite, tiny] = [f64::INFINITY, 2.0_f64.powi(-24)];
    let halves = [0.0, -0.0, 1.0, -2.5, 65504.0, tiny, tiny * 1024.0, infinite, -infinite, f64::NAN];
    numbers(&columns_of(&opened("halves.npy"))[0], halves);
}

#[test]
fn whole_numbers_that_f64_rounds_are_said() {
    let opened = opened("exact.npy");
    assert_eq!(opened.notes, ["NumPy array", "column x1: whole numbers beyond 2^53 are rounded"]);
}

#[test]
fn texts_and_times_are_columns_of_their_own() {
    for name in ["texts.npy", "bytes.npy"] {
        texts(&columns_of(&opened(name))[0], &LABELS.map(Some));
    }
    times(&columns_of(&opened("times.npy"))[0], &[1e9 + 0.25, f64::NAN, -0.5]);
}

#[test]
fn fields_name_the_columns() {
    let opened = opened("records.npy");
    let columns = columns_of(&opened);
    assert_eq!(names(columns), ["t", "n", "who", "ok"]);
    numbers(&columns[0], (0..ROWS).map(|row| value(row, 0)));
    numbers(&columns[1], (0..ROWS).map(|row| row as f64 - 2.0));
    texts(&columns[2], &LABELS.map(Some));
    numbers(&columns[3], [1.0, 0.0, 1.0, 0.0, 1.0, 0.0]);
}

#[test]
fn arrays_that_are_no_tables_are_refused_by_name() {
    for (name, expected) in [
        ("objects.npy", "the array holds Python objects: save it with a type"),
        ("complex.npy", "the array holds complex numbers"),
        ("cube.npy", "the array has 3 dimensions, [6, 3, 1]: reshape it to rows and columns"),
        ("nested.npy", "the array has a field \"a\" of records: flatten it"),
    ] {
        let message = refusal(name);
        assert!(message.contains(expected), "{message}");
    }
    let whole = bytes("f8.npy");
    let message = error(of_bytes(&whole[..whole.len() - 1]));
    assert_eq!(message, "data: the array ends before its last item: was the file copied whole?");
}

/// A `.npy` file with this header and data.
fn npy(header: &str, data: &[u8]) -> Vec<u8> {
    let length = u16::try_from(header.len()).unwrap().to_le_bytes();
    [b"\x93NUMPY\x01\x00", &length[..], header.as_bytes(), data].concat()
}

#[test]
fn huge_shapes_take_no_memory() {
    for (kind, shape) in [
        ("<f8", "(1000000000000, 4)"),
        ("<f8", "(18446744073709551615, 2)"),
        ("|S0", "(1000000000000,)"),
        ("<U0", "(1000000000000,)"),
        ("<U9999999999999999999", "(1,)"),
        ("|u1", "(0, 1000000000000)"),
        ("<f8", "()"),
    ] {
        let header = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}");
        error(of_bytes(npy(&header, &[0; 64])));
    }
    let header = "{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000, 0), }";
    assert!(columns_of(&of_bytes(npy(header, &[])).unwrap()).is_empty());
}

#[test]
fn archives_join_features_and_target() {
    let opened = opened("xy.npz");
    let columns = columns_of(&opened);
    assert_eq!(names(columns), ["x1", "x2", "x3", "y"]);
    numbers(&columns[2], (0..ROWS).map(|row| value(row, 2)));
    texts(&columns[3], &LABELS.map(Some));
    assert_eq!(opened.notes, ["NumPy arrays", "features from array `X`, the target from `y`"]);
}

#[test]
fn archives_keep_arrays_that_have_the_same_rows() {
    let opened = opened("extra.npz");
    assert_eq!(names(columns_of(&opened)), ["x1", "x2", "x3", "groups", "target"]);
    assert_eq!(opened.notes[2], "ignored arrays with other rows: `target_names`");
    let opened = super::opened("columns.npz");
    let columns = columns_of(&opened);
    assert_eq!(names(columns), ["volts", "amps", "label"]);
    numbers(&columns[1], (0..ROWS).map(|row| value(row, 1)));
    let opened = super::opened("one.npz");
    assert_eq!(names(columns_of(&opened)), ["x1", "x2", "x3"]);
}

#[test]
fn archives_that_are_unclear_name_their_arrays() {
    let message = refusal("mnist.npz");
    assert!(
        message.contains("unclear: `x_train` (numbers, [6, 3]), `y_train` (texts, [6]), `x_test`"),
        "{message}"
    );
}
