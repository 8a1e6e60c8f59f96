//! A folder with a small data set, in which tests run the program.

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// A folder with a small data set.
pub(crate) struct Folder(pub(crate) TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        let folder = Folder(TempDir::new().unwrap());
        // Three classes, four features, one of them constant, and six people.
        let mut csv = String::from("person,a,b,c,d,kind\n");
        for row in 0..180 {
            let class = row % 3;
            let wobble = f64::from(row * 37 % 100) / 100.0;
            let (a, b) = (f64::from(class) + 0.6 * wobble, f64::from(class * class) - wobble);
            let name = ["round", "square", "long"][class as usize];
            csv += &format!("{},{a},{b},{},7,{name}\n", row / 30, a * b);
        }
        folder.write("data.csv", &csv);
        folder
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    pub(crate) fn command(&self, line: &str) -> Command {
        let mut command = Command::new(assert_cmd::cargo::cargo_bin!("microdistill"));
        command.current_dir(self.0.path()).args(line.split_whitespace()).stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, line: &str) -> Output {
        self.command(line).output().unwrap()
    }

    /// JSON output of a command that must succeed.
    pub(crate) fn json(&self, line: &str) -> Value {
        let output = self.run(&format!("{line} --json"));
        assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// The last line of the message of a command that must fail, and the exit code.
    pub(crate) fn error(&self, line: &str) -> (String, i32) {
        let output = self.run(line);
        assert!(output.stdout.is_empty(), "{line}: {}", String::from_utf8_lossy(&output.stdout));
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(!stderr.contains("panicked"), "{line}: {stderr}");
        let error = stderr.lines().find(|line| line.starts_with("error: ")).unwrap_or_default();
        (error.to_owned(), output.status.code().unwrap())
    }
}

/// A result without what was noted on the way to it.
pub(crate) fn without_notes(mut result: Value) -> Value {
    result.as_object_mut().unwrap().remove("notes");
    result
}
