//! Finds the implementations of a trait in the sources.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Every `Trait for Type` in `src/`, without generics.
pub(crate) fn implementations(traits: &[&str]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    visit(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut |text| find(text, traits, &mut found));
    found
}

fn visit(folder: &Path, act: &mut impl FnMut(&str)) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            visit(&path, act);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            act(&fs::read_to_string(&path).unwrap());
        }
    }
}

fn find(text: &str, traits: &[&str], found: &mut BTreeSet<String>) {
    let code = text.lines().map(|line| line.split("//").next().unwrap_or_default());
    let code = code.flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ");
    for name in traits {
        for (start, _) in code.match_indices(name) {
            let whole = !code[..start].ends_with(|c: char| c.is_alphanumeric() || c == '_');
            let rest = after_generics(&code[start + name.len()..]);
            if let (true, Some(target)) = (whole, rest.strip_prefix(" for ")) {
                let end = target.find(['<', ' ', '{']).unwrap_or(target.len());
                let target = target[..end].rsplit("::").next().unwrap_or_default();
                found.insert(format!("{name} for {target}"));
            }
        }
    }
}

/// `text` without a leading `<…>`.
fn after_generics(text: &str) -> &str {
    let mut depth = 0;
    for (index, c) in text.char_indices() {
        match c {
            '<' => depth += 1,
            '>' => depth -= 1,
            _ if depth == 0 => return &text[index..],
            _ => {}
        }
    }
    ""
}

#[test]
fn finds_every_form_of_implementation() {
    let text = "
        // impl Loss<f32> for Comment {
        pub trait Loss<T: Scalar> {}
        impl Loss<f32> for Plain {}
        impl<T: Scalar, H: Head>
            crate::loss::Loss<Pair<T, [T; 2]>>
            for loss::Wrapped<T, H>
        where
            H: Head,
        {}
        impl<const N: usize> Loss<{ N }> for Counted{}
        macro_rules! losses { ($name:ident) => { impl Loss<f32> for $name {} }; }
        impl MyLoss for Other {}
        fn loss(loss: impl Loss<f32>) { for _ in 0..1 {} }
    ";
    let mut found = BTreeSet::new();
    find(text, &["Loss"], &mut found);
    // A macro variable matches no check, so such implementations are reported rather than missed.
    let expected = ["Loss for $name", "Loss for Counted", "Loss for Plain", "Loss for Wrapped"];
    assert_eq!(found.iter().map(String::as_str).collect::<Vec<_>>(), expected);
}
