//! Destinations of results: a full disk, missing permission, a closed pipe, an interrupt.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use crate::folder::Folder;
use crate::{DISTILL, TRAIN};

#[test]
fn a_failure_leaves_the_old_file() {
    let folder = Folder::new();
    folder.json(TRAIN);
    let before = std::fs::read(folder.path("teacher.safetensors")).unwrap();
    folder.write("data.csv", "a,b,kind\n1,2,x\n");
    assert_eq!(folder.error(TRAIN).1, 1);
    assert_eq!(std::fs::read(folder.path("teacher.safetensors")).unwrap(), before);
    assert_eq!(std::fs::read_dir(folder.0.path()).unwrap().count(), 2, "no temporary file stays");
}

#[test]
#[cfg(unix)]
fn ctrl_c_keeps_what_was_trained() {
    let folder = Folder::new();
    folder.json(TRAIN);
    let before = std::fs::read(folder.path("teacher.safetensors")).unwrap();
    let mut child = folder
        .command(&TRAIN.replace("--epochs 50", "--epochs 100000000"))
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The notes on the data are printed just before the training.
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    assert!(lines.next().unwrap().unwrap().contains("target"));
    std::thread::sleep(std::time::Duration::from_millis(500));
    let kill = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(kill.success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(lines.last().unwrap().unwrap(), "error: interrupted");
    assert_eq!(std::fs::read(folder.path("teacher.safetensors")).unwrap(), before);
    let kept = folder.json("evaluate teacher.interrupted.safetensors --data data.csv");
    assert!(kept["accuracy"].as_f64() > Some(0.5));
}

#[test]
fn a_reader_that_leaves_is_no_failure() {
    let folder = Folder::new();
    folder.json(TRAIN);
    let mut child = folder
        .command("predict teacher.safetensors --data data.csv --out -")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_place_that_cannot_be_written_to_is_noticed_before_training() {
    let folder = Folder::new();
    std::fs::create_dir(folder.path("models")).unwrap();
    // The training would take days.
    let train = "train --train data.csv --weight-decay 0 --epochs 10000000 --out";
    for (place, message) in [
        ("models", "error: models: this is a folder: name a file in it"),
        ("none/t", "error: none/t: there is no folder none: make it"),
        ("data.csv/t", "error: data.csv/t: Not a directory"),
        #[cfg(target_os = "linux")]
        ("/proc/t.safetensors", "error: /proc/t.safetensors: "),
    ] {
        let (error, code) = folder.error(&format!("{train} {place}"));
        assert!(error.starts_with(message), "{place}: {error}");
        assert!(!error.contains(".tmp"), "it names a file that nobody knows: {error}");
        assert_eq!(code, 1, "{place}");
    }
    folder.json(TRAIN);
    for line in [
        "export teacher.safetensors --out models",
        "predict teacher.safetensors --data data.csv --out models",
        "quantize teacher.safetensors --data data.csv --out models",
    ] {
        let (error, code) = folder.error(line);
        assert!(code == 1 && !error.is_empty(), "{line}: {error}");
    }
    assert_eq!(std::fs::read_dir(folder.0.path()).unwrap().count(), 3, "no temporary file stays");
}

#[test]
fn no_result_replaces_what_it_is_made_of() {
    let folder = Folder::new();
    folder.json(TRAIN);
    folder.json(DISTILL);
    folder.write("log.txt", "weights 0 0: [0]\n");
    let read = |name: &str| std::fs::read(folder.path(name)).unwrap();
    let names = ["data.csv", "teacher.safetensors", "student.safetensors", "log.txt"];
    let before = names.map(read);
    for (line, place) in [
        ("train --data data.csv --weight-decay 0 --out", "data.csv"),
        ("train --data data.csv --weight-decay 0 --out", "./data.csv"),
        ("distill --teacher teacher.safetensors --data data.csv --student 5-8-3 --out", "data.csv"),
        (
            "distill --teacher teacher.safetensors --data data.csv --student 5-8-3 --out",
            "teacher.safetensors",
        ),
        ("quantize student.safetensors --data data.csv --out", "student.safetensors"),
        ("predict student.safetensors --data data.csv --out", "data.csv"),
        ("export student.safetensors --out", "student.safetensors"),
        ("import log.txt --like student.safetensors --out", "log.txt"),
        ("import log.txt --like student.safetensors --out", "student.safetensors"),
    ] {
        let (error, code) = folder.error(&format!("{line} {place}"));
        assert_eq!(
            (error, code),
            (format!("error: {place}: the result is made from this file: write it to another one"), 1)
        );
    }
    assert_eq!(names.map(read), before);
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_a_failure_and_devices_stay() {
    use std::os::unix::fs::FileTypeExt as _;

    let folder = Folder::new();
    folder.json(TRAIN);
    for line in [
        "export teacher.safetensors --out /dev/full",
        "predict teacher.safetensors --data data.csv --out /dev/full",
        &DISTILL.replace("student.safetensors", "/dev/full"),
    ] {
        let output = folder.run(line);
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(error.contains("error: /dev/full: No space left on device"), "{line}: {error}");
        assert_eq!(output.status.code(), Some(1), "{line}");
    }
    assert!(std::fs::metadata("/dev/full").unwrap().file_type().is_char_device());
    for line in [
        "predict teacher.safetensors --data data.csv --out -",
        "evaluate teacher.safetensors --data data.csv",
    ] {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output = folder.command(line).stdout(full).output().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(error.contains("error: No space left on device"), "{line}: {error}");
        assert_eq!(output.status.code(), Some(1), "{line}");
    }
}

#[test]
#[cfg(unix)]
fn a_link_stays_and_leads_to_the_new_file() {
    let folder = Folder::new();
    std::fs::create_dir(folder.path("models")).unwrap();
    folder.write("models/t.safetensors", "old");
    std::os::unix::fs::symlink("models/t.safetensors", folder.path("teacher.safetensors")).unwrap();
    folder.json(TRAIN);
    assert!(folder.path("teacher.safetensors").is_symlink());
    folder.json("evaluate models/t.safetensors --data data.csv");
}

#[test]
#[cfg(unix)]
fn tuning_on_less_is_said_and_ends_by_ctrl_c() {
    let folder = Folder::new();
    let rows: String = (0..4000).map(|row| format!("{},{}\n", row % 9, ["u", "v"][row % 2])).collect();
    folder.write("x.csv", &format!("a,kind\n{rows}"));
    let train = "train --data x.csv --epochs 100000000 --out t.safetensors";
    let mut child = folder.command(train).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let said =
        "to save time, teacher's weight decay is chosen on 1000 of 3400 rows in 3 folds from 4 candidates";
    assert!(lines.any(|line| line.unwrap().starts_with(said)));
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(!folder.path("t.safetensors").exists());
}
