//! microdistill
#![no_std]
#![warn(missing_docs)]
