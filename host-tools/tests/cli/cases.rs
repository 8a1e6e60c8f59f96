//! Files that went wrong, from command to command.

use super::folder::Folder;

/// A folder with some of the files of `tests/cases`.
fn of(names: &[&str]) -> Folder {
    let folder = Folder::new();
    let cases = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    for name in names {
        std::fs::copy(cases.join(name), folder.path(name)).unwrap();
    }
    folder
}

mod rows_that_the_model_knows {
    use super::*;

    const LEFT_OUT: &str = "test rows were trained on and are left out (--known-rows scores them, too)";

    /// The labels are noise, so that a third of the rows is right by chance.
    #[test]
    fn are_no_test_rows_whatever_file_they_come_in() {
        let folder = of(&["08-day1.csv", "08-day1-and-2.csv"]);
        let train = "--hidden 64 --weight-decay 0 --epochs 400 --out t.safetensors";
        folder.json(&format!("train --data 08-day1.csv {train}"));
        let found = folder.json("evaluate t.safetensors --data 08-day1-and-2.csv");
        assert_eq!(
            (&found["rows"], &found["notes"][0]),
            (&33.into(), &format!("127 of 160 {LEFT_OUT}").into())
        );
        assert!(found["accuracy"].as_f64().unwrap() < 0.45, "{found}");
        let all = folder.json("evaluate t.safetensors --data 08-day1-and-2.csv --known-rows");
        assert!(all["rows"] == 160 && all["accuracy"].as_f64().unwrap() > 0.7, "{all}");
        let text = std::fs::read_to_string(folder.path("08-day1.csv")).unwrap();
        folder.write("crlf.csv", &text.replace('\n', "\r\n"));
        let copy = folder.json("evaluate t.safetensors --test crlf.csv");
        assert_eq!(
            (&copy["rows"], &copy["notes"][0]),
            (&23.into(), &format!("127 of 150 {LEFT_OUT}").into())
        );
    }

    #[test]
    fn are_an_error_where_no_others_are_left() {
        let folder = of(&["08-day1.csv"]);
        let (error, code) =
            folder.error("train --train 08-day1.csv --test 08-day1.csv --epochs 5 --weight-decay 0 --out t");
        assert_eq!(code, 1);
        assert!(
            error.contains("all 150 test rows were trained on: give other rows, or --known-rows"),
            "{error}"
        );
    }
}

mod labels {
    use super::*;

    #[test]
    fn of_whole_numbers_name_columns_of_probabilities() {
        let folder = of(&["09-int-labels.csv", "09-proba-int-header.csv"]);
        let distill =
            "distill --soft-labels 09-proba-int-header.csv --data 09-int-labels.csv --student 3-8-3";
        let found = folder.json(&format!("{distill} --epochs 20 --weight-decay 0 --out s.safetensors"));
        assert!(found["train"]["accuracy"].as_f64().unwrap() > 0.6, "{found}");
    }

    #[test]
    fn that_the_model_does_not_know_are_told_and_the_rows_predicted() {
        let folder = of(&["26-train.csv", "26-new-with-unseen-label.csv"]);
        folder.json(
            "train --data 26-train.csv --hidden 16 --weight-decay 0.01 --epochs 50 --out t.safetensors",
        );
        let found = folder.json("predict t.safetensors --data 26-new-with-unseen-label.csv --out p.csv");
        assert_eq!(found["rows"], 3);
        let note = found["notes"][0].as_str().unwrap();
        assert!(note.contains("the model does not know the labels {\"unknown\": 1}"), "{note}");
    }

    #[test]
    fn that_are_missing_do_not_part_predictions_from_their_rows() {
        let folder = of(&["28-some-unlabelled.csv"]);
        let data = "--data 28-some-unlabelled.csv --epochs 10 --weight-decay 0.01";
        folder.json(&format!("train {data} --hidden 16 --out t.safetensors"));
        assert_eq!(
            folder.json("predict t.safetensors --data 28-some-unlabelled.csv --out p.csv")["rows"],
            300
        );
        let found =
            folder.json(&format!("distill --soft-labels p.csv {data} --student 3-4-3 --out s.safetensors"));
        let rows = ["train", "test"].map(|part| found[part]["rows"].as_u64().unwrap());
        assert_eq!(rows.iter().sum::<u64>(), 297);
    }
}
