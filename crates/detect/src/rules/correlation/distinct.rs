//! How many different values came within a span: exact up to a bound, then from a sample of the values.

use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;
use serde::{Deserialize, Serialize};
use wardline_domain::Span;

/// Most values of one group that are counted exactly.
pub(crate) const MOST_EXACT: usize = 1 << 20;
/// Most values of all groups of a rule that are kept exactly.
pub(crate) const MOST_OF_ALL: usize = 1 << 22;
/// The sample that a group is cut down to, where all groups together hold too many values.
pub(crate) const LEAST_SAMPLE: usize = 1 << 12;

const NONE: u32 = u32::MAX;

#[derive(Clone, Copy, Debug)]
struct Entry {
    hash: u64,
    time: i64,
    before: u32,
    after: u32,
}

/// Different values of a sliding window, the latest seen last.
///
/// Values are kept by their 64-bit hash with the time they were last seen at. Only so many as the
/// condition asks for need to be known, so a limit that is not above [`MOST_EXACT`] is always judged
/// exactly, however many values there are. Above that, only values are kept whose hash ends in `level` zero
/// bits: the count is then `2^level` times theirs, with a standard error of `1/sqrt(kept)` (0.14 % at most
/// after the first halving of [`MOST_EXACT`], 2.2 % of [`LEAST_SAMPLE`]). Each value takes some 45 bytes.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(from = "Saved", into = "Saved")]
pub(crate) struct DistinctWindow {
    places: HashMap<u64, u32, FxBuildHasher>,
    entries: Vec<Entry>,
    free: Vec<u32>,
    first: u32,
    last: u32,
    level: u32,
}

#[derive(Serialize, Deserialize)]
struct Saved {
    level: u32,
    /// Hash and time, the longest unseen first.
    values: Vec<(u64, i64)>,
}

impl Default for DistinctWindow {
    fn default() -> Self {
        Self { places: HashMap::default(), entries: Vec::new(), free: Vec::new(), first: NONE, last: NONE, level: 0 }
    }
}

impl From<Saved> for DistinctWindow {
    fn from(saved: Saved) -> Self {
        let mut window = Self { level: saved.level.min(63), ..Self::default() };
        saved.values.into_iter().for_each(|(hash, time)| window.touch(hash, time));
        window
    }
}

impl From<DistinctWindow> for Saved {
    fn from(window: DistinctWindow) -> Self {
        let mut values = Vec::with_capacity(window.len());
        let mut at = window.first;
        while let Some(entry) = window.entries.get(at as usize) {
            values.push((entry.hash, entry.time));
            at = entry.after;
        }
        Self { level: window.level, values }
    }
}

impl DistinctWindow {
    /// Values that are kept.
    pub(crate) fn len(&self) -> usize {
        self.places.len()
    }

    /// How many different values are in the window; as the condition needs it, so at most one above its
    /// limit where that is exact.
    pub(crate) fn count(&self) -> f64 {
        self.len() as f64 * 2_f64.powi(self.level as i32)
    }

    /// Standard error of the count, as a share of it; `None` where it is exact.
    pub(crate) fn error(&self) -> Option<f64> {
        (self.level > 0).then(|| 1.0 / (self.len().max(1) as f64).sqrt())
    }

    /// Sees a value. `needed` is the count beyond which nothing more need be known, `most` what may be kept.
    pub(crate) fn see(&mut self, hash: u64, time: i64, span: Span, needed: usize, most: usize) {
        self.expire(time.saturating_sub(span));
        if self.level > 0 && hash.trailing_zeros() < self.level {
            return;
        }
        self.touch(hash, time);
        if self.level == 0 && needed <= most && self.len() > needed {
            self.forget(self.first);
        }
        while self.len() > most && self.level < 63 {
            self.halve();
        }
    }

    /// Drops values that were last seen before a time.
    pub(crate) fn expire(&mut self, from: i64) {
        while let Some(entry) = self.entries.get(self.first as usize).filter(|entry| entry.time < from) {
            debug_assert!(self.places.contains_key(&entry.hash));
            self.forget(self.first);
        }
        if self.places.is_empty() {
            self.level = 0;
        }
    }

    fn touch(&mut self, hash: u64, time: i64) {
        let known = self.places.get(&hash).copied();
        let place = match known {
            Some(place) => {
                self.unlink(place);
                place
            }
            None => {
                let place = self.free.pop().unwrap_or_else(|| {
                    self.entries.push(Entry { hash, time, before: NONE, after: NONE });
                    (self.entries.len() - 1) as u32
                });
                self.places.insert(hash, place);
                place
            }
        };
        self.entries[place as usize] = Entry { hash, time, before: self.last, after: NONE };
        match self.entries.get_mut(self.last as usize) {
            Some(last) => last.after = place,
            None => self.first = place,
        }
        self.last = place;
    }

    fn unlink(&mut self, place: u32) {
        let Entry { before, after, .. } = self.entries[place as usize];
        match self.entries.get_mut(before as usize) {
            Some(entry) => entry.after = after,
            None => self.first = after,
        }
        match self.entries.get_mut(after as usize) {
            Some(entry) => entry.before = before,
            None => self.last = before,
        }
    }

    fn forget(&mut self, place: u32) {
        self.unlink(place);
        self.places.remove(&self.entries[place as usize].hash);
        self.free.push(place);
    }

    /// Keeps the half of the values whose hashes end in one more zero.
    fn halve(&mut self) {
        self.level += 1;
        let mut at = self.first;
        while let Some(&entry) = self.entries.get(at as usize) {
            if entry.hash.trailing_zeros() < self.level {
                self.forget(at);
            }
            at = entry.after;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(value: u64) -> u64 {
        xxhash_rust::xxh3::xxh3_64(&value.to_le_bytes())
    }

    #[test]
    fn the_count_is_that_of_a_set_however_often_values_come() {
        let mut window = DistinctWindow::default();
        let mut seen: Vec<(i64, u64)> = Vec::new();
        let mut state = 1_u64;
        for time in 0..3_000 {
            state = hash(state);
            let value = state % 90;
            seen.push((time, value));
            window.see(hash(value), time, 200, usize::MAX, usize::MAX);
            let within: std::collections::BTreeSet<u64> =
                seen.iter().filter(|(at, _)| *at >= time - 200).map(|(_, value)| *value).collect();
            assert_eq!(window.count(), within.len() as f64);
        }
        assert_eq!(window.error(), None);
    }

    #[test]
    fn a_limit_is_judged_exactly_with_no_more_values_than_it() {
        let mut window = DistinctWindow::default();
        for time in 0..100_000 {
            window.see(hash(time as u64), time, 1_000, 101, MOST_EXACT);
            assert!(window.len() <= 101);
            assert_eq!(window.count() >= 101.0, time >= 100);
        }
        window.expire(99_990);
        assert_eq!(window.count(), 10.0);
    }

    #[test]
    fn beyond_the_bound_the_count_keeps_its_stated_error() {
        let mut window = DistinctWindow::default();
        for time in 0..200_000 {
            window.see(hash(time as u64), time, 150_000, usize::MAX, LEAST_SAMPLE);
        }
        assert!(window.len() <= LEAST_SAMPLE);
        let error = window.error().unwrap();
        assert!((window.count() / 150_001.0 - 1.0).abs() < 4.0 * error, "{} {error}", window.count());
        let restored: DistinctWindow = postcard::from_bytes(&postcard::to_stdvec(&window).unwrap()).unwrap();
        assert_eq!((restored.count(), restored.level), (window.count(), window.level));
    }
}
