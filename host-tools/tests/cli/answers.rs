//! Teachers that are only their answers: programs, and stored outputs that are joined by keys.

use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::TRAIN;
use crate::folder::Folder;

const STUDENT: &str = "distill --data data.csv --groups person --student 4-6-3 --out student.safetensors";
const QUICK: &str = "--effort quick";

/// A program that knows the classes of the folder's data by their first feature, and notes each start in the file `starts`.
/// The second word of its command says whether it writes a header.
const TEACHER: &str = r#"echo start >> starts
awk -F , -v header="$1" '
NR == 1 { if (header == "named") print "p(square),p(long),p(round)" }
NR > 1 {
    round = ($1 < 0.9) ? 0.9 : 0.05; long = ($1 > 1.9) ? 0.9 : 0.05; square = 1 - round - long
    if (header == "named") print square "," long "," round; else print long "," round "," square
}'
"#;

fn folder() -> Folder {
    let folder = Folder::new();
    folder.write("teach.sh", TEACHER);
    folder
}

/// `distill` with a program as its teacher.
fn taught(folder: &Folder, teacher: &str, flags: &str) -> Command {
    let mut command = folder.command(&format!("{STUDENT} {flags}"));
    command.args(["--teacher-command", teacher]);
    command
}

#[track_caller]
fn json(mut command: Command) -> Value {
    let output = command.arg("--json").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The note of a result that begins with a text.
#[track_caller]
fn note(result: &Value, start: &str) -> String {
    let notes: Vec<&str> = result["notes"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    notes.iter().find(|note| note.starts_with(start)).unwrap_or_else(|| panic!("{notes:?}")).to_string()
}

#[cfg(unix)]
mod programs {
    use super::*;

    #[test]
    fn teach_by_the_recipe_and_by_flags() {
        let folder = folder();
        let student = json(taught(&folder, "sh teach.sh named", "--inputs standardized"));
        assert!(student["test"]["accuracy"].as_f64() > Some(0.9), "{student}");
        note(&student, "these teachers cannot be trained again");
        let starts = std::fs::read_to_string(folder.path("starts")).unwrap().lines().count();
        let asked = note(&student, "teacher command \"sh teach.sh named\": asked about ");
        assert!(asked.contains(&format!(" rows in {starts} batches of at most 10000")), "{asked}, {starts}");
        for flags in
            ["--synthetic jitter --epochs 100", "--weight-decay auto --steps 500", "--unlabelled data.csv"]
        {
            let student = json(taught(&folder, "sh teach.sh plain", flags));
            assert!(student["test"]["accuracy"].as_f64() > Some(0.9), "{flags}: {student}");
            note(
                &student,
                "teacher command \"sh teach.sh plain\": the columns are taken for the labels in the order",
            );
        }
        // Together with a model.
        folder.json(TRAIN);
        let both = "--teacher teacher.safetensors --teacher-weights 1,3 --effort quick";
        assert!(json(taught(&folder, "sh teach.sh named", both))["test"]["accuracy"].as_f64() > Some(0.9));
    }

    #[test]
    fn are_asked_once_about_a_row() {
        let folder = folder();
        let flags = "--effort quick --teacher-cache answers.txt";
        let first = json(taught(&folder, "sh teach.sh named", flags));
        let model = std::fs::read(folder.path("student.safetensors")).unwrap();
        let kept = std::fs::read_to_string(folder.path("answers.txt")).unwrap();
        std::fs::remove_file(folder.path("starts")).unwrap();
        let again = json(taught(&folder, "sh teach.sh named", flags));
        assert_eq!(again["test"], first["test"]);
        assert_eq!(std::fs::read(folder.path("student.safetensors")).unwrap(), model);
        let asked = note(&again, "teacher command \"sh teach.sh named\": asked about 0 rows in 0 batches");
        assert!(asked.ends_with(&format!("; the cache had {} answers", kept.lines().count() - 1)), "{asked}");
        assert!(!folder.path("starts").exists());
        // A run that was ended while it wrote.
        folder.write("answers.txt", &kept[..kept.len() - 5]);
        let mended = json(taught(&folder, "sh teach.sh named", flags));
        note(&mended, "teacher command \"sh teach.sh named\": asked about 1 row in 1 batch of");
        assert_eq!(std::fs::read_to_string(folder.path("answers.txt")).unwrap(), kept);
        let broken = kept.replacen("\n", "\nx ", 1);
        let other = "these are answers of another command, or for other features or outputs: delete the file";
        for (text, teacher, expected) in [
            (kept.as_str(), "sh teach.sh plain", format!("answers.txt:1: {other}")),
            (
                "a,b\n1,2\n",
                "sh teach.sh named",
                "answers.txt:1: this is no file of a program's answers".into(),
            ),
            ("precious", "sh teach.sh named", "answers.txt:1: this is no file of a program's answers".into()),
            (&broken, "sh teach.sh named", "answers.txt:2: the answer is damaged: delete this line".into()),
        ] {
            folder.write("answers.txt", text);
            assert_error(&folder, teacher, flags, &expected);
            assert_eq!(std::fs::read_to_string(folder.path("answers.txt")).unwrap(), text);
        }
    }

    #[track_caller]
    fn assert_error(folder: &Folder, teacher: &str, flags: &str, expected: &str) {
        let output = taught(folder, teacher, flags).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{teacher}: {said}");
        assert!(said.contains(&format!("error: {expected}")), "{teacher}: {said}");
    }

    #[test]
    fn that_fail_are_named_with_the_batch_and_their_last_words() {
        let folder = folder();
        let answers = |rows: &str| format!("sh -c 'cat > rows; awk \"{rows}\" rows'");
        for (teacher, problem) in [
            ("no-such-program a b", "there is no program \"no-such-program\": install it, or give its path"),
            (
                "sh -c 'cat > rows; echo one; echo two >&2; echo three >&2; exit 3'",
                "it failed (exit status: 3); the last lines of its standard error:\n  two\n  three",
            ),
            ("sh -c 'kill -9 $$'", "it failed (signal: 9"),
            ("true", "it wrote 0 lines for "),
            ("sh -c 'cat > rows; echo 0.1,0.2,0.7'", "it wrote 1 lines for "),
            ("sh -c 'cat; echo 1,2,3,4'", "it wrote "),
            ("cat", "no column of soft labels: give one per label, such as p(LABEL)"),
            (
                &answers("NR > 1 { print 0.5 OFS 0.5 }"),
                "1 column for the labels [\"long\", \"round\", \"square\"]: give one per label",
            ),
            (
                &answers("NR > 1 { print \\\"0.5,0.5\\\" }"),
                "2 columns for the labels [\"long\", \"round\", \"square\"]",
            ),
            (
                &answers("NR > 1 { print \\\"0.5,0.5,0.5\\\" }"),
                "line 1 of its answer: the probabilities sum to 1.5, not 1; if these are logits, give --soft-labels-are logits",
            ),
            (
                &answers("NR > 1 { print \\\"0.5,nan,0.5\\\" }"),
                "line 1 of its answer: column \"column2\": \"NaN\" is no probability",
            ),
            (
                &answers("NR == 1 { print \\\"long,round,square\\\" } NR > 1 { print \\\"0.5,0.5,x\\\" }"),
                "line 2 of its answer: column \"square\": \"x\" is not a number",
            ),
            (
                &answers("NR == 4 { print \\\"0.5,0.5\\\" } NR > 1 && NR != 4 { print \\\"0.5,0.5,0\\\" }"),
                "line 3 of its answer: 2 columns, the first line has 3",
            ),
            (
                &answers("{ print \\\"0.5,0.5,0\\\" }"),
                "it wrote 151 lines for 150 rows, and the first one names no columns",
            ),
            ("yes 0.2,0.3,0.5", "it wrote more than "),
        ] {
            let output = taught(&folder, teacher, QUICK).output().unwrap();
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(output.status.code(), Some(1), "{teacher}: {said}");
            let said = said.replace("\n  ", "\u{0}").replace('\n', " ").replace('\u{0}', "\n  ");
            let start = format!("error: --teacher-command {teacher:?}, batch 1 of ");
            assert!(
                said.contains(&start) && said.contains(&format!(" rows: {problem}")),
                "{teacher}: {said}"
            );
        }
        for (teacher, flags, expected) in [
            ("", QUICK, "--teacher-command is empty: name a program"),
            ("sh -c 'x", QUICK, "--teacher-command \"sh -c 'x\": a quote or a backslash is not closed"),
            ("cat", "--hints", "--hints needs exactly one teacher, and that a model"),
            ("cat", "--effort quick --soft-labels-are values", "--teacher-command \"cat\", batch 1 of "),
        ] {
            assert_error(&folder, teacher, flags, expected);
        }
    }

    #[test]
    fn that_take_too_long_are_ended_with_what_they_started() {
        let folder = folder();
        for teacher in [
            "sleep 600",
            "sh -c 'sleep 600 & wait'",
            "sh -c 'echo late >&2; cat > rows; sleep 600; cat rows'",
        ] {
            let start = Instant::now();
            let problem = "it was ended after 1 s without an answer: --teacher-timeout gives it more";
            let output = taught(&folder, teacher, "--effort quick --teacher-timeout 1").output().unwrap();
            let said = String::from_utf8_lossy(&output.stderr).replace('\n', " ");
            assert!(said.contains(problem), "{teacher}: {said}");
            assert_eq!(said.contains("late"), teacher.contains("late"), "{said}");
            assert!(start.elapsed() < Duration::from_secs(30), "{teacher}");
        }
    }

    /// More rows than a pipe holds: the program answers before it reads, and reads only in the end.
    #[test]
    fn that_do_not_read_block_nothing() {
        let folder = folder();
        let mut rows = String::from("a,b,c,d,kind\n");
        for row in 0..20_000 {
            rows += &format!("{}.125,{row}.25,1e-3,7,{}\n", row % 7, ["long", "round", "square"][row % 3]);
        }
        folder.write("many.csv", &rows);
        let line = "distill --train many.csv --student 4-6-3 --out s.safetensors --epochs 1 --weight-decay 0";
        for teacher in [
            "sh -c 'yes 0.2,0.3,0.5 | head -n 10000'",
            "sh -c 'yes 0.2,0.3,0.5 | head -n 10000; cat > /dev/null'",
        ] {
            let mut command = folder.command(line);
            command.args(["--teacher-command", teacher]);
            let student = json(command);
            note(&student, &format!("teacher command {teacher:?}: asked about 20000 rows in 2 batches"));
        }
    }

    #[test]
    fn end_by_ctrl_c() {
        let folder = folder();
        let mut child = taught(&folder, "sh -c 'echo > asked; sleep 600'", QUICK).spawn().unwrap();
        let start = Instant::now();
        while !folder.path("asked").exists() && start.elapsed() < Duration::from_secs(60) {
            std::thread::sleep(Duration::from_millis(20));
        }
        assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
        assert_eq!(child.wait().unwrap().code(), Some(130));
        assert!(start.elapsed() < Duration::from_secs(60));
        assert!(!folder.path("student.safetensors").exists());
    }

    #[test]
    fn teach_values_in_their_unit() {
        let folder = Folder::new();
        let rows: String = (0..300).map(|row| format!("{row},{}\n", 1_000_000 + 3 * row)).collect();
        folder.write("line.csv", &format!("x,y\n{rows}"));
        let line = "distill --data line.csv --task regression --student 1-8-1 --out s.safetensors --effort quick --always-distill";
        let mut command = folder.command(line);
        command.args(["--teacher-command", "awk -F , 'NR > 1 { printf \"%.3f\\n\", 1000000 + 3 * $1 }'"]);
        let student = json(command);
        assert!(student["test"]["r2"].as_f64() > Some(0.99), "{student}");
    }
}

#[test]
fn soft_labels_are_joined_by_a_key() {
    let folder = Folder::new();
    folder.json(TRAIN);
    folder.json("predict teacher.safetensors --data data.csv --out soft.csv");
    let data = std::fs::read_to_string(folder.path("data.csv")).unwrap();
    let soft = std::fs::read_to_string(folder.path("soft.csv")).unwrap();
    let with_keys = |text: &str| -> Vec<String> {
        let key = |(row, line): (usize, &str)| match row {
            0 => format!("id,{line}"),
            _ => format!("{},{line}", 1000 + 7 * row),
        };
        text.lines().enumerate().map(key).collect()
    };
    let (data, mut soft) = (with_keys(&data), with_keys(&soft));
    folder.write("data.csv", &data.join("\n"));
    let student = |flags: &str| {
        let line = STUDENT.replace("--student", &format!("{flags} --effort quick --student"));
        folder.json(&format!("{line} --soft-labels soft.csv"))
    };
    let plain: Vec<&str> = soft.iter().map(|line| line.split_once(',').unwrap().1).collect();
    folder.write("soft.csv", &plain.join("\n"));
    let by_order = student("--ignore id");
    assert!(by_order["test"]["accuracy"].as_f64() > Some(0.9), "{by_order}");
    soft[1..].reverse();
    soft.push("9999,round,0,1,0".into());
    folder.write("soft.csv", &soft.join("\n"));
    let by_key = student("--key id");
    assert_eq!(by_key["test"], by_order["test"]);
    assert_eq!(
        note(&by_key, "soft.csv: passed over"),
        "soft.csv: passed over 1 row of keys that the data do not have, such as \"9999\""
    );
    for (flags, expected) in [
        ("--key name", "data.csv:1: no key column \"name\": the columns are"),
        ("--key person", "data.csv:3: the key \"0\" in \"person\" is that of line 2, too"),
        ("--key kind", "data.csv: the key \"kind\" is the target: name the target by --target"),
    ] {
        let line = STUDENT.replace("--student", &format!("{flags} --student"));
        let (message, code) = folder.error(&format!("{line} --soft-labels soft.csv"));
        assert!(message.starts_with(&format!("error: {expected}")), "{message}");
        assert_eq!(code, 1);
    }
    folder.write("soft.csv", &soft[..100].join("\n"));
    let line = STUDENT.replace("--student", "--key id --student");
    let (message, _) = folder.error(&format!("{line} --soft-labels soft.csv"));
    assert!(
        message.starts_with("error: soft.csv: no soft labels for the row whose \"id\" is \""),
        "{message}"
    );
    let (message, _) = folder.error(&format!("{} --soft-labels-are logits", crate::DISTILL));
    assert!(
        message.starts_with("error: --soft-labels-are is for --soft-labels and --teacher-command"),
        "{message}"
    );
}
