//! Panics of the libraries that read containers, which a damaged file may cause.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

thread_local! {
    static CATCHING: Cell<bool> = const { Cell::new(false) };
}

/// Runs a reader; none if it panics. What it leaves behind is dropped with it, or not used again.
pub(crate) fn caught<T>(read: impl FnOnce() -> T) -> Option<T> {
    let before = CATCHING.replace(true);
    let result = catch_unwind(AssertUnwindSafe(read));
    CATCHING.set(before);
    result.ok()
}

/// Returns true while a panic of this thread becomes an error that tells of a damaged file. A program's panic hook can then
/// stay silent.
pub fn are_panics_caught() -> bool {
    CATCHING.get()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_none() {
        assert_eq!(caught(|| 1), Some(1));
        assert_eq!(
            caught(|| if are_panics_caught() {
                panic!("damaged")
            }),
            None
        );
        assert!(!are_panics_caught());
    }
}
