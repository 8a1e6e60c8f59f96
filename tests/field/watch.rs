//! The smartwatch example: its networks and its rows.

#[path = "../../examples/models/watch_small/student.rs"]
pub(crate) mod student;
#[path = "../../examples/models/watch_small/teacher.rs"]
pub(crate) mod teacher;
#[path = "../../examples/models/watch_small/teacher_int8.rs"]
pub(crate) mod teacher_int8;
#[path = "../../examples/models/watch_small/test.rs"]
pub(crate) mod test;
#[path = "../../examples/models/watch_small/train.rs"]
pub(crate) mod train;
