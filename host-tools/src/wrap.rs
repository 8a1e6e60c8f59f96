//! Lines of text for a terminal, wrapped between words.

use textwrap::core::display_width;
use textwrap::{Options, WordSeparator, WordSplitter};

/// Wraps each line of `text` to this width, in columns; none leaves lines as they are. A word is never broken, so one that is
/// longer than that stands in a line of its own. Continued lines are indented like the first one, or below the words of a
/// list item.
pub(crate) fn wrap(text: &str, width: Option<usize>) -> String {
    let Some(width) = width else { return text.to_owned() };
    let line = |line: &str| {
        if display_width(line) <= width {
            return line.to_owned();
        }
        let words = line.trim_start_matches(' ');
        let indent = " ".repeat(line.len() - words.len());
        let hanging = if words.starts_with("- ") { format!("{indent}  ") } else { indent.clone() };
        let options = Options::new(width)
            .break_words(false)
            .word_separator(WordSeparator::AsciiSpace)
            .word_splitter(WordSplitter::NoHyphenation)
            .initial_indent(&indent)
            .subsequent_indent(&hanging);
        // A percent sign stays with its number.
        let words = words.replace(" %", "\u{a0}%");
        textwrap::fill(&words, options).replace("\u{a0}%", " %")
    };
    text.split('\n').map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::wrap;

    #[test]
    fn words_stay_whole_and_lines_stay_indented() {
        let text = "- `hard-l2` against `default`: accuracy +1.2 points\n  kept\n";
        assert_eq!(wrap(text, None), text);
        assert_eq!(
            wrap(text, Some(20)),
            "- `hard-l2` against\n  `default`:\n  accuracy +1.2\n  points\n  kept\n"
        );
        assert_eq!(wrap("    one two", Some(8)), "    one\n    two");
        assert_eq!(wrap("right in 94.1 % of all", Some(13)), "right in\n94.1 % of all");
        assert_eq!(
            wrap("a /very/long/path-to/a/file.csv b", Some(10)),
            "a\n/very/long/path-to/a/file.csv\nb"
        );
    }
}
