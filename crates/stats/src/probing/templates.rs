//! Texts that are one template filled in again and again.

use std::collections::HashMap;

use super::client_probe::hash;

/// Templates a place in the tree, and in all.
const MOST_A_LEAF: usize = 64;
const MOST_TEMPLATES: usize = 4096;
/// Tokens of a text that are looked at.
const MOST_TOKENS: usize = 256;
/// The share of equal tokens from which on a text belongs to a template.
const LEAST_EQUAL: f64 = 0.5;

/// Sorts the texts of one client into token templates with slots.
///
/// A text is cut at white space; a token with a digit is a slot from the start. Texts of as many tokens and the same
/// first token meet in one leaf, and a text joins the template with the largest share of equal tokens if that is at
/// least a half; the tokens that differ become slots. At most 4,096 templates are kept; texts that find no room are
/// counted as their own.
///
/// The share of a client's texts in its largest templates is high for extraction by templates and also for honest
/// applications that fill in a form: it has no false-alarm rate of its own. Rank it among honest clients at the same
/// count of texts ([`crate::outlier::Calibration`]). Slots that take a varying number of words break a template into
/// several, one a length. Cost: `O(tokens)` times the templates of a leaf (64 at most).
/// Reference: He, Zhu, Zheng, Lyu, "Drain", ICWS (2017).
///
/// ```
/// use wardline_stats::probing::Templates;
/// let mut texts = Templates::default();
/// for name in ["a cat", "a dog", "one horse"] {
///     texts.observe(&format!("Say in one word whether {name} can swim"));
/// }
/// texts.observe("Good morning");
/// assert_eq!(texts.largest(1).unwrap().share, 0.75);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Templates {
    leaves: HashMap<(usize, u64), Vec<usize>>,
    templates: Vec<Template>,
    n_texts: u64,
}

#[derive(Clone, Debug)]
struct Template {
    /// Hashes of tokens; a slot is `None`.
    tokens: Vec<Option<u64>>,
    n_texts: u64,
}

/// How much of a client's texts its largest templates take.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TemplateShare {
    /// In `[0, 1]`.
    pub share: f64,
    /// All texts.
    pub n_texts: u64,
    /// All templates.
    pub n_templates: usize,
}

impl Templates {
    /// Takes in a text; the number of its template, or `None` for a text without tokens or where there is no room.
    pub fn observe(&mut self, text: &str) -> Option<usize> {
        self.n_texts += 1;
        let tokens: Vec<Option<u64>> = text.split_whitespace().take(MOST_TOKENS).map(token).collect();
        let first = (*tokens.first()?).unwrap_or(0);
        let leaf = self.leaves.entry((tokens.len(), first)).or_default();
        let equal = |template: &usize| {
            let known = self.templates[*template].tokens.iter().zip(&tokens);
            known.filter(|(mine, theirs)| mine == theirs).count()
        };
        let nearest = leaf
            .iter()
            .map(|template| (equal(template), *template))
            .max_by_key(|(equal, at)| (*equal, usize::MAX - at));
        if let Some((equal, at)) = nearest
            && equal as f64 >= LEAST_EQUAL * tokens.len() as f64
        {
            let template = &mut self.templates[at];
            template.n_texts += 1;
            template
                .tokens
                .iter_mut()
                .zip(&tokens)
                .filter(|(mine, theirs)| mine != theirs)
                .for_each(|(mine, _)| *mine = None);
            return Some(at);
        }
        if leaf.len() >= MOST_A_LEAF || self.templates.len() >= MOST_TEMPLATES {
            return None;
        }
        leaf.push(self.templates.len());
        self.templates.push(Template { tokens, n_texts: 1 });
        Some(self.templates.len() - 1)
    }

    /// The share of the `n` largest templates that at least two texts fill; `None` before the first text.
    #[must_use]
    pub fn largest(&self, n: usize) -> Option<TemplateShare> {
        if self.n_texts == 0 {
            return None;
        }
        let mut sizes: Vec<u64> =
            self.templates.iter().map(|template| template.n_texts).filter(|size| *size >= 2).collect();
        sizes.sort_unstable_by(|a, b| b.cmp(a));
        let inside: u64 = sizes.iter().take(n).sum();
        let share = inside as f64 / self.n_texts as f64;
        Some(TemplateShare { share, n_texts: self.n_texts, n_templates: self.templates.len() })
    }
}

fn token(word: &str) -> Option<u64> {
    let has_digit = word.bytes().any(|byte| byte.is_ascii_digit());
    (!has_digit).then(|| hash(word.bytes().map(u64::from)) | 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SplitMix;

    fn words(random: &mut SplitMix, n: usize) -> String {
        (0..n)
            .map(|_| format!("{} ", char::from(b'a' + random.below(26) as u8).to_string().repeat(1 + random.below(9))))
            .collect()
    }

    #[test]
    fn filled_templates_are_found_and_free_texts_are_not() {
        let mut random = SplitMix::new(1);
        let (mut filled, mut free) = (Templates::default(), Templates::default());
        for number in 0..500 {
            let word = words(&mut random, 1);
            filled.observe(&match number % 2 {
                0 => format!("Translate the word {word} to French and give {number} examples"),
                _ => format!("Is {word} a kind of {} yes or no", words(&mut random, 1)),
            });
            let length = 3 + random.below(20);
            free.observe(&words(&mut random, length));
        }
        assert_eq!(filled.largest(2).unwrap().share, 1.0);
        assert_eq!(filled.largest(9).unwrap().n_templates, 2);
        assert!(free.largest(2).unwrap().share < 0.05, "{:?}", free.largest(2));
    }

    #[test]
    fn memory_is_bounded_and_empty_texts_are_nothing() {
        let mut random = SplitMix::new(2);
        let mut texts = Templates::default();
        assert_eq!(texts.largest(1), None);
        assert_eq!(texts.observe("  "), None);
        for _ in 0..10_000 {
            let length = 1 + random.below(40);
            texts.observe(&words(&mut random, length));
        }
        assert!(texts.templates.len() <= MOST_TEMPLATES);
        let share = texts.largest(usize::MAX).unwrap().share;
        assert!((0.0..=1.0).contains(&share));
    }
}
