//! `println!` through defmt or to standard output.
//!
//! Programs use only formats that both print alike: `{}` for integers and text, `{:?}` for slices of integers and for
//! `f32`, whose shortest decimal form is the same in both for 0 and for 10⁻⁴ ≤ |x| < 10¹³.

#[cfg(not(any(feature = "std", feature = "defmt")))]
compile_error!("the programs need an output: enable the feature `defmt` (boards) or `std` (the desktop)");

#[cfg(all(feature = "defmt", not(feature = "std")))]
pub(crate) use defmt::println;

/// Like `std::println!`, but does not panic if standard output is closed.
#[cfg(feature = "std")]
macro_rules! println {
    ($($argument:tt)*) => {{
        use ::std::io::Write as _;
        let _ = ::std::writeln!(::std::io::stdout(), $($argument)*);
    }};
}
#[cfg(feature = "std")]
pub(crate) use println;
