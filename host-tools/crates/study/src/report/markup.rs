//! Text in which backticks set off what one types.

use serde::Serialize;

use super::number;

/// Words, or what one types.
#[derive(Serialize)]
pub(super) struct Piece {
    text: String,
    code: bool,
}

/// Splits a text at backticks; pieces between them are set as code.
pub(super) fn pieces(text: &str) -> Vec<Piece> {
    let piece = |(i, text): (usize, &str)| Piece { text: number::typographic(text), code: i % 2 == 1 };
    text.split('`').enumerate().map(piece).filter(|piece| !piece.text.is_empty()).collect()
}
