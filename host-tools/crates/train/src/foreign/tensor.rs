//! Constant tensors of a model file, in f64.

use std::rc::Rc;

/// Constant of a graph: weights, or numbers that a shape is made of. Integers are exact up to 2⁵³.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tensor {
    /// Lengths of the dimensions; none for a scalar.
    pub(super) dims: Vec<usize>,
    /// Elements, row-major. As many as the product of the lengths.
    pub(super) values: Rc<[f64]>,
    /// Type of the elements in the file.
    pub(super) number: Number,
}

/// Type of the elements of a tensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Number {
    /// At most 32 bits.
    Float,
    /// 64 bits.
    Double,
    /// An integer of any size, or a truth value.
    Integer,
}

impl Tensor {
    /// Creates a tensor.
    ///
    /// # Errors
    /// Fails if the number of values is not the product of the lengths.
    pub(super) fn new(dims: Vec<usize>, values: Vec<f64>, number: Number) -> Result<Self, String> {
        if count(&dims) != Some(values.len()) {
            return Err(format!("{} values for the shape {dims:?}", values.len()));
        }
        Ok(Tensor { dims, values: values.into(), number })
    }

    pub(super) fn vector(values: Vec<f64>, number: Number) -> Self {
        Tensor { dims: vec![values.len()], values: values.into(), number }
    }

    pub(super) fn scalar(value: f64, number: Number) -> Self {
        Tensor { dims: Vec::new(), values: [value].into(), number }
    }

    /// Returns the elements as whole numbers; none if they are not.
    pub(super) fn integers(&self) -> Option<Vec<i64>> {
        // The largest integers, which stand for an open end, are not exact here.
        let whole = |value: &f64| (value.fract() == 0.0).then_some(*value as i64);
        self.values.iter().map(whole).collect()
    }

    /// Returns the only element.
    pub(super) fn single(&self) -> Option<f64> {
        match *self.values {
            [value] => Some(value),
            _ => None,
        }
    }

    /// Applies `f` to every element.
    pub(super) fn map(&self, f: impl Fn(f64) -> f64) -> Self {
        Tensor { values: self.values.iter().map(|&value| f(value)).collect(), ..self.clone() }
    }

    /// Returns the tensor with other dimensions, of which one may be −1 and is computed. 0 keeps the length.
    pub(super) fn reshaped(&self, target: &[i64]) -> Option<Self> {
        let mut dims = Vec::with_capacity(target.len());
        for (index, &length) in target.iter().enumerate() {
            dims.push(match length {
                0 => *self.dims.get(index)?,
                -1 => 1,
                length => usize::try_from(length).ok()?,
            });
        }
        if let Some(open) = target.iter().position(|&length| length == -1) {
            let rest = count(&dims)?;
            dims[open] = self.values.len().checked_div(rest)?;
        }
        (count(&dims) == Some(self.values.len())).then(|| Tensor { dims, ..self.clone() })
    }

    /// Returns the tensor without leading dimensions of length 1, as far as it has more than `rank` dimensions.
    pub(super) fn reshaped_to_rank(&self, rank: usize) -> Option<Self> {
        let surplus = self.dims.len().saturating_sub(rank);
        let (leading, dims) = self.dims.split_at_checked(surplus)?;
        leading.iter().all(|&length| length == 1).then(|| Tensor { dims: dims.to_vec(), ..self.clone() })
    }

    /// Combines two tensors element by element, by NumPy's broadcasting.
    pub(super) fn combine(&self, other: &Tensor, f: impl Fn(f64, f64) -> f64) -> Option<Self> {
        let dims = broadcast(&self.dims, &other.dims)?;
        let most = MOST_ELEMENTS.max(self.values.len()).max(other.values.len());
        count(&dims).filter(|&total| total <= most)?;
        let (a, b) = (self.stretched(&dims)?, other.stretched(&dims)?);
        let values: Rc<[f64]> = a.iter().zip(b.iter()).map(|(&a, &b)| f(a, b)).collect();
        let number = if self.number == Number::Double { self.number } else { other.number };
        Some(Tensor { dims, values, number })
    }

    /// Returns the elements, repeated to the shape `dims` by NumPy's broadcasting; none if they do not fit.
    pub(super) fn stretched(&self, dims: &[usize]) -> Option<Rc<[f64]>> {
        if self.dims == dims {
            return Some(self.values.clone());
        }
        let total = count(dims)?;
        let missing = dims.len().checked_sub(self.dims.len())?;
        let fits = self.dims.iter().zip(&dims[missing..]).all(|(own, all)| own == all || *own == 1);
        if !fits {
            return None;
        }
        let element = |place: usize| {
            let (mut rest, mut index, mut step) = (place, 0, 1);
            for (axis, &length) in dims.iter().enumerate().rev() {
                let at = rest % length.max(1);
                rest /= length.max(1);
                let own =
                    axis.checked_sub(missing).and_then(|axis| self.dims.get(axis)).copied().unwrap_or(1);
                if own > 1 {
                    index += at * step;
                }
                step *= own;
            }
            self.values.get(index).copied()
        };
        (0..total).map(element).collect()
    }

    /// Returns the tensor with its dimensions in another order.
    pub(super) fn transposed(&self, order: &[usize]) -> Option<Self> {
        let mut seen = vec![false; self.dims.len()];
        for &axis in order {
            *seen.get_mut(axis)? = true;
        }
        if order.len() != self.dims.len() || seen.contains(&false) {
            return None;
        }
        let mut steps = vec![1; self.dims.len()];
        for axis in (1..self.dims.len()).rev() {
            steps[axis - 1] = steps[axis] * self.dims[axis];
        }
        let dims: Vec<usize> = order.iter().map(|&axis| self.dims[axis]).collect();
        let element = |place: usize| {
            let (mut rest, mut index) = (place, 0);
            for (&axis, &length) in order.iter().zip(&dims).rev() {
                index += rest % length.max(1) * steps[axis];
                rest /= length.max(1);
            }
            self.values.get(index).copied()
        };
        let values: Rc<[f64]> = (0..self.values.len()).map(element).collect::<Option<_>>()?;
        Some(Tensor { dims, values, number: self.number })
    }

    /// Selects elements along the first dimension.
    pub(super) fn selected(&self, indices: &[i64]) -> Option<Vec<f64>> {
        let (&length, rest) = self.dims.split_first()?;
        let size = count(rest)?;
        let mut values = Vec::new();
        for &index in indices {
            let from = place(index, length)? * size;
            values.extend_from_slice(self.values.get(from..from + size)?);
        }
        Some(values)
    }
}

/// Most elements that a constant of few elements is repeated to.
pub(super) const MOST_ELEMENTS: usize = 1 << 20;

/// Returns the number of elements of a shape; none if it overflows.
pub(super) fn count(dims: &[usize]) -> Option<usize> {
    dims.iter().try_fold(1usize, |product, &length| product.checked_mul(length))
}

/// Returns the index that `index` means, which counts from the end if it is negative.
pub(super) fn place(index: i64, length: usize) -> Option<usize> {
    let length = i64::try_from(length).ok()?;
    let index = if index < 0 { index.checked_add(length)? } else { index };
    usize::try_from(index).ok().filter(|_| index < length)
}

/// Returns the common shape of two tensors by NumPy's broadcasting.
pub(super) fn broadcast(a: &[usize], b: &[usize]) -> Option<Vec<usize>> {
    let rank = a.len().max(b.len());
    let at = |dims: &[usize], axis: usize| match (axis + dims.len()).checked_sub(rank) {
        Some(axis) => dims.get(axis).copied().unwrap_or(1),
        None => 1,
    };
    let dims = (0..rank).map(|axis| match (at(a, axis), at(b, axis)) {
        (a, b) if a == b => Some(a),
        (1, length) | (length, 1) => Some(length),
        _ => None,
    });
    dims.collect()
}

/// Returns the value of a bfloat16 number.
pub(super) fn bfloat16(bits: u16) -> f64 {
    f32::from_bits(u32::from(bits) << 16).into()
}
