use super::*;

const FILE: &str = "% made by hand
@RELATION 'a test'

@attribute 'air temp' REAL   % degrees
@attribute n integer
@attribute when date 'yyyy-MM-dd HH:mm'
@attribute note string
@attribute class {rest, 'wave hand', \"it's\"}
@data
% rows
1.5, 3,\"2001-09-09 01:46\", 'a, b % c', rest
?,?,?,?,?
-1e-3,-7,'1970-01-01 00:00', O'Brien , 'wave hand' % remark

0.1, 0, '1970-01-02 00:00', '', \"it's\"
";

#[test]
fn attributes_have_types() {
    let opened = of_bytes(FILE).unwrap();
    assert_eq!(opened.notes, ["ARFF"]);
    let [temperature, n, when, note, class] = columns_of(&opened) else { panic!("{opened:?}") };
    assert_eq!(temperature.name, "air temp");
    numbers(temperature, [1.5, f64::NAN, -1e-3, 0.1]);
    numbers(n, [3.0, f64::NAN, -7.0, 0.0]);
    times(when, &[1e9 - 40.0, f64::NAN, 0.0, 86_400.0]);
    texts(note, &[Some("a, b % c"), None, Some("O'Brien"), Some("")]);
    texts(class, &[Some("rest"), None, Some("wave hand"), Some("it's")]);
}

#[test]
fn the_end_of_lines_and_the_encoding_do_not_matter() {
    let whole = of_bytes(FILE).unwrap();
    let windows = of_bytes(FILE.replace('\n', "\r\n")).unwrap();
    let utf16: Vec<u8> = FILE.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let utf16 = of_bytes(utf16).unwrap();
    // As text, in which NaN is NaN.
    let all = |opened: &Opened| format!("{:?}", columns_of(opened));
    assert_eq!(all(&whole), all(&windows));
    assert_eq!(all(&whole), all(&utf16));
    assert_eq!(utf16.notes, ["UTF-16 BE", "ARFF"]);
}

#[test]
fn sparse_rows_leave_out_zeros() {
    let head = "@relation r\n@attribute a numeric\n@attribute b numeric\n@attribute c {no,yes}\n@data\n";
    let opened = of_bytes(format!("{head}{{1 2.5, 2 yes}}\n{{ }}\n{{0 ?, 2 'no'}}\n1 2 yes\n")).unwrap();
    let [a, b, c] = columns_of(&opened) else { panic!("{opened:?}") };
    numbers(a, [0.0, 0.0, f64::NAN, 1.0]);
    numbers(b, [2.5, 0.0, 0.0, 2.0]);
    texts(c, &[Some("yes"), Some("no"), Some("no"), Some("yes")]);
    for row in ["{3 1}", "{1 1, 0 2}", "{1 1", "{x 1}", "{0 1} x"] {
        assert!(error(of_bytes(format!("{head}{row}\n"))).starts_with("data:6: "), "{row}");
    }
}

#[test]
fn errors_name_the_line() {
    let head = "@relation r\n@attribute a numeric\n@attribute c {no,yes}\n";
    for (rest, expected) in [
        ("@data\n1,maybe\n", "data:5: \"maybe\" is no value of attribute \"c\""),
        ("@data\nx,no\n", "data:5: attribute \"a\" is \"x\", which is no number; `?` is missing"),
        ("@data\n1\n", "data:5: 1 values, there are 2 attributes"),
        ("@data\n1,no,{5}\n", "data:5: a row has a weight, {…}, which is not read: take it out"),
        ("@data\n1,'no\n", "data:5: a quote is never closed"),
        (
            "@attribute bag relational\n",
            "data:4: attribute \"bag\" is relational, a table in each cell: flatten it",
        ),
        ("1,no\n", "data:4: neither @attribute nor @data, which ARFF has before its rows"),
        ("", "data: an ARFF file without a line @data: it has no rows"),
    ] {
        assert_eq!(error(of_bytes(format!("{head}{rest}"))), expected);
    }
}

#[test]
fn empty_rows_of_many_attributes_take_no_memory() {
    let mut file = String::from("@relation r\n");
    (0..2000).for_each(|index| file += &format!("@attribute a{index} numeric\n"));
    file += "@data\n";
    file += &"{}\n".repeat(200_000);
    assert!(error(of_bytes(file)).contains("its cells take more than"));
}
