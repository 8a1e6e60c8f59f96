//! The desktop side of microdistill.

pub mod answers;
mod batched;
pub mod board;
pub mod dataset;
pub mod demo;
mod dropout;
pub mod error;
pub mod export;
pub mod file;
pub mod import;
pub mod metrics;
pub mod model;
pub mod network;
pub mod network_i8;
pub mod precision;
pub mod quantize;
pub mod random;
pub mod report;
mod schedule;
pub mod search;
pub mod setup;
pub mod student;
pub mod study;
pub mod synthetic;
pub mod teacher;
pub mod tune;
pub mod weights;
