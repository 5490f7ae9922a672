//! Windows of slices: a slice with a twentieth of the traffic fills a window in twenty of the whole's.
//!
//! The shortest windows of the whole are added up, slice by slice, until one holds enough events; it is
//! then judged, or kept while learning, and the next one begins.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use wardline_domain::{Span, Timestamp};

use crate::{
    coding::CODES,
    groups::Groups,
    measure::Measure,
    noise::Noise,
    thinned::Thinned,
    window::{CodeCounts, Table},
};

/// A slice's window closes with this many events.
const EVENTS_WANTED: u32 = 200;
/// A slice is followed once learning has seen so many events of it,
const LEAST_SEEN: u32 = 50;
/// and judged if learning ended with so many.
const LEAST_LEARNED: u32 = 300;
/// Most slices of a model, and most pairs of slice and measure, that are followed.
const MOST_SLICES: usize = 24;
const MOST_PAIRS: usize = 512;
/// Most windows of a slice that are kept until learning ends.
const MOST_WINDOWS: usize = 32;
/// A window that takes longer than this to fill says nothing about now.
const MOST_SPAN: Span = 7 * Timestamp::DAY;
/// Where a service runs is no property of its inputs, and versions are judged by themselves.
const NOT_JUDGED: [&str; 1] = ["instance"];

/// A slice that is followed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct SliceTrack {
    /// The window: its start, its end so far, whether it is complete, and its counts by measure.
    pub(crate) start: Option<Timestamp>,
    pub(crate) end: Timestamp,
    pub(crate) is_complete: bool,
    pub(crate) counts: Vec<CodeCounts>,
    pub(crate) events: u32,
    pub(crate) failures: u32,
    /// Windows of the learning period.
    learned: Thinned<Vec<CodeCounts>, MOST_WINDOWS>,
    /// How its windows normally vary, by measure; empty while learning, or if it is not judged.
    pub(crate) noise: Vec<Option<Noise>>,
}

/// Slices of one model that are followed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct SliceWindows {
    tracked: BTreeMap<u16, SliceTrack>,
}

impl SliceWindows {
    /// Slices in order of dimension and value, so that nothing depends on the order in which they were met.
    pub(crate) fn by_name<'a>(&'a self, groups: &'a Groups) -> impl Iterator<Item = (u16, &'a SliceTrack)> + 'a {
        groups.sliced().flat_map(|(_, members)| members).filter_map(|id| Some((id, self.tracked.get(&id)?)))
    }

    /// How many slices are judged.
    pub(crate) fn n_judged(&self) -> usize {
        self.tracked.values().filter(|track| !track.noise.is_empty()).count()
    }

    /// While learning: follows slices that have enough events by now.
    pub(crate) fn discover(&mut self, groups: &Groups, reference: &Table, n_measures: usize) {
        let most = MOST_SLICES.min(MOST_PAIRS / n_measures.max(1));
        for (dimension, members) in groups.sliced() {
            for id in members {
                let is_wanted = !NOT_JUDGED.contains(&dimension) && reference.events(id).0 >= LEAST_SEEN;
                if is_wanted && self.tracked.len() < most && !self.tracked.contains_key(&id) {
                    self.tracked.insert(id, SliceTrack::default());
                }
            }
        }
    }

    /// Adds a window of the whole.
    pub(crate) fn add(&mut self, table: &Table, start: Timestamp, end: Timestamp, is_learning: bool) {
        for (&id, track) in &mut self.tracked {
            track.add(table, id, start, end);
            if track.is_complete && is_learning {
                track.learned.push(|| track.counts.clone());
            }
        }
    }

    /// Learning ends.
    pub(crate) fn finish(&mut self, reference: &Table, measures: &[Measure]) {
        for (&id, track) in &mut self.tracked {
            if reference.events(id).0 >= LEAST_LEARNED {
                let noise_of = |(index, measure): (usize, &Measure)| {
                    let windows = track.learned.kept().iter().filter_map(|window| window.get(index));
                    Noise::learn(&reference.of(index, id), windows, measure.is_numeric())
                };
                track.noise = measures.iter().enumerate().map(noise_of).collect();
            }
            track.learned = Thinned::default();
            track.begin();
        }
        self.tracked.retain(|_, track| !track.noise.is_empty());
    }
}

impl SliceTrack {
    fn begin(&mut self) {
        (self.start, self.is_complete) = (None, false);
        (self.events, self.failures) = (0, 0);
        self.counts.fill([0; CODES]);
    }

    fn add(&mut self, table: &Table, id: u16, start: Timestamp, end: Timestamp) {
        if self.is_complete || self.start.is_some_and(|start| end.since(start) > MOST_SPAN) {
            self.begin();
        }
        let (events, failures) = table.events(id);
        if events == 0 {
            return;
        }
        self.start.get_or_insert(start);
        self.end = end;
        self.events += events;
        self.failures += failures;
        self.counts.resize(table.n_measures().max(self.counts.len()), [0; CODES]);
        for (measure, counts) in self.counts.iter_mut().enumerate() {
            for (mine, more) in counts.iter_mut().zip(table.of(measure, id)) {
                *mine = mine.saturating_add(more);
            }
        }
        self.is_complete = self.events >= EVENTS_WANTED;
    }
}
