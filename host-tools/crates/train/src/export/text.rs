//! Rust source, laid out in lines of at most 110 columns.

use std::fmt::{Debug, Write as _};

const COLUMNS: usize = 110;

/// An expression.
pub(super) enum Node {
    Leaf(String),
    /// `open a, b, c close`
    List {
        open: String,
        items: Vec<Node>,
        close: &'static str,
    },
    /// `first.then(second)`
    Then(Box<Node>, Box<Node>),
}

/// Source text that reads back to the same value, to the bit: floats have the shortest such text, strings
/// their escapes.
pub(super) fn leaf(value: impl Debug) -> Node {
    Node::Leaf(format!("{value:?}"))
}

/// `[a, b, c]`
pub(super) fn array<T: Debug>(values: impl IntoIterator<Item = T>) -> Node {
    block(values.into_iter().map(leaf))
}

/// `[[a, b], [c, d]]` of row-major `values`.
pub(super) fn matrix<T: Debug>(values: &[T], columns: usize) -> Node {
    block(values.chunks(columns).map(array))
}

/// `[a, b, c]` of expressions.
pub(super) fn block(items: impl Iterator<Item = Node>) -> Node {
    Node::List { open: "[".into(), items: items.collect(), close: "]" }
}

/// `function(a, b)`
pub(super) fn call(function: &str, items: impl IntoIterator<Item = Node>) -> Node {
    Node::List { open: format!("{function}("), items: items.into_iter().collect(), close: ")" }
}

/// `name { a: 1, b: 2 }`
pub(super) fn record(name: &str, fields: impl IntoIterator<Item = (&'static str, Node)>) -> Node {
    let items = fields.into_iter().map(|(field, value)| value.after(&format!("{field}: "))).collect();
    Node::List { open: format!("{name} {{ "), items, close: " }" }
}

impl Node {
    fn after(self, prefix: &str) -> Node {
        match self {
            Node::Leaf(text) => Node::Leaf(format!("{prefix}{text}")),
            Node::List { open, items, close } => Node::List { open: format!("{prefix}{open}"), items, close },
            Node::Then(first, second) => Node::Then(first.after(prefix).into(), second),
        }
    }

    /// In one line.
    fn flat(&self) -> String {
        match self {
            Node::Leaf(text) => text.clone(),
            Node::List { open, items, close } => {
                format!("{open}{}{close}", items.iter().map(Node::flat).collect::<Vec<_>>().join(", "))
            }
            Node::Then(first, second) => format!("{}.then({})", first.flat(), second.flat()),
        }
    }

    /// Appends to `text`, whose last line is indented by `indent`; what does not fit in a line is broken, outer lists
    /// first.
    fn write(&self, text: &mut String, indent: usize) {
        let flat = self.flat();
        if column(text) + flat.chars().count() < COLUMNS {
            return text.push_str(&flat);
        }
        let inner = indent + 4;
        match self {
            Node::Leaf(leaf) => text.push_str(leaf),
            Node::List { open, items, close } => {
                text.push_str(open.trim_end());
                let fill = items.iter().all(|item| matches!(item, Node::Leaf(_)));
                for (index, item) in items.iter().enumerate() {
                    let room = column(text) + 1 + item.flat().chars().count() < COLUMNS;
                    if fill && index > 0 && room {
                        text.push(' ');
                    } else {
                        line(text, inner);
                    }
                    item.write(text, inner);
                    text.push(',');
                }
                line(text, indent);
                text.push_str(close.trim_start());
            }
            Node::Then(first, second) => {
                first.write(text, indent);
                text.push_str(".then(");
                line(text, inner);
                second.write(text, inner);
                line(text, indent);
                text.push(')');
            }
        }
    }
}

fn column(text: &str) -> usize {
    text.len() - text.rfind('\n').map_or(0, |newline| newline + 1)
}

fn line(text: &mut String, indent: usize) {
    text.push('\n');
    text.extend(std::iter::repeat_n(' ', indent));
}

/// Appends `pub HEAD = VALUE;`, documented, without warnings whatever the firmware uses of it.
pub(super) fn item(text: &mut String, doc: &str, head: &str, value: &Node) {
    begin(text, doc, head);
    text.push_str(" = ");
    value.write(text, 0);
    text.push_str(";\n");
}

/// Appends `pub HEAD { body }`.
pub(super) fn function(text: &mut String, doc: &str, head: &str, body: &str) {
    begin(text, doc, head);
    let _ = write!(text, " {{\n    {body}\n}}\n");
}

/// [`item`] whose value uses `names` and `consts`, each `NAME: TYPE` and its value; they do not reach the module around.
pub(super) fn item_with<'a>(
    text: &mut String,
    doc: &str,
    head: &str,
    names: &str,
    consts: impl IntoIterator<Item = (&'a str, &'a Node)>,
    value: &Node,
) {
    begin(text, doc, head);
    let _ = write!(text, " = {{\n    use {names};\n    ");
    for (head, value) in consts {
        let _ = write!(text, "const {head} = ");
        value.write(text, 4);
        text.push_str(";\n    ");
    }
    value.write(text, 4);
    text.push_str("\n};\n");
}

fn begin(text: &mut String, doc: &str, head: &str) {
    let allowed = "dead_code, unreachable_pub, clippy::all";
    let _ = write!(text, "\n/// {doc}\n#[rustfmt::skip]\n#[allow({allowed})]\npub {head}");
}

/// `text` in a comment: on one line, with nothing that hides or reorders what follows.
pub(super) fn comment(text: &str) -> String {
    let escape = |c: char| match c {
        '"' | '\'' | '\\' => c.to_string(),
        c => c.escape_debug().to_string(),
    };
    text.chars().map(escape).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn breaks_outer_lists_first() {
        let long = [1.0f32 / 3.0; 12];
        let layer = || call("Dense::new", [matrix(&long, 6), array([0.5, -0.0])]);
        let mut text = String::new();
        item(
            &mut text,
            "A network.",
            "static N: T",
            &call("Network::new", [Node::Then(layer().into(), layer().into())]),
        );
        let expected = "
/// A network.
#[rustfmt::skip]
#[allow(dead_code, unreachable_pub, clippy::all)]
pub static N: T = Network::new(
    Dense::new(
        [
            [0.33333334, 0.33333334, 0.33333334, 0.33333334, 0.33333334, 0.33333334],
            [0.33333334, 0.33333334, 0.33333334, 0.33333334, 0.33333334, 0.33333334],
        ],
        [0.5, -0.0],
    ).then(
        Dense::new(
            [
                [0.33333334, 0.33333334, 0.33333334, 0.33333334, 0.33333334, 0.33333334],
                [0.33333334, 0.33333334, 0.33333334, 0.33333334, 0.33333334, 0.33333334],
            ],
            [0.5, -0.0],
        )
    ),
);
";
        assert_eq!(text, expected);
    }

    #[test]
    fn comments_stay_on_their_line() {
        assert_eq!(comment("a \"b\"\r\n\u{202e}c é"), "a \"b\"\\r\\n\\u{202e}c é");
    }

    proptest! {
        #[test]
        fn floats_read_back_to_the_same_bits(bits: u32) {
            let value = f32::from_bits(bits);
            prop_assume!(value.is_finite());
            prop_assert_eq!(leaf(value).flat().parse::<f32>().map(f32::to_bits), Ok(bits));
        }
    }
}
