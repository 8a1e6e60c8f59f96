//! NumPy's `.npz`: named arrays, of which features and a target make a table.

use super::archive::{Archive, unpack};
use super::contents::Typed;
use super::context::Context;
use super::npy::{Array, Fields};
use crate::error::{Error, Result};

/// Names of features and of targets, in any case.
const FEATURES: [&str; 7] = ["x", "data", "features", "inputs", "input", "x_data", "arr_0"];
const TARGETS: [&str; 10] =
    ["y", "target", "targets", "label", "labels", "class", "classes", "output", "outputs", "arr_1"];

/// Joins the arrays of an archive by their rows: features, other columns, and the target last.
pub(super) fn columns(archive: &mut Archive, names: &[String], context: &mut Context) -> Result<Vec<Typed>> {
    context.note("NumPy arrays");
    let mut left = context.limits.unpacked;
    let mut unpacked = Vec::new();
    for (index, name) in names.iter().enumerate() {
        unpacked.push((name.trim_end_matches(".npy"), unpack(archive, index, &mut left, context)?));
    }
    let mut arrays = Vec::new();
    for (name, bytes) in &unpacked {
        arrays.push((*name, Array::new(bytes, &format!("array `{name}`"), context)));
    }
    if let [(name, _)] = arrays.as_slice() {
        context.note(format!("array `{name}`"));
        let [(_, array)]: [_; 1] = arrays.try_into().map_err(|_| context.error(None, "no array"))?;
        return array?.columns("x", true, context);
    }
    let target = one_of(&arrays, &TARGETS, context)?;
    let features = one_of(&arrays, &FEATURES, context)?.or_else(|| only_table(&arrays));
    // Without known names, columns that are equally long are a table.
    let rows = |index: usize| arrays[index].1.as_ref().ok().and_then(|array| array.shape.first().copied());
    let all_columns =
        arrays.iter().all(|(_, array)| array.as_ref().is_ok_and(|array| array.shape.len() == 1));
    let main = match (features, target) {
        (Some(features), Some(target)) if rows(features) == rows(target) => features,
        (Some(features), None) if only_table(&arrays) == Some(features) => features,
        (None, _) if all_columns && (1..arrays.len()).all(|index| rows(index) == rows(0)) => 0,
        _ => return Err(ambiguous(&arrays, context)),
    };
    let wanted = rows(main);
    let (mut table, mut last, mut ignored) = (Vec::new(), Vec::new(), Vec::new());
    for (index, (name, array)) in arrays.iter().enumerate() {
        let is_main = Some(index) == features || Some(index) == target;
        let joins =
            is_main || array.as_ref().is_ok_and(|array| array.shape.len() == 1 && rows(index) == wanted);
        if !joins {
            ignored.push(format!("`{name}`"));
            continue;
        }
        let Ok(array) = array else { return Err(broken(&unpacked[index], context)) };
        if Some(index) == target {
            last = array.columns(name, false, context)?;
        } else if Some(index) == features {
            let columns = array.columns("x", true, context)?;
            table.splice(0..0, columns);
        } else {
            table.extend(array.columns(name, false, context)?);
        }
    }
    let name = |index: usize| arrays[index].0;
    match (features.map(name), target.map(name)) {
        (Some(features), Some(target)) => {
            context.note(format!("features from array `{features}`, the target from `{target}`"));
        }
        (Some(features), None) => context.note(format!("columns x1, x2, … from array `{features}`")),
        (None, _) => {}
    }
    if !ignored.is_empty() {
        context.note(format!("ignored arrays with other rows: {}", ignored.join(", ")));
    }
    table.extend(last);
    Ok(table)
}

/// The only array of rows and columns, if all others are columns that are as long.
fn only_table(arrays: &[(&str, Result<Array>)]) -> Option<usize> {
    let shapes: Vec<&[usize]> =
        arrays.iter().map(|(_, array)| Some(array.as_ref().ok()?.shape.as_slice())).collect::<Option<_>>()?;
    let table = shapes.iter().position(|shape| shape.len() == 2)?;
    let fits = |(index, shape): (usize, &&[usize])| index == table || **shape == shapes[table][..1];
    shapes.iter().enumerate().all(fits).then_some(table)
}

/// The array that has one of these names.
fn one_of(arrays: &[(&str, Result<Array>)], names: &[&str], context: &Context) -> Result<Option<usize>> {
    let is = |name: &str| names.contains(&name.to_ascii_lowercase().as_str());
    let mut found = (0..arrays.len()).filter(|&index| is(arrays[index].0));
    match (found.next(), found.next()) {
        (_, Some(_)) => Err(ambiguous(arrays, context)),
        (first, None) => Ok(first),
    }
}

fn ambiguous(arrays: &[(&str, Result<Array>)], context: &Context) -> Error {
    let describe = |(name, array): &(&str, Result<Array>)| match array {
        Ok(array) => {
            let kind = match (&array.fields, array.is_text()) {
                (Fields::Records(..), _) => "records",
                (_, true) => "texts",
                _ => "numbers",
            };
            format!("`{name}` ({kind}, {:?})", array.shape)
        }
        Err(_) => format!("`{name}` (not read)"),
    };
    let all: Vec<String> = arrays.iter().take(20).map(describe).collect();
    let message = format!(
        "which arrays are the features and the target is unclear: {}; save one array, or two named `x` and `y` with \
         equally many rows",
        all.join(", ")
    );
    context.error(None, message)
}

/// The error of an array that is needed and cannot be read.
fn broken((name, bytes): &(&str, Vec<u8>), context: &Context) -> Error {
    match Array::new(bytes, &format!("array `{name}`"), context) {
        Err(error) => error,
        Ok(_) => context.error(None, format!("array `{name}` is damaged")),
    }
}
