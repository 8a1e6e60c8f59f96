//! Affine functions: what stands between two activations of a network.

use std::rc::Rc;

/// Affine function `y = M·(scale ⊙ x + offset) + b`. The factors of the inputs stay apart from the matrix, because those of
/// raw features are the scaler of a model: folded into the matrix, large offsets would lose digits in f32.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Form {
    inputs: usize,
    /// Scale and offset of each input.
    columns: Option<Columns>,
    matrix: Option<Rc<Matrix>>,
}

/// Scale and offset of each input.
pub(in crate::foreign) type Columns = Rc<[(f64, f64)]>;

/// Weights, shape (outputs, inputs), row-major, and bias, shape (outputs).
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Matrix {
    pub(super) weights: Vec<f64>,
    pub(super) bias: Vec<f64>,
}

/// Most weights that are made where the file has none, such as those of an identity.
const MOST_WEIGHTS: usize = 1 << 22;

/// Most multiplications of the product of two matrices.
const MOST_PRODUCTS: usize = 1 << 27;

impl Matrix {
    pub(super) fn outputs(&self) -> usize {
        self.bias.len()
    }

    /// Returns the rows of the weights.
    fn rows(&self) -> impl Iterator<Item = &[f64]> {
        self.weights.chunks_exact((self.weights.len() / self.bias.len().max(1)).max(1))
    }

    /// Returns true if no output depends on input `column` of `inputs`.
    fn is_free_of(&self, column: usize, inputs: usize) -> bool {
        self.weights.iter().skip(column).step_by(inputs.max(1)).all(|&weight| weight == 0.0)
    }

    /// Rewrites input `column`, which was `scale·x + offset` of the new one.
    fn substitute(&mut self, column: usize, inputs: usize, (scale, offset): (f64, f64)) {
        let weights = self.weights.iter_mut().skip(column).step_by(inputs.max(1));
        for (weight, bias) in weights.zip(&mut self.bias) {
            *bias += *weight * offset;
            *weight *= scale;
        }
    }
}

impl Form {
    pub(super) fn identity(inputs: usize) -> Self {
        Form { inputs, columns: None, matrix: None }
    }

    pub(super) fn outputs(&self) -> usize {
        self.matrix.as_ref().map_or(self.inputs, |matrix| matrix.outputs())
    }

    pub(super) fn is_identity(&self) -> bool {
        self.columns.is_none() && self.matrix.is_none()
    }

    /// Scale and offset of each input.
    pub(super) fn columns(&self) -> Columns {
        self.columns.clone().unwrap_or_else(|| vec![(1.0, 0.0); self.inputs].into())
    }

    /// Returns the function with `y·scale + offset` for its outputs `y`. Both have an element for each output.
    pub(super) fn scaled(&self, scale: &[f64], offset: &[f64]) -> Self {
        let factors = || scale.iter().zip(offset);
        let Some(matrix) = &self.matrix else {
            let columns = self.columns();
            let columns = columns.iter().zip(factors());
            let columns = columns.map(|((s, o), (scale, offset))| (s * scale, o * scale + offset)).collect();
            return Form { columns: Some(columns), ..self.clone() };
        };
        let weights = matrix.rows().zip(scale).flat_map(|(row, scale)| row.iter().map(move |w| w * scale));
        let bias = matrix.bias.iter().zip(factors()).map(|(bias, (scale, offset))| bias * scale + offset);
        let matrix = Matrix { weights: weights.collect(), bias: bias.collect() };
        Form { matrix: Some(matrix.into()), ..self.clone() }
    }

    /// Returns the function followed by `next`; none if the product is too large to compute.
    pub(super) fn then(&self, next: Matrix) -> Option<Self> {
        let Some(matrix) = &self.matrix else {
            return Some(Form { matrix: Some(next.into()), ..self.clone() });
        };
        let (inner, outputs) = (matrix.outputs(), next.outputs());
        let products = outputs.checked_mul(inner)?.checked_mul(self.inputs)?;
        let size = outputs.checked_mul(self.inputs)?;
        if products > MOST_PRODUCTS || size > MOST_WEIGHTS.max(next.weights.len() + matrix.weights.len()) {
            return None;
        }
        let mut product = Matrix { weights: vec![0.0; size], bias: next.bias.clone() };
        let rows = product.weights.chunks_exact_mut(self.inputs.max(1)).zip(&mut product.bias);
        for ((to, bias), factors) in rows.zip(next.rows()) {
            for ((factor, row), inner_bias) in factors.iter().zip(matrix.rows()).zip(&matrix.bias) {
                to.iter_mut().zip(row).for_each(|(to, weight)| *to += factor * weight);
                *bias += factor * inner_bias;
            }
        }
        Some(Form { matrix: Some(product.into()), ..self.clone() })
    }

    /// Returns the function with these of its outputs; none if it is too large.
    pub(super) fn select(&self, outputs: &[usize]) -> Option<Self> {
        if outputs.iter().copied().eq(0..self.outputs()) {
            return Some(self.clone());
        }
        let size = outputs.len().checked_mul(self.inputs).filter(|&size| size <= MOST_WEIGHTS)?;
        let Some(matrix) = &self.matrix else {
            let mut weights = vec![0.0; size];
            for (row, &output) in weights.chunks_exact_mut(self.inputs.max(1)).zip(outputs) {
                *row.get_mut(output)? = 1.0;
            }
            let selected = Matrix { weights, bias: vec![0.0; outputs.len()] };
            return Some(Form { matrix: Some(selected.into()), ..self.clone() });
        };
        let mut selected = Matrix { weights: Vec::with_capacity(size), bias: Vec::new() };
        for &output in outputs {
            selected.weights.extend_from_slice(matrix.rows().nth(output)?);
            selected.bias.push(*matrix.bias.get(output)?);
        }
        Some(Form { matrix: Some(selected.into()), ..self.clone() })
    }

    /// Returns the function with the outputs of all, in order; none if it is too large.
    pub(super) fn joined(all: &[&Form]) -> Option<Self> {
        let (first, rest) = all.split_first()?;
        if rest.iter().any(|form| form.columns != first.columns) {
            return rest.iter().try_fold(Form::clone(first), |joined, form| joined.beside(form));
        }
        let mut matrix = Matrix { weights: Vec::new(), bias: Vec::new() };
        for form in all {
            let part = form.matrix()?;
            matrix.weights.extend(part.weights);
            matrix.bias.extend(part.bias);
            if matrix.weights.len() > MOST_WEIGHTS {
                return None;
            }
        }
        Some(Form { matrix: Some(matrix.into()), ..Form::clone(first) })
    }

    /// Returns the number of weights.
    pub(super) fn size(&self) -> usize {
        self.matrix.as_ref().map_or(self.inputs, |matrix| matrix.weights.len())
    }

    /// Returns the function with the outputs of both, those of `self` first; none if it is too large.
    pub(super) fn beside(&self, other: &Form) -> Option<Self> {
        let (columns, mut first, second) = self.common(other)?;
        first.weights.extend(second.weights);
        first.bias.extend(second.bias);
        Some(Form { inputs: self.inputs, columns: Some(columns), matrix: Some(first.into()) })
    }

    /// Returns `self + sign·other`; none if it is too large.
    pub(super) fn plus(&self, other: &Form, sign: f64) -> Option<Self> {
        let (columns, mut first, second) = self.common(other)?;
        if first.outputs() != second.outputs() {
            return None;
        }
        first.weights.iter_mut().zip(&second.weights).for_each(|(to, from)| *to += sign * from);
        first.bias.iter_mut().zip(&second.bias).for_each(|(to, from)| *to += sign * from);
        Some(Form { inputs: self.inputs, columns: Some(columns), matrix: Some(first.into()) })
    }

    /// Returns the matrix behind the factors of the inputs; none if it is too large.
    pub(super) fn matrix(&self) -> Option<Matrix> {
        if let Some(matrix) = &self.matrix {
            return Some(Matrix::clone(matrix));
        }
        let size = self.inputs.checked_mul(self.inputs).filter(|&size| size <= MOST_WEIGHTS)?;
        let mut weights = vec![0.0; size];
        weights.iter_mut().step_by(self.inputs + 1).for_each(|weight| *weight = 1.0);
        Some(Matrix { weights, bias: vec![0.0; self.inputs] })
    }

    /// Returns the matrix with the factors of the inputs folded in; none if it is too large.
    pub(super) fn folded(&self) -> Option<Matrix> {
        let mut matrix = self.matrix()?;
        if let Some(columns) = &self.columns {
            for (column, &factors) in columns.iter().enumerate() {
                matrix.substitute(column, self.inputs, factors);
            }
        }
        Some(matrix)
    }

    /// Returns the matrices of two functions of the same inputs behind common factors of them.
    fn common(&self, other: &Form) -> Option<(Columns, Matrix, Matrix)> {
        let inputs = self.inputs;
        let (mut first, mut second) = (self.matrix()?, other.matrix()?);
        let (own, others) = (self.columns(), other.columns());
        let pairs = own.iter().copied().zip(others.iter().copied()).enumerate();
        let columns = pairs.map(|(column, (own, others))| {
            if own == others || second.is_free_of(column, inputs) {
                return own;
            }
            if own.0 == 0.0 || first.is_free_of(column, inputs) {
                first.substitute(column, inputs, (0.0, own.1));
                return others;
            }
            let ratio = others.0 / own.0;
            second.substitute(column, inputs, (ratio, others.1 - ratio * own.1));
            own
        });
        let columns = columns.collect();
        Some((columns, first, second))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(form: &Form, x: &[f64]) -> Vec<f64> {
        let matrix = form.folded().unwrap();
        let row = |(row, bias): (&[f64], &f64)| bias + row.iter().zip(x).map(|(w, x)| w * x).sum::<f64>();
        matrix.rows().zip(&matrix.bias).map(row).collect()
    }

    #[test]
    fn affine_functions_are_composed() {
        let x = [3.0, -2.0];
        let scaled = Form::identity(2).scaled(&[2.0, 0.5], &[1.0, -1.0]);
        assert_eq!(values(&scaled, &x), [7.0, -2.0]);
        let matrix = Matrix { weights: vec![1.0, 2.0, 0.0, -1.0, 3.0, 1.0], bias: vec![0.0, 1.0, -1.0] };
        let three = scaled.then(matrix).unwrap();
        assert_eq!(values(&three, &x), [3.0, 3.0, 18.0]);
        let last = three.then(Matrix { weights: vec![1.0, 1.0, -1.0], bias: vec![0.5] }).unwrap();
        assert_eq!(values(&last, &x), [-11.5]);
        assert_eq!(values(&three.select(&[2, 0]).unwrap(), &x), [18.0, 3.0]);
        assert_eq!(values(&last.scaled(&[2.0], &[1.0]), &x), [-22.0]);
    }

    #[test]
    fn functions_of_the_same_inputs_are_joined_whatever_their_factors() {
        let x = [3.0, -2.0];
        let one = Form::identity(2).scaled(&[2.0, 0.0], &[1.0, -1.0]);
        let two = Form::identity(2).scaled(&[4.0, 0.5], &[0.0, 7.0]);
        assert_eq!(values(&one.beside(&two).unwrap(), &x), [7.0, -1.0, 12.0, 6.0]);
        assert_eq!(values(&two.beside(&one).unwrap(), &x), [12.0, 6.0, 7.0, -1.0]);
        assert_eq!(values(&one.plus(&two, -1.0).unwrap(), &x), [-5.0, -7.0]);
        let picked = one.select(&[0]).unwrap().beside(&two.select(&[1]).unwrap()).unwrap();
        assert_eq!(*picked.columns(), [(2.0, 1.0), (0.5, 7.0)]);
        assert_eq!(values(&picked, &x), [7.0, 6.0]);
    }
}
