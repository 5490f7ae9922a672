//! Codes: a value of a measure as one of 32 small numbers, so that counting is adding to a table.
//!
//! Numbers fall between quantiles of the learning sample, at most 24 of them, so that each code holds
//! about the same share of normal traffic (or one distinct value, where a measure has few). Categories
//! get a code each, the 24 most frequent ones; the rest of the learned ones share one.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Codes of a measure, the special ones included.
pub(crate) const CODES: usize = 32;
/// Most inner edges of numbers, and most categories with a code of their own.
pub(crate) const MAX_INNER: usize = 24;
/// A number below all that was learned.
pub(crate) const BELOW: u8 = 0;
/// A number above all that was learned.
pub(crate) const ABOVE: u8 = 28;
/// A learned category without a code of its own.
pub(crate) const OTHER: u8 = 29;
/// A category that was not learned.
pub(crate) const NEW: u8 = 30;
/// No value.
pub(crate) const NONE: u8 = 31;

/// Most categories that are remembered; beyond that a new one is no news.
pub(crate) const MAX_CATEGORIES: usize = 256;

/// How a measure's values become codes.
#[allow(clippy::large_enum_variant, reason = "there is one a measure, and each is looked at with every batch")]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Coding {
    /// Numbers.
    Numeric(NumericCoding),
    /// Texts and booleans.
    Categorical(CategoricalCoding),
}

/// Codes of numbers: 1 + how many edges are not above the value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct NumericCoding {
    /// Ascending, padded with infinity.
    edges: [f64; CODES],
    /// The least and greatest value that count as learned.
    low: f64,
    high: f64,
}

impl NumericCoding {
    /// From a sample: edges at its quantiles, or between its values where there are few.
    pub(crate) fn from_sample(sample: &[f64]) -> Self {
        let mut sorted = sample.to_vec();
        sorted.sort_by(f64::total_cmp);
        let mut distinct = sorted.clone();
        distinct.dedup();
        let mut found: Vec<f64> = if distinct.len() <= MAX_INNER + 1 {
            distinct.iter().skip(1).copied().collect()
        } else {
            (1..=MAX_INNER).filter_map(|index| sorted.get(index * sorted.len() / (MAX_INNER + 1)).copied()).collect()
        };
        found.dedup();
        // The lowest value is no edge: nothing would lie below it.
        if let (Some(&edge), Some(&least)) = (found.first(), sorted.first())
            && edge <= least
        {
            found.remove(0);
        }
        let mut edges = [f64::INFINITY; CODES];
        for (slot, edge) in edges.iter_mut().zip(found) {
            *slot = edge;
        }
        Self { edges, low: f64::NEG_INFINITY, high: f64::INFINITY }
    }

    /// From here on, values outside the range count as not learned.
    pub(crate) const fn set_range(&mut self, low: f64, high: f64) {
        self.low = low;
        self.high = high;
    }

    /// The code of a value.
    #[inline]
    pub(crate) fn code(&self, value: f64) -> u8 {
        if value.is_nan() {
            return NONE;
        }
        let mut index = 0;
        for step in [16, 8, 4, 2, 1] {
            index += if self.edges[index + step - 1] <= value { step } else { 0 };
        }
        let outside = if value < self.low { BELOW } else { ABOVE };
        if self.low <= value && value <= self.high { 1 + index as u8 } else { outside }
    }

    /// The inner edges.
    pub(crate) fn inner_edges(&self) -> &[f64] {
        let n = self.edges.iter().take_while(|edge| edge.is_finite()).count();
        &self.edges[..n]
    }
}

/// Codes of categories: 1 to 24 by frequency, and what is not among them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct CategoricalCoding {
    of_value: BTreeMap<String, u8>,
    /// Values of codes 1 and up.
    names: Vec<String>,
    /// Whether a value that was not learned is news.
    closed: bool,
}

impl CategoricalCoding {
    /// From counts of a sample.
    pub(crate) fn from_counts(counts: &BTreeMap<String, u64>) -> Self {
        let mut ranked: Vec<(&String, u64)> = counts.iter().map(|(name, &n)| (name, n)).collect();
        ranked.sort_by(|left, right| right.1.cmp(&left.1).then(left.0.cmp(right.0)));
        let names: Vec<String> = ranked.iter().take(MAX_INNER).map(|(name, _)| (*name).clone()).collect();
        let of_value = ranked
            .iter()
            .enumerate()
            .map(|(rank, (name, _))| ((*name).clone(), if rank < MAX_INNER { rank as u8 + 1 } else { OTHER }))
            .collect();
        Self { of_value, names, closed: false }
    }

    /// Adds values that the whole learning showed; from here on an unknown one counts as new, unless
    /// there were so many that a new one is no news.
    pub(crate) fn close(&mut self, counts: &BTreeMap<String, u64>) {
        for name in counts.keys() {
            self.of_value.entry(name.clone()).or_insert(OTHER);
        }
        self.closed = counts.len() < MAX_CATEGORIES;
    }

    /// The code of a value.
    pub(crate) fn code(&self, value: &str) -> u8 {
        self.of_value.get(value).copied().unwrap_or(if self.closed { NEW } else { OTHER })
    }

    /// The value of a code.
    pub(crate) fn name(&self, code: u8) -> &str {
        match code {
            NEW => "values never seen before",
            _ => self.names.get((code as usize).wrapping_sub(1)).map_or("other values", String::as_str),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_holds_about_the_same_share() {
        let sample: Vec<f64> = (0..4_000).map(f64::from).collect();
        let coding = NumericCoding::from_sample(&sample);
        let mut counts = [0_u32; CODES];
        for &value in &sample {
            counts[coding.code(value) as usize] += 1;
        }
        assert!(counts[1..=25].iter().all(|&n| (150..=170).contains(&n)), "{counts:?}");
    }

    #[test]
    fn few_distinct_values_get_a_code_each() {
        let coding = NumericCoding::from_sample(&[-2.0, 0.0, 0.0, 0.0, 1.0, 8.0]);
        let codes: Vec<u8> =
            [-2.0, -1.0, 0.0, 0.5, 1.0, 8.0, 9.0].into_iter().map(|value| coding.code(value)).collect();
        assert_eq!(codes, [1, 1, 2, 2, 3, 4, 4]);
    }

    #[test]
    fn what_was_not_learned_is_told_apart_once_learning_is_over() {
        let mut coding = NumericCoding::from_sample(&[1.0, 2.0, 3.0]);
        coding.set_range(0.0, 4.0);
        assert_eq!((coding.code(-1.0), coding.code(5.0), coding.code(f64::NAN)), (BELOW, ABOVE, NONE));
        let counts = BTreeMap::from([("a".to_owned(), 9), ("b".to_owned(), 10)]);
        let mut coding = CategoricalCoding::from_counts(&counts);
        assert_eq!((coding.code("b"), coding.code("a"), coding.code("c")), (1, 2, OTHER));
        coding.close(&counts);
        assert_eq!(coding.code("c"), NEW);
    }
}
