//! Latencies of the recent past by minute and version, from which findings quote percentiles.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use wardline_domain::Timestamp;
use wardline_stats::sketch::LogHistogram;

/// Most cells that are kept.
const MOST_CELLS: usize = 240;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Cell {
    start: Timestamp,
    version: u16,
    latency_ms: LogHistogram,
}

/// Latencies by minute and version.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct RecentLatency {
    cells: VecDeque<Cell>,
}

impl RecentLatency {
    /// Takes one latency; `minute` never goes back.
    #[inline]
    pub(crate) fn insert(&mut self, minute: Timestamp, version: u16, latency_ms: f64) {
        if let Some(last) = self.cells.back_mut()
            && last.start == minute
            && last.version == version
        {
            last.latency_ms.insert(latency_ms);
            return;
        }
        self.insert_elsewhere(minute, version, latency_ms);
    }

    fn insert_elsewhere(&mut self, minute: Timestamp, version: u16, latency_ms: f64) {
        let open =
            self.cells.iter_mut().rev().take_while(|cell| cell.start == minute).find(|cell| cell.version == version);
        if let Some(cell) = open {
            cell.latency_ms.insert(latency_ms);
            return;
        }
        if self.cells.len() >= MOST_CELLS {
            self.cells.pop_front();
        }
        let mut cell = Cell { start: minute, version, latency_ms: LogHistogram::new() };
        cell.latency_ms.insert(latency_ms);
        self.cells.push_back(cell);
    }

    /// The earliest minute that is kept.
    pub(crate) fn begins(&self) -> Option<Timestamp> {
        self.cells.front().map(|cell| cell.start)
    }

    /// Latencies since a moment, of one version or of all.
    pub(crate) fn since(&self, from: Timestamp, version: Option<u16>) -> LogHistogram {
        let mut merged = LogHistogram::new();
        for cell in self.cells.iter().rev().take_while(|cell| cell.start >= from.floor(Timestamp::MINUTE)) {
            if version.is_none_or(|version| version == cell.version) {
                merged.merge(&cell.latency_ms);
            }
        }
        merged
    }
}
