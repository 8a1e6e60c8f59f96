//! Learning in the field: teachers, replay, drift, and the guard that keeps a student from getting worse.

#[path = "../common/mod.rs"]
mod common;

mod adversarial;
mod drift;
mod guard;
mod replay;
mod streams;
mod teacher;
mod watch;
