//! ARFF, Weka's format: attributes with types, then rows, dense or sparse.
//!
//! By hand: the crate `arff` has not changed since 2018 and derives rows from types that must be known when compiling.

mod cells;

use std::collections::HashSet;

use self::cells::{Cell, cells, quoted, without_comment};
use super::arff_date::Pattern;
use super::contents::{Typed, Values};
use super::context::Context;
use crate::error::Result;

/// Most attributes. Each takes a vector, so that a file of empty attributes would take much.
const ATTRIBUTES: usize = 100_000;

/// An attribute and its values so far.
struct Attribute {
    name: String,
    kind: Kind,
    values: Values,
}

enum Kind {
    Number,
    Text,
    /// The values that are allowed; the first is what a sparse row leaves out.
    Nominal(HashSet<String>, String),
    Date(Pattern),
}

/// Whether a text is ARFF: its first line that is no comment says so.
pub(super) fn is_arff(text: &str) -> bool {
    let mut lines =
        text.lines().map(str::trim_start).filter(|line| !line.is_empty() && !line.starts_with('%'));
    lines.next().is_some_and(|line| keyword(line, "@relation").is_some())
}

/// What follows `word` in a line, if the line begins with it, in any case.
fn keyword<'a>(line: &'a str, word: &str) -> Option<&'a str> {
    let (start, rest) = line.split_at_checked(word.len())?;
    let ends = rest.is_empty() || rest.starts_with([' ', '\t', '\'', '"']);
    (start.eq_ignore_ascii_case(word) && ends).then_some(rest)
}

/// Reads the columns of an ARFF text.
pub(super) fn columns(text: &str, context: &mut Context) -> Result<Vec<Typed>> {
    context.note("ARFF");
    let mut attributes: Vec<Attribute> = Vec::new();
    let mut data = false;
    for (line, number) in text.lines().zip(1..) {
        let line = without_comment(line);
        if line.is_empty() {
        } else if data {
            row(line, &mut attributes, context, number)?;
        } else if let Some(rest) = keyword(line, "@attribute") {
            attributes.push(attribute(rest.trim(), context, number)?);
            if attributes.len() > ATTRIBUTES {
                return Err(context.error(Some(number), format!("more than {ATTRIBUTES} attributes")));
            }
        } else if keyword(line, "@data").is_some() {
            data = true;
        } else if keyword(line, "@relation").is_none() {
            let message = "neither @attribute nor @data, which ARFF has before its rows";
            return Err(context.error(Some(number), message));
        }
    }
    if !data {
        return Err(context.error(None, "an ARFF file without a line @data: it has no rows"));
    }
    Ok(attributes.into_iter().map(|Attribute { name, values, .. }| Typed { name, values }).collect())
}

/// Reads what follows `@attribute`: a name and a type.
fn attribute(text: &str, context: &mut Context, line: u64) -> Result<Attribute> {
    let error = |message: &str| context.error(Some(line), message);
    let (name, kind) = match quoted(text) {
        Some(Some((name, rest))) => (name, rest),
        Some(None) => return Err(error("a quote of a name is never closed")),
        None => {
            let end = text.find([' ', '\t', '{']).unwrap_or(text.len());
            (text[..end].to_owned(), &text[end..])
        }
    };
    let kind = kind.trim();
    let word = kind.split([' ', '\t']).next().unwrap_or_default().to_ascii_lowercase();
    let (kind, values) = match word.as_str() {
        _ if kind.starts_with('{') => {
            let inside = kind.strip_prefix('{').and_then(|kind| kind.strip_suffix('}'));
            let inside = inside.ok_or_else(|| error("the values of an attribute are not closed by }"))?;
            let values = cells(inside, false).map_err(error)?;
            let first = values.first().map(|cell| cell.text.to_string()).unwrap_or_default();
            for value in &values {
                context.text(value.text.len())?;
            }
            let all = values.into_iter().map(|cell| cell.text.into_owned()).collect();
            (Kind::Nominal(all, first), Values::Texts(Vec::new()))
        }
        "numeric" | "real" | "integer" => (Kind::Number, Values::Numbers(Vec::new())),
        "string" => (Kind::Text, Values::Texts(Vec::new())),
        "date" => {
            let format = kind["date".len()..].trim();
            let format = quoted(format).flatten().map_or(format.to_owned(), |(format, _)| format);
            let pattern = Pattern::new(if format.is_empty() { "yyyy-MM-dd'T'HH:mm:ss" } else { &format });
            let pattern = pattern.map_err(|message| error(&message))?;
            (Kind::Date(pattern), Values::Times(Vec::new()))
        }
        "relational" => {
            let message = format!("attribute {name:?} is relational, a table in each cell: flatten it");
            return Err(error(&message));
        }
        _ => {
            let message = format!(
                "attribute {name:?} has the type {kind:?}: numeric, real, integer, string, date or {{values}} are known"
            );
            return Err(error(&message));
        }
    };
    Ok(Attribute { name, kind, values })
}

/// Reads a row into the attributes.
fn row(line: &str, attributes: &mut [Attribute], context: &mut Context, number: u64) -> Result<()> {
    let error = |message: &str| context.error(Some(number), message);
    if let Some(inside) = line.strip_prefix('{') {
        let inside = inside.strip_suffix('}').ok_or_else(|| error("a sparse row is not closed by }"))?;
        let filled = sparse(inside, attributes.len()).map_err(|message| error(&message))?;
        let mut filled = filled.into_iter().peekable();
        for (index, attribute) in attributes.iter_mut().enumerate() {
            let cell = filled.next_if(|(at, _)| *at == index).map(|(_, cell)| cell);
            push(attribute, cell, context, number)?;
        }
        return Ok(());
    }
    let mut row = cells(line, false).map_err(error)?;
    if row.len() != attributes.len() {
        // Weka also separates by spaces.
        row = cells(line, true).map_err(error)?;
    }
    if row.len() != attributes.len() {
        let weight =
            row.len() == attributes.len() + 1 && row.last().is_some_and(|cell| cell.text.starts_with('{'));
        let (found, wanted) = (row.len(), attributes.len());
        return Err(error(&if weight {
            "a row has a weight, {…}, which is not read: take it out".into()
        } else {
            format!("{found} values, there are {wanted} attributes")
        }));
    }
    for (attribute, cell) in attributes.iter_mut().zip(row) {
        push(attribute, Some(cell), context, number)?;
    }
    Ok(())
}

/// The cells of a sparse row, by the number of their attribute.
fn sparse(inside: &str, attributes: usize) -> Result<Vec<(usize, Cell<'_>)>, String> {
    let mut row = Vec::new();
    let mut rest = inside.trim();
    while !rest.is_empty() {
        let digits = rest.find(|character: char| !character.is_ascii_digit()).unwrap_or(rest.len());
        let (index, value) = rest.split_at(digits);
        let index = index.parse::<usize>().ok().filter(|&index| index < attributes);
        let index = index.ok_or_else(|| {
            format!(
                "{:?} of a sparse row begins with no number of an attribute, 0 to {}",
                cut(rest),
                attributes.saturating_sub(1)
            )
        })?;
        if row.last().is_some_and(|&(last, _)| last >= index) {
            return Err(format!("attribute {index} of a sparse row is not after the one before it"));
        }
        let (cell, after) = cells::next(value.trim_start(), false)?;
        row.push((index, cell));
        rest = after.unwrap_or_default().trim_start();
    }
    Ok(row)
}

/// The start of a text, for an error.
fn cut(text: &str) -> String {
    text.chars().take(40).collect()
}

/// Appends a cell, or what a sparse row leaves out.
fn push(attribute: &mut Attribute, cell: Option<Cell>, context: &mut Context, line: u64) -> Result<()> {
    let missing = cell.as_ref().is_some_and(Cell::is_missing);
    let text = cell.as_ref().map(|cell| cell.text.as_ref());
    let name = &attribute.name;
    match (&mut attribute.values, &attribute.kind) {
        (Values::Texts(texts), kind) => {
            let text = match (kind, text) {
                (_, Some(_)) if missing => None,
                (Kind::Nominal(all, _), Some(text)) if !all.contains(text) => {
                    let message = format!("{:?} is no value of attribute {name:?}", cut(text));
                    return Err(context.error(Some(line), message));
                }
                (Kind::Nominal(_, first), None) => Some(first.as_str()),
                (_, text) => text,
            };
            context.text(text.map_or(0, str::len))?;
            texts.push(text.map(str::to_owned));
        }
        (Values::Numbers(numbers) | Values::Times(numbers), kind) => {
            let number = match (kind, text) {
                (_, None) => Some(0.0),
                (_, Some(_)) if missing => Some(f64::NAN),
                (Kind::Date(pattern), Some(text)) => pattern.seconds(text),
                (_, Some(text)) => text.parse().ok(),
            };
            let number = number.ok_or_else(|| {
                let what = if matches!(kind, Kind::Date(_)) { "date as its format says" } else { "number" };
                let text = cut(text.unwrap_or_default());
                context.error(
                    Some(line),
                    format!("attribute {name:?} is {text:?}, which is no {what}; `?` is missing"),
                )
            })?;
            context.numbers(1)?;
            numbers.push(number);
        }
    }
    Ok(())
}
