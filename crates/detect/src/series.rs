//! Series for plots: what a model did over time, in at most a few hundred cells however long it ran.

use serde::{Deserialize, Serialize};
use wardline_domain::{Span, Timestamp};
use wardline_stats::sketch::LogHistogram;

use crate::thinned::Thinned;

/// Most cells; beyond that they are merged in pairs and cover twice the time.
const MOST_CELLS: usize = 512;

/// One stretch of time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SeriesCell {
    /// When it begins.
    pub start: Timestamp,
    /// Events.
    pub events: u64,
    /// Events that failed.
    pub failures: u64,
    /// Sum and count of scores.
    pub score: (f64, u64),
    /// Latencies.
    pub latency_ms: LogHistogram,
}

impl SeriesCell {
    fn new(start: Timestamp) -> Self {
        Self { start, events: 0, failures: 0, score: (0.0, 0), latency_ms: LogHistogram::new() }
    }

    /// Mean score.
    pub fn score_mean(&self) -> Option<f64> {
        (self.score.1 > 0).then(|| self.score.0 / self.score.1 as f64)
    }
}

/// How a window's distributions lay to the baseline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WindowPoint {
    /// When the window begins.
    pub start: Timestamp,
    /// By measure: share of events that would have to move to look like the baseline.
    pub shifts: Vec<(String, f64)>,
    /// By decision: share of predictions, the most frequent in the baseline first.
    pub decisions: Vec<(String, f64)>,
}

/// A model over time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Series {
    /// Length of a cell.
    pub width: Span,
    /// Cells that have events, in order of time.
    pub cells: Vec<SeriesCell>,
    windows: Thinned<WindowPoint, MOST_CELLS>,
}

impl Default for Series {
    fn default() -> Self {
        Self { width: Timestamp::MINUTE, cells: Vec::new(), windows: Thinned::default() }
    }
}

impl Series {
    /// The cell of a moment.
    #[inline]
    pub(crate) fn at(&mut self, time: Timestamp) -> &mut SeriesCell {
        let is_open = |last: &SeriesCell| time < last.start.plus(self.width);
        if !self.cells.last().is_some_and(is_open) {
            let start = time.floor(self.width);
            if self.cells.len() >= MOST_CELLS {
                self.merge_pairs();
                return self.at(time);
            }
            self.cells.push(SeriesCell::new(start));
        }
        let last = self.cells.len() - 1;
        &mut self.cells[last]
    }

    fn merge_pairs(&mut self) {
        self.width *= 2;
        let mut merged: Vec<SeriesCell> = Vec::with_capacity(MOST_CELLS);
        for cell in self.cells.drain(..) {
            let start = cell.start.floor(self.width);
            match merged.last_mut() {
                Some(last) if last.start == start => {
                    last.events += cell.events;
                    last.failures += cell.failures;
                    last.score = (last.score.0 + cell.score.0, last.score.1 + cell.score.1);
                    last.latency_ms.merge(&cell.latency_ms);
                }
                _ => merged.push(SeriesCell { start, ..cell }),
            }
        }
        self.cells = merged;
    }

    /// Windows, in order of time, evenly thinned where there are many.
    pub fn windows(&self) -> &[WindowPoint] {
        self.windows.kept()
    }

    /// Appends a window, unless the thinning leaves it out.
    pub(crate) fn push_window(&mut self, point: impl FnOnce() -> WindowPoint) {
        self.windows.push(point);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_series_stays_small_and_loses_no_event() {
        let mut series = Series::default();
        for minute in 0..10_000 {
            series.at(Timestamp::from_micros(minute * Timestamp::MINUTE)).events += 1;
        }
        assert!(series.cells.len() <= MOST_CELLS);
        assert_eq!(series.cells.iter().map(|cell| cell.events).sum::<u64>(), 10_000);
    }
}
