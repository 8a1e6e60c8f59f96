//! The content of a frame: a sample and the teacher's answer.

use core::fmt;
use core::marker::PhantomData;

use serde::de::{DeserializeOwned, Error as _, SeqAccess, Visitor};
use serde::ser::SerializeTuple;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::frame;
use crate::layer::Array;

/// A sample, and what the teacher says of it. A device that has the sample itself is sent none: `X` is `[f32; 0]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lesson<X, Y> {
    /// The network's input, `[f32; I]`, or the teacher's codes, `[i8; I]`.
    pub x: X,
    /// The teacher's logits, one a class, or their codes.
    pub teacher: Y,
    /// The class, if it is known.
    pub label: Option<u16>,
}

impl<X: Array, Y: Array> Lesson<X, Y> {
    /// Most bytes of a frame.
    pub const FRAME_BYTES: usize = frame::bytes(Self::BYTES);

    /// The label takes three, or one if there is none.
    pub(super) const BYTES: usize = size_of::<X>() + size_of::<Y>() + 3;
}

/// Numbers of a lesson: an array or, on a desktop that learns its length at run time, a slice.
pub trait Numbers {
    /// `f32` or `i8`.
    type Number: Serialize;
    /// The numbers as a slice.
    fn numbers(&self) -> &[Self::Number];
}

impl<T: Serialize, const N: usize> Numbers for [T; N] {
    type Number = T;
    fn numbers(&self) -> &[T] {
        self
    }
}

impl<T: Serialize> Numbers for &[T] {
    type Number = T;
    fn numbers(&self) -> &[T] {
        self
    }
}

impl<X: Numbers, Y: Numbers> Serialize for Lesson<X, Y> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (x, teacher) = (self.x.numbers(), self.teacher.numbers());
        let mut tuple = serializer.serialize_tuple(x.len() + teacher.len() + 1)?;
        x.iter().try_for_each(|number| tuple.serialize_element(number))?;
        teacher.iter().try_for_each(|number| tuple.serialize_element(number))?;
        tuple.serialize_element(&self.label.map(u16::to_le_bytes))?;
        tuple.end()
    }
}

impl<'de, X: Array<Item: DeserializeOwned>, Y: Array<Item: DeserializeOwned>> Deserialize<'de>
    for Lesson<X, Y>
{
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let elements = X::ZEROED.as_slice().len() + Y::ZEROED.as_slice().len() + 1;
        deserializer.deserialize_tuple(elements, Elements(PhantomData))
    }
}

struct Elements<X, Y>(PhantomData<(X, Y)>);

impl<'de, X: Array<Item: DeserializeOwned>, Y: Array<Item: DeserializeOwned>> Visitor<'de>
    for Elements<X, Y>
{
    type Value = Lesson<X, Y>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a sample, logits and perhaps a label")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Self::Value, A::Error> {
        fn next<'de, T: Deserialize<'de>, A: SeqAccess<'de>>(elements: &mut A) -> Result<T, A::Error> {
            elements.next_element()?.ok_or_else(|| A::Error::custom("too short"))
        }
        let (mut x, mut teacher) = (X::ZEROED, Y::ZEROED);
        for number in x.as_mut_slice() {
            *number = next(&mut elements)?;
        }
        for number in teacher.as_mut_slice() {
            *number = next(&mut elements)?;
        }
        let label: Option<[u8; 2]> = next(&mut elements)?;
        Ok(Lesson { x, teacher, label: label.map(u16::from_le_bytes) })
    }
}
