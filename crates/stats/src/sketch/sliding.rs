//! The last while of a stream, as a ring of sketches.

use serde::{Deserialize, Serialize};

use super::{Merge, MergeError};

/// A window that slides in steps: `panes` sketches, each of `width` units of position.
///
/// A position is whatever the caller orders values by: seconds, or the number of an event. Pane `i`
/// holds the positions from `i width` to before `(i + 1) width`, and the window holds the newest
/// pane and the `panes - 1` before it, no value more and none less: [`covered`](Self::covered) says
/// which positions. When a position beyond the newest pane comes, the oldest panes are emptied and
/// used again; a position before the oldest is refused. So the content depends on the values and
/// the newest position alone, not on the order of arrival, and windows made in parts merge into the
/// window of the whole, as exactly as their sketches do.
///
/// One position far ahead empties the window: check clocks that are not trusted first.
///
/// Cost: finding a pane is `O(1)`; moving on clears what left, and allocates nothing if the sketch
/// keeps its memory when cleared; asking merges all panes.
///
/// ```
/// use wardline_stats::sketch::{LogHistogram, SlidingWindow};
/// let mut hour = SlidingWindow::new(LogHistogram::new(), 60, 60).unwrap_or_else(|| unreachable!());
/// for second in 0..7_200 {
///     if let Some(minute) = hour.pane(second) {
///         minute.insert(second as f64);
///     }
/// }
/// assert_eq!(hour.covered(), Some((3_600, 7_200)));
/// assert_eq!(hour.merged().map(|sketch| sketch.count()), Ok(3_600));
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored<S>", bound(deserialize = "S: Deserialize<'de>"))]
pub struct SlidingWindow<S> {
    width: i64,
    /// The number of the newest pane.
    newest: Option<i64>,
    /// Pane `i` is at `i` modulo their number.
    panes: Vec<S>,
}

/// More panes than this would make every answer slow.
const MOST_PANES: usize = 1 << 20;

impl<S: Merge + Clone> SlidingWindow<S> {
    /// An empty window of `panes` sketches like this one; `None` for no panes, more than a million
    /// of them, or a width below one.
    #[must_use]
    pub fn new(sketch: S, panes: usize, width: i64) -> Option<Self> {
        if !(1 <= panes && panes <= MOST_PANES && width >= 1) {
            return None;
        }
        let mut empty = sketch;
        empty.clear();
        Some(Self { width, newest: None, panes: vec![empty; panes] })
    }

    /// The sketch for a position, after moving on if it is new; `None` if the window has left it.
    #[inline]
    pub fn pane(&mut self, at: i64) -> Option<&mut S> {
        let pane = at.div_euclid(self.width);
        if self.newest.is_none_or(|newest| newest < pane) {
            self.advance_to(pane);
        }
        let held = self.age_of(pane).is_some();
        let slot = self.slot_of(pane);
        if held { self.panes.get_mut(slot) } else { None }
    }

    /// Moves on without a value, so that the window empties while nothing comes.
    pub fn advance(&mut self, at: i64) {
        self.advance_to(at.div_euclid(self.width));
    }

    fn advance_to(&mut self, pane: i64) {
        match self.newest {
            Some(newest) if pane <= newest => return,
            Some(newest) => {
                let new = (i128::from(pane) - i128::from(newest)).min(self.panes.len() as i128) as usize;
                for back in 0..new {
                    let slot = self.slot_of(pane - back as i64);
                    self.panes[slot].clear();
                }
            }
            None => {}
        }
        self.newest = Some(pane);
    }

    fn slot_of(&self, pane: i64) -> usize {
        pane.rem_euclid(self.panes.len() as i64) as usize
    }

    /// How many panes ago, or `None` if that is not in the window.
    fn age_of(&self, pane: i64) -> Option<usize> {
        let age = i128::from(self.newest?) - i128::from(pane);
        (0 <= age && age < self.panes.len() as i128).then_some(age as usize)
    }

    /// The positions that the window covers, from the first to before the second; `None` before the
    /// first value. Values are missing only before the first that was ever given.
    #[must_use]
    pub fn covered(&self) -> Option<(i64, i64)> {
        let newest = self.newest?;
        let end = newest.saturating_add(1).saturating_mul(self.width);
        let first = newest.saturating_sub(self.panes.len() as i64 - 1);
        Some((first.saturating_mul(self.width), end))
    }

    /// How many units of position a pane holds.
    #[must_use]
    pub fn width(&self) -> i64 {
        self.width
    }

    /// The panes from the oldest to the newest.
    pub fn panes(&self) -> impl Iterator<Item = &S> {
        let oldest = self.newest.map_or(0, |newest| self.slot_of(newest) + 1);
        (0..self.panes.len()).filter_map(move |step| self.panes.get((oldest + step) % self.panes.len()))
    }

    /// One sketch of all that the window holds.
    ///
    /// # Errors
    /// If the panes hold more together than their sketch can count.
    pub fn merged(&self) -> Result<S, MergeError> {
        self.merged_last(self.panes.len())
    }

    /// One sketch of the newest `panes` panes: a shorter window out of the longer.
    ///
    /// # Errors
    /// As for [`merged`](Self::merged).
    pub fn merged_last(&self, panes: usize) -> Result<S, MergeError> {
        let mut last = self.panes().skip(self.panes.len().saturating_sub(panes));
        let mut merged = match last.next() {
            Some(first) => first.clone(),
            None => {
                let mut empty = self.panes[0].clone();
                empty.clear();
                empty
            }
        };
        last.try_for_each(|pane| merged.merge_from(pane))?;
        Ok(merged)
    }
}

impl<S: Merge + Clone> Merge for SlidingWindow<S> {
    /// Panes of the same positions are merged; what the newer of the two windows has left is left.
    fn merge_from(&mut self, other: &Self) -> Result<(), MergeError> {
        if (self.width, self.panes.len()) != (other.width, other.panes.len()) {
            return Err(MergeError::DifferentShape);
        }
        let Some(theirs) = other.newest else { return Ok(()) };
        let mut together = self.clone();
        together.advance_to(theirs);
        for (age, pane) in (0..other.panes.len()).rev().zip(other.panes()) {
            // There are no panes before the first position.
            let Some(number) = theirs.checked_sub(age as i64) else { continue };
            if together.age_of(number).is_some() {
                let slot = together.slot_of(number);
                together.panes[slot].merge_from(pane)?;
            }
        }
        *self = together;
        Ok(())
    }

    fn clear(&mut self) {
        self.newest = None;
        self.panes.iter_mut().for_each(Merge::clear);
    }
}

#[derive(Deserialize)]
struct Stored<S> {
    width: i64,
    newest: Option<i64>,
    panes: Vec<S>,
}

impl<S> TryFrom<Stored<S>> for SlidingWindow<S> {
    type Error = &'static str;

    fn try_from(stored: Stored<S>) -> Result<Self, Self::Error> {
        let Stored { width, newest, panes } = stored;
        let sound = width >= 1 && !panes.is_empty() && panes.len() <= MOST_PANES;
        sound.then_some(Self { width, newest, panes }).ok_or("a sliding window of no possible shape")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::sketch::LogHistogram;

    fn window(values: &[(i64, f64)]) -> SlidingWindow<LogHistogram> {
        let mut window = SlidingWindow::new(LogHistogram::new(), 5, 10).unwrap();
        for (at, value) in values {
            if let Some(pane) = window.pane(*at) {
                pane.insert(*value);
            }
        }
        window
    }

    #[test]
    fn no_possible_window_is_refused() {
        assert_eq!(SlidingWindow::new(LogHistogram::new(), 0, 10), None);
        assert_eq!(SlidingWindow::new(LogHistogram::new(), 5, 0), None);
        assert_eq!(SlidingWindow::new(LogHistogram::new(), usize::MAX, 1), None);
        let empty = window(&[]);
        assert_eq!((empty.covered(), empty.merged().map(|s| s.count())), (None, Ok(0)));
    }

    #[test]
    fn the_ends_of_time_are_positions_too() {
        let mut window = SlidingWindow::new(LogHistogram::new(), 3, 1).unwrap();
        assert!(window.pane(i64::MIN).is_some_and(|pane| pane.insert(1.0)));
        assert_eq!(window.merged().map(|s| s.count()), Ok(1));
        assert!(window.pane(i64::MAX).is_some_and(|pane| pane.insert(2.0)));
        assert_eq!(window.merged().map(|s| (s.count(), s.max())), Ok((1, Some(2.0))));
        assert!(window.pane(i64::MIN).is_none());
        let mut early = SlidingWindow::new(LogHistogram::new(), 3, 1).unwrap();
        assert!(early.pane(i64::MIN).is_some_and(|pane| pane.insert(1.0)));
        window.merge_from(&early).unwrap();
        assert_eq!(window.merged().map(|s| s.count()), Ok(1));
        early.merge_from(&window).unwrap();
        assert_eq!(early, window);
    }

    #[test]
    fn shorter_windows_come_out_of_longer_ones() {
        let values: Vec<(i64, f64)> = (0..100).map(|at| (at, at as f64)).collect();
        let window = window(&values);
        assert_eq!(window.covered(), Some((50, 100)));
        let last = window.merged_last(2).unwrap();
        assert_eq!((last.count(), last.min()), (20, Some(80.0)));
        assert_eq!(window.merged_last(0).unwrap().count(), 0);
        let mut later = window.clone();
        later.advance(125);
        assert_eq!(later.covered(), Some((80, 130)));
        assert_eq!(later.merged().unwrap().min(), Some(80.0));
    }

    #[test]
    fn windows_of_another_shape_do_not_merge() {
        let mut one = window(&[]);
        let other = SlidingWindow::new(LogHistogram::new(), 4, 10).unwrap();
        assert_eq!(one.merge_from(&other), Err(MergeError::DifferentShape));
    }

    proptest! {
        #[test]
        fn it_holds_what_it_says_it_covers(
            values in proptest::collection::vec((-200..200_i64, -1e6..1e6_f64), 1..150)
        ) {
            let window = window(&values);
            let (start, end) = window.covered().unwrap();
            let mut expected = LogHistogram::new();
            values.iter().filter(|(at, _)| start <= *at && *at < end).for_each(|(_, value)| {
                expected.insert(*value);
            });
            prop_assert_eq!(window.merged().unwrap(), expected);
        }

        #[test]
        fn the_window_of_halves_is_the_window_of_the_whole(
            left in proptest::collection::vec((-100..100_i64, -1e6..1e6_f64), 0..80),
            right in proptest::collection::vec((-100..100_i64, -1e6..1e6_f64), 0..80),
        ) {
            let mut merged = window(&right);
            merged.merge_from(&window(&left)).unwrap();
            prop_assert_eq!(merged, window(&[left, right].concat()));
        }
    }
}
