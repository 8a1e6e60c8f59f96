//! The header of a NumPy array: a Python dict in text, with its type, order and shape.

/// A Python value, as far as headers have them.
#[derive(Debug, PartialEq)]
pub(super) enum Value {
    Text(String),
    Number(usize),
    Bool(bool),
    /// A tuple or a list.
    List(Vec<Value>),
    Dict(Vec<(String, Value)>),
}

/// Types nest in types; no header that is meant nests further.
const DEPTH: usize = 8;

/// The header and the data after it.
pub(super) struct Header<'a> {
    pub(super) kind: Value,
    pub(super) fortran: bool,
    pub(super) shape: Vec<usize>,
    pub(super) data: &'a [u8],
}

/// Splits a `.npy` file into its header and its data.
pub(super) fn header(bytes: &[u8]) -> Result<Header<'_>, &'static str> {
    const CUT: &str = "the NumPy array ends within its header: was it copied whole?";
    let (start, rest) = bytes.split_at_checked(8).ok_or(CUT)?;
    let (length, rest) = match start[6] {
        1 => rest.split_first_chunk().map(|(length, rest)| (usize::from(u16::from_le_bytes(*length)), rest)),
        2 | 3 => rest.split_first_chunk().map(|(length, rest)| (u32::from_le_bytes(*length) as usize, rest)),
        _ => return Err("a NumPy array of an unknown version: versions 1 to 3 are read"),
    }
    .ok_or(CUT)?;
    let (text, data) = rest.split_at_checked(length).ok_or(CUT)?;
    // Version 1 and 2 are Latin-1, of which only names of fields make use.
    let text = match std::str::from_utf8(text) {
        Ok(text) => text.to_owned(),
        Err(_) => text.iter().copied().map(char::from).collect(),
    };
    const BROKEN: &str = "the header of the NumPy array is damaged";
    let Some(Value::Dict(entries)) = parse(&text) else { return Err(BROKEN) };
    let (mut kind, mut fortran, mut shape) = (None, None, None);
    for (key, value) in entries {
        match (key.as_str(), value) {
            ("descr", value) => kind = Some(value),
            ("fortran_order", Value::Bool(value)) => fortran = Some(value),
            ("shape", Value::List(sides)) => {
                let side = |side: &Value| match side {
                    Value::Number(number) => Some(*number),
                    _ => None,
                };
                shape = sides.iter().map(side).collect::<Option<Vec<_>>>();
            }
            _ => {}
        }
    }
    match (kind, fortran, shape) {
        (Some(kind), Some(fortran), Some(shape)) => Ok(Header { kind, fortran, shape, data }),
        _ => Err(BROKEN),
    }
}

fn parse(text: &str) -> Option<Value> {
    let mut rest = text;
    let value = value(&mut rest, DEPTH)?;
    rest.trim().is_empty().then_some(value)
}

/// Reads a value from the start of `rest`.
fn value(rest: &mut &str, depth: usize) -> Option<Value> {
    let depth = depth.checked_sub(1)?;
    *rest = rest.trim_start();
    match rest.chars().next()? {
        quote @ ('\'' | '"') => {
            let (text, after) = rest[1..].split_once(quote)?;
            *rest = after;
            Some(Value::Text(text.to_owned()))
        }
        '(' => list(rest, ')', depth),
        '[' => list(rest, ']', depth),
        '{' => {
            *rest = &rest[1..];
            let mut entries = Vec::new();
            while !skip(rest, '}') {
                let Value::Text(key) = value(rest, depth)? else { return None };
                if !skip(rest, ':') {
                    return None;
                }
                entries.push((key, value(rest, depth)?));
                if !skip(rest, ',') && !rest.trim_start().starts_with('}') {
                    return None;
                }
            }
            Some(Value::Dict(entries))
        }
        '0'..='9' => {
            let digits = rest.find(|character: char| !character.is_ascii_digit()).unwrap_or(rest.len());
            let (number, after) = rest.split_at(digits);
            // Python 2 wrote long numbers with an L.
            *rest = after.strip_prefix('L').unwrap_or(after);
            number.parse().ok().map(Value::Number)
        }
        _ => {
            let (value, after) = match (rest.strip_prefix("True"), rest.strip_prefix("False")) {
                (Some(after), _) => (true, after),
                (_, after) => (false, after?),
            };
            *rest = after;
            Some(Value::Bool(value))
        }
    }
}

/// Reads a tuple or a list up to `close`.
fn list(rest: &mut &str, close: char, depth: usize) -> Option<Value> {
    *rest = &rest[1..];
    let mut values = Vec::new();
    while !skip(rest, close) {
        values.push(value(rest, depth)?);
        if !skip(rest, ',') && !rest.trim_start().starts_with(close) {
            return None;
        }
    }
    Some(Value::List(values))
}

/// Takes `character` from the start of `rest`, behind spaces.
fn skip(rest: &mut &str, character: char) -> bool {
    let after = rest.trim_start().strip_prefix(character);
    *rest = after.unwrap_or(rest);
    after.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn python_values_are_read() {
        let text =
            "{'descr': [('a', '<f8'), ('b', '|S3', (2,))], 'fortran_order': False, 'shape': (3L, 4), }  \n";
        let Some(Value::Dict(entries)) = parse(text) else { panic!("no dict") };
        assert_eq!(entries[2].1, Value::List(vec![Value::Number(3), Value::Number(4)]));
        assert_eq!(entries[1].1, Value::Bool(false));
        for wrong in ["", "{", "{'a'", "{'a': 1 'b': 2}", "(1 2)", "None", "'a", "{1: 2}", &"(".repeat(1000)]
        {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
