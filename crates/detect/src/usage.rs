//! What a client uses over the last hour, six hours and day, against the most it ever used so fast.

use serde::{Deserialize, Serialize};
use wardline_domain::{Span, Timestamp};

/// Usage is added up in cells of this length.
pub(crate) const CELL: Span = 20 * Timestamp::MINUTE;
const CELLS: usize = 72;
/// Cells of each window: an hour, six hours, a day.
pub(crate) const WINDOWS: [usize; 3] = [3, 18, CELLS];

/// Usage over time, in any unit, with the most that each window ever held.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Usage {
    /// By cell, a ring.
    cells: Vec<f32>,
    /// The number of the newest cell.
    at: i64,
    /// Over each window that ends now.
    pub(crate) sums: [f64; 3],
    /// The most that each window held before.
    pub(crate) most: [f64; 3],
    /// The same over the first half of the learning period.
    half: [f64; 3],
    /// All usage, and the requests.
    pub(crate) total: f64,
    pub(crate) requests: u64,
    /// The day on which each window's most last grew under watch.
    grown: [i32; 3],
}

/// How fast the most may grow in a day.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Growth {
    /// Times as much; infinite while learning.
    pub(crate) factor: f64,
}

impl Usage {
    /// Moves on to a moment; answers how many cells have ended.
    #[inline]
    pub(crate) fn advance(&mut self, now: Timestamp, growth: Growth) -> u32 {
        let at = now.micros().div_euclid(CELL);
        if at <= self.at && !self.cells.is_empty() {
            return 0;
        }
        self.turn(at, growth)
    }

    fn turn(&mut self, at: i64, growth: Growth) -> u32 {
        if self.cells.len() != CELLS {
            self.cells = vec![0.0; CELLS];
            self.at = at;
            return 0;
        }
        self.keep_most(growth);
        let passed = at - self.at;
        for step in 1..=passed.min(CELLS as i64) {
            self.cells[place(self.at + step)] = 0.0;
        }
        self.at = at;
        for (sum, length) in self.sums.iter_mut().zip(WINDOWS) {
            let held = (0..length as i64).map(|back| f64::from(self.cells[place(at - back)]));
            *sum = held.sum();
        }
        u32::try_from(passed).unwrap_or(u32::MAX)
    }

    /// The end of a cell is where each window is at its fullest.
    fn keep_most(&mut self, growth: Growth) {
        let day = (self.at * CELL).div_euclid(Timestamp::DAY) as i32;
        for window in 0..WINDOWS.len() {
            if self.sums[window] <= self.most[window] {
                continue;
            }
            if growth.factor.is_infinite() {
                self.most[window] = self.sums[window];
            } else if self.grown[window] != day {
                self.grown[window] = day;
                self.most[window] = self.sums[window].min(growth.factor * self.most[window]);
            }
        }
    }

    /// Adds usage now; [`Self::advance`] comes first.
    #[inline]
    pub(crate) fn add(&mut self, units: f64) {
        if let Some(cell) = self.cells.get_mut(place(self.at)) {
            *cell += units as f32;
        }
        self.sums.iter_mut().for_each(|sum| *sum += units);
        self.total += units;
        self.requests += 1;
    }

    /// Whether a window holds so many times its most and some slack.
    #[inline]
    pub(crate) fn is_beyond(&self, times: f64, slack: f64) -> bool {
        self.sums.iter().zip(self.most).any(|(&sum, most)| sum > times * most + slack)
    }

    /// Its share of another usage in a window that ends now.
    pub(crate) fn share_of(&self, whole: &Self, window: usize, now: Timestamp) -> f64 {
        let is_current = now.micros().div_euclid(CELL) == self.at;
        if is_current { self.sums[window] / whole.sums[window].max(1e-9) } else { 0.0 }
    }

    /// Half of the learning period is over.
    pub(crate) fn halve(&mut self) {
        for window in 0..WINDOWS.len() {
            self.half[window] = self.most[window].max(self.sums[window]);
        }
    }

    /// How many times as much the second half of learning held as the first, at most over the windows.
    pub(crate) fn growth_in_learning(&self, slack: f64) -> Option<f64> {
        let all = self.half.iter().zip(self.most.iter().zip(self.sums));
        (self.half[0] > 0.0)
            .then(|| all.map(|(half, (most, sum))| (most.max(sum) + slack) / (half + slack)).fold(1.0, f64::max))
    }

    /// How many times its mean hour the client's busiest hour was, of so long a past.
    pub(crate) fn peak(&self, age: Span) -> f64 {
        let hours = (age as f64 / Timestamp::HOUR as f64).max(1.0);
        self.most[0] * hours / (self.total - self.sums[2]).max(1e-9)
    }

    /// Since when usage runs high without a pause longer than a cell: cells that hold more than half of an hour's most.
    pub(crate) fn high_since(&self) -> Timestamp {
        let least = 0.5 * self.most[0];
        let is_high = |back: i64| f64::from(self.cells.get(place(self.at - back)).copied().unwrap_or(0.0)) > least;
        let mut first = 0;
        for back in 0..CELLS as i64 {
            if is_high(back) {
                first = back;
            } else if back > first + 1 {
                break;
            }
        }
        Timestamp::from_micros((self.at - first) * CELL)
    }
}

const fn place(cell: i64) -> usize {
    cell.rem_euclid(CELLS as i64) as usize
}

/// Values with the hour of their first sight: what was first seen lately is new.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Sightings {
    seen: Vec<(u32, u32)>,
    is_full: bool,
}

impl Sightings {
    const MOST: usize = 24;
    /// A value is new for so many hours, so that abuse does not make itself known.
    const NEW_HOURS: u32 = 48;

    /// Whether a value is new to this client.
    #[inline]
    pub(crate) fn is_new(&mut self, value: u64, hour: u32) -> bool {
        let value = value as u32;
        if let Some(&(_, first)) = self.seen.iter().find(|&&(known, _)| known == value) {
            return hour < first.saturating_add(Self::NEW_HOURS);
        }
        if self.seen.len() < Self::MOST {
            self.seen.push((value, hour));
        } else {
            self.is_full = true;
        }
        true
    }

    /// Whether there are so many values that a new one tells nothing.
    pub(crate) const fn is_full(&self) -> bool {
        self.is_full
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEARN: Growth = Growth { factor: f64::INFINITY };

    #[test]
    fn windows_hold_what_they_should() {
        let mut usage = Usage::default();
        let start = Timestamp::from_micros(1_000 * Timestamp::DAY);
        for cell in 0..144 {
            usage.advance(start.plus(cell * CELL), LEARN);
            usage.add(1.0);
        }
        assert_eq!((usage.sums, usage.total), ([3.0, 18.0, 72.0], 144.0));
        usage.advance(start.plus(144 * CELL), LEARN);
        assert_eq!((usage.sums, usage.most), ([2.0, 17.0, 71.0], [3.0, 18.0, 72.0]));
        usage.advance(start.plus(1_000 * CELL), LEARN);
        assert_eq!(usage.sums, [0.0; 3]);
    }

    #[test]
    fn abuse_teaches_slowly() {
        let mut usage = Usage::default();
        let start = Timestamp::from_micros(10 * Timestamp::DAY);
        usage.advance(start, LEARN);
        usage.add(1.0);
        usage.advance(start.plus(CELL), LEARN);
        let careful = Growth { factor: 1.2 };
        for cell in 1..30 {
            usage.advance(start.plus(cell * CELL), careful);
            usage.add(100.0);
        }
        assert!((usage.most[0] - 1.2).abs() < 1e-9, "{:?}", usage.most);
        assert_eq!(usage.high_since(), start);
    }

    #[test]
    fn what_is_new_stays_new_for_two_days() {
        let mut seen = Sightings::default();
        assert!(seen.is_new(7, 10) && seen.is_new(7, 57) && !seen.is_new(7, 58));
    }
}
