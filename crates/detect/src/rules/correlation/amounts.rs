//! How many events came within a span, and what their values come to.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use wardline_domain::Span;

/// Most entries of one group that are kept exactly.
pub(crate) const MOST_ENTRIES: usize = 1 << 14;
/// Beyond it, events within this part of the span count as of one time.
const COARSE_PARTS: Span = 1_024;

/// Events of one time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Entry {
    time: i64,
    count: u64,
    sum: f64,
}

/// Counts and sums of a sliding window.
///
/// Exact up to [`MOST_ENTRIES`] different times in the window; beyond that, events within 1/1024 of the span
/// count as of the earliest of them, so that they may leave that much too early.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct AmountWindow {
    entries: VecDeque<Entry>,
    count: u64,
    sum: f64,
    /// Entries taken out of the sum since it was last added up.
    removed: usize,
    coarse: bool,
}

impl AmountWindow {
    /// Entries that are kept.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Events in the window.
    pub(crate) const fn count(&self) -> u64 {
        self.count
    }

    /// The sum of their values.
    pub(crate) const fn sum(&self) -> f64 {
        self.sum
    }

    /// Whether times are kept coarsely.
    pub(crate) const fn is_coarse(&self) -> bool {
        self.coarse
    }

    /// Sees an event. More than `needed` events need not be known, where no sum is asked for.
    pub(crate) fn see(&mut self, time: i64, value: f64, span: Span, needed: u64) {
        self.expire(time.saturating_sub(span));
        let width = if self.coarse { span / COARSE_PARTS } else { 0 };
        match self.entries.back_mut().filter(|last| time - last.time <= width) {
            Some(last) => (last.count, last.sum) = (last.count + 1, last.sum + value),
            None => self.entries.push_back(Entry { time, count: 1, sum: value }),
        }
        self.count += 1;
        self.sum += value;
        while self.count > needed {
            let Some(first) = self.entries.front_mut() else { break };
            let surplus = first.count.min(self.count - needed);
            first.count -= surplus;
            self.count -= surplus;
            if first.count == 0 {
                self.entries.pop_front();
            }
        }
        if self.entries.len() > MOST_ENTRIES {
            self.coarsen(span / COARSE_PARTS);
        }
    }

    /// Drops what is before a time.
    pub(crate) fn expire(&mut self, from: i64) {
        while let Some(first) = self.entries.front().filter(|first| first.time < from) {
            self.count -= first.count;
            self.sum -= first.sum;
            self.removed += 1;
            self.entries.pop_front();
        }
        // Added up anew from time to time, so that rounding does not pile up.
        if self.removed > self.entries.len() {
            self.removed = 0;
            self.sum = self.entries.iter().map(|entry| entry.sum).sum();
        }
        if self.entries.is_empty() {
            self.coarse = false;
        }
    }

    fn coarsen(&mut self, width: Span) {
        self.coarse = true;
        let mut joined: VecDeque<Entry> = VecDeque::with_capacity(COARSE_PARTS as usize);
        for entry in self.entries.drain(..) {
            match joined.back_mut().filter(|last| entry.time - last.time <= width) {
                Some(last) => (last.count, last.sum) = (last.count + entry.count, last.sum + entry.sum),
                None => joined.push_back(entry),
            }
        }
        self.entries = joined;
    }
}

/// Values of a sliding window in order, for medians and percentiles.
///
/// Exact up to [`MOST_ENTRIES`] values; beyond that every second, fourth, eighth event is kept, and the
/// place of a percentile is off by a standard error of `0.5/sqrt(kept)` at most.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct OrderWindow {
    values: VecDeque<(i64, f64)>,
    sorted: Vec<f64>,
    seen: u64,
    level: u32,
}

impl OrderWindow {
    /// Values that are kept.
    pub(crate) fn len(&self) -> usize {
        self.values.len()
    }

    /// Sees an event.
    pub(crate) fn see(&mut self, time: i64, value: f64, span: Span) {
        self.expire(time.saturating_sub(span));
        self.seen += 1;
        if self.level > 0 && self.seen.trailing_zeros() < self.level {
            return;
        }
        self.values.push_back((time, value));
        let place = self.sorted.partition_point(|other| other.total_cmp(&value).is_lt());
        self.sorted.insert(place, value);
        if self.values.len() > MOST_ENTRIES {
            self.level += 1;
            let mut place = 0_usize;
            self.values.retain(|_| {
                place += 1;
                place.is_multiple_of(2)
            });
            self.sorted = self.values.iter().map(|(_, value)| *value).collect();
            self.sorted.sort_by(f64::total_cmp);
        }
    }

    /// Drops what is before a time.
    pub(crate) fn expire(&mut self, from: i64) {
        while let Some(&(_, value)) = self.values.front().filter(|(time, _)| *time < from) {
            self.values.pop_front();
            let place = self.sorted.partition_point(|other| other.total_cmp(&value).is_lt());
            if place < self.sorted.len() {
                self.sorted.remove(place);
            }
        }
        if self.values.is_empty() {
            self.level = 0;
        }
    }

    /// The value below which so many per cent lie, between the two nearest where it falls between them.
    pub(crate) fn percentile(&self, percent: f64) -> Option<f64> {
        let last = self.sorted.len().checked_sub(1)?;
        let place = percent / 100.0 * last as f64;
        let (low, high) = (place.floor() as usize, place.ceil() as usize);
        Some(self.sorted[low] + (self.sorted[high] - self.sorted[low]) * (place - low as f64))
    }

    /// Whether only a part of the events is kept.
    pub(crate) const fn is_sample(&self) -> bool {
        self.level > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_has_both_its_ends() {
        let mut window = AmountWindow::default();
        window.see(0, 2.0, 10, u64::MAX);
        window.see(10, 3.0, 10, u64::MAX);
        assert_eq!((window.count(), window.sum()), (2, 5.0));
        window.see(11, 1.0, 10, u64::MAX);
        assert_eq!((window.count(), window.sum()), (2, 4.0));
    }

    #[test]
    fn no_more_is_kept_than_a_limit_needs() {
        let mut window = AmountWindow::default();
        for time in 0..1_000 {
            window.see(time, 0.0, 10_000, 5);
        }
        assert_eq!((window.count(), window.len()), (5, 5));
        window.expire(998);
        assert_eq!(window.count(), 2);
    }

    #[test]
    fn a_long_window_is_coarse_by_a_thousandth() {
        let mut window = AmountWindow::default();
        for time in 0..500_000 {
            window.see(time, 1.0, 200_000, u64::MAX);
        }
        assert!(window.is_coarse() && window.len() <= MOST_ENTRIES);
        assert!((window.count() as f64 / 200_001.0 - 1.0).abs() <= 2.0 / COARSE_PARTS as f64, "{}", window.count());
    }

    #[test]
    fn percentiles_are_those_of_the_window() {
        let mut window = OrderWindow::default();
        for time in 0..100 {
            window.see(time, (time % 50) as f64, 49);
        }
        assert_eq!(window.percentile(50.0), Some(24.5));
        assert_eq!(window.percentile(100.0), Some(49.0));
        assert_eq!(OrderWindow::default().percentile(50.0), None);
        for time in 0..100_000 {
            window.see(time, (time % 1_000) as f64, 100_000);
        }
        assert!(window.is_sample() && window.len() <= MOST_ENTRIES);
        assert!((window.percentile(90.0).unwrap() - 900.0).abs() < 20.0);
    }
}
