//! Fingerprint of a network, in 32 bits: FNV-1a (Fowler, Noll and Vo; offset basis and prime of 32 bits) of
//! its layers'
//! widths, activations and layouts, so that stored parameters are only ever given to the network that they belong to.
//!
//! Parameters of [`Params`](crate::Params) have it as a const; the desktop, whose networks have no type, folds
//! [`dense`] and [`chain`] from the last layer to the first.

/// The fingerprint of an activation, by its name.
pub const fn activation(name: &str) -> u32 {
    let mut hash = BASIS;
    let mut bytes = name.as_bytes();
    while let [byte, rest @ ..] = bytes {
        hash = fold(hash, *byte);
        bytes = rest;
    }
    hash
}

/// A fingerprint, continued with a number that belongs to it.
pub const fn with(hash: u32, number: u32) -> u32 {
    let [a, b, c, d] = number.to_le_bytes();
    fold(fold(fold(fold(hash, a), b), c), d)
}

/// The fingerprint of a dense layer. `by_input`: whether its weights lie [by input](crate::layout::ByInput), in memory and
/// where they are stored.
pub const fn dense(inputs: usize, outputs: usize, activation: u32, by_input: bool) -> u32 {
    let hash = with(with(activation, inputs as u32), outputs as u32);
    if by_input { with(hash, 1) } else { hash }
}

/// The fingerprint of a piecewise-linear layer whose table has so many rows.
pub const fn piecewise_linear(inputs: usize, rows: usize, outputs: usize, activation: u32) -> u32 {
    with(dense(inputs, outputs, with(self::activation("piecewise-linear"), activation), false), rows as u32)
}

/// The fingerprint of a layer that is [frozen](crate::finetune::Frozen).
pub const fn frozen(layer: u32) -> u32 {
    with(activation("frozen"), layer)
}

/// The fingerprint of a layer that has [biases](crate::finetune::BiasOnly) to be stored, and no weights.
pub const fn bias_only(layer: u32) -> u32 {
    with(activation("bias-only"), layer)
}

/// The fingerprint of a layer that inference passes over, as [`Dropout`](crate::Dropout).
pub const NOTHING: u32 = 0;

/// The fingerprint of a layer and the one behind it; one that is [`NOTHING`] does not count.
pub const fn chain(first: u32, second: u32) -> u32 {
    match (first, second) {
        (NOTHING, hash) | (hash, NOTHING) => hash,
        _ => with(first, second),
    }
}

/// FNV-1a's hash of nothing.
pub(crate) const BASIS: u32 = 0x811c_9dc5;

/// FNV-1a's hash of what `hash` is of, and a byte.
pub(crate) const fn fold(hash: u32, byte: u8) -> u32 {
    (hash ^ byte as u32).wrapping_mul(0x0100_0193)
}
