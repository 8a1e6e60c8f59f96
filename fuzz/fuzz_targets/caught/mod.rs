//! Panics of libraries that the desktop turns into errors.

use microdistill_train::table::container::are_panics_caught;

/// Lets panics of libraries pass that are caught, which are errors. Any other is printed, and ends the process.
pub fn catch() {
    std::panic::set_hook(Box::new(|panic| {
        if !are_panics_caught() {
            eprintln!("{panic}");
        }
    }));
}
