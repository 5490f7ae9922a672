//! The isolation forest: rows that random splits cut off early are unusual.

mod tree;
mod walk;

use serde::{Deserialize, Serialize};

use self::tree::{DEEPEST, Sample, Tree};
use self::walk::{BLOCK, RowBlock};
use super::path_length::mean_path_length;
use super::typical::Typical;
use crate::learn::Features;
use crate::random::SplitMix;

/// How an isolation forest is grown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForestSettings {
    /// How many trees, `1..=10_000`.
    pub trees: u32,
    /// Rows that each tree is grown on, `2..=4_096`; all rows where there are fewer.
    pub sample: u32,
    /// Of the samples and the splits.
    pub seed: u64,
}

impl Default for ForestSettings {
    /// 100 trees on 256 rows each, as in the paper and in scikit-learn.
    fn default() -> Self {
        Self { trees: 100, sample: 256, seed: 1 }
    }
}

impl ForestSettings {
    pub(super) fn valid(&self) -> bool {
        (1..=10_000).contains(&self.trees) && (2..=1 << DEEPEST).contains(&self.sample)
    }
}

/// A node of a tree that was grown elsewhere; the first of a list is the root.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Part {
    /// Rows of single precision whose value is at most the threshold go left.
    Split {
        /// The column.
        feature: usize,
        /// Where it is split.
        threshold: f64,
        /// The place of the left child in the list.
        left: usize,
        /// The place of the right one.
        right: usize,
    },
    /// Where a walk ends.
    Leaf {
        /// Rows of the tree's sample that ended here.
        rows: usize,
    },
}

/// Random trees on small samples; the fewer splits isolate a row, the more unusual it is.
///
/// `score = 2^(-E[h] / c(sample))`, where `h` is the depth of the leaf plus the mean depth `c` of what is left in it,
/// and `E` the mean over trees. In `(0, 1)`: about 0.5 where nothing stands out, near one for a row that is cut off
/// at once. Splits are drawn, and depths counted, as scikit-learn does. Values are compared in single precision. A
/// missing value is taken for the column's median, so that it does not make a row unusual by itself.
///
/// A score has no false-alarm rate: put [`super::Calibration`] behind it.
/// Cost: fitting `O(trees * sample * ln(sample))`; scoring `O(trees * ln(sample))` a row, about 1 µs for 100 trees of
/// 256 rows; 2 KiB and 2 KiB a tree. Not to be trusted where unusual rows are as many and as close together as usual
/// ones, nor for what is only unusual in a combination of features: see [`super::ExtendedForest`].
/// Reference: Liu, Ting, Zhou, "Isolation Forest", ICDM (2008).
///
/// ```
/// use wardline_stats::learn::Features;
/// use wardline_stats::outlier::{ForestSettings, IsolationForest};
///
/// let x: Vec<f64> = (0..500).map(|i| f64::from(i % 23)).collect();
/// let y: Vec<f64> = (0..500).map(|i| f64::from(i % 19)).collect();
/// let forest = IsolationForest::fit(&Features::new(vec![&x, &y]).unwrap(), &ForestSettings::default()).unwrap();
/// let scores = forest.score(&Features::new(vec![&[11.0, 90.0], &[9.0, 90.0]]).unwrap()).unwrap();
/// assert!(scores[0] < 0.5 && scores[1] > 0.6);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct IsolationForest {
    trees: Vec<Tree>,
    sample: usize,
    typical: Typical,
}

#[derive(Clone, Serialize, Deserialize)]
struct Stored {
    trees: Vec<Tree>,
    sample: usize,
    typical: Typical,
}

impl IsolationForest {
    /// Grows a forest on rows that are mostly usual; `None` for settings out of range, fewer than two rows, or no
    /// column with a value.
    #[must_use]
    pub fn fit(features: &Features<'_>, settings: &ForestSettings) -> Option<Self> {
        let rows = features.rows();
        if !settings.valid() || rows < 2 {
            return None;
        }
        let typical = Typical::of(features)?;
        let mut random = SplitMix::new(settings.seed);
        let size = rows.min(settings.sample as usize);
        let depth = depth_of(size);
        let mut values = vec![0.0; size * features.width()];
        let trees = (0..settings.trees).map(|_| {
            let chosen = random_rows(rows, size, &mut random);
            for (at, row) in chosen.into_iter().enumerate() {
                for (feature, column) in features.columns().iter().enumerate() {
                    values[at * features.width() + feature] = typical.single(feature, column[row]);
                }
            }
            let mut order: Vec<u32> = (0..size as u32).collect();
            let sample = Sample { values: &values, width: features.width() };
            Tree::grow(&sample, &mut order, depth, &mut random)
        });
        let trees = trees.collect();
        Some(Self { trees, sample: size, typical })
    }

    /// A forest that was grown elsewhere, on `sample` rows a tree of `width` columns.
    ///
    /// `None` where there is no tree, a walk does not end within `ceil(log2(sample))` splits, a feature is not below
    /// `width`, or a threshold is no number. Missing values are taken for zero.
    #[must_use]
    pub fn from_parts(trees: &[Vec<Part>], sample: usize, width: usize) -> Option<Self> {
        if trees.is_empty() || width == 0 || !(2..=1 << DEEPEST).contains(&sample) {
            return None;
        }
        let trees = trees.iter().map(|parts| Tree::from_parts(parts, depth_of(sample), width));
        Some(Self { trees: trees.collect::<Option<_>>()?, sample, typical: Typical::zero(width) })
    }

    /// The score of each row, larger for more unusual; `None` if the number of columns differs.
    #[must_use]
    pub fn score(&self, features: &Features<'_>) -> Option<Vec<f64>> {
        if features.width() != self.typical.width() {
            return None;
        }
        let scale = -1.0 / (self.trees.len() as f64 * mean_path_length(self.sample));
        let mut scores = Vec::with_capacity(features.rows());
        let mut block = RowBlock::new(features.width());
        for first in (0..features.rows()).step_by(BLOCK) {
            let count = BLOCK.min(features.rows() - first);
            for (feature, column) in features.columns().iter().enumerate() {
                for (row, value) in column[first..first + count].iter().enumerate() {
                    block.set(row, feature, self.typical.single(feature, *value));
                }
            }
            let mut sums = [0.0; BLOCK];
            for tree in &self.trees {
                block.add_depths(tree, &mut sums);
            }
            scores.extend(sums[..count].iter().map(|sum| (sum * scale).exp2()));
        }
        Some(scores)
    }

    /// How many columns a row has.
    #[must_use]
    pub fn width(&self) -> usize {
        self.typical.width()
    }
}

impl TryFrom<Stored> for IsolationForest {
    type Error = &'static str;

    fn try_from(stored: Stored) -> Result<Self, Self::Error> {
        let Stored { trees, sample, typical } = stored;
        let sound = !trees.is_empty()
            && (2..=1 << DEEPEST).contains(&sample)
            && typical.is_sound()
            && trees.iter().all(|tree| tree.is_sound(typical.width()));
        if sound { Ok(Self { trees, sample, typical }) } else { Err("not an isolation forest") }
    }
}

impl From<IsolationForest> for Stored {
    fn from(forest: IsolationForest) -> Self {
        Self { trees: forest.trees, sample: forest.sample, typical: forest.typical }
    }
}

/// Splits from the root to a leaf: `ceil(log2(sample))`.
pub(super) fn depth_of(sample: usize) -> u32 {
    sample.next_power_of_two().trailing_zeros()
}

/// Different rows, in no order that matters.
pub(super) fn random_rows(rows: usize, count: usize, random: &mut SplitMix) -> Vec<usize> {
    // Floyd's algorithm: as many numbers as rows are wanted.
    let mut chosen = std::collections::HashSet::with_capacity(count);
    let mut order = Vec::with_capacity(count);
    for last in rows - count..rows {
        let row = random.below(last + 1);
        let row = if chosen.insert(row) { row } else { last };
        chosen.insert(row);
        order.push(row);
    }
    order
}

#[cfg(test)]
mod tests;
