//! The exported files that `build.rs` chose.

use crate::output::println;

/// The student that `infer` runs: `MICRODISTILL_MODEL`.
pub mod model {
    include!(env!("MODEL"));
}

/// The student that `teach` starts from, always f32: `MICRODISTILL_STUDENT`.
pub mod student {
    include!(env!("STUDENT"));
}

/// The network that `distill` asks: `MICRODISTILL_TEACHER`.
pub mod teacher {
    include!(env!("TEACHER"));
}

/// The rows that `distill` learns from: `MICRODISTILL_TRAIN`.
pub mod train {
    include!(env!("TRAIN"));
}

/// The rows that both are judged by: `MICRODISTILL_TEST`.
pub mod test {
    include!(env!("TEST"));
}

/// The rows, if they have the features of a model; if not, says so.
///
/// It is told when it runs, not when it compiles: who builds `infer` for other data need not have a teacher for them,
/// and who builds `distill` need not have a student.
pub(crate) fn fitting<T, const FOUND: usize, const WANTED: usize>(
    rows: &'static [[T; FOUND]],
) -> Option<&'static [[T; WANTED]]> {
    if FOUND != WANTED {
        println!("rows have {} features, the model takes {}", FOUND, WANTED);
        return None;
    }
    Some(rows.as_flattened().as_chunks().0)
}
