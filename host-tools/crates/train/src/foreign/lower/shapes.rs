//! Steps that change the shape of values, and steps on constants.

use super::form::Form;
use super::{Flow, Lowering, Value};
use crate::foreign::graph::{Axis, Node, Op};
use crate::foreign::tensor::{MOST_ELEMENTS, Number, Tensor, count, place};

impl Lowering<'_> {
    /// Computes a node that moves the values of a flow.
    pub(super) fn reshaping(&mut self, node: &Node, flow: Flow) -> Result<Value, String> {
        let units = flow.form.outputs();
        let dims = match &node.op {
            Op::Reshape(target) => {
                let target = self.numbers(target.as_ref(), node, 1)?.ok_or("its new shape is missing")?;
                match reshaped(&flow.dims, &target) {
                    Some(dims) => dims,
                    None if target.last() == Some(&1) && target.len() == 2 && flow.dims.len() == 1 => {
                        self.notes.push(format!(
                            "{}: makes {units} rows of each, which is passed over: the model gives {units} values per row",
                            node.named()
                        ));
                        flow.dims.clone()
                    }
                    None => {
                        return Err(format!(
                            "it mixes rows: values of {:?} per row to the shape {target:?}",
                            flow.dims
                        ));
                    }
                }
            }
            Op::Flatten(axis) => match place(*axis, flow.dims.len() + 1) {
                Some(1) => vec![units],
                Some(axis) if axis > 1 && flow.dims[..axis - 1].iter().all(|&length| length == 1) => {
                    vec![units]
                }
                _ => return Err(format!("it flattens from the dimension {axis} on, which mixes rows")),
            },
            Op::Squeeze(axes) => {
                let axes = self.numbers(axes.as_ref(), node, 1)?;
                squeezed(&flow.dims, axes.as_deref())
                    .ok_or("it removes a dimension that has more than one element")?
            }
            Op::Unsqueeze(axes) => {
                let axes = self.numbers(axes.as_ref(), node, 1)?.ok_or("its axes are missing")?;
                unsqueezed(&flow.dims, &axes).ok_or("it adds a dimension before that of the rows")?
            }
            Op::Transpose(order) => {
                let order = self.numbers(order.as_ref(), node, 1)?;
                return self.transpose(flow, order.as_deref()).map(Value::Flow);
            }
            Op::Gather(axis) => return self.gather(node, flow, *axis).map(Value::Flow),
            Op::Slice(_) => return self.slice(node, flow).map(Value::Flow),
            _ => return Err("it is not supported here".into()),
        };
        self.passed.push(node.named());
        Ok(Value::Flow(Flow { dims, ..flow }))
    }

    fn transpose(&mut self, flow: Flow, order: Option<&[i64]>) -> Result<Flow, String> {
        let rank = flow.dims.len() + 1;
        let order: Option<Vec<usize>> = match order {
            Some(order) => order.iter().map(|&axis| place(axis, rank)).collect(),
            None => Some((0..rank).rev().collect()),
        };
        let order =
            order.filter(|order| order.first() == Some(&0)).ok_or("it moves the dimension of the rows")?;
        let indices = (0..flow.form.outputs()).map(|index| index as f64).collect();
        let dims = [1].iter().chain(&flow.dims).copied().collect();
        let moved =
            Tensor::new(dims, indices, Number::Integer)?.transposed(&order).ok_or("its axes do not fit")?;
        let places: Vec<usize> = moved.values.iter().map(|&index| index as usize).collect();
        let form = flow.form.select(&places).ok_or("it has too many inputs")?;
        Ok(Flow { form, dims: moved.dims.iter().skip(1).copied().collect(), ..flow })
    }

    /// Selects columns.
    fn gather(&mut self, node: &Node, flow: Flow, axis: i64) -> Result<Flow, String> {
        let indices = self.required(node, 1)?;
        let &[length] = flow.dims.as_slice() else {
            return Err("it selects from values of several dimensions".into());
        };
        if place(axis, 2) != Some(1) {
            return Err("it selects rows".into());
        }
        let places =
            indices.integers().and_then(|all| all.into_iter().map(|index| place(index, length)).collect());
        let places: Vec<usize> = places.ok_or("it selects a column that is not there")?;
        let dims = if indices.dims.is_empty() { Vec::new() } else { vec![places.len()] };
        let form =
            flow.form.select(&places).filter(|_| !places.is_empty()).ok_or("it has too many inputs")?;
        self.folded.push(node.named());
        Ok(Flow { form, dims, ..flow })
    }

    fn slice(&mut self, node: &Node, flow: Flow) -> Result<Flow, String> {
        let &[length] = flow.dims.as_slice() else {
            return Err("it cuts values of several dimensions".into());
        };
        let parts = self.slices(node, 2)?;
        let mut places: Vec<usize> = (0..length).collect();
        for (start, end, axis, step) in parts {
            match place(axis, 2) {
                Some(1) => places = cut(length, start, end, step),
                _ if start == 0 && end >= i64::from(i32::MAX) && step == 1 => {}
                _ => return Err("it selects rows".into()),
            }
        }
        let form = flow.form.select(&places).filter(|_| !places.is_empty()).ok_or("it selects nothing")?;
        self.folded.push(node.named());
        Ok(Flow { form, dims: vec![places.len()], ..flow })
    }

    /// Returns start, end, axis and step of the slices of a node.
    fn slices(&self, node: &Node, rank: usize) -> Result<Vec<(i64, i64, i64, i64)>, String> {
        let given = match &node.op {
            Op::Slice(given) => given.as_ref(),
            _ => None,
        };
        let list =
            |place: usize, index: usize| self.numbers(given.and_then(|given| given.get(place)), node, index);
        let starts = list(0, 1)?.ok_or("its starts are missing")?;
        let ends = list(1, 2)?.ok_or("its ends are missing")?;
        let axes = list(2, 3)?.unwrap_or_else(|| (0..rank as i64).collect());
        let steps = self.numbers(None, node, 4).ok().flatten().unwrap_or_else(|| vec![1; starts.len()]);
        if [ends.len(), steps.len()] != [starts.len(); 2] || axes.len() < starts.len() {
            return Err("its starts, ends, axes and steps differ in number".into());
        }
        let parts = starts.into_iter().zip(ends).zip(axes).zip(steps);
        Ok(parts.map(|(((start, end), axis), step)| (start, end, axis, step)).collect())
    }

    /// Joins values side by side.
    pub(super) fn concat(&mut self, node: &Node, axis: i64) -> Result<Value, String> {
        let mut parts = Vec::new();
        for index in 0..node.inputs.len() {
            parts.extend(self.input(node, index)?.cloned());
        }
        let constants: Option<Vec<&Tensor>> = parts
            .iter()
            .map(|part| match part {
                Value::Constant(tensor) => Some(tensor),
                _ => None,
            })
            .collect();
        if let Some(tensors) = constants {
            return joined(&tensors, axis).map(Value::Constant);
        }
        let mut flows = Vec::new();
        for part in parts {
            let Value::Flow(part) = part else {
                return Err("it joins constants or probabilities with computed values".into());
            };
            if flows.first().is_some_and(|first: &Flow| first.stage != part.stage) {
                return Err("it joins two branches, and a chain of layers has none".into());
            }
            if part.dims.len() != 1 || place(axis, 2) != Some(1) {
                return Err("it joins values of several dimensions, or rows".into());
            }
            flows.push(part);
        }
        let forms: Vec<&Form> = flows.iter().map(|flow| &flow.form).collect();
        let form = Form::joined(&forms).ok_or("it has too many inputs")?;
        let first = flows.into_iter().next().ok_or("it joins nothing")?;
        self.folded.push(node.named());
        Ok(Value::Flow(Flow { dims: vec![form.outputs()], form, ..first }))
    }

    /// Checks that a softmax goes over all values of a row.
    pub(super) fn check_softmax(&self, flow: &Flow, axis: Axis) -> Result<(), String> {
        let rank = flow.dims.len() + 1;
        let before = match axis {
            Axis::One(axis) => place(axis, rank).filter(|&axis| axis + 1 == rank),
            Axis::From(axis) => place(axis, rank),
        };
        let before = before.filter(|&axis| axis > 0).ok_or("its axis is not that of the outputs")?;
        if count(&flow.dims[..before - 1]) != Some(1) {
            return Err("it makes several distributions per row".into());
        }
        if flow.form.outputs() == 1 {
            return Err("a softmax of one output is always 1".into());
        }
        Ok(())
    }

    /// Computes a node of constants.
    pub(super) fn fold(&mut self, node: &Node, tensor: Tensor) -> Result<Value, String> {
        let wrong = || format!("it does not fit a constant of the shape {:?}", tensor.dims);
        let result = match &node.op {
            Op::Same => Some(tensor.clone()),
            Op::Cast(Number::Integer) => Some(Tensor { number: Number::Integer, ..tensor.map(f64::trunc) }),
            Op::Cast(number) => Some(Tensor { number: *number, ..tensor.clone() }),
            Op::Function(function) => Some(tensor.map(|value| function.apply(value))),
            Op::Shape => {
                let lengths = tensor.dims.iter().map(|&length| length as f64).collect();
                Some(Tensor::vector(lengths, Number::Integer))
            }
            Op::Reshape(target) => {
                let target = self.numbers(target.as_ref(), node, 1)?.ok_or("its new shape is missing")?;
                tensor.reshaped(&target)
            }
            Op::Squeeze(_) | Op::Unsqueeze(_) => self.ones(node, &tensor)?,
            Op::Transpose(order) => {
                let rank = tensor.dims.len();
                let order: Option<Vec<usize>> = match self.numbers(order.as_ref(), node, 1)? {
                    Some(order) => order.iter().map(|&axis| place(axis, rank)).collect(),
                    None => Some((0..rank).rev().collect()),
                };
                order.and_then(|order| tensor.transposed(&order))
            }
            Op::Gather(0) => {
                let indices = self.required(node, 1)?;
                let values = indices.integers().and_then(|indices| tensor.selected(&indices));
                let rest = tensor.dims.iter().skip(1);
                let dims = indices.dims.iter().chain(rest).copied().collect();
                values.and_then(|values| Tensor::new(dims, values, tensor.number).ok())
            }
            Op::Slice(_) if tensor.dims.len() == 1 => {
                let mut values = tensor.values.to_vec();
                for (start, end, _, step) in self.slices(node, 1)? {
                    values = cut(values.len(), start, end, step).iter().map(|&at| values[at]).collect();
                }
                Some(Tensor::vector(values, tensor.number))
            }
            Op::Quantize { lowest, highest } => self.coded(node, &tensor, *lowest, *highest)?,
            Op::Dequantize(axis) => Some(self.decoded(node, &tensor, *axis)?),
            _ => return Err("it has a constant where only computed values are imported".into()),
        };
        Ok(Value::Constant(result.ok_or_else(wrong)?))
    }

    /// Removes or adds dimensions of length 1 of a constant.
    fn ones(&self, node: &Node, tensor: &Tensor) -> Result<Option<Tensor>, String> {
        let with_rows = |dims: Option<Vec<usize>>| dims.map(|dims| Tensor { dims, ..tensor.clone() });
        Ok(with_rows(match &node.op {
            Op::Squeeze(axes) => {
                let axes = self.numbers(axes.as_ref(), node, 1)?;
                let places: Option<Vec<usize>> =
                    axes.map(|axes| axes.iter().filter_map(|&axis| place(axis, tensor.dims.len())).collect());
                let kept = tensor.dims.iter().enumerate().filter(|(axis, length)| match &places {
                    Some(places) => !places.contains(axis),
                    None => **length != 1,
                });
                Some(kept.map(|(_, &length)| length).collect())
                    .filter(|dims: &Vec<usize>| count(dims) == count(&tensor.dims))
            }
            Op::Unsqueeze(axes) => {
                let axes = self.numbers(axes.as_ref(), node, 1)?.ok_or("its axes are missing")?;
                let mut dims = tensor.dims.clone();
                let rank = dims.len() + axes.len();
                let mut places: Vec<usize> = axes.iter().filter_map(|&axis| place(axis, rank)).collect();
                places.sort_unstable();
                for place in places {
                    if place <= dims.len() {
                        dims.insert(place, 1);
                    }
                }
                Some(dims)
            }
            _ => None,
        }))
    }

    /// Returns scale and zero point for every element of a constant.
    fn factors(&self, node: &Node, tensor: &Tensor, axis: i64) -> Result<[std::rc::Rc<[f64]>; 2], String> {
        let spread = |factors: Tensor| {
            let mut dims = vec![1; tensor.dims.len()];
            match (factors.single(), place(axis, tensor.dims.len())) {
                (Some(_), _) => {}
                (None, Some(axis)) => dims[axis] = factors.values.len(),
                (None, None) => return None,
            }
            Tensor { dims, ..factors }.stretched(&tensor.dims)
        };
        let scale = spread(self.required(node, 1)?);
        let zero = self.constant(node, 2)?.unwrap_or_else(|| Tensor::scalar(0.0, Number::Integer));
        match (scale, spread(zero)) {
            (Some(scale), Some(zero)) => Ok([scale, zero]),
            _ => Err("its scales do not fit its values".into()),
        }
    }

    fn coded(
        &self,
        node: &Node,
        tensor: &Tensor,
        lowest: f64,
        highest: f64,
    ) -> Result<Option<Tensor>, String> {
        let [scale, zero] = self.factors(node, tensor, 0)?;
        let codes = tensor.values.iter().zip(scale.iter()).zip(zero.iter());
        let codes = codes.map(|((value, scale), zero)| {
            ((value / scale).round_ties_even() + zero).max(lowest).min(highest)
        });
        Ok(Some(Tensor { values: codes.collect(), number: Number::Integer, ..tensor.clone() }))
    }

    fn decoded(&self, node: &Node, tensor: &Tensor, axis: i64) -> Result<Tensor, String> {
        let [scale, zero] = self.factors(node, tensor, axis)?;
        let values = tensor.values.iter().zip(scale.iter()).zip(zero.iter());
        let values = values.map(|((code, scale), zero)| (code - zero) * scale);
        Ok(Tensor { values: values.collect(), number: Number::Float, ..tensor.clone() })
    }
}

/// Returns the new dimensions of a row; none if rows are mixed. The first length is that of the batch, unless the shape has
/// none.
fn reshaped(dims: &[usize], target: &[i64]) -> Option<Vec<usize>> {
    let units = count(dims)?;
    let (&batch, rest) = target.split_first()?;
    let mut open = None;
    let mut lengths = Vec::with_capacity(rest.len());
    for (index, &length) in rest.iter().enumerate() {
        lengths.push(match length {
            0 => *dims.get(index)?,
            -1 if open.is_none() => {
                open = Some(index);
                1
            }
            length => usize::try_from(length).ok()?,
        });
    }
    let product = count(&lengths)?;
    if let Some(open) = open {
        lengths[open] = units.checked_div(product)?;
    } else if product != units && rest.is_empty() && (batch == -1 || usize::try_from(batch) == Ok(units)) {
        // A shape of one dimension: the rows of one value each, or a single row.
        return (units == 1 || batch != -1).then(|| if units == 1 { Vec::new() } else { vec![units] });
    }
    (count(&lengths) == Some(units)).then_some(lengths)
}

fn squeezed(dims: &[usize], axes: Option<&[i64]>) -> Option<Vec<usize>> {
    let rank = dims.len() + 1;
    let places: Option<Vec<usize>> = match axes {
        Some(axes) => axes.iter().map(|&axis| place(axis, rank)).collect(),
        None => Some((1..rank).filter(|&axis| dims[axis - 1] == 1).collect()),
    };
    let places = places.filter(|places| !places.contains(&0))?;
    let kept = dims.iter().enumerate().filter(|(axis, _)| !places.contains(&(axis + 1)));
    let kept: Vec<usize> = kept.map(|(_, &length)| length).collect();
    (count(&kept) == count(dims)).then_some(kept)
}

fn unsqueezed(dims: &[usize], axes: &[i64]) -> Option<Vec<usize>> {
    let rank = dims.len() + 1 + axes.len();
    let places: Option<Vec<usize>> = axes.iter().map(|&axis| place(axis, rank)).collect();
    let mut places = places.filter(|places| !places.contains(&0))?;
    places.sort_unstable();
    let mut dims = dims.to_vec();
    for place in places {
        if place - 1 > dims.len() {
            return None;
        }
        dims.insert(place - 1, 1);
    }
    Some(dims)
}

/// Returns the places of a slice.
fn cut(length: usize, start: i64, end: i64, step: i64) -> Vec<usize> {
    let length = i64::try_from(length).unwrap_or(i64::MAX);
    let bound = |at: i64| if at < 0 { at.saturating_add(length).max(0) } else { at.min(length) };
    if step < 1 {
        return Vec::new();
    }
    let step = usize::try_from(step).unwrap_or(usize::MAX);
    (bound(start)..bound(end)).step_by(step).filter_map(|at| usize::try_from(at).ok()).collect()
}

/// Joins constants along an axis.
fn joined(tensors: &[&Tensor], axis: i64) -> Result<Tensor, String> {
    let first = tensors.first().ok_or("it joins nothing")?;
    let axis = place(axis, first.dims.len()).ok_or("its axis is not there")?;
    let mut dims = first.dims.clone();
    dims[axis] = 0;
    for tensor in tensors {
        let like = |(at, (a, b)): (usize, (&usize, &usize))| at == axis || a == b;
        if tensor.dims.len() != dims.len() || !tensor.dims.iter().zip(&dims).enumerate().all(like) {
            return Err("it joins constants of different shapes".into());
        }
        dims[axis] += tensor.dims[axis];
    }
    let outer = count(&dims[..axis]).unwrap_or_default();
    let total = count(&dims).filter(|&total| total <= MOST_ELEMENTS).ok_or("it joins too many constants")?;
    let mut values = Vec::with_capacity(total);
    for part in 0..outer {
        for tensor in tensors {
            let size = tensor.values.len() / outer.max(1);
            values.extend_from_slice(tensor.values.get(part * size..(part + 1) * size).unwrap_or_default());
        }
    }
    Tensor::new(dims, values, first.number)
}
