//! `--text`, `--text-features` and `--ngrams`: columns of text as hashed n-grams.

use std::str::FromStr;

use clap::Args;
use microdistill_train::dataset::Text;

#[derive(Args, Debug)]
pub(crate) struct TextFlags {
    /// Column of text, turned into features by hashing its character n-grams
    #[arg(long = "text", value_name = "COLUMN")]
    columns: Vec<String>,
    /// Number of features per text column
    #[arg(long, value_name = "N", requires = "columns", default_value_t = 256, value_parser = clap::value_parser!(u32).range(1..=65536))]
    text_features: u32,
    /// Lengths of the shortest and the longest n-grams, in characters
    #[arg(long, value_name = "A-B", requires = "columns", default_value = "1-3")]
    ngrams: Lengths,
}

/// Shortest and longest length, such as `1-3`.
#[derive(Clone, Copy, Debug)]
struct Lengths([u8; 2]);

impl FromStr for Lengths {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (shortest, longest) = text.split_once('-').unwrap_or((text, text));
        match (shortest.parse(), longest.parse()) {
            (Ok(shortest), Ok(longest)) if 1 <= shortest && shortest <= longest => {
                Ok(Lengths([shortest, longest]))
            }
            _ => Err("it must be the shortest and the longest length, from 1 to 255, such as 1-3".into()),
        }
    }
}

impl TextFlags {
    /// The columns asked for.
    pub(crate) fn columns(&self) -> Vec<Text> {
        let text = |column: &String| Text {
            column: column.clone(),
            lengths: self.ngrams.0,
            features: self.text_features as usize,
        };
        self.columns.iter().map(text).collect()
    }
}
