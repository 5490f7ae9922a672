//! Texts as rows of numbers, so that the tests for rows can compare them.

use crate::text_hash::TextHash;

/// Turns a text into a row by hashing its words and its character triples.
///
/// Each word, and each three characters in a row within the lower-cased, space-normalised text, is
/// hashed to one of `dimensions` places and a sign; counts are dampened by the square root and the row
/// is scaled to length one, so that long texts do not outweigh short ones. Texts that share words or
/// parts of words have a large inner product: with `dimensions` of 256 collisions add about 6 % noise,
/// which averages out over texts. Topics, languages, formats and spelling move the mean; what words
/// *mean* does not: use embeddings for that.
///
/// Cost `O(characters)`; the same text gives the same row on every machine.
/// Reference: Weinberger et al., "Feature Hashing for Large Scale Multitask Learning", ICML (2009).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HashedText {
    dimensions: usize,
}

impl HashedText {
    /// Rows of `dimensions` numbers, `1..=16384`; `None` otherwise.
    #[must_use]
    pub fn new(dimensions: usize) -> Option<Self> {
        (1..=16_384).contains(&dimensions).then_some(Self { dimensions })
    }

    /// Numbers in a row.
    #[must_use]
    pub fn dimensions(&self) -> usize {
        self.dimensions
    }

    /// Appends the row of one text; all zeros for a text without letters or digits.
    pub fn append(&self, text: &str, rows: &mut Vec<f64>) {
        let start = rows.len();
        rows.resize(start + self.dimensions, 0.0);
        let row = &mut rows[start..];
        let mut last = [' '; 2];
        let mut word = TextHash::WORD;
        let mut in_word = false;
        let boundary = std::iter::once(' ');
        for letter in text.chars().flat_map(char::to_lowercase).chain(boundary) {
            if letter.is_alphanumeric() {
                word.add(letter);
                in_word = true;
            } else if in_word {
                self.count(word, row);
                word = TextHash::WORD;
                in_word = false;
            }
            let letter = if letter.is_whitespace() { ' ' } else { letter };
            if letter == ' ' && last[1] == ' ' {
                continue;
            }
            let mut triple = TextHash::LETTERS;
            [last[0], last[1], letter].into_iter().for_each(|letter| triple.add(letter));
            self.count(triple, row);
            last = [last[1], letter];
        }
        row.iter_mut().for_each(|value| *value = value.abs().sqrt().copysign(*value));
        let length = row.iter().map(|value| value * value).sum::<f64>().sqrt();
        if length > 0.0 {
            row.iter_mut().for_each(|value| *value /= length);
        }
    }

    /// The rows of many texts, one after the other.
    #[must_use]
    pub fn rows(&self, texts: &[&str]) -> Vec<f64> {
        let mut rows = Vec::with_capacity(texts.len() * self.dimensions);
        texts.iter().for_each(|text| self.append(text, &mut rows));
        rows
    }

    fn count(&self, hash: TextHash, row: &mut [f64]) {
        let mixed = hash.mixed();
        let place = ((u128::from(mixed) * self.dimensions as u128) >> 64) as usize;
        row[place] += if mixed & 1 == 0 { 1.0 } else { -1.0 };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn likeness(a: &str, b: &str) -> f64 {
        let hashed = HashedText::new(512).unwrap();
        let rows = hashed.rows(&[a, b]);
        let (a, b) = rows.split_at(512);
        a.iter().zip(b).map(|(x, y)| x * y).sum()
    }

    #[test]
    fn texts_that_share_words_are_alike() {
        let near = likeness("the loan was declined by the model", "The model declined  the loan.");
        let far = likeness("the loan was declined by the model", "wir haben Hunger und Durst");
        assert!(near > 0.6 && far < 0.3, "{near} {far}");
        assert!((likeness("Same text", "same   TEXT") - 1.0).abs() < 1e-12);
    }

    #[test]
    fn any_text_gives_numbers() {
        let hashed = HashedText::new(16).unwrap();
        for text in ["", " ", "\u{0}", "ß", "日本語のテキスト", "👩‍👩‍👧", &"a".repeat(100_000)] {
            let rows = hashed.rows(&[text]);
            assert!(rows.len() == 16 && rows.iter().all(|value| value.is_finite()));
        }
        assert_eq!(HashedText::new(0), None);
    }
}
