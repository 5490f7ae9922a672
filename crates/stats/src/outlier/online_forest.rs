//! A forest for streams: it learns each row as it comes and forgets the oldest.

mod half_space_tree;

use serde::{Deserialize, Serialize};

use self::half_space_tree::{HalfSpaceTree, Split, are_sound};
use crate::random::SplitMix;

/// Rows before the first score.
const FIRST: usize = 64;
/// Numbers that a window may hold: 0.8 GB.
const MOST_NUMBERS: usize = 100_000_000;

/// How an online forest is grown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OnlineForestSettings {
    /// How many trees, `1..=1_000`.
    pub trees: u32,
    /// Rows that are remembered, `64..=1_000_000`.
    pub window: u32,
    /// Splits from the root to the lowest places, `1..=12`.
    pub depth: u32,
    /// Of splits.
    pub seed: u64,
}

impl Default for OnlineForestSettings {
    /// 100 trees of depth 8 over 512 rows.
    fn default() -> Self {
        Self { trees: 100, window: 512, depth: 8, seed: 1 }
    }
}

impl OnlineForestSettings {
    fn valid(&self) -> bool {
        (1..=1_000).contains(&self.trees)
            && (FIRST as u32..=1_000_000).contains(&self.window)
            && (1..=12).contains(&self.depth)
    }
}

/// Random half-spaces, and how many of a stream's last rows lie in each; a row in a place where few are is unusual.
///
/// Each tree halves the range of random columns, `depth` times. A row walks down while more than a tenth of the window
/// goes its way; `score = 1 / E[sum over its way of 2^k m / rows]`, where `m` is what the place at depth `k` holds and
/// `E` the mean over trees. In `(0, 1]`, larger for more unusual; without a false-alarm rate: put
/// [`super::SlidingCalibration`] behind it.
///
/// The places hold the rows of the window exactly: the newest is counted and the oldest taken out. One tree after the
/// other is grown anew on the ranges of the window, all of them within as many rows as it holds, so that a stream that
/// moves is followed and no range is to be stated. A column that was constant throughout the window decides nothing.
///
/// Deterministic from the seed. Restored from what was stored it goes on as if nothing had happened.
/// Cost a row: `O(trees * (depth + columns))`, about 10 µs for 100 trees and 20 columns, where one row in
/// `window / trees` pays for a new tree, `O(window * (depth + columns))`; memory `8 * window * columns` bytes and
/// `24 * 2^depth` a tree, 0.7 MiB there. Not to be trusted for unusual rows that come in crowds of a tenth of the window
/// and more: they become usual, as they should.
/// Reference: Tan, Ting, Liu, "Fast anomaly detection for streaming data", IJCAI (2011), with its score and its ranges;
/// there, the masses are those of the window before, trees stay as they were, and the range of each column is known.
///
/// ```
/// use wardline_stats::outlier::{OnlineForest, OnlineForestSettings};
///
/// let mut forest = OnlineForest::new(2, &OnlineForestSettings::default()).unwrap();
/// for i in 0..3_000_u32 {
///     forest.observe(&[f64::from(i * 7 % 101), f64::from(i * 13 % 103)]);
/// }
/// let (usual, odd) = (forest.score(&[50.0, 50.0]).unwrap(), forest.score(&[50.0, 500.0]).unwrap());
/// assert!(odd > usual + 0.1);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct OnlineForest {
    settings: OnlineForestSettings,
    width: usize,
    /// None before the first rows are there.
    trees: Vec<HalfSpaceTree>,
    /// The last rows, one after the other; the oldest is at `oldest` once it is full.
    rows: Vec<f64>,
    oldest: usize,
    /// The tree that is grown anew next, and the rows since the last one was.
    next: usize,
    since: usize,
    random: SplitMix,
}

/// Masses are counted again from the rows.
#[derive(Clone, Serialize, Deserialize)]
struct Stored {
    settings: OnlineForestSettings,
    width: usize,
    trees: Vec<Vec<Split>>,
    rows: Vec<f64>,
    oldest: usize,
    next: usize,
    since: usize,
    random: SplitMix,
}

impl OnlineForest {
    /// A forest that has seen nothing, for rows of `width` columns; `None` for settings out of range, a width of zero
    /// or above 4,096, or a window of more than 100,000,000 numbers.
    #[must_use]
    pub fn new(width: usize, settings: &OnlineForestSettings) -> Option<Self> {
        let sized = (1..=4_096).contains(&width) && settings.window as usize <= MOST_NUMBERS / width;
        (settings.valid() && sized).then(|| Self {
            settings: *settings,
            width,
            trees: Vec::new(),
            rows: Vec::new(),
            oldest: 0,
            next: 0,
            since: 0,
            random: SplitMix::new(settings.seed),
        })
    }

    /// Scores a row and learns it; `None`, and nothing learned, unless it has the right width and finite numbers. The
    /// score is that before learning, and missing (an inner `None`) for the first 64 rows.
    pub fn observe(&mut self, row: &[f64]) -> Option<Option<f64>> {
        if !self.fits(row) {
            return None;
        }
        let rows = self.count();
        let is_full = rows == self.settings.window as usize;
        let place = self.oldest * self.width..(self.oldest + 1) * self.width;
        // All with one tree before the next, while it is in the first cache.
        let mut density = 0.0;
        for tree in &mut self.trees {
            density += tree.density(row, rows);
            tree.learn(row);
            if is_full {
                tree.forget(&self.rows[place.clone()]);
            }
        }
        let score = (!self.trees.is_empty()).then(|| self.trees.len() as f64 / density);
        if is_full {
            self.rows[place].copy_from_slice(row);
            self.oldest = (self.oldest + 1) % self.settings.window as usize;
        } else {
            self.rows.extend_from_slice(row);
        }
        self.renew();
        Some(score)
    }

    /// The score of a row that is not learned; `None` unless it fits and 64 rows were seen.
    #[must_use]
    pub fn score(&self, row: &[f64]) -> Option<f64> {
        if !self.fits(row) || self.trees.is_empty() {
            return None;
        }
        let rows = self.count();
        let density: f64 = self.trees.iter().map(|tree| tree.density(row, rows)).sum();
        Some(self.trees.len() as f64 / density)
    }

    /// How many rows are remembered.
    #[must_use]
    pub fn count(&self) -> usize {
        self.rows.len() / self.width
    }

    fn fits(&self, row: &[f64]) -> bool {
        // Ranges and their sums stay finite.
        row.len() == self.width && row.iter().all(|value| value.abs() < 1e150)
    }

    /// Grows all trees once the first rows are there, and after that one at a time.
    fn renew(&mut self) {
        let trees = self.settings.trees as usize;
        if self.trees.is_empty() {
            if self.count() >= FIRST {
                let ranges = self.ranges();
                self.trees = (0..trees).map(|_| self.grown(&ranges)).collect();
            }
            return;
        }
        self.since += 1;
        if self.since >= self.count() / trees {
            let ranges = self.ranges();
            self.trees[self.next] = self.grown(&ranges);
            self.next = (self.next + 1) % trees;
            self.since = 0;
        }
    }

    fn grown(&mut self, ranges: &[[f64; 2]]) -> HalfSpaceTree {
        let mut tree = HalfSpaceTree::grow(ranges, self.settings.depth, &mut self.random);
        tree.learn_all(self.rows.chunks_exact(self.width));
        tree
    }

    /// Lowest and highest value of each column.
    fn ranges(&self) -> Vec<[f64; 2]> {
        let mut ranges = vec![[f64::MAX, f64::MIN]; self.width];
        for row in self.rows.chunks_exact(self.width) {
            for ([low, high], value) in ranges.iter_mut().zip(row) {
                // Not `min` and `max`, which look for NaN too.
                *low = if *value < *low { *value } else { *low };
                *high = if *value > *high { *value } else { *high };
            }
        }
        ranges
    }
}

impl TryFrom<Stored> for OnlineForest {
    type Error = &'static str;

    fn try_from(stored: Stored) -> Result<Self, Self::Error> {
        let Stored { settings, width, trees, rows, oldest, next, since, random } = stored;
        let empty = Self::new(width, &settings).ok_or("settings of an online forest that are out of range")?;
        let (window, count) = (settings.window as usize, rows.len() / width);
        let whole = rows.len().is_multiple_of(width) && count <= window && rows.iter().all(|value| value.abs() < 1e150);
        let wanted = if count < FIRST { 0 } else { settings.trees as usize };
        let sound = whole
            && oldest < if count == window { window } else { 1 }
            && next < settings.trees as usize
            && since <= window
            && trees.len() == wanted
            && trees.iter().all(|splits| are_sound(splits, settings.depth, width));
        if !sound {
            return Err("not an online forest");
        }
        let mut trees: Vec<HalfSpaceTree> = trees.into_iter().map(HalfSpaceTree::from_splits).collect();
        for tree in &mut trees {
            tree.learn_all(rows.chunks_exact(width));
        }
        Ok(Self { trees, rows, oldest, next, since, random, ..empty })
    }
}

impl From<OnlineForest> for Stored {
    fn from(forest: OnlineForest) -> Self {
        let OnlineForest { settings, width, trees, rows, oldest, next, since, random } = forest;
        let trees = trees.into_iter().map(HalfSpaceTree::into_splits).collect();
        Self { settings, width, trees, rows, oldest, next, since, random }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(random: &mut SplitMix) -> [f64; 3] {
        std::array::from_fn(|_| random.normal())
    }

    fn after(rows: usize, seed: u64) -> (OnlineForest, SplitMix) {
        let mut forest = OnlineForest::new(3, &OnlineForestSettings { seed, ..Default::default() }).unwrap();
        let mut random = SplitMix::new(40);
        for _ in 0..rows {
            forest.observe(&row(&mut random)).unwrap();
        }
        (forest, random)
    }

    /// Goal: far rows stand out, near ones do not. Method: how many of 500 usual rows score as high.
    #[test]
    fn far_rows_stand_out() {
        let (forest, mut random) = after(5_000, 1);
        let usual: Vec<f64> = (0..500).map(|_| forest.score(&row(&mut random)).unwrap()).collect();
        let as_high = |score: f64| usual.iter().filter(|other| **other >= score).count();
        assert!(as_high(forest.score(&[5.0, 5.0, -5.0]).unwrap()) <= 5);
        assert!(as_high(forest.score(&[0.1, 0.0, -0.1]).unwrap()) > 250);
    }

    /// Goal: what lasts becomes usual and what is gone unusual.
    #[test]
    fn the_old_is_forgotten() {
        let (mut forest, mut random) = after(3_000, 1);
        let (old, new) = ([0.0; 3], [20.0; 3]);
        assert!(forest.score(&new).unwrap() > forest.score(&old).unwrap());
        for _ in 0..2_500 {
            forest.observe(&row(&mut random).map(|value| value + 20.0));
        }
        assert!(forest.score(&new).unwrap() < forest.score(&old).unwrap());
        assert_eq!(forest.count(), 512);
    }

    #[test]
    fn what_was_stored_goes_on_as_if_nothing_had_happened() {
        let (mut forest, mut random) = after(2_500, 7);
        let mut restored: OnlineForest = postcard::from_bytes(&postcard::to_allocvec(&forest).unwrap()).unwrap();
        for _ in 0..3_000 {
            let next = row(&mut random);
            assert_eq!(forest.observe(&next), restored.observe(&next));
        }
        assert_eq!(forest, restored);
        let text = serde_json::to_value(&forest).unwrap();
        for (place, nonsense) in [
            ("/trees/0/1/column", 3.into()),
            ("/trees/0/1/threshold", serde_json::Value::Null),
            ("/trees/0", serde_json::json!([])),
            ("/oldest", 512.into()),
            ("/next", 100.into()),
            ("/rows", serde_json::json!([1.0])),
            ("/settings/depth", 40.into()),
            ("/width", 0.into()),
        ] {
            let mut text = text.clone();
            *text.pointer_mut(place).unwrap() = nonsense;
            assert!(serde_json::from_value::<OnlineForest>(text).is_err(), "{place}");
        }
    }

    /// Goal: trees hold the rows of the window, no more and no fewer, however restless the stream: what is stored holds
    /// no masses, so that they are counted anew.
    #[test]
    fn the_masses_are_those_of_the_window() {
        let settings = OnlineForestSettings { trees: 4, window: 64, depth: 5, seed: 5 };
        let mut forest = OnlineForest::new(2, &settings).unwrap();
        let mut random = SplitMix::new(41);
        for at in 0..6_000 {
            let middle = if at / 50 % 2 == 0 { 0.0 } else { 30.0 };
            let row = [middle + random.normal(), random.unit().powi(9)];
            let before = forest.score(&row);
            assert_eq!(forest.observe(&row), Some(before));
            if at % 200 == 0 {
                let stored = postcard::to_allocvec(&forest).unwrap();
                assert_eq!(postcard::from_bytes::<OnlineForest>(&stored).unwrap(), forest);
            }
        }
    }

    #[test]
    fn what_does_not_fit_is_not_learned() {
        let mut forest = OnlineForest::new(2, &OnlineForestSettings::default()).unwrap();
        assert_eq!(forest.observe(&[1.0]), None);
        assert_eq!(forest.observe(&[1.0, f64::NAN]), None);
        assert_eq!(forest.observe(&[1.0, f64::INFINITY]), None);
        assert_eq!(forest.count(), 0);
        assert_eq!(forest.observe(&[1.0, 2.0]), Some(None));
        assert!(OnlineForest::new(0, &OnlineForestSettings::default()).is_none());
        assert!(OnlineForest::new(2, &OnlineForestSettings { depth: 13, ..Default::default() }).is_none());
    }

    /// Goal: bounded memory, and a stream whose scale is not known beforehand and keeps growing.
    #[test]
    fn a_growing_scale_is_followed() {
        let mut forest = OnlineForest::new(1, &OnlineForestSettings { window: 128, ..Default::default() }).unwrap();
        let mut random = SplitMix::new(3);
        let mut scale = 1.0;
        for _ in 0..2_000 {
            scale *= 1.01;
            forest.observe(&[scale * random.normal()]);
        }
        let [usual, odd] = [0.0, 8.0].map(|at| forest.score(&[at * scale]).unwrap());
        assert!(odd > 2.0 * usual, "{odd} {usual}");
        assert!(OnlineForest::new(4_096, &OnlineForestSettings { window: 1_000_000, ..Default::default() }).is_none());
    }

    /// Goal: constant rows, which no split divides, end in bounded trees and finite scores.
    #[test]
    fn constant_rows_do_no_harm() {
        let mut forest = OnlineForest::new(2, &OnlineForestSettings { window: 256, ..Default::default() }).unwrap();
        for _ in 0..2_000 {
            forest.observe(&[3.0, 3.0]);
        }
        let score = forest.score(&[3.0, 3.0]).unwrap();
        assert!((0.0..=1.0).contains(&score));
    }
}
