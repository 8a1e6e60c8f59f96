//! The working memory of an inference: one buffer, used from both ends.

use crate::scalar::Element;

/// An end of the buffer in which inference works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum End {
    /// The first words.
    Front,
    /// The last words.
    Back,
}

impl End {
    /// The other end.
    pub(crate) fn opposite(self) -> End {
        match self {
            End::Front => End::Back,
            End::Back => End::Front,
        }
    }
}

/// The buffer: `WORDS` words that the target's kernel holds numbers of type `T` in.
///
/// Rows of activations begin at a multiple of 4 bytes, where a kernel loads them by words.
#[derive(Clone, Copy, Debug)]
#[repr(align(4))]
pub struct Scratch<T: Element, const WORDS: usize>([T::Held; WORDS]);

impl<T: Element, const WORDS: usize> Scratch<T, WORDS> {
    /// An empty buffer.
    #[allow(clippy::new_without_default)] // it is made in `const`, too
    pub const fn new() -> Self {
        Scratch([T::ZERO_HELD; WORDS])
    }

    /// Puts `x` at the front; does nothing if there is no room for it.
    #[inline]
    pub fn load(&mut self, x: &[T]) {
        if let Some(words) = self.0.get_mut(..x.len()) {
            T::hold_all(x, words);
        }
    }

    /// Copies the row that lies at `end` to `y`.
    #[inline]
    pub fn copy_to(&self, end: End, y: &mut [T]) {
        let start = match end {
            End::Front => 0,
            End::Back => WORDS.saturating_sub(room::<T>(y.len())),
        };
        for (y, &word) in y.iter_mut().zip(self.0.get(start..).unwrap_or_default()) {
            *y = T::release(word);
        }
    }

    /// The input, `inputs` words at the end `from`, and room for `outputs` words at the other end.
    ///
    /// `None` if the two would overlap, which [`Layer::run`](crate::Layer::run) excludes when it compiles.
    #[inline]
    pub(crate) fn split(&mut self, from: End, inputs: usize, outputs: usize) -> Option<Halves<'_, T::Held>> {
        match from {
            End::Front => {
                let (front, back) = self.0.split_at_mut_checked(WORDS.checked_sub(room::<T>(outputs))?)?;
                Some((front.get(..inputs)?, back.get_mut(..outputs)?))
            }
            End::Back => {
                let (front, back) = self.0.split_at_mut_checked(WORDS.checked_sub(room::<T>(inputs))?)?;
                Some((back.get(..inputs)?, front.get_mut(..outputs)?))
            }
        }
    }
}

/// An input, and room for an output.
type Halves<'a, W> = (&'a [W], &'a mut [W]);

/// Words that a row of `width` numbers takes.
pub(crate) const fn room<T: Element>(width: usize) -> usize {
    width.next_multiple_of(T::UNIT)
}

/// Words of working memory of a network of these `widths`, whose numbers are of type `T`: the largest sum of two
/// neighbours.
#[must_use]
pub const fn scratch<T: Element>(widths: &[usize]) -> usize {
    let mut largest = 0;
    let mut rest = widths;
    while let [inputs, tail @ ..] = rest {
        if let [outputs, ..] = tail
            && room::<T>(*inputs) + room::<T>(*outputs) > largest
        {
            largest = room::<T>(*inputs) + room::<T>(*outputs);
        }
        rest = tail;
    }
    largest
}
