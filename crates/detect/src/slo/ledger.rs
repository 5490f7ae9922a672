//! Events and bad events of one objective by the time at which they happened: minutes of the last days, and hours as
//! far as the error budget reaches.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use wardline_domain::{Span, Timestamp};

/// Stretches up to this length are counted in minutes, longer ones in hours.
pub(crate) const IN_MINUTES: Span = 3 * Timestamp::DAY;
/// Cells that lie further ahead of the clock than this come from a clock that was set back.
const MOST_AHEAD: Span = Timestamp::DAY;

/// Start in microseconds, events, bad events.
type Cell = (i64, u32, u32);

/// Counts by time, exact to the event.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Ledger {
    minutes: VecDeque<Cell>,
    hours: VecDeque<Cell>,
    first: Option<Timestamp>,
    total: (u64, u64),
}

impl Ledger {
    /// Counts events at the time at which they happened, however late they come.
    pub(crate) fn add(&mut self, time: Timestamp, events: u32, bad: u32) {
        if events == 0 {
            return;
        }
        self.first = Some(self.first.map_or(time, |first| first.min(time)));
        self.total = (self.total.0 + u64::from(events), self.total.1 + u64::from(bad));
        add(&mut self.minutes, time.floor(Timestamp::MINUTE), events, bad);
        add(&mut self.hours, time.floor(Timestamp::HOUR), events, bad);
    }

    /// Forgets what lies before a budget's window.
    pub(crate) fn forget(&mut self, now: Timestamp, window: Span) {
        trim(&mut self.minutes, now, IN_MINUTES + Timestamp::MINUTE);
        trim(&mut self.hours, now, window.max(IN_MINUTES) + Timestamp::HOUR);
    }

    /// Events and bad events of the last stretch; its oldest minute, or hour, counts whole.
    pub(crate) fn within(&self, now: Timestamp, span: Span) -> (u64, u64) {
        let (cells, length) =
            if span <= IN_MINUTES { (&self.minutes, Timestamp::MINUTE) } else { (&self.hours, Timestamp::HOUR) };
        let from = now.plus(-span).micros();
        cells
            .iter()
            .rev()
            .skip_while(|cell| cell.0 > now.micros())
            .take_while(|cell| cell.0 + length > from)
            .fold((0, 0), |(n, k), cell| (n + u64::from(cell.1), k + u64::from(cell.2)))
    }

    /// Events a second since the first one, as far as a window reaches; none before the first event.
    pub(crate) fn mean_rate(&self, now: Timestamp, window: Span) -> Option<f64> {
        let seconds = now.since(self.first?).min(window) as f64 / Timestamp::SECOND as f64;
        Some(self.within(now, window).0 as f64 / seconds.max(LEAST_SECONDS))
    }

    /// Everything that was ever counted.
    pub(crate) const fn total(&self) -> (u64, u64) {
        self.total
    }
}

/// A mean over less than this is no mean.
pub(crate) const LEAST_SECONDS: f64 = 600.0;

fn add(cells: &mut VecDeque<Cell>, start: Timestamp, events: u32, bad: u32) {
    let start = start.micros();
    let count = |cell: &mut Cell| (cell.1, cell.2) = (cell.1.saturating_add(events), cell.2.saturating_add(bad));
    match cells.back_mut() {
        Some(last) if last.0 == start => count(last),
        Some(last) if last.0 > start => {
            let place = cells.partition_point(|cell| cell.0 < start);
            match cells.get_mut(place) {
                Some(cell) if cell.0 == start => count(cell),
                _ => cells.insert(place, (start, events, bad)),
            }
        }
        _ => cells.push_back((start, events, bad)),
    }
}

fn trim(cells: &mut VecDeque<Cell>, now: Timestamp, length: Span) {
    while cells.front().is_some_and(|cell| now.micros() - cell.0 > length) {
        cells.pop_front();
    }
    while cells.back().is_some_and(|cell| cell.0 - now.micros() > MOST_AHEAD) {
        cells.pop_back();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros((1_700_000_040 + seconds) * Timestamp::SECOND)
    }

    #[test]
    fn a_late_event_counts_in_its_own_minute() {
        let mut ledger = Ledger::default();
        ledger.add(at(0), 10, 0);
        ledger.add(at(7_200), 10, 0);
        ledger.add(at(60), 5, 5);
        assert_eq!(ledger.within(at(7_200), Timestamp::HOUR), (10, 0));
        assert_eq!(ledger.within(at(7_200), 3 * Timestamp::HOUR), (25, 5));
        assert_eq!(ledger.within(at(7_200), 30 * Timestamp::DAY), (25, 5));
    }

    proptest! {
        /// Goal: bad over total of the budget's window is exact, in whatever order the events come.
        #[test]
        fn the_whole_is_the_sum_of_its_events(
            events in proptest::collection::vec((0_i64..20 * 86_400, 1_u32..50, 0_u32..50), 1..200)
        ) {
            let mut ledger = Ledger::default();
            let latest = events.iter().map(|event| event.0).max().unwrap();
            for &(second, n, k) in &events {
                ledger.add(at(second), n, k.min(n));
            }
            ledger.forget(at(latest), 30 * Timestamp::DAY);
            let wanted = events.iter().fold((0, 0), |(n, k), event| (n + u64::from(event.1), k + u64::from(event.2.min(event.1))));
            prop_assert_eq!(ledger.within(at(latest), 30 * Timestamp::DAY), wanted);
            prop_assert_eq!(ledger.total(), wanted);
        }
    }
}
