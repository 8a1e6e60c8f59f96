//! Real-world files: every kind of fault that could be misread silently, with the correct reading.
//!
//! The files are in `tests/cases/`; the tests are named after the kinds.

use std::path::PathBuf;

use microdistill_train::dataset::{Columns, Dataset, Target, read, read_like};
use microdistill_train::table::Options;

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/cases").join(name)
}

fn of(name: &str) -> Dataset {
    read(path(name), &Columns::default()).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn error(name: &str) -> String {
    read(path(name), &Columns::default()).unwrap_err().to_string()
}

fn with(name: &str, columns: &Columns) -> Dataset {
    read(path(name), columns).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn target(name: &str) -> Columns {
    Columns { targets: vec![name.into()], ..Columns::default() }
}

/// Asserts that a note contains this text.
#[track_caller]
fn noted(data: &Dataset, text: &str) {
    assert!(
        data.notes.iter().any(|note| note.contains(text)),
        "no note contains {text:?}: {:#?}",
        data.notes
    );
}

/// The values of a feature in the first rows.
fn column(data: &Dataset, name: &str) -> Vec<f64> {
    let feature = data.features.iter().position(|feature| feature == name).unwrap();
    data.x.row(feature).iter().map(|&x| f64::from(x) + data.origin[feature]).collect()
}

fn values(data: &Dataset) -> Vec<f64> {
    let Target::Values(values) = &data.target else { panic!("{:?}", data.target) };
    let origin = data.target_origin.first().unwrap_or(&0.0);
    values.iter().map(|&value| f64::from(value) + origin).collect()
}

mod numbers_beyond_24_bits {
    use super::*;

    #[test]
    fn of_the_target_keep_their_digits() {
        let data = of("15-target-epoch-seconds.csv");
        let values = values(&data);
        let expected = [1_732_799_989.8, 1_732_800_015.9, 1_732_799_999.1];
        assert!(
            values.iter().zip(expected).all(|(value, expected)| (value - expected).abs() < 1e-3),
            "{values:?}"
        );
        noted(&data, "the model predicts maintenance_due - 1732800000");
    }

    #[test]
    fn of_features_keep_their_digits_and_the_device_s_part_is_told() {
        let data = of("15b-epoch-ms-feature.csv");
        assert_eq!(
            column(&data, "ts_ms")[..3],
            [1_732_800_000_000.0, 1_732_800_000_020.0, 1_732_800_000_040.0]
        );
        noted(&data, "\"ts_ms\": rounding to f32 would lose");
        let data = of("15c-gps-degrees.csv");
        let latitude = column(&data, "lat");
        assert!((latitude[0] - 52.123_458_4).abs() < 1e-9 && (latitude[1] - 52.123_458_6).abs() < 1e-9);
        let again = read_like(path("15c-gps-degrees.csv"), data.expected()).unwrap();
        assert_eq!(
            (again.x, again.origin),
            (data.x, data.origin),
            "a further file has the origins of the first"
        );
    }

    #[test]
    fn are_told_from_those_that_f32_holds() {
        assert_eq!(of("06-target-far-from-zero.csv").target_origin, [0.0; 0]);
        assert!(of("04b-millis.csv").origin.iter().all(|&origin| origin == 0.0));
    }
}

mod number_dialects {
    use super::*;

    #[test]
    fn points_between_thousands_are_told_by_the_commas_before_fractions() {
        let data = of("01-european-thousands.csv");
        assert_eq!(column(&data, "druck")[..3], [1003.5, f64::from(1021.42f32), f64::from(1008.22f32)]);
        noted(&data, "numbers with `.` between thousands and a decimal comma: [\"druck\"]");
    }

    #[test]
    fn apostrophes_units_and_hexadecimal_digits_are_read() {
        let data = of("18-space-apostrophe-thousands.csv");
        assert_eq!(column(&data, "druck_pa")[..3], [100_831.0, 100_831.0, 101_014.0]);
        let data = of("22-percent-unit.csv");
        assert_eq!(column(&data, "hum")[0], f64::from(46.8f32));
        noted(&data, "numbers without their unit \"%\": [\"hum\"]");
        assert_eq!(column(&of("22b-degrees-unit.csv"), "temp")[..3], [22.0, 26.0, 20.0]);
        let data = of("22c-hex.csv");
        assert_eq!(column(&data, "adc")[..3], [567.0, 742.0, 444.0]);
        noted(&data, "hexadecimal numbers: [\"adc\"]");
    }
}

mod a_missing_header {
    use super::*;

    #[test]
    fn loses_no_row() {
        for (name, rows, features) in [
            ("02-headerless-word-first.csv", 300, 7),
            ("02b-headerless-repeated-words.data", 200, 11),
            ("02d-headerless-serial-monitor.csv", 120, 2),
            ("02e-headerless-equal-numbers.csv", 4, 2),
            ("23d-uci-spaces-no-header.data", 120, 2),
        ] {
            let data = of(name);
            assert_eq!((data.rows(), data.features.len()), (rows, features), "{name}");
            noted(&data, "there is no header");
        }
    }

    #[test]
    fn leaves_the_target_open_where_labels_stand_before_values() {
        assert!(
            error("02c-headerless-id-label-second.data")
                .contains("give --target column2 or --target column8")
        );
        assert!(error("17-semicolon-terminated.txt").contains("give --target column2 or --target column6"));
        let data = with("17-semicolon-terminated.txt", &target("column2"));
        assert_eq!(data.task.labels(), ["Jogging", "Sitting", "Walking"]);
        assert_eq!(data.rows(), 300);
        noted(&data, "left out the `;` at the end of each line");
    }

    #[test]
    fn can_be_told() {
        let options = |header| Columns {
            options: Options { header: Some(header), ..Options::default() },
            ..Columns::default()
        };
        assert_eq!(
            with("10-integer-column-names.csv", &Columns::default()).rows(),
            300,
            "names that count are names"
        );
        assert_eq!(with("10-integer-column-names.csv", &options(false)).rows(), 301);
        assert_eq!(with("02e-headerless-equal-numbers.csv", &options(false)).rows(), 4);
    }
}

mod the_task {
    use super::*;

    #[test]
    fn of_whole_floats_is_that_of_whole_numbers() {
        for (name, labels) in [
            ("03-float-class-labels.csv", &["0", "1", "2", "3", "4"][..]),
            ("03b-float-labels-after-nan.csv", &["0", "1", "2"]),
        ] {
            assert_eq!(of(name).task.labels(), labels, "{name}");
        }
        assert_eq!(of("03b-float-labels-after-nan.csv").rows(), 298);
    }

    #[test]
    fn of_values_with_a_word_among_them_is_not_guessed() {
        let error = error("29-text-among-target-values.csv");
        assert!(error.contains(":42: target \"co2_ppm\": \"timeout\" is not a number"), "{error}");
        assert!(error.contains("--missing timeout"), "{error}");
        let missing = Options { missing: vec!["timeout".into()], ..Options::default() };
        let data =
            with("29-text-among-target-values.csv", &Columns { options: missing, ..Columns::default() });
        assert_eq!(values(&data).len(), 297);
    }
}

mod phantom_classes_and_groups {
    use super::*;

    #[test]
    fn near_equal_spellings_are_warned_of() {
        noted(
            &of("21-label-spellings.csv"),
            "\"label\" has texts that differ in spelling only: \"REST\" (16) and \"Rest\" (15)",
        );
        let groups = Columns { groups: Some("person".into()), ..Columns::default() };
        noted(
            &with("30-groups-spelled-differently.csv", &groups),
            "\"person\" has texts that differ in spelling only",
        );
    }

    #[test]
    fn torn_rows_and_repeated_headers_are_no_rows() {
        let data = of("21b-nul-tail.csv");
        assert_eq!((data.rows(), data.task.labels().len()), (117, 2));
        noted(&data, "1 row with NUL bytes");
        let data = of("21c-header-in-the-middle-words.csv");
        assert_eq!((data.rows(), data.task.labels()), (120, &["open".to_owned(), "shut".into()][..]));
        noted(&data, "1 row that repeated the header");
    }

    #[test]
    fn a_label_that_names_its_column_is_no_header_twice() {
        assert_eq!(of("20-no-fault-in-test.csv").rows(), 1500);
    }
}

mod prologues {
    use super::*;

    #[test]
    fn are_skipped_and_told() {
        let plain = of("23i-pipe.csv");
        for name in ["23-excel-sep.csv", "23b-comment-lines.csv", "23c-spaces.txt", "23e-units-row.csv"] {
            let data = of(name);
            assert_eq!(
                (&data.features, &data.x, &data.target),
                (&plain.features, &plain.x, &plain.target),
                "{name}"
            );
        }
        noted(&of("23b-comment-lines.csv"), "lines that start with `#` are comments");
        noted(&of("23e-units-row.csv"), "line 2 holds units");
    }

    #[test]
    fn of_r_and_of_arrays_are_headers() {
        let data = of("16-r-write-table.csv");
        assert_eq!((data.rows(), data.features.join(" ")), (150, "Temperature Humidity Light CO2".into()));
        noted(&data, "\"date\" (dates or times)");
        assert_eq!(of("10-integer-column-names.csv").features, ["0", "1", "2"]);
    }

    #[test]
    fn a_target_in_front_is_found_by_its_name() {
        let data = of("25-label-first.csv");
        assert_eq!((data.features.join(" "), data.task.labels().len()), ("ax ay".into(), 2));
        noted(&data, "target \"label\", by its name");
    }
}

mod words_among_numbers {
    use super::*;

    #[test]
    fn name_the_remedy_or_are_missing_values() {
        assert!(error("24-ovf.csv").contains("--missing ovf"));
        assert!(column(&of("24b-NAN.csv"), "ax")[0].is_nan());
    }
}

mod containers {
    use super::*;

    #[test]
    fn are_read_as_the_text_in_them() {
        let plain = of("23i-pipe.csv");
        for (name, told) in [("23f-data.csv.gz", "gzip"), ("23g-utf16.csv", "UTF-16")] {
            let data = of(name);
            assert_eq!((data.x, data.target), (plain.x.clone(), plain.target.clone()), "{name}");
            assert!(data.notes.iter().any(|note| note.contains(told)), "{name}: {:#?}", data.notes);
        }
        let data = of("23h-data.arff");
        assert_eq!(data.x, plain.x);
        assert_eq!(data.task.labels(), ["rest", "wave"]);
    }
}

mod columns_that_tell_too_much {
    use super::*;
    use microdistill_train::dataset::{Suspicion, suspects};

    /// Columns of one kind of suspicion.
    fn suspected(data: &Dataset, kind: Suspicion) -> Vec<String> {
        suspects(data)
            .into_iter()
            .filter(|suspect| suspect.kind == kind)
            .flat_map(|suspect| suspect.columns)
            .collect()
    }

    #[test]
    fn of_the_row_or_the_time_are_named() {
        assert_eq!(suspected(&of("04-row-counter.csv"), Suspicion::Counter), ["id"]);
        assert_eq!(suspected(&of("04b-millis.csv"), Suspicion::Counter), ["millis"]);
        assert_eq!(suspected(&of("15b-epoch-ms-feature.csv"), Suspicion::Counter), ["ts_ms"]);
    }

    #[test]
    fn of_the_label_are_named() {
        assert_eq!(suspected(&of("05-label-and-code.csv"), Suspicion::TellsTarget), ["activity_code"]);
        assert_eq!(suspected(&of("05b-one-hot.csv"), Suspicion::OneHot), ["sit", "walk"]);
        assert_eq!(
            suspected(&of("05c-several-targets.csv"), Suspicion::TellsTarget),
            ["roll", "pitch", "yaw"]
        );
        let text = suspects(&of("05c-several-targets.csv")).remove(0).text;
        assert!(text.contains("predict them by --target total,roll,pitch,yaw, or leave them out"), "{text}");
    }

    #[test]
    fn that_are_given_are_not_suspected() {
        let data = with("05c-several-targets.csv", &target("total,roll,pitch,yaw"));
        assert_eq!((data.features.len(), data.widths(&[])), (4, vec![4, 4]));
        assert!(suspects(&data).is_empty(), "{:?}", suspects(&data));
        // One that is left among the features is.
        let data = with("05c-several-targets.csv", &target("s1,total"));
        assert_eq!(suspected(&data, Suspicion::TellsTarget), ["roll", "pitch", "yaw"]);
    }

    #[test]
    fn can_be_left_out() {
        let options = Options { ignore: vec!["id".into()], ..Options::default() };
        let data = with("04-row-counter.csv", &Columns { options, ..Columns::default() });
        assert_eq!(data.features, ["ax", "ay", "az"]);
        assert!(suspects(&data).is_empty());
    }

    #[test]
    fn far_values_that_repeat_are_named_with_the_flag() {
        let data = of("24c-sentinel.csv");
        let found = suspects(&data);
        assert!(found[0].text.contains("--missing -999"), "{found:?}");
        assert_eq!(suspected(&data, Suspicion::Sentinel), ["ax"]);
    }

    #[test]
    fn neighbours_that_are_nearly_equal_want_a_group() {
        assert_eq!(suspects(&of("12-overlapping-windows.csv"))[0].kind, Suspicion::NearDuplicates);
        let groups = Columns { groups: Some("recording".into()), ..Columns::default() };
        assert!(suspects(&with("12-windows-with-recording.csv", &groups)).is_empty());
    }

    #[test]
    fn honest_files_are_not_suspected() {
        for name in [
            "01-european-thousands.csv",
            "09-int-labels.csv",
            "13-calibration-line.csv",
            "14-microamps.csv",
            "19-tiny-calibration-table.csv",
            "26-train.csv",
        ] {
            assert_eq!(suspects(&of(name)), [], "{name}");
        }
    }
}

mod values_far_from_zero {
    use super::*;
    use microdistill_train::dataset::split;
    use microdistill_train::hyperparameters::Length;
    use microdistill_train::metrics::{Scores, evaluate};
    use microdistill_train::model::Model;
    use microdistill_train::network::precision::{Bits, Precision};
    use microdistill_train::quantize::quantize;
    use microdistill_train::student::{Recipe, Settings, Taught, fit};
    use std::ops::ControlFlow;

    #[test]
    fn keep_their_accuracy_in_int8() {
        let data = of("06-target-far-from-zero.csv");
        let parts = split(&data, &[0.7, 0.3], 1).unwrap();
        let [train, test] = [0, 1].map(|part| data.select(&parts[part]));
        let mut settings = Settings::new(data.widths(&[16]), Recipe::ValueMse, train.rows(), 1);
        settings.training.length = Length::Epochs(200);
        let taught = Taught { data: &train, teacher: None };
        let student = fit(taught, None, &settings, &mut |_| ControlFlow::Continue(())).unwrap();
        let int8 = quantize(&student, &train.x, Precision::per_channel(Bits::Eight)).unwrap();
        let r2 = |model: &Model| match evaluate(model, &test).unwrap() {
            Scores::Regression(scores) => scores.r2,
            Scores::Classification(_) => unreachable!("the target is a pressure"),
        };
        let [f32, int8] = [&student, &int8].map(r2);
        assert!(f32 > 0.99 && int8 > f32 - 0.01, "{f32} in f32, {int8} in int8");
    }
}
