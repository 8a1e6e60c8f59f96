//! Text features: golden vectors and general properties.

use microdistill::text::{NGrams, ngrams};
use proptest::prelude::*;

#[test]
fn features_equal_the_golden_ones() {
    // Counted by a program in another language, written from the documentation.
    let golden = |counts: &[i8]| -> Vec<f32> {
        let squares: f32 = counts.iter().map(|&count| f32::from(count).powi(2)).sum();
        counts.iter().map(|&count| f32::from(count) / squares.sqrt()).collect()
    };
    let counts = [-3, 1, -2, -1, 1, 1, 0, -4];
    assert_eq!(NGrams::<8>::new(1, 3).features("Straße").as_slice(), golden(&counts));
    let counts = [-3, 2, 1, 0, -1, 2, -2, -1, -2, 1, -2, 0];
    assert_eq!(NGrams::<12>::new(2, 4).features("the Quick\tÄrger").as_slice(), golden(&counts));
}

#[test]
fn a_text_without_ngrams_is_zero() {
    assert_eq!(NGrams::<4>::new(1, 3).features(" \t\n"), [0.0; 4]);
    assert_eq!(NGrams::<4>::new(3, 1).features("word"), [0.0; 4]);
    assert_eq!(NGrams::<4>::new(9, 9).features("word"), [0.0; 4]);
    assert_eq!(NGrams::<0>::new(1, 3).features("word"), [0.0; 0]);
}

proptest! {
    #[test]
    fn features_have_length_one_for_any_bytes(text: Vec<u8>, lengths: [u8; 2]) {
        let features = NGrams::<16> { shortest: lengths[0], longest: lengths[1] }.features(&text);
        let length: f32 = features.iter().map(|x| x * x).sum();
        prop_assert!(length == 0.0 || (length - 1.0).abs() < 1e-5, "{}", length);
    }

    #[test]
    fn word_order_and_capitals_make_no_difference(mut words in prop::collection::vec("[a-zéA-Z]{1,8}", 0..6)) {
        let features = NGrams::<64>::new(1, 4).features(words.join(" "));
        words.reverse();
        let mut other = [f32::NAN; 64];
        ngrams(words.join("\r\n ").to_ascii_uppercase().as_bytes(), [1, 4], &mut other);
        prop_assert_eq!(features, other);
    }
}
