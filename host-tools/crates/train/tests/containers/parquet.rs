use super::*;

/// Columns of `none.parquet` and its packed copies.
fn check(opened: &Opened) {
    let columns = columns_of(opened);
    assert_eq!(
        names(columns),
        ["f64", "f32", "nullable", "u8", "u64", "bool", "text", "when", "ns", "day", "price"]
    );
    let all = 0..ROWS;
    let nan = f64::NAN;
    numbers(&columns[0], all.clone().map(|row| value(row, 0)));
    numbers(&columns[1], all.clone().map(|row| f64::from(value(row, 1) as f32)));
    numbers(&columns[2], [-3.0, -2.0, nan, 0.0, 1.0, 2.0]);
    numbers(&columns[3], all.clone().map(|row| 250.0 + row as f64));
    numbers(&columns[4], all.clone().map(|row| 2.0_f64.powi(63) + 2048.0 * row as f64));
    numbers(&columns[5], [1.0, 0.0, 1.0, 0.0, 1.0, 0.0]);
    texts(&columns[6], &[Some("rest"), Some("wäve"), None, Some(""), Some("rest"), Some("wave")]);
    times(&columns[7], &all.clone().map(|row| 1e9 + 0.25 + row as f64).collect::<Vec<_>>());
    times(&columns[8], &[1e9 + 0.250_000_001, nan, -1e-9, 0.0, 1e-9, 2e-9]);
    times(&columns[9], &[-86_400.0, 0.0, 86_400.0, 172_800.0, nan, 1_709_164_800.0]);
    numbers(&columns[10], all.map(|row| row as f64 + 0.25));
}

#[test]
fn values_are_the_same_for_every_codec() {
    for codec in ["none", "snappy", "gzip", "zstd", "lz4"] {
        let opened = opened(&format!("{codec}.parquet"));
        check(&opened);
        assert_eq!(opened.notes, ["Parquet", "column u64: whole numbers beyond 2^53 are rounded"]);
    }
}

#[test]
fn row_groups_and_encodings_do_not_matter() {
    for name in ["groups.parquet", "delta.parquet"] {
        let opened = opened(name);
        let columns = columns_of(&opened);
        numbers(&columns[0], (0..ROWS).map(|row| value(row, 0)));
        numbers(&columns[1], [-3.0, -2.0, f64::NAN, 0.0, 1.0, 2.0]);
        texts(&columns[2], &[Some("rest"), Some("wäve"), None, Some(""), Some("rest"), Some("wave")]);
    }
    let opened = opened("int96.parquet");
    times(&columns_of(&opened)[0], &[1e9 + 0.250_000_001, f64::NAN, -1e-9, 0.0, 1e-9, 2e-9]);
    let opened = super::opened("categories.parquet");
    texts(&columns_of(&opened)[0], &[Some("a"), Some("b"), Some("a")]);
    numbers(&columns_of(&opened)[1], [1.5, 2.5, f64::NAN]);
}

#[test]
fn columns_that_nest_are_named() {
    assert!(refusal("lists.parquet").contains("column \"ragged\" holds lists or records: flatten it"));
    assert!(refusal("nested.parquet").contains("column \"point\" holds lists or records: flatten it"));
}

#[test]
fn damage_is_an_error() {
    let mut bytes = bytes("none.parquet");
    let end = bytes.len() - 8;
    bytes[end..end + 4].copy_from_slice(&u32::MAX.to_le_bytes());
    assert_eq!(error(of_bytes(bytes)), "data: the Parquet file is damaged: was it copied whole?");
}
