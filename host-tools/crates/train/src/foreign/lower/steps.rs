//! One step of a reduction: the value of a node from those of its inputs.

use super::form::Matrix;
use super::{Flow, Lowering, Value, check_numbers};
use crate::foreign::graph::{Arithmetic, Function, Node, Op};
use crate::foreign::tensor::{Number, Tensor, broadcast, count, place};
use crate::network::{Activation, Curve};

impl<'a> Lowering<'a> {
    /// Computes the first output of a node.
    pub(super) fn step(&mut self, node: &'a Node) -> Result<Value, String> {
        let is_labels = |name: &String| matches!(self.values.get(name.as_str()), Some(Value::Labels));
        if matches!(node.op, Op::Labels) || node.inputs.iter().any(is_labels) {
            return Ok(Value::Labels);
        }
        self.watch(node);
        match self.direct(node)? {
            Value::Pending => Ok(self.pending(node)),
            value => Ok(value),
        }
    }

    /// Computes a node without a look at what it may be a part of.
    fn direct(&mut self, node: &Node) -> Result<Value, String> {
        match &node.op {
            Op::Arithmetic(operation) => return self.arithmetic(node, *operation),
            Op::Concat(axis) => return self.concat(node, *axis),
            _ => {}
        }
        match (self.first(node)?, &node.op) {
            (Value::Constant(tensor), _) => self.fold(node, tensor),
            (Value::Pending, Op::Function(_) | Op::Activation(_) | Op::Clip { .. }) => Ok(Value::Pending),
            (Value::Pending, _) => Err(format!(
                "the values before it are computed from {:?} by a function that is no known activation",
                self.root(node)
            )),
            (Value::Probabilities(flow), op) => self.probabilities(node, flow, op),
            (Value::Flow(flow), _) => self.flow(node, flow),
            (Value::Labels, _) => Ok(Value::Labels),
        }
    }

    /// Computes a node behind a softmax.
    fn probabilities(&mut self, node: &Node, flow: Flow, op: &Op) -> Result<Value, String> {
        match op {
            Op::Same
            | Op::Cast(_)
            | Op::Normalize
            | Op::Quantize { .. }
            | Op::Dequantize(_)
            | Op::Function(Function::Log) => {
                if matches!(op, Op::Quantize { .. }) {
                    self.round();
                }
                self.passed.push(node.named());
                Ok(Value::Probabilities(flow))
            }
            Op::Reshape(_) | Op::Flatten(_) | Op::Squeeze(_) | Op::Unsqueeze(_) => {
                match self.flow(node, flow)? {
                    Value::Flow(flow) => Ok(Value::Probabilities(flow)),
                    other => Ok(other),
                }
            }
            _ => Err("it stands behind a softmax, which must be the end of the network".into()),
        }
    }

    /// Computes a node of a flow.
    fn flow(&mut self, node: &Node, flow: Flow) -> Result<Value, String> {
        Ok(Value::Flow(match &node.op {
            Op::Same => {
                self.passed.push(node.named());
                flow
            }
            Op::Cast(Number::Integer) => return Err("it rounds to whole numbers".into()),
            Op::Cast(number) => Flow { double: *number == Number::Double, ..flow },
            Op::Dense { by_output, flatten } => self.dense_node(node, flow, *by_output, *flatten)?,
            Op::Gemm { alpha, beta, by_output } => self.gemm(node, flow, *alpha, *beta, *by_output)?,
            Op::BatchNorm { epsilon, axis } => self.batch_norm(node, flow, *epsilon, *axis)?,
            Op::Affine { scale, offset, axis } => {
                let double = |values: &[f64]| Tensor::vector(values.to_vec(), Number::Integer);
                let (scale, offset) =
                    (along(&flow, &double(scale), *axis)?, along(&flow, &double(offset), *axis)?);
                self.folded.push(node.named());
                Flow { form: flow.form.scaled(&scale, &offset), ..flow }
            }
            Op::Activation(activation) => self.push(flow, *activation),
            Op::Prelu => self.prelu(node, flow)?,
            Op::Clip { lowest, highest } => {
                let bound = |given: &Option<f64>, index| match (given, self.constant(node, index)?) {
                    (Some(given), _) => Ok(Some(*given)),
                    (None, None) => Ok(None),
                    (None, Some(bound)) => {
                        bound.single().map(Some).ok_or_else(|| "it has several bounds".to_owned())
                    }
                };
                let (lowest, highest) = (bound(lowest, 1)?, bound(highest, 2)?);
                self.clip(flow, lowest, highest)
            }
            Op::Function(Function::Neg) => self.scaled(node, flow, -1.0),
            Op::Function(_) => return Ok(Value::Pending),
            Op::Softmax(axis) => {
                self.check_softmax(&flow, *axis)?;
                return Ok(Value::Probabilities(flow));
            }
            Op::Shape => {
                let lengths = flow.dims.iter().map(|&length| length as f64);
                let lengths = [-1.0].into_iter().chain(lengths).collect();
                return Ok(Value::Constant(Tensor::vector(lengths, Number::Integer)));
            }
            Op::Quantize { lowest, .. } => self.quantize(node, flow, *lowest)?,
            Op::Dequantize(_) => {
                self.passed.push(node.named());
                flow
            }
            Op::Impute(values) => self.impute(node, flow, values)?,
            Op::Normalize if flow.form.outputs() == 2 && self.is_distribution(&flow) => {
                self.passed.push(node.named());
                flow
            }
            Op::Normalize => return Err("it scales each row by its sum, which is no affine function".into()),
            _ => return self.reshaping(node, flow),
        }))
    }

    fn scaled(&mut self, node: &Node, flow: Flow, factor: f64) -> Flow {
        self.folded.push(node.named());
        let outputs = flow.form.outputs();
        Flow { form: flow.form.scaled(&vec![factor; outputs], &vec![0.0; outputs]), ..flow }
    }

    fn dense_node(
        &mut self,
        node: &Node,
        mut flow: Flow,
        by_output: bool,
        flatten: bool,
    ) -> Result<Flow, String> {
        let weights = self.required(node, 1)?;
        if flatten {
            flow.dims = vec![flow.form.outputs()];
        }
        let bias = self.constant(node, 2)?;
        let matrix = matrix(&flow, &weights, by_output, 1.0)?;
        let flow = self.dense(flow, matrix);
        let Some(bias) = bias else { return Ok(flow) };
        check_numbers(&flow, &bias)?;
        let offset = along(&flow, &bias, -1)?;
        let form = flow.form.scaled(&vec![1.0; offset.len()], &offset);
        Ok(Flow { form, ..flow })
    }

    fn gemm(
        &mut self,
        node: &Node,
        flow: Flow,
        alpha: f64,
        beta: f64,
        by_output: bool,
    ) -> Result<Flow, String> {
        let weights = self.required(node, 1)?;
        let bias = self.constant(node, 2)?;
        let matrix = matrix(&flow, &weights, by_output, alpha)?;
        let flow = self.dense(flow, matrix);
        let Some(bias) = bias else { return Ok(flow) };
        check_numbers(&flow, &bias)?;
        let offset: Vec<f64> = full(&flow, &bias)?.iter().map(|value| value * beta).collect();
        let form = flow.form.scaled(&vec![1.0; offset.len()], &offset);
        Ok(Flow { form, ..flow })
    }

    fn batch_norm(&mut self, node: &Node, flow: Flow, epsilon: f64, axis: i64) -> Result<Flow, String> {
        let mut parts = Vec::new();
        for (index, default) in [1.0, 0.0, 0.0, 1.0].into_iter().enumerate() {
            let tensor = self.constant(node, index + 1)?;
            let tensor = tensor.unwrap_or_else(|| Tensor::vector(vec![default], Number::Integer));
            check_numbers(&flow, &tensor)?;
            parts.push(along(&flow, &tensor, axis)?);
        }
        let [gamma, beta, mean, variance] = parts.as_slice() else {
            return Err("it has no statistics".into());
        };
        let scale: Vec<f64> = gamma.iter().zip(variance).map(|(g, v)| g / (v + epsilon).sqrt()).collect();
        let offset: Vec<f64> = beta.iter().zip(mean).zip(&scale).map(|((b, m), s)| b - m * s).collect();
        self.folded.push(node.named());
        Ok(Flow { form: flow.form.scaled(&scale, &offset), ..flow })
    }

    /// `max(z, 0) − slope·max(−z, 0)`, with one slope for each output.
    fn prelu(&mut self, node: &Node, flow: Flow) -> Result<Flow, String> {
        let slopes = full(&flow, &self.required(node, 1)?)?;
        if let Some(&slope) = slopes.first().filter(|first| slopes.iter().all(|slope| slope == *first)) {
            return Ok(self.push(flow, leaky(slope)));
        }
        let units = slopes.len();
        let too_large = "it has too many outputs";
        let negative = flow.form.scaled(&vec![-1.0; units], &vec![0.0; units]);
        let form = flow.form.beside(&negative).ok_or(too_large)?;
        let dims = flow.dims.clone();
        let both = self.push(Flow { form, dims: vec![2 * units], ..flow }, Activation::Relu);
        let positive = both.form.select(&(0..units).collect::<Vec<_>>()).ok_or(too_large)?;
        let negative = both.form.select(&(units..2 * units).collect::<Vec<_>>()).ok_or(too_large)?;
        let form = positive.plus(&negative.scaled(&slopes, &vec![0.0; units]), -1.0).ok_or(too_large)?;
        self.notes.push(format!("{}: one slope per output, as two ReLU units for each", node.named()));
        Ok(Flow { form, dims, ..both })
    }

    /// Limits the values of a flow.
    pub(super) fn clip(&mut self, flow: Flow, lowest: Option<f64>, highest: Option<f64>) -> Flow {
        let finite = |bound: Option<f64>| bound.filter(|bound| bound.abs() < f64::from(f32::MAX));
        let activation = match (finite(lowest), finite(highest)) {
            (None, None) => return flow,
            (Some(0.0), None) => Activation::Relu,
            (Some(0.0), Some(6.0)) => Activation::Relu6,
            (Some(lowest), None) => Activation::Curve(Curve::AtLeast(lowest as f32)),
            (Some(lowest), Some(highest)) => Activation::Curve(Curve::Clip(lowest as f32, highest as f32)),
            (None, Some(highest)) => {
                let units = flow.form.outputs();
                let (negate, none) = (vec![-1.0; units], vec![0.0; units]);
                let flow = Flow { form: flow.form.scaled(&negate, &none), ..flow };
                let flow = self.clip(flow, Some(-highest), None);
                return Flow { form: flow.form.scaled(&negate, &none), ..flow };
            }
        };
        self.push(flow, activation)
    }

    /// Rounding to codes: it clips to the range of the codes, which a ReLU may have been left out for.
    fn quantize(&mut self, node: &Node, flow: Flow, lowest: f64) -> Result<Flow, String> {
        self.round();
        self.passed.push(node.named());
        let scale = self.required(node, 1)?.single().ok_or("it has several scales")?;
        let zero = self
            .constant(node, 2)?
            .map_or(Some(0.0), |zero| zero.single())
            .ok_or("it has several zero points")?;
        let positive = matches!(
            self.stages[flow.stage].activation,
            Activation::Relu | Activation::Relu6 | Activation::Sigmoid
        );
        if lowest == zero && scale > 0.0 && !(positive && flow.form.is_identity()) {
            return Ok(self.push(flow, Activation::Relu));
        }
        Ok(flow)
    }

    /// Notes, once, that rounding to codes is passed over.
    fn round(&mut self) {
        const NOTE: &str = "the rounding of values to codes is passed over, so the outputs are near those of the original, not equal";
        if self.notes.iter().all(|note| note != NOTE) {
            self.notes.push(NOTE.into());
        }
    }

    fn impute(&mut self, node: &Node, flow: Flow, values: &[f64]) -> Result<Flow, String> {
        if flow.stage != 0 || !flow.form.is_identity() || self.imputed.is_some() {
            return Err("missing values are replaced only where the features enter".into());
        }
        let values = Tensor::vector(values.to_vec(), Number::Integer);
        self.imputed = Some(along(&flow, &values, -1)?);
        self.folded.push(node.named());
        Ok(flow)
    }

    /// Computes an operation on two values.
    fn arithmetic(&mut self, node: &Node, operation: Arithmetic) -> Result<Value, String> {
        let (Some(a), Some(b)) = (self.input(node, 0)?.cloned(), self.input(node, 1)?.cloned()) else {
            return Err("it has fewer than two inputs".into());
        };
        match (a, b) {
            (Value::Constant(a), Value::Constant(b)) => {
                let result = a.combine(&b, |a, b| operation.apply(a, b));
                Ok(Value::Constant(
                    result.ok_or_else(|| format!("the shapes {:?} and {:?} do not fit", a.dims, b.dims))?,
                ))
            }
            (Value::Flow(flow), Value::Constant(tensor)) => {
                self.with_constant(node, operation, flow, &tensor, false)
            }
            (Value::Constant(tensor), Value::Flow(flow)) => {
                self.with_constant(node, operation, flow, &tensor, true)
            }
            (Value::Flow(a), Value::Flow(b)) => {
                let sign = match operation {
                    Arithmetic::Add => 1.0,
                    Arithmetic::Sub => -1.0,
                    _ if self.is_watched(node) => return Ok(Value::Pending),
                    _ => return Err("it combines two computed values, which no dense layer does".into()),
                };
                if a.stage == b.stage && a.dims == b.dims {
                    let form = a.form.plus(&b.form, sign).ok_or("it has too many inputs")?;
                    self.folded.push(node.named());
                    return Ok(Value::Flow(Flow { form, ..a }));
                }
                if self.is_watched(node) {
                    return Ok(Value::Pending);
                }
                Err("it joins two branches, and a chain of layers has none".into())
            }
            _ if self.is_watched(node) => Ok(Value::Pending),
            _ => {
                Err("it combines values by a function that is no known activation, or behind a softmax"
                    .into())
            }
        }
    }

    /// Computes an operation of a flow and a constant; `turned`: the constant is the first operand.
    fn with_constant(
        &mut self,
        node: &Node,
        operation: Arithmetic,
        flow: Flow,
        tensor: &Tensor,
        turned: bool,
    ) -> Result<Value, String> {
        check_numbers(&flow, tensor)?;
        let c = full(&flow, tensor)?;
        let (ones, zeros) = (vec![1.0; c.len()], vec![0.0; c.len()]);
        let negative = || c.iter().map(|c| -c).collect::<Vec<_>>();
        let form = match (operation, turned) {
            (Arithmetic::Add, _) => flow.form.scaled(&ones, &c),
            (Arithmetic::Sub, false) => flow.form.scaled(&ones, &negative()),
            (Arithmetic::Sub, true) => flow.form.scaled(&vec![-1.0; c.len()], &c),
            (Arithmetic::Mul, _) => flow.form.scaled(&c, &zeros),
            (Arithmetic::Div, false) => {
                flow.form.scaled(&c.iter().map(|c| c.recip()).collect::<Vec<_>>(), &zeros)
            }
            (Arithmetic::Max | Arithmetic::Min, _) => {
                let bound = *c
                    .first()
                    .filter(|first| c.iter().all(|c| c == *first))
                    .ok_or("it has several bounds")?;
                let bounds =
                    if operation == Arithmetic::Max { [Some(bound), None] } else { [None, Some(bound)] };
                return Ok(Value::Flow(self.clip(flow, bounds[0], bounds[1])));
            }
            (Arithmetic::Pow, false) if c.iter().all(|&c| c == 1.0) => flow.form.clone(),
            _ if self.is_watched(node) => return Ok(Value::Pending),
            _ => return Err("it is no affine function and no known activation".into()),
        };
        self.folded.push(node.named());
        Ok(Value::Flow(Flow { form, ..flow }))
    }
}

/// A leaky ReLU of any slope.
pub(in crate::foreign) fn leaky(slope: f64) -> Activation {
    if slope == 0.0 {
        Activation::Relu
    } else if slope as f32 == 0.01 {
        Activation::LeakyRelu
    } else if slope == 1.0 {
        Activation::Identity
    } else {
        Activation::Curve(Curve::LeakyRelu(slope as f32))
    }
}

/// Returns the constant for every output of a flow, by NumPy's broadcasting.
fn full(flow: &Flow, tensor: &Tensor) -> Result<Vec<f64>, String> {
    let dims: Vec<usize> = [1].iter().chain(&flow.dims).copied().collect();
    let fits = broadcast(&tensor.dims, &dims).is_some_and(|all| count(&all) == count(&dims));
    let stretched = if fits {
        tensor.reshaped_to_rank(dims.len()).and_then(|tensor| tensor.stretched(&dims))
    } else {
        None
    };
    let found = &tensor.dims;
    stretched.map(|values| values.to_vec()).ok_or_else(|| {
        format!("a constant of the shape {found:?} does not fit values of {:?} per row", flow.dims)
    })
}

/// Returns a constant of one dimension, or a single one, for every output of a flow. It lies along an axis of it, counted
/// with that of the batch.
fn along(flow: &Flow, tensor: &Tensor, axis: i64) -> Result<Vec<f64>, String> {
    let values = &tensor.values;
    let rank = flow.dims.len() + 1;
    let misfit = || format!("{} constants do not fit values of {:?} per row", values.len(), flow.dims);
    if let [value] = **values {
        return Ok(vec![value; flow.form.outputs()]);
    }
    if count(&flow.dims) == Some(values.len()) {
        return Ok(values.to_vec());
    }
    let axis = place(axis, rank).filter(|&axis| axis > 0).ok_or_else(misfit)?;
    let mut dims = vec![1; rank];
    dims[axis] = values.len();
    full(flow, &Tensor { dims, ..tensor.clone() })
}

/// Returns the weights of a dense layer behind a flow, times `factor`.
fn matrix(flow: &Flow, weights: &Tensor, by_output: bool, factor: f64) -> Result<Matrix, String> {
    check_numbers(flow, weights)?;
    let &[rows, columns] = weights.dims.as_slice() else {
        return Err(format!("its weights have the shape {:?}, expected two dimensions", weights.dims));
    };
    let (inputs, outputs) = if by_output { (columns, rows) } else { (rows, columns) };
    if flow.dims != [inputs] {
        return Err(match flow.dims.as_slice() {
            [found] => format!("its weights have {inputs} inputs, but it gets {found} values"),
            dims => format!(
                "it gets values of the shape {dims:?} per row: only rows of one dimension are imported"
            ),
        });
    }
    if outputs == 0 {
        return Err("its weights have no outputs".into());
    }
    let turned = if by_output { None } else { weights.transposed(&[1, 0]) };
    let values = turned.as_ref().unwrap_or(weights).values.iter();
    Ok(Matrix { weights: values.map(|weight| weight * factor).collect(), bias: vec![0.0; outputs] })
}
