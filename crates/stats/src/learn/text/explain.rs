//! What in a text speaks for a class.

use std::collections::HashMap;

use super::TextClassifier;
use super::grams::{Gram, for_each_gram};
use super::row::{TextRow, place};

/// What an n-gram of a text adds to the margin of a class.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TextWeight {
    /// The bytes of its first place in the text; other places may differ in case and space.
    pub start: usize,
    /// One past its last byte.
    pub end: usize,
    /// How often it is there.
    pub times: u32,
    /// What all its places add to the class's margin (log-odds for two classes); below zero if it speaks
    /// against the class. N-grams that share a bucket share its weight.
    pub weight: f64,
}

impl TextClassifier {
    /// The `most` n-grams that weigh most for or against a class, the heaviest first.
    ///
    /// The weights of all n-grams and the intercept add up to the margin. Overlapping n-grams share what a word says:
    /// read them together. Cost: `O(n log n)` of the n-grams, with allocations. `None` for no such class.
    #[must_use]
    pub fn explain(&self, text: &str, class: u32, most: usize) -> Option<Vec<TextWeight>> {
        if class >= self.classes {
            return None;
        }
        let (output, direction) =
            if self.classes == 2 { (0, [-1.0, 1.0][class as usize]) } else { (class as usize, 1.0) };
        let bits = self.settings.bits;
        let mut grams: Vec<Gram> = Vec::new();
        let mut counts: HashMap<u32, f64> = HashMap::new();
        for_each_gram(text, &self.settings, |gram| {
            let (bucket, sign) = place(gram.hash, bits);
            *counts.entry(bucket).or_default() += f64::from(sign);
            grams.push(gram);
        });
        let mut row = TextRow::new();
        row.fill(text, &self.settings);
        // What one place with a positive sign adds.
        let of_bucket = |(bucket, value): &(u32, f64)| {
            let weight = self.model.weight(*bucket, output)?;
            Some((*bucket, direction * weight * value / counts.get(bucket)?))
        };
        let shares: HashMap<u32, f64> = row.entries().iter().filter_map(of_bucket).collect();
        grams.sort_by_key(|gram| (gram.hash, gram.start));
        let mut weights: Vec<TextWeight> = grams
            .chunk_by(|a, b| a.hash == b.hash)
            .map(|same| {
                let (bucket, sign) = place(same[0].hash, bits);
                let share = shares.get(&bucket).copied().unwrap_or(0.0);
                let weight = f64::from(sign) * share * same.len() as f64;
                TextWeight { start: same[0].start, end: same[0].end, times: same.len() as u32, weight }
            })
            .collect();
        weights.sort_by(|a, b| b.weight.abs().total_cmp(&a.weight.abs()).then(a.start.cmp(&b.start)));
        weights.truncate(most);
        Some(weights)
    }
}
