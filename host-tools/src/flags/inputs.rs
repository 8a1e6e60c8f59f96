//! `--inputs`

use std::str::FromStr;

use microdistill_train::dataset::MOST_PIECES;
use microdistill_train::student::Inputs;

/// Form of a student's inputs; none to choose it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct InputsFlag(pub(crate) Option<Inputs>);

impl FromStr for InputsFlag {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "standardized" {
            return Ok(InputsFlag(Some(Inputs::Standardized)));
        }
        if text == "auto" {
            return Ok(InputsFlag(None));
        }
        let pieces = text.strip_prefix("pieces:").and_then(|pieces| pieces.parse().ok());
        match pieces.filter(|pieces| (1..=MOST_PIECES).contains(pieces)) {
            Some(pieces) => Ok(InputsFlag(Some(Inputs::Pieces(pieces)))),
            None => Err(format!(
                "it must be standardized, auto, or pieces:N for 1 to {MOST_PIECES} pieces per feature, such as pieces:6"
            )),
        }
    }
}
