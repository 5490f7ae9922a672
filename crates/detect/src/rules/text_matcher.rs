//! Every text test of one field at once: exact values by one look-up, parts by one pass of Aho-Corasick.

use std::net::IpAddr;

use aho_corasick::AhoCorasick;
use regex::Regex;
use rustc_hash::FxHashMap;

use super::{
    error::RuleFault,
    predicate::{Compare, Test, in_network, number_of},
    text_pattern::{Piece, TextPattern, folded},
};

/// Where a part must be found.
#[derive(Clone, Copy, Debug)]
enum Anchor {
    Start,
    End,
    Within,
    /// Only then is the pattern with wildcards tried that holds it.
    Wildcard(usize),
}

/// Tests that share the treatment of case.
#[derive(Debug, Default)]
struct Patterns {
    exact: FxHashMap<String, Vec<u32>>,
    /// Exact values that hold for numbers in digits as well.
    exact_digits: FxHashMap<String, Vec<u32>>,
    parts: Vec<(String, u32, Anchor)>,
    automaton: Option<AhoCorasick>,
    wildcards: Vec<(u32, TextPattern)>,
    /// Wildcards without any text to look for.
    bare: Vec<usize>,
}

/// The text tests of one field. Numbers are those of predicates.
#[derive(Debug, Default)]
pub(crate) struct TextMatcher {
    folded: Patterns,
    cased: Patterns,
    regexes: Vec<(u32, Regex)>,
    compares: Vec<(u32, Compare, f64)>,
    networks: Vec<(u32, IpAddr, u8)>,
}

/// Most bytes of a compiled regular expression.
const MOST_REGEX_BYTES: usize = 1 << 20;

/// Compiles a regular expression within bounds.
pub(crate) fn regex(pattern: &str) -> Result<Regex, RuleFault> {
    regex::RegexBuilder::new(pattern)
        .size_limit(MOST_REGEX_BYTES)
        .build()
        .map_err(|error| RuleFault::Regex(error.to_string().lines().last().unwrap_or_default().to_owned()))
}

impl TextMatcher {
    /// Adds a predicate's test, where it is one of text.
    pub(crate) fn add(&mut self, predicate: u32, test: &Test) {
        match test {
            Test::Equal { text, cased, .. } => {
                self.patterns(*cased).exact.entry(text.clone()).or_default().push(predicate);
            }
            Test::Text { pattern, cased } => self.patterns(*cased).add(predicate, pattern),
            Test::Regex(pattern) => self.regexes.extend(regex(pattern).ok().map(|regex| (predicate, regex))),
            Test::Compare(compare, number) => self.compares.push((predicate, *compare, number.get())),
            Test::Network(address, prefix) => self.networks.push((predicate, *address, *prefix)),
            Test::Null | Test::Exists | Test::TimePart(..) | Test::Same { .. } => {}
        }
    }

    const fn patterns(&mut self, cased: bool) -> &mut Patterns {
        if cased { &mut self.cased } else { &mut self.folded }
    }

    /// Makes the automata, once everything was added.
    pub(crate) fn finish(&mut self) {
        self.folded.finish(true);
        self.cased.finish(false);
    }

    /// Whether any test looks at the digits of a number.
    pub(crate) fn has_patterns(&self) -> bool {
        self.folded.has_patterns() || self.cased.has_patterns() || !self.regexes.is_empty()
    }

    /// Predicates that hold for a text; one may come twice.
    pub(crate) fn matches(&self, text: &str, found: &mut Vec<u32>) {
        self.pattern_matches(text, found);
        self.cased.equal(text, found);
        if !self.folded.exact.is_empty() {
            if text.bytes().any(|byte| byte.is_ascii_uppercase() || !byte.is_ascii()) {
                self.folded.equal(&folded(text), found);
            } else {
                self.folded.equal(text, found);
            }
        }
        if !self.compares.is_empty()
            && let Some(number) = number_of(text)
        {
            let hold = self.compares.iter().filter(|(_, compare, limit)| compare.holds(number, *limit));
            found.extend(hold.map(|(predicate, ..)| *predicate));
        }
        if !self.networks.is_empty()
            && let Ok(address) = text.parse::<IpAddr>()
        {
            let hold = self.networks.iter().filter(|(_, network, prefix)| in_network(address, *network, *prefix));
            found.extend(hold.map(|(predicate, ..)| *predicate));
        }
    }

    /// Patterns and regular expressions alone, as for a number in digits.
    pub(crate) fn pattern_matches(&self, text: &str, found: &mut Vec<u32>) {
        self.cased.matches(text, found);
        if self.folded.has_patterns() {
            if text.is_ascii() && self.folded.wildcards.is_empty() && self.folded.exact_digits.is_empty() {
                // The automaton itself does not care about the case of ASCII.
                self.folded.matches(text, found);
            } else {
                self.folded.matches(&folded(text), found);
            }
        }
        found.extend(self.regexes.iter().filter(|(_, regex)| regex.is_match(text)).map(|(predicate, _)| *predicate));
    }
}

impl Patterns {
    fn add(&mut self, predicate: u32, pattern: &TextPattern) {
        match pattern {
            TextPattern::Exact(text) => self.exact_digits.entry(text.clone()).or_default().push(predicate),
            TextPattern::Starts(text) => self.parts.push((text.clone(), predicate, Anchor::Start)),
            TextPattern::Ends(text) => self.parts.push((text.clone(), predicate, Anchor::End)),
            TextPattern::Contains(text) => self.parts.push((text.clone(), predicate, Anchor::Within)),
            TextPattern::Anything => {
                self.bare.push(self.wildcards.len());
                self.wildcards.push((predicate, pattern.clone()));
            }
            TextPattern::Wildcard(pieces) => {
                let plain = pieces.iter().filter_map(|piece| match piece {
                    Piece::Plain(text) => Some(text),
                    Piece::One | Piece::Any => None,
                });
                let place = self.wildcards.len();
                match plain.max_by_key(|text| text.len()) {
                    Some(longest) => self.parts.push((longest.clone(), predicate, Anchor::Wildcard(place))),
                    None => self.bare.push(place),
                }
                self.wildcards.push((predicate, pattern.clone()));
            }
        }
    }

    fn finish(&mut self, fold: bool) {
        if self.parts.is_empty() {
            return;
        }
        let texts = self.parts.iter().map(|(text, ..)| text.as_bytes());
        // The patterns of a few rules always fit; were it otherwise, each part would be looked for by itself.
        self.automaton = AhoCorasick::builder().ascii_case_insensitive(fold).build(texts).ok();
    }

    fn has_patterns(&self) -> bool {
        !self.parts.is_empty() || !self.wildcards.is_empty() || !self.exact_digits.is_empty()
    }

    fn equal(&self, text: &str, found: &mut Vec<u32>) {
        if let Some(predicates) = self.exact.get(text) {
            found.extend_from_slice(predicates);
        }
    }

    fn matches(&self, text: &str, found: &mut Vec<u32>) {
        if let Some(predicates) = self.exact_digits.get(text) {
            found.extend_from_slice(predicates);
        }
        let mut take = |part: usize, start: usize, end: usize| {
            let (_, predicate, anchor) = &self.parts[part];
            let holds = match anchor {
                Anchor::Start => start == 0,
                Anchor::End => end == text.len(),
                Anchor::Within => true,
                Anchor::Wildcard(place) => self.wildcards[*place].1.matches(text),
            };
            if holds && found.last() != Some(predicate) {
                found.push(*predicate);
            }
        };
        match &self.automaton {
            Some(automaton) => automaton
                .find_overlapping_iter(text)
                .for_each(|hit| take(hit.pattern().as_usize(), hit.start(), hit.end())),
            None => {
                for (index, (part, ..)) in self.parts.iter().enumerate() {
                    text.match_indices(part.as_str()).for_each(|(start, hit)| take(index, start, start + hit.len()));
                }
            }
        }
        for &place in &self.bare {
            let (predicate, pattern) = &self.wildcards[place];
            if pattern.matches(text) {
                found.push(*predicate);
            }
        }
    }
}
