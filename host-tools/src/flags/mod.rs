//! Flags that several commands share.

pub(crate) mod activation;
pub(crate) mod columns;
pub(crate) mod data;
pub(crate) mod file;
pub(crate) mod inputs;
pub(crate) mod length;
pub(crate) mod parse;
pub(crate) mod precision;
pub(crate) mod synthetic;
pub(crate) mod teacher;
pub(crate) mod text;
pub(crate) mod training;
pub(crate) mod unseen;
pub(crate) mod weight_decay;
