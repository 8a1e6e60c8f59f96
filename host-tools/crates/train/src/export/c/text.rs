//! C source: arrays, strings and comments.

use std::fmt::{Debug, Write as _};

/// Columns of a line of numbers.
const COLUMNS: usize = 110;

/// A number as C writes it, which reads back to the same bits.
pub(super) trait Literal: Copy {
    /// Name of the type in C.
    const TYPE: &'static str;

    fn literal(self) -> String;
}

impl Literal for f32 {
    const TYPE: &'static str = "float";

    fn literal(self) -> String {
        format!("{self:?}f")
    }
}

impl Literal for f64 {
    const TYPE: &'static str = "double";

    fn literal(self) -> String {
        format!("{self:?}")
    }
}

/// Integers, whose literals are those of Rust but for the least i32, which no file holds.
macro_rules! integers {
    ($($rust:ty: $c:literal),+) => {$(
        impl Literal for $rust {
            const TYPE: &'static str = $c;

            fn literal(self) -> String {
                integer(self)
            }
        }
    )+};
}

integers!(i8: "int8_t", i32: "int32_t", u16: "uint16_t");

fn integer(number: impl Debug) -> String {
    match format!("{number:?}") {
        // C has no negative literals: it is the negative of a number that does not fit.
        least if least == "-2147483648" => "-2147483647 - 1".into(),
        text => text,
    }
}

/// `static const TYPE NAME[COUNT] = { … };`, with a line break behind each row of so many numbers.
pub(super) fn array<T: Literal>(text: &mut String, name: &str, values: &[T], row: usize) {
    // Writing to a String cannot fail.
    let _ = write!(text, "static const {} {name}[{}] = {{", T::TYPE, values.len());
    for row in values.chunks(row.max(1)) {
        text.push_str("\n   ");
        let mut column = 3;
        for value in row {
            let literal = value.literal();
            if column + literal.len() + 2 > COLUMNS {
                text.push_str("\n   ");
                column = 3;
            }
            column += literal.len() + 2;
            let _ = write!(text, " {literal},");
        }
    }
    text.push_str("\n};\n");
}

/// `static const char *const NAME[COUNT] = { … };`
pub(super) fn strings(text: &mut String, name: &str, values: &[String]) {
    let _ = write!(text, "static const char *const {name}[{}] = {{", values.len());
    for value in values {
        let _ = write!(text, "\n    {},", string(value));
    }
    text.push_str("\n};\n");
}

/// A string literal of the bytes of `value`. Octal escapes end after three digits, unlike hexadecimal ones; a question mark might
/// begin a trigraph.
fn string(value: &str) -> String {
    let mut text = String::from("\"");
    for byte in value.bytes() {
        match byte {
            b'"' | b'\\' | b'?' => text.extend(['\\', char::from(byte)]),
            b' '..=b'~' => text.push(char::from(byte)),
            _ => {
                let _ = write!(text, "\\{byte:03o}");
            }
        }
    }
    text + "\""
}

/// `text` within a block comment, which it neither ends nor begins.
pub(super) fn in_comment(text: &str) -> String {
    crate::export::text::comment(text).replace("*/", "* /").replace("/*", "/ *")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_stay_within_their_quotes_and_comments() {
        assert_eq!(string("a\"\\?? é\n7"), r#""a\"\\\?\? \303\251\0127""#);
        assert_eq!(in_comment("a */ b /* c /*/\nd"), "a * / b / * c / * /\\nd");
        assert_eq!(i32::MIN.literal(), "-2147483647 - 1");
        assert_eq!([-0.0f32, 1e16, f32::from_bits(1)].map(Literal::literal), ["-0.0f", "1e16f", "1e-45f"]);
    }
}
