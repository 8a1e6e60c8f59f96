/// Inputs that share a scale.
pub const GROUP: usize = 32;
