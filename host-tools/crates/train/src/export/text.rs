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

/// Lints off in the items, whatever the firmware uses of them and however strict it is.
const ALLOWED: &str = "dead_code, unreachable_pub, clippy::all, clippy::pedantic";

/// Items of an exported file: they stand in one module, and a `pub use` names them all.
pub(super) struct Items {
    module: &'static str,
    text: String,
    names: Vec<String>,
}

impl Items {
    /// No items yet, in a private module of this name.
    pub(super) fn new(module: &'static str) -> Self {
        Items { module, text: String::new(), names: Vec::new() }
    }

    /// Appends `pub HEAD = VALUE;`, documented.
    pub(super) fn item(&mut self, doc: &str, head: &str, value: &Node) {
        self.begin(doc, head);
        self.text.push_str(" = ");
        value.write(&mut self.text, 4);
        self.text.push_str(";\n");
    }

    /// Appends `pub HEAD { body }`.
    pub(super) fn function(&mut self, doc: &str, head: &str, body: &str) {
        self.begin(doc, head);
        let _ = write!(self.text, " {{\n        {body}\n    }}\n");
    }

    /// Appends an [`item`](Items::item) whose value uses `names` and `consts`, each `NAME: TYPE` and its value; they do
    /// not reach the module around.
    pub(super) fn item_with<'a>(
        &mut self,
        doc: &str,
        head: &str,
        names: &str,
        consts: impl IntoIterator<Item = (&'a str, &'a Node)>,
        value: &Node,
    ) {
        self.begin(doc, head);
        let text = &mut self.text;
        let _ = write!(text, " = {{\n        use {names};\n        ");
        for (head, value) in consts {
            let _ = write!(text, "const {head} = ");
            value.write(text, 8);
            text.push_str(";\n        ");
        }
        value.write(text, 8);
        text.push_str("\n    };\n");
    }

    /// Appends `const _: () = assert!(LEFT == a + b);`.
    pub(super) fn equation(&mut self, left: &str, terms: &[String]) {
        let sum = terms.join("\n            + ");
        let _ = write!(self.text, "\n    const _: () = assert!(\n        {left} == {sum}\n    );\n");
    }

    /// The module, and the `pub use` of its items.
    pub(super) fn finish(self) -> String {
        let Items { module, text, names } = self;
        let items = names.into_iter().map(Node::Leaf).collect();
        let mut uses = String::new();
        let list = Node::List { open: format!("pub use {module}::{{"), items, close: "}" };
        list.write(&mut uses, 0);
        let items = text.trim_start_matches('\n');
        format!(
            "\n#[rustfmt::skip]\n#[allow({ALLOWED})]\nmod {module} {{\n{items}}}\n\
             \n#[rustfmt::skip]\n#[allow(unused_imports, unreachable_pub)]\n{uses};\n"
        )
    }

    /// `head` is a keyword, the item's name, and what follows it.
    fn begin(&mut self, doc: &str, head: &str) {
        let name = head.split([' ', ':', '(']).nth(1).unwrap_or_default();
        self.names.push(name.into());
        self.text.push_str("\n    ///");
        for word in doc.split(' ') {
            if column(&self.text) + 1 + word.len() > COLUMNS {
                self.text.push_str("\n    ///");
            }
            let _ = write!(self.text, " {word}");
        }
        let _ = write!(self.text, "\n    pub {head}");
    }
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
        let mut items = Items::new("generated");
        let network = call("Network::new", [Node::Then(layer().into(), layer().into())]);
        items.item("A network.", "static N: T", &network);
        items.function(
            "Its long documentation. ".repeat(6).trim_end(),
            "fn size(network: &T) -> usize",
            "network.size()",
        );
        let expected = "
#[rustfmt::skip]
#[allow(dead_code, unreachable_pub, clippy::all, clippy::pedantic)]
mod generated {
    /// A network.
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

    /// Its long documentation. Its long documentation. Its long documentation. Its long documentation. Its
    /// long documentation. Its long documentation.
    pub fn size(network: &T) -> usize {
        network.size()
    }
}

#[rustfmt::skip]
#[allow(unused_imports, unreachable_pub)]
pub use generated::{N, size};
";
        assert_eq!(items.finish(), expected);
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
