//! The kept values of a `Kll`, level by level in one piece of memory.

use std::cmp::Ordering;

/// No level is smaller than this: halving fewer values at a time costs accuracy and saves nothing.
const LEAST_ROOM: usize = 8;
/// Nor is level 0 smaller than this, which is sorted before each halving: few at a time take longer.
const LEAST_ROOM_BELOW: usize = 32;
/// More levels than counts of 64 bits can fill.
pub(super) const MOST_LEVELS: usize = 61;

/// Levels of values; a value of level `h` stands for `2^h`.
///
/// Invariant: level `h` is `items[starts[h]..starts[h + 1]]`, all but level 0 are ascending, what
/// lies before `starts[0]` is room for new values, and the last start is the end of `items`.
#[derive(Clone, Debug)]
pub(super) struct Levels {
    items: Vec<f64>,
    starts: Vec<usize>,
}

/// How many values level `level` of `height` ones should hold: `k (2/3)^depth`, counted from the top.
fn room_of_level(k: u16, level: usize, height: usize) -> usize {
    let depth = height - 1 - level;
    let room = f64::from(k) * (2.0_f64 / 3.0).powi(depth as i32);
    (room.round() as usize).max(if level == 0 { LEAST_ROOM_BELOW } else { LEAST_ROOM })
}

/// How many values all levels hold together.
pub(super) fn room_of_levels(k: u16, height: usize) -> usize {
    (0..height).map(|level| room_of_level(k, level, height)).sum()
}

/// The order of finite numbers; cheaper than `total_cmp`, and sorting is half the cost of an insert.
#[inline]
fn by_size(a: &f64, b: &f64) -> Ordering {
    if a < b {
        Ordering::Less
    } else if b < a {
        Ordering::Greater
    } else {
        Ordering::Equal
    }
}

impl Levels {
    pub(super) fn new(k: u16) -> Self {
        let room = room_of_levels(k, 1);
        Self { items: vec![0.0; room], starts: vec![room, room] }
    }

    /// Levels with these values; the caller has checked that they fit.
    pub(super) fn from_values(levels: &[Vec<f64>], k: u16) -> Self {
        let mut made = Self::new(k);
        made.lay_out(levels, room_of_levels(k, levels.len()));
        made
    }

    fn lay_out(&mut self, levels: &[Vec<f64>], room: usize) {
        let kept: usize = levels.iter().map(Vec::len).sum();
        let mut start = room.max(kept) - kept;
        self.items.clear();
        self.items.resize(start, 0.0);
        self.starts.clear();
        for level in levels {
            self.starts.push(start);
            self.items.extend_from_slice(level);
            start += level.len();
        }
        self.starts.push(start);
    }

    pub(super) fn height(&self) -> usize {
        self.starts.len() - 1
    }

    pub(super) fn retained(&self) -> usize {
        self.items.len() - self.starts[0]
    }

    pub(super) fn level(&self, height: usize) -> &[f64] {
        &self.items[self.starts[height]..self.starts[height + 1]]
    }

    #[inline]
    pub(super) fn is_full(&self) -> bool {
        self.starts[0] == 0
    }

    /// Adds a value to level 0, which must not be full.
    #[inline]
    pub(super) fn push(&mut self, value: f64) {
        self.starts[0] -= 1;
        self.items[self.starts[0]] = value;
    }

    /// As new, but the memory stays allocated.
    pub(super) fn clear(&mut self, k: u16) {
        let room = room_of_levels(k, 1);
        self.items.resize(room, 0.0);
        self.starts.truncate(2);
        self.starts.fill(room);
    }

    pub(super) fn weighted(&self) -> impl Iterator<Item = (f64, u64)> + '_ {
        (0..self.height()).flat_map(|height| self.level(height).iter().map(move |value| (*value, 1 << height)))
    }

    pub(super) fn weight_at_most(&self, x: f64) -> u64 {
        let fresh = self.level(0).iter().filter(|value| **value <= x).count() as u64;
        let below = |height: usize| (self.level(height).partition_point(|value| *value <= x) as u64) << height;
        fresh + (1..self.height()).map(below).sum::<u64>()
    }

    /// Halves one level of a full sketch.
    #[cold]
    pub(super) fn make_room(&mut self, k: u16, coin: &mut impl FnMut() -> usize) {
        self.halve(self.lowest_overfull(k), k, coin);
    }

    pub(super) fn merge(&mut self, other: &Self, k: u16, coin: &mut impl FnMut() -> usize) {
        let height = self.height().max(other.height());
        let of = |levels: &Self, h: usize| if h < levels.height() { levels.level(h).to_vec() } else { Vec::new() };
        let together: Vec<Vec<f64>> = (0..height)
            .map(|h| {
                let (mut ours, theirs) = (of(self, h), of(other, h));
                ours.extend_from_slice(&theirs);
                if h > 0 {
                    ours.sort_unstable_by(by_size);
                }
                ours
            })
            .collect();
        self.lay_out(&together, room_of_levels(k, height));
        while self.retained() > room_of_levels(k, self.height()) {
            self.halve(self.lowest_overfull(k), k, coin);
        }
        self.fit(room_of_levels(k, self.height()));
    }

    /// The lowest level that holds as much as it should; the top one if the sums are not reached.
    fn lowest_overfull(&self, k: u16) -> usize {
        let top = self.height() - 1;
        let overfull = |h: &usize| self.starts[h + 1] - self.starts[*h] >= room_of_level(k, *h, top + 1);
        (0..top).find(overfull).unwrap_or(top)
    }

    /// Moves every other value of a level one level up, beginning at a random one of the first two.
    fn halve(&mut self, height: usize, k: u16, coin: &mut impl FnMut() -> usize) {
        if height + 1 == self.height() {
            self.starts.push(self.items.len());
            self.fit(room_of_levels(k, self.height()));
        }
        let (start, end, above_end) = (self.starts[height], self.starts[height + 1], self.starts[height + 2]);
        // One value of an odd number stays where it is, so that weights add up to the count.
        let stays = (end - start) % 2;
        let begin = start + stays;
        let half = (end - begin) / 2;
        if height == 0 {
            self.items[begin..end].sort_unstable_by(by_size);
        }
        let first = coin();
        for step in 0..half {
            self.items[begin + step] = self.items[begin + 2 * step + first];
        }
        self.merge_up(begin, half, above_end);
        self.starts[height + 1] = end - half;
        self.starts[height] = end - half - stays;
        if stays == 1 {
            self.items[self.starts[height]] = self.items[start];
        }
        let bottom = self.starts[0];
        if height > 0 {
            self.items.copy_within(bottom..start, bottom + half);
            for lower in &mut self.starts[..height] {
                *lower += half;
            }
        }
    }

    /// Merges `half` ascending values at `begin` with the ascending ones from `begin + 2 half` to
    /// `end`, so that all end at `end`.
    fn merge_up(&mut self, begin: usize, half: usize, end: usize) {
        let (mut left, mut right, mut at) = (begin, begin + 2 * half, begin + half);
        let left_end = begin + half;
        // Writing never overtakes reading: the gap is as long as what is left of the left run.
        while left < left_end && right < end {
            let (from_left, from_right) = (self.items[left], self.items[right]);
            let take_left = from_left <= from_right;
            // Which run is next cannot be predicted, so it is computed, not branched on.
            self.items[at] = std::hint::select_unpredictable(take_left, from_left, from_right);
            left += usize::from(take_left);
            right += usize::from(!take_left);
            at += 1;
        }
        // What is left of the right run is in its place already.
        self.items.copy_within(left..left_end, at);
    }

    /// Gives `items` this length, or what the kept values need, keeping the values at its end.
    fn fit(&mut self, room: usize) {
        let (kept, before) = (self.retained(), self.items.len());
        let room = room.max(kept);
        if room > before {
            self.items.resize(room, 0.0);
            self.items.copy_within(before - kept..before, room - kept);
            self.starts.iter_mut().for_each(|start| *start += room - before);
        } else {
            self.items.drain(..before - room);
            self.starts.iter_mut().for_each(|start| *start -= before - room);
        }
    }
}

impl PartialEq for Levels {
    fn eq(&self, other: &Self) -> bool {
        self.height() == other.height() && (0..self.height()).all(|h| self.level(h) == other.level(h))
    }
}
