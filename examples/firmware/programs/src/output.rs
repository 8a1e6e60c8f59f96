//! `println!`, by defmt or to standard output.
//!
//! Formats are those that both know and print alike: `{}` for integers and text, `{:?}` for slices of integers and for
//! `f32`, which is shortest decimal in both and has the same form for 0 and 10⁻⁴ ≤ |x| < 10¹³.

#[cfg(not(any(feature = "std", feature = "defmt")))]
compile_error!("the programs have to print: enable the feature `defmt` (boards) or `std` (the desktop)");

#[cfg(all(feature = "defmt", not(feature = "std")))]
pub(crate) use defmt::println;

/// Like `std::println!`, without its panic when nobody reads any more.
#[cfg(feature = "std")]
macro_rules! println {
    ($($argument:tt)*) => {{
        use ::std::io::Write as _;
        let _ = ::std::writeln!(::std::io::stdout(), $($argument)*);
    }};
}
#[cfg(feature = "std")]
pub(crate) use println;
