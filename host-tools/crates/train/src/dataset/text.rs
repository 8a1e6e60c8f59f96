//! A column of text as hashed character n-grams.

use microdistill::text::ngrams;

/// Encoding of a text column as features. Their names tell it, as those of categories do, so that a model's
/// names are enough
/// to read another file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// Its name.
    pub column: String,
    /// Characters of the shortest n-grams and of the longest.
    pub lengths: [u8; 2],
    /// Number of features.
    pub features: usize,
}

impl Text {
    /// `word:1-3-grams:17/256`: the eighteenth of 256 features of the column `word`.
    pub(super) fn name(&self, index: usize) -> String {
        let Text { column, lengths: [shortest, longest], features } = self;
        format!("{column}:{shortest}-{longest}-grams:{index}/{features}")
    }

    /// The text column behind a feature's name, if there is one, and which of its features it is.
    fn parse(name: &str) -> Option<(Self, usize)> {
        let (rest, place) = name.rsplit_once(':')?;
        let (column, lengths) = rest.rsplit_once(':')?;
        let (index, features) = place.split_once('/')?;
        let (shortest, longest) = lengths.strip_suffix("-grams")?.split_once('-')?;
        let lengths = [shortest.parse().ok()?, longest.parse().ok()?];
        let text = Text { column: column.into(), lengths, features: features.parse().ok()? };
        Some((text, index.parse().ok()?))
    }

    /// The text column that the first of `features` are of, if they are, and the features behind it.
    pub(super) fn first(features: &[String]) -> Option<(Self, &[String])> {
        let (text, _) = Text::parse(features.first()?)?;
        let (own, others) = features.split_at_checked(text.features)?;
        let all = !own.is_empty() && own.iter().enumerate().all(|(index, name)| *name == text.name(index));
        all.then_some((text, others))
    }

    /// The text columns among a model's features, each with the place of its first feature.
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

    /// The features of a text.
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
