//! Tables of data files, whatever container holds them.

pub mod container;
