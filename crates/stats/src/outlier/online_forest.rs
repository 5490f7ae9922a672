//! An isolation forest for streams: it learns each row as it comes and forgets the oldest.

mod histogram_tree;

use serde::{Deserialize, Serialize};

use self::histogram_tree::{Growth, HistogramTree};
use crate::random::SplitMix;

/// How an online forest is grown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OnlineForestSettings {
    /// How many trees, `1..=1_000`.
    pub trees: u32,
    /// Rows that are remembered, `64..=1_000_000`.
    pub window: u32,
    /// Rows at which the root splits, at least two and at most half of the window; a leaf at depth `k` splits at `2^k`
    /// times as many.
    pub leaf: u32,
    /// Of splits.
    pub seed: u64,
}

impl Default for OnlineForestSettings {
    /// 32 trees over 2,048 rows, leaves of 32: those of the paper.
    fn default() -> Self {
        Self { trees: 32, window: 2_048, leaf: 32, seed: 1 }
    }
}

impl OnlineForestSettings {
    fn valid(&self) -> bool {
        (1..=1_000).contains(&self.trees)
            && (64..=1_000_000).contains(&self.window)
            && 2 <= self.leaf
            && self.leaf <= self.window / 2
    }
}

/// Random histograms over the last rows of a stream; a row in a place where few are is unusual.
///
/// A leaf at depth `k` splits when it holds `leaf * 2^k` rows: at a random place of a random column of its bounding
/// box, with rows drawn evenly within the box in place of the ones that it does not keep. A node that falls below that
/// number as rows are forgotten becomes a leaf again. `score = 2^(-E[k + ln(h / leaf) / ln 4] / limit)`, where `h` is
/// what the leaf holds (the second term at least zero) and `limit = ln(rows / leaf) / ln 4` the depth of evenly
/// spread rows. In `(0, 1]`, larger for more unusual; without a false-alarm rate: put
/// [`super::SlidingCalibration`] behind it.
///
/// Deterministic from the seed. Restored from what was stored it goes on as if nothing had happened.
/// Cost a row: `O(trees * (depth + columns))`, about 5 µs for 32 trees and 20 columns; memory
/// `O(window * columns + trees * window / leaf * columns)`, 0.5 MiB there. Not to be trusted before the window is full,
/// nor for clusters of unusual rows that last as long as the window: they become usual, as they should.
/// Reference: Leveni, Weigert Cassales, Pfahringer, Bifet, Boracchi, "Online Isolation Forest", ICML (2024).
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
    trees: Vec<HistogramTree>,
    /// The last rows, one after the other; the oldest is at `oldest` once it is full.
    rows: Vec<f64>,
    oldest: usize,
    random: SplitMix,
}

#[derive(Clone, Serialize, Deserialize)]
struct Stored {
    settings: OnlineForestSettings,
    width: usize,
    trees: Vec<HistogramTree>,
    rows: Vec<f64>,
    oldest: usize,
    random: SplitMix,
}

impl OnlineForest {
    /// A forest that has seen nothing, for rows of `width` columns; `None` for settings out of range, a width of zero
    /// or above 4,096.
    #[must_use]
    pub fn new(width: usize, settings: &OnlineForestSettings) -> Option<Self> {
        if !settings.valid() || !(1..=4_096).contains(&width) {
            return None;
        }
        let trees = (0..settings.trees).map(|_| HistogramTree::new(width)).collect();
        let random = SplitMix::new(settings.seed);
        Some(Self { settings: *settings, width, trees, rows: Vec::new(), oldest: 0, random })
    }

    /// Scores a row and learns it; `None`, and nothing learned, unless it has the right width and finite numbers. The
    /// score is that before learning, and missing (an inner `None`) for the first rows: twice as many as a leaf holds.
    pub fn observe(&mut self, row: &[f64]) -> Option<Option<f64>> {
        if !self.fits(row) {
            return None;
        }
        let score = self.score(row);
        let growth = Growth { leaf: self.settings.leaf, deepest: self.deepest() };
        for tree in &mut self.trees {
            tree.learn(row, growth, &mut self.random);
        }
        self.remember(row, growth);
        Some(score)
    }

    /// The score of a row that is not learned; `None` unless it fits and enough rows were seen.
    #[must_use]
    pub fn score(&self, row: &[f64]) -> Option<f64> {
        let rows = self.count();
        if !self.fits(row) || rows < 2 * self.settings.leaf as usize {
            return None;
        }
        let leaf = f64::from(self.settings.leaf);
        let depth: f64 = self.trees.iter().map(|tree| tree.depth(row, leaf)).sum::<f64>() / self.trees.len() as f64;
        let limit = (rows as f64 / leaf).log(4.0);
        Some((-depth / limit).exp2())
    }

    /// How many rows are remembered.
    #[must_use]
    pub fn count(&self) -> usize {
        self.rows.len() / self.width
    }

    fn fits(&self, row: &[f64]) -> bool {
        // Boxes and their sums stay finite.
        row.len() == self.width && row.iter().all(|value| value.abs() < 1e150)
    }

    fn deepest(&self) -> u32 {
        f64::from(self.settings.window / self.settings.leaf).log2().ceil() as u32
    }

    fn remember(&mut self, row: &[f64], growth: Growth) {
        if self.count() < self.settings.window as usize {
            self.rows.extend_from_slice(row);
            return;
        }
        let place = self.oldest * self.width..(self.oldest + 1) * self.width;
        for tree in &mut self.trees {
            tree.forget(&self.rows[place.clone()], growth);
        }
        self.rows[place].copy_from_slice(row);
        self.oldest = (self.oldest + 1) % self.settings.window as usize;
    }
}

impl TryFrom<Stored> for OnlineForest {
    type Error = &'static str;

    fn try_from(stored: Stored) -> Result<Self, Self::Error> {
        let Stored { settings, width, trees, rows, oldest, random } = stored;
        let empty = Self::new(width, &settings).ok_or("settings of an online forest that are out of range")?;
        let growth = Growth { leaf: settings.leaf, deepest: empty.deepest() };
        let most = growth.most_counted(settings.window);
        let whole = rows.len().is_multiple_of(width) && rows.len() / width <= settings.window as usize;
        let sound = whole
            && oldest < settings.window as usize
            && rows.iter().all(|value| value.abs() < 1e150)
            && trees.len() == empty.trees.len()
            && trees.iter().all(|tree| tree.is_sound(width, most));
        if sound { Ok(Self { trees, rows, oldest, random, ..empty }) } else { Err("not an online forest") }
    }
}

impl From<OnlineForest> for Stored {
    fn from(forest: OnlineForest) -> Self {
        let OnlineForest { settings, width, trees, rows, oldest, random } = forest;
        Self { settings, width, trees, rows, oldest, random }
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
        assert_eq!(forest.count(), 2_048);
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
        let mut text = serde_json::to_value(&forest).unwrap();
        text["trees"][0]["nodes"][0]["left"] = 999_999.into();
        assert!(serde_json::from_value::<OnlineForest>(text).is_err());
    }

    /// Goal: a count that no stream leads to, whose rows a split would draw one by one, is refused.
    #[test]
    fn a_count_without_end_is_refused() {
        let (forest, _) = after(100, 3);
        for count in [u64::MAX, 1 << 40] {
            let mut text = serde_json::to_value(&forest).unwrap();
            text["trees"][0]["nodes"][0]["count"] = count.into();
            assert!(serde_json::from_value::<OnlineForest>(text).is_err());
        }
    }

    /// Goal: rows whose law keeps changing, so that counts go astray, leave a forest that can be stored.
    #[test]
    fn a_restless_stream_can_be_stored() {
        let settings = OnlineForestSettings { trees: 4, window: 64, leaf: 2, seed: 5 };
        let mut forest = OnlineForest::new(2, &settings).unwrap();
        let mut random = SplitMix::new(41);
        for at in 0..6_000 {
            let middle = if at / 50 % 2 == 0 { 0.0 } else { 30.0 };
            forest.observe(&[middle + random.normal(), random.unit().powi(9)]).unwrap();
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
        assert!(OnlineForest::new(2, &OnlineForestSettings { leaf: 2_000, ..Default::default() }).is_none());
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
