//! Data files: the rows that are read, and the errors for files that cannot be.

use std::collections::BTreeSet;
use std::io::Write as _;

use microdistill::text::NGrams;
use microdistill_train::dataset::{Columns, Dataset, Expected, Kind, Target, Text, read, read_like};
use microdistill_train::model::{Scaler, Task};
use microdistill_train::table::Options;
use nalgebra::DMatrix;

fn file(bytes: impl AsRef<[u8]>) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(bytes.as_ref()).unwrap();
    file
}

fn columns(target: &str) -> Columns {
    Columns { targets: vec![target.into()], ..Columns::default() }
}

/// Values of one target.
fn values(values: &[f32]) -> Target {
    Target::Values(DMatrix::from_row_slice(1, values.len(), values))
}

/// The error's text with the file's name as `FILE`.
fn error(bytes: impl AsRef<[u8]>, columns: &Columns) -> String {
    let file = file(bytes);
    let error = read(file.path(), columns).unwrap_err().to_string();
    error.replace(file.path().to_str().unwrap(), "FILE")
}

fn read_text(text: &str, columns: &Columns) -> Dataset {
    read(file(text).path(), columns).unwrap()
}

#[test]
fn reads_every_dialect() {
    let plain = read_text("a,b,y\n1,2.5,up\n-3e2,4,down\n", &Columns::default());
    assert_eq!(plain.features, ["a", "b"]);
    assert_eq!(plain.x.as_slice(), [1.0, 2.5, -300.0, 4.0]);
    let task = Task::Classification { target: "y".into(), labels: vec!["down".into(), "up".into()] };
    assert_eq!((&plain.task, &plain.target), (&task, &Target::Classes(vec![1, 0])));
    for text in [
        "\u{feff}a,b,y\r\n1,2.5,up\r\n-3e2,4,down\r\n",
        "a;b;y\n1;2.5;up\n-3e2;4;down",
        "a\tb\ty\n1\t2.5\tup\n-3e2\t4\tdown\n",
        "\"a\", b ,y\n\n1,\"2.5\", up\n-3e2,4,\"down\"\n",
    ] {
        let other = read_text(text, &Columns::default());
        assert_eq!((&other.x, &other.target), (&plain.x, &plain.target), "{text:?}");
    }
}

#[test]
fn guesses_the_task_and_says_so() {
    let task = |text, columns: &Columns| (read_text(text, columns).target, read_text(text, columns).notes);
    let (target, notes) = task("x,y\n1,10\n2,9\n", &Columns::default());
    assert_eq!(target, Target::Classes(vec![1, 0]), "labels are ordered as numbers");
    assert!(notes[0].contains("2 classes") && notes[0].contains("--task regression"), "{notes:?}");
    let (target, notes) = task("x,y\n1,10\n2,9.5\n", &Columns::default());
    assert_eq!(target, values(&[10.0, 9.5]));
    assert!(notes[0].contains("fractions"), "{notes:?}");
    let asked = Columns { kind: Some(Kind::Regression), ..Columns::default() };
    assert_eq!(task("x,y\n1,10\n2,9\n", &asked).0, values(&[10.0, 9.0]));
}

#[test]
fn says_where_a_file_is_wrong() {
    let any = Columns::default();
    for (bytes, expected) in [
        ("", "FILE: the file is empty: a header and rows are needed"),
        ("a,y\n", "FILE: only a header: rows are needed"),
        (
            "a,2.5,y\n3,4,v\n5,6,u\n",
            "FILE:1: this line may hold the columns' names or a row; \"a\" reads as a name, \"2.5\" as a value: give --header \
             if it holds names, else --no-header",
        ),
        ("a,,y\n1,2,u\n", "FILE:1: column 2 of the header has no name"),
        (
            "a,a,y\n1,2,u\n",
            "FILE:1: two columns are named \"a\": rename one, or give --no-header if the line is a row",
        ),
        ("y\nu\nv\n", "FILE:1: no column is left for a feature"),
        ("a,y\n1,u\n2\n", "FILE:3: 1 value, the header has 2"),
        ("a,y\n1,u\n2,v,3\n", "FILE:3: 3 values, the header has 2"),
        (
            "a,y\n1,u\nx1,v\n",
            "FILE:3: column \"a\": \"x1\" is not a number: mend it, leave it empty, or give --missing x1",
        ),
        (
            "a,y\n1,u\ninf,v\n",
            "FILE:3: column \"a\": \"inf\" is not a finite number: mend it, or give --missing inf",
        ),
        (
            "a,y\n1,u\n1e39,v\n",
            "FILE:3: column \"a\": \"1e39\" is beyond the range of an f32: mend it, or give --missing 1e39",
        ),
        ("a,y\n1,\n2,NA\n", "FILE: no row has a value in the target column \"y\""),
        (
            "a,y\n,u\n,v\n",
            "FILE: no column is left for a feature: left out, since nothing can be learned from: \"a\" (no value)",
        ),
        (
            "a,y\n\"1,2\",u\n\"1,2,34\",v\n",
            "FILE:3: column \"a\": \"1,2,34\" is not a number: mend it, leave it empty, or give --missing 1,2,34",
        ),
        (
            "a,y\n\"1,2\",u\n\"1,234,567\",v\n",
            "FILE:3: column \"a\": \"1,234,567\" is written unlike the numbers above it: use one notation in the column, or leave \
             it out by --ignore",
        ),
        ("a,b,y\n1,2,u\n1,2,v\n", "FILE: all rows have the same features: nothing to learn"),
        ("a,y\n1,u\n2,u\n", "FILE: all rows have the label \"u\" in \"y\": nothing to learn"),
    ] {
        assert_eq!(error(bytes, &any), expected);
    }
    assert_eq!(
        error("a,y\n1,u\n", &columns("z")),
        "FILE:1: no target column \"z\": the columns are [\"a\", \"y\"]"
    );
    let values = Columns { kind: Some(Kind::Regression), ..Columns::default() };
    assert_eq!(
        error("a,y\n1,3\n2,u\n", &values),
        "FILE:3: target \"y\": \"u\" is not a number: mend it, leave it empty, or give --missing u; is it --task classification?"
    );
    let folder = tempfile::tempdir().unwrap();
    assert!(read(folder.path(), &any).unwrap_err().to_string().contains("directory"));
    assert!(read(folder.path().join("none.csv"), &any).unwrap_err().to_string().contains("No such file"));
}

fn several(targets: &[&str]) -> Columns {
    Columns { targets: targets.iter().map(|&name| name.into()).collect(), ..Columns::default() }
}

#[test]
fn several_targets_are_values_in_the_order_given() {
    let text = "a,p,n,b\n1,101325.5,3,0.1\n2,101300.5,4,0.2\n3,,5,0.3\n4,101200.5,NA,0.4\n5,101100.5,7,0.5\n";
    let data = read_text(text, &several(&["n,p"]));
    assert_eq!(data.features, ["a", "b"]);
    assert_eq!(data.task, Task::Regression { targets: vec!["n".into(), "p".into()] });
    // Whole numbers, too, are values here.
    let expected = DMatrix::from_row_slice(2, 3, &[3.0, 4.0, 7.0, 101_325.5, 101_300.5, 101_100.5]);
    assert_eq!((&data.target, &data.left_out), (&Target::Values(expected), &vec![2, 3]));
    assert_eq!((data.x.as_slice(), data.widths(&[4])), (&[1.0, 0.1, 2.0, 0.2, 5.0, 0.5][..], vec![2, 4, 2]));
    for note in [
        "target \"n\": values, for regression (one of 2 targets), from 3.00000 to 7.00000",
        "target \"p\": values, for regression (one of 2 targets), from 101100 to 101326",
        "left out 2 rows without a value in one of the target columns",
    ] {
        assert!(data.notes.iter().any(|found| found == note), "{note}: {:?}", data.notes);
    }
    let again = read_text(text, &several(&["n", "p"]));
    assert_eq!((&again.task, &again.target), (&data.task, &data.target));
    let other = file("b,n,a,p\n0.1,3,1,101325.5\n");
    let other = read_like(other.path(), data.expected()).unwrap();
    assert_eq!(other.target, Target::Values(DMatrix::from_row_slice(2, 1, &[3.0, 101_325.5])));
}

#[test]
fn a_name_may_hold_a_comma() {
    let text = "x,\"T, C\",p\n1,20.5,3\n2,21.5,4\n";
    assert_eq!(read_text(text, &several(&["T, C"])).task.targets(), ["T, C"]);
    assert_eq!(read_text(text, &several(&["p", "T, C"])).task.targets(), ["p", "T, C"]);
    assert_eq!(read_text(text, &several(&["p, x"])).task.targets(), ["p", "x"]);
}

#[test]
fn each_target_has_an_origin() {
    let mut text = String::from("x,time,small\n");
    for row in 0..40 {
        text += &format!("{row},{},{}\n", 1_732_800_000_000u64 + 20 * row, 0.5 * row as f64);
    }
    let data = read_text(&text, &several(&["small", "time"]));
    assert_eq!(data.target_origin, [0.0, 1_732_800_000_400.0]);
    let Target::Values(values) = &data.target else { panic!("{:?}", data.target) };
    assert_eq!((values[(0, 3)], values[(1, 3)]), (1.5, -340.0));
}

#[test]
fn targets_that_do_not_go_together_are_named() {
    let text = "a,kind,v,b\n1,u,0.5,4\n2,v,1.5,5\n3,u,2.5,7\n";
    for (targets, expected) in [
        (
            &["v", "kind"][..],
            "FILE: target \"kind\" holds labels, and several targets of labels are not supported: give it as the only --target, or \
             leave it out of --target (and of the features by --ignore kind)",
        ),
        (&["v,v"], "FILE: the target \"v\" is named twice"),
        (&["v,w"], "FILE:1: no target column \"w\": the columns are [\"a\", \"kind\", \"v\", \"b\"]"),
    ] {
        assert_eq!(error(text, &several(targets)), expected);
    }
    let labels = Columns { kind: Some(Kind::Classification), ..several(&["a", "v"]) };
    let expected = "FILE: --task classification is for one target, but 2 are named: several targets of labels are not supported";
    assert_eq!(error(text, &labels), expected);
    assert_eq!(
        error("a,b,v\n1,,2\n2,3,\n", &several(&["b", "v"])),
        "FILE: no row has a value in all of the target columns [\"b\", \"v\"]"
    );
    let expected = "FILE:3: target \"b\": \"off\" is not a number: mend it, leave it empty, or give --missing off; is it --task \
                    classification?";
    assert_eq!(error("a,b,v\n1,2,2\n2,off,3\n4,5,6\n", &several(&["b", "v"])), expected);
}

#[test]
fn rows_to_predict_need_no_target() {
    let data = read_text("a,b,v\n1,2,3\n2,3,5\n4,5,9\n", &several(&["b", "v"]));
    let optional = |text: &str| {
        let file = file(text);
        read_like(file.path(), Expected { target_optional: true, ..data.expected() }).unwrap()
    };
    assert_eq!(optional("a\n1\n").target, Target::Absent);
    let part = optional("a,v\n1,3\n");
    assert_eq!(part.target, Target::Absent);
    assert_eq!(part.notes, ["only [\"v\"] of the targets [\"b\", \"v\"] are in the file: they are ignored"]);
    let missing = optional("a,b,v\n1,3,\n2,4,5\n");
    assert_eq!((missing.rows(), missing.target), (2, Target::Absent));
    assert_eq!(missing.notes, ["1 row without a value in one of the target columns, which are ignored"]);
}

#[test]
fn groups_come_from_a_column_or_a_file() {
    let text = "who,a,y\nann,1,u\nbob,2,v\n";
    let of = |groups: &str| Columns { groups: Some(groups.into()), ..Columns::default() };
    let column = read_text(text, &of("who"));
    assert_eq!(column.groups, Some(vec!["ann".into(), "bob".into()]));
    assert_eq!(column.features, ["a"], "a group is never a feature");
    let groups = file("session\n1\n2\n");
    let text = "a,y\n1,u\n2,v\n";
    let other = read_text(text, &of(groups.path().to_str().unwrap()));
    assert_eq!(other.groups, Some(vec!["1".into(), "2".into()]));
    assert_eq!(
        error(text, &of("nobody")),
        "FILE: no column and no file \"nobody\" for groups: the columns are [\"a\", \"y\"]"
    );
    let groups = file("session\n1\n");
    assert!(error(text, &of(groups.path().to_str().unwrap())).contains("1 group for 2 rows of FILE"));
    let text = "who,a,y\nann,1,u\n,2,v\n";
    assert_eq!(error(text, &of("who")), "FILE:3: no group in \"who\": fill it in");
}

#[test]
fn a_further_file_is_read_by_the_names_of_the_first() {
    let features = ["a".to_string(), "b".to_string()];
    let task = Task::Classification { target: "y".into(), labels: vec!["u".into(), "v".into()] };
    let read = |text: &str, needed: bool| {
        let file = file(text);
        let path = file.path().to_str().unwrap().to_owned();
        read_like(
            file.path(),
            Expected {
                features: &features,
                task: &task,
                target_optional: !needed,
                groups_optional: false,
                key: None,
                groups: None,
                origin: &[],
                target_origin: &[],
                options: Options::default(),
            },
        )
        .map_err(|error| error.to_string().replace(&path, "FILE"))
    };
    let data = read("y,b,more,a\nv,2,x,1\n", true).unwrap();
    assert_eq!((data.x.as_slice(), data.target), (&[1.0, 2.0][..], Target::Classes(vec![1])));
    assert_eq!(data.notes, ["ignored the columns [\"more\"]: they are no features of the model"]);
    assert_eq!(read("b,a\n2,1\n", false).unwrap().target, Target::Absent);
    let error = |text, needed| read(text, needed).unwrap_err();
    assert_eq!(error("b,a\n2,1\n", true), "FILE:1: no target column \"y\": the columns are [\"b\", \"a\"]");
    assert_eq!(
        error("b,y\n2,u\n", true),
        "FILE:1: the columns [\"a\"] are missing: the model needs them as features"
    );
    assert_eq!(
        error("a,b,y\n1,2,u\n1,2,w\n", true),
        "FILE:3: unknown label \"w\" in \"y\": the known ones are [\"u\", \"v\"]"
    );
}

#[test]
fn missing_values_become_the_training_mean() {
    let data = read_text("a,b,y\n1,?,u\n,5,v\n3,7,u\n", &Columns::default());
    assert_eq!(data.notes[0], "2 missing values: the training mean of the feature is put in");
    let scaler = Scaler::fit(&data.x);
    assert_eq!(scaler.mean, [2.0, 6.0]);
    let filled = scaler.apply(&data.x).map(|x| x == 0.0);
    assert_eq!(filled.as_slice(), [false, true, true, false, false, false], "the mean is zero");
}

/// Oddities of real files: a byte-order mark, CRLF, a target in the middle, names with spaces and
/// brackets, identifiers, dates, remarks, constants, empty columns without a name, empty rows, rows without a target.
fn messy(rows: usize) -> String {
    let mut csv = String::from(
        "\u{feff},Sample ID,\"Kind, of bird\",Region,Island,Egg seen,Date,Bill (mm),Delta (o/oo),Comments,Fixed,,\r\n",
    );
    for row in 0..rows {
        let kind = ["Adelie penguin", "Gentoo penguin"][row % 2];
        let island = ["Biscoe", "Dream", "NA"][row % 3];
        let bill = if row % 10 == 3 { "NA".into() } else { format!("{}.{}", 39 + row % 2 * 8, row % 7) };
        let comment = if row % 5 == 0 { format!("\"Nest {row},\r\nnot seen\"") } else { String::new() };
        csv += &format!(
            "{row},N{row}A,{kind},Anvers,{island},{},2007-{:02}-11,{bill},-{}.5,{comment},7,,\r\n",
            ["Yes", "No"][row % 2],
            1 + row % 12,
            row % 4
        );
    }
    csv + ",,,,,,,,,,,,\r\n" + "60,N60A,NA,Anvers,Dream,Yes,2007-12-01,40,1,,7,,\r\n"
}

#[test]
fn messy_files_are_read_and_what_was_done_is_said() {
    let file = file(messy(60));
    let data = read(file.path(), &columns("Kind, of bird")).unwrap();
    let features = [
        "Island=Biscoe",
        "Island=Dream",
        "Egg seen=No",
        "Egg seen=Yes",
        "Bill (mm)",
        "Delta (o/oo)",
        "Fixed",
    ];
    assert_eq!(data.features, features);
    assert_eq!(data.task.labels(), ["Adelie penguin", "Gentoo penguin"]);
    assert_eq!(data.rows(), 60);
    assert_eq!(data.x.column(0).as_slice()[..6], [1.0, 0.0, 0.0, 1.0, 39.0, -0.5]);
    assert_eq!(data.x.column(2).as_slice()[..2], [0.0, 0.0], "a missing category is none");
    assert_eq!(
        data.notes,
        [
            "ignored 1 row without any value",
            "ignored column 1, which has no name: it is empty or numbers the rows",
            "ignored column 12, which has no name: it is empty or numbers the rows",
            "ignored column 13, which has no name: it is empty or numbers the rows",
            "6 missing values: the training mean of the feature is put in",
            "target \"Kind, of bird\": 2 classes (guessed: it holds text)",
            "categories, one feature per category: \"Island\" (2), \"Egg seen\" (2)",
            "constant columns, which do not count: [\"Fixed\"]",
            "left out, since nothing can be learned from: \"Sample ID\" (more than 32 different texts), \"Region\" \
             (one text in all rows), \"Date\" (dates or times), \"Comments\" (fewer than two rows per text)",
            "left out 1 row without a value in the target column",
        ]
    );
    let again = read_like(file.path(), data.expected()).unwrap();
    assert_eq!((again.features, again.target), (data.features, data.target));
    assert!(again.x.iter().zip(&data.x).all(|(a, b)| a == b || a.is_nan() && b.is_nan()));
}

#[test]
fn unknown_categories_are_none_and_said() {
    let data = read_text("a,island,y\n1,x,u\n2,z=1,v\n3,x,u\n4,z=1,u\n", &Columns::default());
    assert_eq!(data.features, ["a", "island=x", "island=z=1"]);
    assert_eq!(data.x.column(1).as_slice(), [2.0, 0.0, 1.0]);
    let read = |text: &str| {
        let file = file(text);
        read_like(file.path(), Expected { target_optional: true, ..data.expected() })
            .map_err(|error| error.to_string().replace(file.path().to_str().unwrap(), "FILE"))
    };
    let other = read("island,a\nw,1\nz=1,2\n,3\n").unwrap();
    assert_eq!(other.x.as_slice(), [1.0, 0.0, 0.0, 2.0, 0.0, 1.0, 3.0, 0.0, 0.0]);
    let note = "the model does not know the category \"w\" of \"island\" (1 rows): none is put in";
    assert_eq!(other.notes, [note]);
    let error = read("a\n1\n").unwrap_err();
    assert_eq!(error, "FILE:1: the columns [\"island\"] are missing: the model needs them as features");
    let error = read("a,island\n1,x\nwhat,x\n").unwrap_err();
    assert_eq!(
        error,
        "FILE:3: column \"a\": \"what\" is not a number: mend it, leave it empty, or give --missing what"
    );
}

#[test]
fn numbers_are_read_with_decimal_commas_and_thousands_and_a_text_for_missing_ones() {
    let decimal = read_text("a;y\n1,5;0,5\n-2;1,25\n", &Columns::default());
    assert_eq!((decimal.x.as_slice(), &decimal.target), (&[1.5, -2.0][..], &values(&[0.5, 1.25])));
    assert!(decimal.notes.contains(&"numbers with a decimal comma: [\"a\"]".into()), "{:?}", decimal.notes);
    let thousands = read_text("a,y\n\"1,500\",u\n20.5,v\n", &Columns::default());
    assert_eq!(thousands.x.as_slice(), [1500.0, 20.5]);
    let missing = Columns {
        options: Options { missing: vec!["-200".into()], ..Options::default() },
        ..Columns::default()
    };
    let data = read_text("a,y\n-200.0,1.5\n1,-200\n2,2.5\n", &missing);
    assert!(data.x[(0, 0)].is_nan());
    assert_eq!((data.x[(0, 1)], &data.target), (2.0, &values(&[1.5, 2.5])));
    let further = read_like(file("a,y\n-200,1\n").path(), data.expected()).unwrap();
    assert!(further.x[(0, 0)].is_nan(), "in a further file, too");
}

#[test]
fn a_text_column_becomes_the_device_s_features() {
    let text = Text { column: "word".into(), lengths: [1, 3], features: 16 };
    let columns = Columns { text: vec![text], ..Columns::default() };
    let data = read_text("word,length,y\nnull,4,en\n\"Straße, breit\",13,de\n,0,en\n", &columns);
    assert_eq!((data.features.len(), data.features[0].as_str()), (17, "length"), "texts come last");
    assert_eq!(data.features[16], "word:1-3-grams:15/16");
    for (row, word) in ["null", "straße, breit", ""].into_iter().enumerate() {
        let features = NGrams::<16>::new(1, 3).features(word);
        assert_eq!(data.x.column(row).as_slice()[1..], features, "{word}");
    }
    let other = file("y,word\nde,breit\n");
    let missing = read_like(other.path(), data.expected()).unwrap_err().to_string();
    assert!(
        missing.ends_with("the columns [\"length\"] are missing: the model needs them as features"),
        "{missing}"
    );
    let other = file("y,word,length\nde,breit,5\n");
    let other = read_like(other.path(), data.expected()).unwrap();
    assert_eq!(other.x.as_slice()[1..], NGrams::<16>::new(1, 3).features("breit"));

    let text = |column: &str| Text { column: column.into(), lengths: [1, 1], features: 2 };
    let error = |text| error("word,y\na,b\n", &Columns { text, ..Columns::default() });
    assert!(error(vec![text("w")]).contains("no text column \"w\""));
    let message = "FILE:1: the text column \"y\" is the target, the groups or named twice";
    assert_eq!(error(vec![text("y")]), message);
    assert!(error(vec![text("word"), text("word")]).contains("named twice"));
}

#[test]
fn a_class_may_be_named_null() {
    let data = read_text("a,y\n1,null\n2,wave\n3,\n", &Columns::default());
    assert_eq!((data.task.labels().len(), data.rows()), (2, 2));
}

#[test]
fn reads_the_bundled_data() {
    let columns = Columns { groups: Some("person".into()), ..Columns::default() };
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/data/watch_small");
    let train = read(format!("{folder}/train.csv"), &columns).unwrap();
    assert_eq!((train.x.shape(), train.task.labels().len()), ((30, 785), 7));
    let expected = Expected { groups: Some("person"), ..train.expected() };
    let test = read_like(format!("{folder}/test.csv"), expected).unwrap();
    assert_eq!(test.rows(), 364);
    let [train, test] = [train, test].map(|data| data.groups.unwrap().into_iter().collect::<BTreeSet<_>>());
    assert_eq!((train.len(), test.len()), (7, 3));
    assert!(train.is_disjoint(&test));
}
