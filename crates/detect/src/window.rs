//! Windows: counts of codes by measure and group over a closed stretch of time, at several lengths.
//!
//! A short window is counted once and added into the next longer one when it closes, so every length
//! costs little. Lengths follow the model's volume: the shortest that holds a few hundred events, then
//! the hour, the day and the week, as far as the learning period has enough of them to know how they vary.

use serde::{Deserialize, Serialize};
use wardline_domain::{Span, Timestamp};

use crate::{coding::CODES, thinned::Thinned};

/// Counts of a measure's codes.
pub(crate) type CodeCounts = [u32; CODES];

/// Lengths that the shortest windows may have.
const SHORTEST: [Span; 7] = [
    Timestamp::MINUTE,
    5 * Timestamp::MINUTE,
    15 * Timestamp::MINUTE,
    Timestamp::HOUR,
    4 * Timestamp::HOUR,
    12 * Timestamp::HOUR,
    Timestamp::DAY,
];
/// Lengths that longer windows may have, each at least four times the one before.
const LONGER: [Span; 3] = [Timestamp::HOUR, Timestamp::DAY, 7 * Timestamp::DAY];
/// A window should hold so many events, so that 25 codes have eight each.
const EVENTS_WANTED: f64 = 200.0;
/// Fewer windows in the learning period than this do not say how windows vary.
pub(crate) const LEAST_WINDOWS: usize = 5;
/// Most windows of one length that are kept until learning ends.
const MOST_WINDOWS: usize = 192;

/// Counts of codes by measure and group.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Table {
    /// By measure: the codes of group 0, of group 1, and so on.
    counts: Vec<Vec<u32>>,
    /// Events by group, and how many of them failed.
    events: Vec<(u32, u32)>,
}

impl Table {
    /// Makes room.
    pub(crate) fn grow(&mut self, n_measures: usize, n_groups: usize) {
        if self.counts.len() < n_measures {
            self.counts.resize_with(n_measures, Vec::new);
        }
        for counts in &mut self.counts {
            if counts.len() < n_groups * CODES {
                counts.resize(n_groups * CODES, 0);
            }
        }
        if self.events.len() < n_groups {
            self.events.resize(n_groups, (0, 0));
        }
    }

    /// Counts one event of a group.
    pub(crate) fn count_event(&mut self, group: u16, failed: bool) {
        let (events, failures) = &mut self.events[group as usize];
        *events += 1;
        *failures += u32::from(failed);
    }

    /// Counts the codes of rows, all in one group.
    pub(crate) fn count_whole(&mut self, measure: usize, codes: &[u8]) {
        let counts = &mut self.counts[measure];
        for &code in codes {
            counts[code as usize & (CODES - 1)] += 1;
        }
    }

    /// Counts the codes of rows, each in its group.
    pub(crate) fn count_groups(&mut self, measure: usize, codes: &[u8], groups: &[u16]) {
        let counts = &mut self.counts[measure];
        for (&code, &group) in codes.iter().zip(groups) {
            counts[group as usize * CODES + (code as usize & (CODES - 1))] += 1;
        }
    }

    /// Adds another table.
    pub(crate) fn add(&mut self, other: &Self) {
        self.grow(other.counts.len(), other.events.len());
        for (mine, theirs) in self.counts.iter_mut().zip(&other.counts) {
            for (mine, theirs) in mine.iter_mut().zip(theirs) {
                *mine = mine.saturating_add(*theirs);
            }
        }
        for (mine, theirs) in self.events.iter_mut().zip(&other.events) {
            mine.0 += theirs.0;
            mine.1 += theirs.1;
        }
    }

    /// Empties it.
    pub(crate) fn clear(&mut self) {
        self.counts.iter_mut().for_each(|counts| counts.fill(0));
        self.events.fill((0, 0));
    }

    /// Counts of a measure's codes in a group.
    pub(crate) fn of(&self, measure: usize, group: u16) -> CodeCounts {
        let start = group as usize * CODES;
        let found = self.counts.get(measure).and_then(|counts| counts.get(start..start + CODES));
        found.and_then(|counts| counts.try_into().ok()).unwrap_or([0; CODES])
    }

    /// Events of a group, and how many of them failed.
    pub(crate) fn events(&self, group: u16) -> (u32, u32) {
        self.events.get(group as usize).copied().unwrap_or_default()
    }

    /// How many measures it counts.
    pub(crate) const fn n_measures(&self) -> usize {
        self.counts.len()
    }
}

/// Windows of one length.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Scale {
    /// Their length.
    pub(crate) span: Span,
    /// Start of the open one.
    pub(crate) open: Option<Timestamp>,
    /// Counts of the open one.
    pub(crate) table: Table,
    /// Windows of the learning period: counts of the whole traffic by measure.
    pub(crate) learned: Thinned<Vec<CodeCounts>, MOST_WINDOWS>,
}

impl Scale {
    fn new(span: Span) -> Self {
        Self { span, open: None, table: Table::default(), learned: Thinned::default() }
    }

    /// Keeps the open window as one of the learning period's.
    pub(crate) fn keep(&mut self) {
        if self.open.is_some() {
            let table = &self.table;
            self.learned.push(|| (0..table.n_measures()).map(|measure| table.of(measure, 0)).collect());
        }
    }

    /// When the open window ends.
    pub(crate) fn ends(&self) -> Option<Timestamp> {
        self.open.map(|start| start.plus(self.span))
    }
}

/// The lengths for a volume and a learning period that still has `span` to go.
pub(crate) fn scales_for(events_per_second: f64, span: Span) -> Vec<Scale> {
    let events = |length: Span| events_per_second * length as f64 / Timestamp::SECOND as f64;
    let fits = |length: Span| length.saturating_mul(LEAST_WINDOWS as i64) <= span;
    let shortest = SHORTEST.into_iter().find(|&length| events(length) >= EVENTS_WANTED).unwrap_or(Timestamp::DAY);
    let mut lengths = vec![shortest];
    for length in LONGER {
        if lengths.last().is_some_and(|&last| length >= 4 * last) && fits(length) {
            lengths.push(length);
        }
    }
    lengths.into_iter().map(Scale::new).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_follow_volume_and_learning() {
        let spans = |rate: f64, days: i64| -> Vec<Span> {
            scales_for(rate, days * Timestamp::DAY).iter().map(|scale| scale.span).collect()
        };
        assert_eq!(spans(100.0, 14), [Timestamp::MINUTE, Timestamp::HOUR, Timestamp::DAY]);
        assert_eq!(spans(250.0 / 86_400.0, 14), [Timestamp::DAY]);
        assert_eq!(spans(250.0 / 86_400.0, 40), [Timestamp::DAY, 7 * Timestamp::DAY]);
        assert_eq!(spans(2_000.0 / 86_400.0, 14), [4 * Timestamp::HOUR, Timestamp::DAY]);
        assert_eq!(spans(2.0, 0), [5 * Timestamp::MINUTE]);
    }
}
