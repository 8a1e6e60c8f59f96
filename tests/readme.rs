//! The README's programs are examples that compile and run, shown without hidden lines.

use std::fs;
use std::path::Path;

#[test]
fn the_readme_s_programs_are_the_examples() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    let blocks: Vec<&str> =
        readme.split("```rust,ignore\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    let examples = ["readme_infer", "readme_learn"].map(|name| {
        let text = fs::read_to_string(root.join("examples").join(name).with_extension("rs")).unwrap();
        // Without the file's own comment.
        text.split_once("\n\n").unwrap().1.to_owned()
    });
    assert_eq!(blocks, examples);
}
