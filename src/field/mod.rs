//! Learning in the field: teachers, stored samples, drift tests, and the guard of the student in use.

pub mod drift;
pub mod guard;
pub mod replay;
pub mod teacher;
