//! Cells of a line of ARFF: quotes, escapes and comments.

use std::borrow::Cow;

/// A cell of a row.
pub(super) struct Cell<'a> {
    pub(super) text: Cow<'a, str>,
    quoted: bool,
}

impl Cell<'_> {
    /// A question mark, unless in quotes; also nothing between two commas.
    pub(super) fn is_missing(&self) -> bool {
        !self.quoted && matches!(self.text.as_ref(), "?" | "")
    }
}

/// The cells of a line, between commas or, with `spaces`, between spaces too.
pub(super) fn cells(line: &str, spaces: bool) -> Result<Vec<Cell<'_>>, &'static str> {
    let mut cells = Vec::new();
    let mut rest = Some(line.trim());
    while let Some(line) = rest {
        let (cell, after) = next(line, spaces)?;
        cells.push(cell);
        rest = after;
    }
    Ok(cells)
}

/// The first cell of a line, and what comes after its separator.
pub(super) fn next(line: &str, spaces: bool) -> Result<(Cell<'_>, Option<&str>), &'static str> {
    let line = line.trim_start();
    let (text, quoted, after) = match quoted(line) {
        Some(None) => return Err("a quote is never closed"),
        Some(Some((text, after))) => (Cow::Owned(text), true, after),
        None => {
            let separator = |character: char| character == ',' || (spaces && character.is_ascii_whitespace());
            let end = line.find(separator).unwrap_or(line.len());
            (Cow::Borrowed(line[..end].trim_end()), false, &line[end..])
        }
    };
    let trimmed = after.trim_start();
    let after = match trimmed.strip_prefix(',') {
        Some(rest) => Some(rest),
        None if trimmed.is_empty() => None,
        None if spaces && trimmed.len() < after.len() => Some(trimmed),
        None => return Err("a quote is followed by neither a comma nor the end"),
    };
    Ok((Cell { text, quoted }, after))
}

/// A text in quotes at the start of a line, without its escapes, and what comes after; `Some(None)` if nothing closes it.
pub(super) fn quoted(line: &str) -> Option<Option<(String, &str)>> {
    let quote = line.chars().next().filter(|character| matches!(character, '\'' | '"'))?;
    let mut text = String::new();
    let mut characters = line.char_indices().skip(1);
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => match characters.next() {
                Some((_, 'n')) => text.push('\n'),
                Some((_, 't')) => text.push('\t'),
                Some((_, 'r')) => text.push('\r'),
                Some((_, escaped)) => text.push(escaped),
                None => return Some(None),
            },
            _ if character == quote => return Some(Some((text, &line[at + 1..]))),
            _ => text.push(character),
        }
    }
    Some(None)
}

/// A line without its comment, which begins at a `%` at its start or after a space, outside quotes.
pub(super) fn without_comment(line: &str) -> &str {
    let mut open = None;
    let mut before = ' ';
    for (at, character) in line.char_indices() {
        match (open, character) {
            (None, '%') if before.is_whitespace() => return line[..at].trim(),
            // An apostrophe inside of a word is none.
            (None, '\'' | '"') if before.is_whitespace() || matches!(before, ',' | '{') => {
                open = Some(character)
            }
            (Some(quote), _) if character == quote && before != '\\' => open = None,
            _ => {}
        }
        before = if before == '\\' && character == '\\' { ' ' } else { character };
    }
    line.trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(line: &str, spaces: bool) -> Vec<String> {
        cells(line, spaces).unwrap().into_iter().map(|cell| cell.text.into_owned()).collect()
    }

    #[test]
    fn cells_are_between_commas() {
        assert_eq!(
            texts("1, 'a, b' ,\"c\\\"d\",O'Brien, new york,", false),
            ["1", "a, b", "c\"d", "O'Brien", "new york", ""]
        );
        assert_eq!(texts("1 2\t'a b', 3", true), ["1", "2", "a b", "3"]);
        assert!(cells("'a", false).is_err());
        assert!(cells("'a' b, c", false).is_err());
    }

    #[test]
    fn comments_are_left_out() {
        assert_eq!(without_comment("% all"), "");
        assert_eq!(without_comment(" 1,2 % a remark"), "1,2");
        assert_eq!(without_comment("'50 % off',45%"), "'50 % off',45%");
        assert_eq!(without_comment("'\\' % in',3 %out"), "'\\' % in',3");
    }
}
