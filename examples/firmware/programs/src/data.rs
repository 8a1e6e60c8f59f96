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

/// The teacher of `distill`: `MICRODISTILL_TEACHER`.
pub mod teacher {
    include!(env!("TEACHER"));
}

/// The training rows of `distill`: `MICRODISTILL_TRAIN`.
pub mod train {
    include!(env!("TRAIN"));
}

/// The test rows of `infer` and `distill`: `MICRODISTILL_TEST`.
pub mod test {
    include!(env!("TEST"));
}

/// Returns the rows if they have the features of a model, and prints a message if not.
///
/// This is checked at run time, not at compile time, so that `infer` can be built for other data without a teacher for them,
/// and `distill` without a student.
pub(crate) fn fitting<T, const FOUND: usize, const WANTED: usize>(
    rows: &'static [[T; FOUND]],
) -> Option<&'static [[T; WANTED]]> {
    if FOUND != WANTED {
        println!("rows have {} features, the model takes {}", FOUND, WANTED);
        return None;
    }
    Some(rows.as_flattened().as_chunks().0)
}
