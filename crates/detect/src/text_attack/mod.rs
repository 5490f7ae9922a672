//! How much a text looks like an attack on a language model: prompt injection, jailbreaks and what goes with them.
//!
//! Words and phrases of eleven languages stand for concepts, and concepts near each other
//! for intents (`intents.rs`), after disguises were taken off (`fold.rs`) and other notations read (`decode.rs`).
//! Talk about attacks, quotes and tales count less. All of it is written down here; nothing is learned from a corpus.
//!
//! The score is in points and means nothing by itself: it is ranked among the usual texts of a model.

mod characters;
mod concepts;
mod decode;
mod fold;
mod intents;
mod lexicon;
#[cfg(test)]
mod tests;

use concepts::Hit;
pub use fold::{Hiding, Traces};
pub use intents::Intent;
use intents::Points;

/// Of longer texts, the beginning and the end are read.
const MOST_BYTES: usize = 24_576;
const END_BYTES: usize = 8_192;
/// An instruction that was hidden is worth so many points more.
const HIDDEN_MORE: f32 = 1.5;
/// Points of a hidden text that count as an instruction.
const LEAST_HIDDEN: f32 = 2.5;
/// How much the second, third and fourth intent add to the first.
const MORE_INTENTS: [f32; 4] = [1.0, 0.4, 0.25, 0.15];

/// What was read from a text.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Reading {
    /// How much it looks like an attack.
    pub score: f32,
    points: Points,
    /// Traces of disguise.
    pub traces: Traces,
    /// How an instruction was hidden, where one was.
    pub hidden: Option<Hiding>,
    /// Whether anything was written in another notation.
    pub has_notation: bool,
}

impl Reading {
    /// Its intents, the strongest first.
    pub fn intents(&self) -> impl Iterator<Item = Intent> {
        let mut found: Vec<Intent> =
            Intent::ALL.into_iter().filter(|intent| self.points[*intent as usize] >= 2.0).collect();
        found.sort_by(|left, right| self.points[*right as usize].total_cmp(&self.points[*left as usize]));
        found.into_iter()
    }

    /// Points of one intent.
    pub const fn points(&self, intent: Intent) -> f32 {
        self.points[intent as usize]
    }
}

/// Reads texts, in space that is used again.
#[derive(Debug, Default)]
pub struct Reader {
    hits: Vec<Hit>,
}

impl Reader {
    /// Reads a text: some tens of microseconds for a paragraph, in proportion to its length, of which 32 KiB are read.
    pub fn read(&mut self, text: &str) -> Reading {
        if text.len() <= MOST_BYTES + END_BYTES {
            return self.read_part(text);
        }
        let beginning = self.read_part(&text[..text.floor_char_boundary(MOST_BYTES)]);
        let end = self.read_part(&text[text.ceil_char_boundary(text.len() - END_BYTES)..]);
        if end.score > beginning.score { end } else { beginning }
    }

    fn read_part(&mut self, text: &str) -> Reading {
        let mut folded = fold::fold(text);
        decode::reveal(text, &mut folded);
        concepts::hits(&folded.text, true, &mut self.hits);
        let mut points = intents::points(&folded.text, &self.hits);
        let mut reading = Reading { traces: folded.traces, ..Reading::default() };
        for (how, hidden) in &folded.hidden {
            reading.has_notation |= is_notation(*how);
            concepts::hits(hidden, *how != Hiding::Spaced, &mut self.hits);
            let within = intents::points(hidden, &self.hits);
            let most = within.iter().fold(0.0_f32, |most, points| most.max(*points));
            if most >= LEAST_HIDDEN {
                reading.hidden = Some(*how);
                for (points, within) in points.iter_mut().zip(within) {
                    *points = points.max(within);
                }
                let encoded = &mut points[Intent::Encoded as usize];
                *encoded = encoded.max(most + HIDDEN_MORE);
            }
        }
        reading.points = points;
        reading.score = added_up(points);
        reading
    }
}

/// Traces of disguise in a text, and whether a part of it is in another notation.
pub(crate) fn disguise(text: &str) -> (Traces, bool) {
    let text = &text[..text.floor_char_boundary(MOST_BYTES)];
    let mut folded = fold::fold(text);
    decode::reveal(text, &mut folded);
    let has_notation = folded.hidden.iter().any(|(how, _)| is_notation(*how));
    (folded.traces, has_notation)
}

/// Whether it takes a table to read, rather than another way of looking.
const fn is_notation(how: Hiding) -> bool {
    !matches!(how, Hiding::Spaced | Hiding::Rotated | Hiding::Reversed | Hiding::Invisible | Hiding::Escapes)
}

fn added_up(mut points: Points) -> f32 {
    points.sort_by(|left, right| right.total_cmp(left));
    points.iter().zip(MORE_INTENTS).map(|(points, weight)| points.max(0.0) * weight).sum()
}
