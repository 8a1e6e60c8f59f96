//! Fair comparisons of students, reports about them, and the search for the best student within a budget.
//!
//! [`study`] trains students in several ways on the same folds, seeds and initial weights. [`report`] turns the
//! [`Results`](study::Results) into a page and a table. [`search`] finds the best student that fits a budget of flash, RAM
//! and instructions. [`demo`] is the comparison that `microdistill demo` shows.

pub mod demo;
pub mod report;
pub mod search;
pub mod study;
