//! The word and character n-grams of a text, one after the other, without a copy of the text.

use crate::text_hash::TextHash;

use super::TextSettings;

/// Words or characters in a row at most.
pub(super) const LONGEST: usize = 8;

/// An n-gram: its hash, and the bytes of the text that it spans.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Gram {
    pub(super) hash: u64,
    pub(super) start: usize,
    pub(super) end: usize,
}

#[derive(Clone, Copy, Default)]
struct Letter {
    letter: char,
    start: usize,
}

/// Calls `found` with every n-gram.
///
/// Words are runs of letters and digits, lower-cased; several in a row are hashed as the hashes of each.
/// Runs of characters are hashed from the last to the first, over the lower-cased text with each run of
/// white space as one space, and a space before the first and after the last; within words, those are the
/// spaces around each run of other characters, and no run spans two of them.
pub(super) fn for_each_gram(text: &str, settings: &TextSettings, mut found: impl FnMut(Gram)) {
    let mut words = Words::new(settings.words as usize);
    let mut letters = Letters::new(settings);
    letters.push(' ', 0, 0, &mut found);
    for (start, original) in text.char_indices() {
        let end = start + original.len_utf8();
        if original.is_ascii() {
            words.push(original.to_ascii_lowercase(), start, &mut found);
            letters.push(original.to_ascii_lowercase(), start, end, &mut found);
        } else {
            for letter in original.to_lowercase() {
                words.push(letter, start, &mut found);
                letters.push(letter, start, end, &mut found);
            }
        }
    }
    words.push(' ', text.len(), &mut found);
    letters.push(' ', text.len(), text.len(), &mut found);
}

struct Words {
    most: usize,
    hash: TextHash,
    start: usize,
    in_word: bool,
    /// Hash and start of the words before, the last first.
    before: [(u64, usize); LONGEST],
    count: usize,
}

impl Words {
    fn new(most: usize) -> Self {
        Self { most, hash: TextHash::WORD, start: 0, in_word: false, before: [(0, 0); LONGEST], count: 0 }
    }

    fn push(&mut self, letter: char, start: usize, found: &mut impl FnMut(Gram)) {
        if letter.is_alphanumeric() {
            if !self.in_word {
                (self.in_word, self.hash, self.start) = (true, TextHash::WORD, start);
            }
            self.hash.add(letter);
        } else if self.in_word {
            self.in_word = false;
            if self.most > 0 {
                self.end_word(start, found);
            }
        }
    }

    fn end_word(&mut self, end: usize, found: &mut impl FnMut(Gram)) {
        self.before.copy_within(0..LONGEST - 1, 1);
        self.before[0] = (self.hash.mixed(), self.start);
        self.count = (self.count + 1).min(self.most);
        found(Gram { hash: self.before[0].0, start: self.start, end });
        let mut row = TextHash::WORD;
        row.add_number(self.before[0].0);
        for (hash, start) in &self.before[1..self.count] {
            row.add_number(*hash);
            found(Gram { hash: row.mixed(), start: *start, end });
        }
    }
}

struct Letters {
    shortest: usize,
    longest: usize,
    within_words: bool,
    /// The last first.
    before: [Letter; LONGEST],
    count: usize,
}

impl Letters {
    fn new(settings: &TextSettings) -> Self {
        let (shortest, longest) = settings.letters.map_or((1, 0), |[low, high]| (low as usize, high as usize));
        let before = [Letter::default(); LONGEST];
        Self { shortest, longest, within_words: settings.within_words, before, count: 0 }
    }

    fn push(&mut self, letter: char, start: usize, end: usize, found: &mut impl FnMut(Gram)) {
        let letter = if letter.is_whitespace() { ' ' } else { letter };
        if self.longest == 0 || letter == ' ' && self.count > 0 && self.before[0].letter == ' ' {
            return;
        }
        self.before.copy_within(0..LONGEST - 1, 1);
        self.before[0] = Letter { letter, start };
        self.count = (self.count + 1).min(self.longest);
        let mut row = TextHash::LETTERS;
        for (at, letter) in self.before[..self.count].iter().enumerate() {
            row.add(letter.letter);
            if self.shortest <= at + 1 {
                found(Gram { hash: row.mixed(), start: letter.start, end });
            }
        }
        if letter == ' ' && self.within_words {
            self.count = 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spans<'a>(text: &'a str, settings: &TextSettings) -> Vec<&'a str> {
        let mut spans = Vec::new();
        for_each_gram(text, settings, |gram| spans.push(&text[gram.start..gram.end]));
        spans
    }

    #[test]
    fn words_in_a_row() {
        let settings = TextSettings { words: 2, letters: None, ..TextSettings::default() };
        assert_eq!(spans("Loan, was  declined", &settings), ["Loan", "was", "Loan, was", "declined", "was  declined"]);
        assert!(spans(" -- ", &settings).is_empty());
    }

    #[test]
    fn letters_within_words_and_over_the_text() {
        let mut settings = TextSettings { words: 0, letters: Some([3, 3]), ..TextSettings::default() };
        assert_eq!(spans("ab  cd", &settings), ["ab", "ab ", "  cd", "cd"]);
        settings.within_words = false;
        assert_eq!(spans("ab  cd", &settings), ["ab", "ab ", "b  c", "  cd", "cd"]);
        // What a letter becomes when lower-cased keeps the place of the letter.
        assert_eq!(spans("İ", &settings), ["İ", "İ"]);
    }

    #[test]
    fn case_and_space_do_not_matter_and_order_does() {
        let settings = TextSettings::default();
        let hashes = |text: &str| {
            let mut hashes = Vec::new();
            for_each_gram(text, &settings, |gram| hashes.push(gram.hash));
            hashes
        };
        assert_eq!(hashes("Ignore  ALL rules"), hashes("ignore all\nrules"));
        assert_ne!(hashes("ab"), hashes("ba"));
    }
}
