//! Does distillation cure overfitting? Students taught in several ways, compared fairly on anyone's data.

pub mod results;
