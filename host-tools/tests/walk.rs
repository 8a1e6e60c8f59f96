//! The commands of the README work as written, on a new data file.

use std::path::Path;
use std::process::Command;

use microdistill_boards as board;
use tempfile::TempDir;

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

fn page(name: &str) -> String {
    std::fs::read_to_string(repository().join(name)).unwrap()
}

/// The commands in a text, without the program's name. A backslash continues a line.
fn commands(text: &str) -> Vec<String> {
    let joined = text.replace("\\\n   ", "");
    joined.lines().filter_map(|line| line.strip_prefix("cargo microdistill ")).map(str::to_owned).collect()
}

/// Runs the program with these arguments in `folder` and checks that it succeeds.
fn run(folder: &Path, arguments: &str) -> String {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("microdistill"));
    let output = command.current_dir(folder).args(arguments.split_whitespace()).output().unwrap();
    assert!(output.status.success(), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Writes rows with six features and four classes, which differ in every feature.
fn gestures() -> String {
    let mut csv = String::from("ax,ay,az,gx,gy,gz,gesture\n");
    for row in 0..240u32 {
        let class = row % 4;
        let feature = |index: u32| {
            let wobble = f64::from((row * (31 + 2 * index) + 7 * index) % 97) / 97.0 - 0.5;
            f64::from(class * (index + 1) % 4) + 0.8 * wobble
        };
        let features: Vec<String> = (0..6).map(|index| format!("{:.3}", feature(index))).collect();
        csv += &format!("{},{}\n", features.join(","), ["circle", "rest", "shake", "tap"][class as usize]);
    }
    csv
}

#[test]
fn the_readme_leads_from_a_file_of_one_s_own_to_a_board() {
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("gestures.csv"), gestures()).unwrap();
    let readme = page("README.md");
    let (_, section) = readme.split_once("\n## Your own data\n").unwrap();
    let commands = commands(section.split("\n## ").next().unwrap());
    commands.iter().for_each(|command| drop(run(folder.path(), command)));
    let verbs: Vec<&str> = commands.iter().filter_map(|command| command.split_whitespace().next()).collect();
    assert_eq!(verbs, ["train", "distill", "quantize", "export"]);
    let scores = run(folder.path(), "evaluate student-int8.safetensors --data gestures.csv --json");
    let scores: serde_json::Value = serde_json::from_str(&scores).unwrap();
    assert!(scores["accuracy"].as_f64() > Some(0.95), "{scores}");
    assert!(folder.path().join("model.rs").is_file());

    let board = board::find(&repository().join("examples/firmware"), "qemu-mps2").unwrap();
    if !board.missing().is_empty() {
        assert!(std::env::var_os("CI").is_none(), "QEMU is missing: run `cargo microdistill setup`");
        eprintln!("not walked to the board: QEMU is missing, `cargo microdistill setup` installs it");
        return;
    }
    let place = |name: &str| folder.path().join(name).display().to_string();
    let (model, test) = (place("student-int8.safetensors"), place("gestures.csv"));
    let arguments = format!("board run qemu-mps2 infer --model {model} --test {test} --json");
    let outcome: serde_json::Value = serde_json::from_str(&run(repository(), &arguments)).unwrap();
    assert_eq!((&outcome["success"], &outcome["compared"]), (&true.into(), &240.into()), "{outcome}");
    assert_eq!(outcome["different"], 0, "{outcome}");
}

/// Writes rows with two features and two targets of values.
fn station() -> String {
    let row = |row: u32| {
        let [a, b] = [17, 29].map(|step| f64::from(row * step % 97) / 97.0);
        format!("{a:.3},{b:.3},{:.1},{:.4}\n", 101_325.0 + 400.0 * (a - b), 0.3 * a * b)
    };
    "a,b,pressure,height\n".to_owned() + &(0..120).map(row).collect::<String>()
}

/// Boards, studies and programs that teach have tests of their own. Teachers are trained for a few epochs only, to save time.
#[test]
fn the_commands_of_the_guide_run() {
    let folder = TempDir::new().unwrap();
    for name in ["train.csv", "test.csv"] {
        let data = repository().join("examples/data/watch_small");
        std::fs::copy(data.join(name), folder.path().join(name)).unwrap();
    }
    std::fs::write(folder.path().join("station.csv"), station()).unwrap();
    for name in ["your-own-data", "your-own-teacher", "choosing-a-student", "other-tools"] {
        let mut commands = commands(&page(&format!("docs/guide/{name}.md")));
        commands.retain(|command| !command.contains("--teacher-command"));
        assert!(!commands.is_empty(), "{name} has no commands");
        for command in commands {
            let shorter = if command.starts_with("train ") { " --epochs 5" } else { "" };
            run(folder.path(), &format!("{command}{shorter}"));
        }
    }
    assert!(folder.path().join("model.rs").is_file());
}
