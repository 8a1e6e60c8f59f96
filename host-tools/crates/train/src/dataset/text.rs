//! Text columns, encoded as hashed character n-grams.

use microdistill::text::ngrams;

/// Encoding of a text column as features. The names of the features describe it, as they do for categories, so that a
/// model needs only its feature names to read another file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// Name of the column.
    pub column: String,
    /// Lengths of the shortest and the longest n-grams, in characters.
    pub lengths: [u8; 2],
    /// Number of features.
    pub features: usize,
}

impl Text {
    /// Returns the name of a feature. For example, `word:1-3-grams:17/256` is the feature with index 17 of the 256
    /// features of column `word`.
    pub(super) fn name(&self, index: usize) -> String {
        let Text { column, lengths: [shortest, longest], features } = self;
        format!("{column}:{shortest}-{longest}-grams:{index}/{features}")
    }

    /// Parses the name of a feature. Returns its text column and the index of the feature in it; none for other
    /// features.
    fn parse(name: &str) -> Option<(Self, usize)> {
        let (rest, place) = name.rsplit_once(':')?;
        let (column, lengths) = rest.rsplit_once(':')?;
        let (index, features) = place.split_once('/')?;
        let (shortest, longest) = lengths.strip_suffix("-grams")?.split_once('-')?;
        let lengths = [shortest.parse().ok()?, longest.parse().ok()?];
        let text = Text { column: column.into(), lengths, features: features.parse().ok()? };
        Some((text, index.parse().ok()?))
    }

    /// Returns the text column whose features `features` begins with, and the features after it; none if it begins
    /// otherwise.
    pub(super) fn first(features: &[String]) -> Option<(Self, &[String])> {
        let (text, _) = Text::parse(features.first()?)?;
        let (own, others) = features.split_at_checked(text.features)?;
        let all = !own.is_empty() && own.iter().enumerate().all(|(index, name)| *name == text.name(index));
        all.then_some((text, others))
    }

    /// Returns the text columns among a model's features, each with the index of its first feature.
    pub(crate) fn all(features: &[String]) -> Vec<(usize, Self)> {
        let (mut texts, mut rest) = (Vec::new(), features);
        while let [_, others @ ..] = rest {
            let place = features.len() - rest.len();
            match Text::first(rest) {
                Some((text, behind)) => {
                    texts.push((place, text));
                    rest = behind;
                }
                None => rest = others,
            }
        }
        texts
    }

    /// Returns the features of a text.
    pub(super) fn apply(&self, text: &str) -> Vec<f32> {
        let mut features = vec![0.0; self.features];
        ngrams(text.as_bytes(), self.lengths, &mut features);
        features
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        let text = Text { column: "a:b/c".into(), lengths: [1, 3], features: 256 };
        assert_eq!(text.name(17), "a:b/c:1-3-grams:17/256");
        assert_eq!(Text::parse(&text.name(17)), Some((text, 17)));
        for other in ["a", "a:b", "a:1-3-grams:1", "a:1-3:1/2", "a:1-300-grams:1/2"] {
            assert_eq!(Text::parse(other), None, "{other}");
        }
    }

    #[test]
    fn whole_texts_are_found_among_features() {
        let text = |column: &str, features| Text { column: column.into(), lengths: [2, 4], features };
        let names = |text: &Text| (0..text.features).map(|index| text.name(index)).collect::<Vec<_>>();
        let (a, b) = (text("a", 3), text("b", 2));
        let features = [names(&a), vec!["x".into()], names(&b)].concat();
        assert_eq!(Text::all(&features), [(0, a), (4, b)]);
        assert_eq!(Text::all(&features[1..]).len(), 1, "the first of a's features is missing");
        assert_eq!(Text::all(&features[..5]).len(), 1, "the last of b's features is missing");
        assert_eq!(Text::all(&["a:1-2-grams:0/0".into()]), []);
    }
}
