//! What the nearest rows from other channels say about each row.

use crate::learn::Features;
use crate::random::SplitMix;
use crate::sketch::Moments;

/// Reference rows whose distances are computed at once, so that they stay in the fastest cache.
const BLOCK: usize = 256;

/// A class is as near as its third nearest row: a wrong label or two say nothing of where it lies.
const NTH: usize = 3;

/// Rows that are compared with a block before the next is loaded.
const CHUNK: usize = 1_024;

/// The most differences of features that are computed.
const MOST_DIFFERENCES: u128 = 2_000_000_000_000;

/// The most classes and channels.
const MOST_CLASSES: usize = 1_000;
const MOST_CHANNELS: usize = 256;

/// Training rows with the class that was given and the channel they came by.
#[derive(Clone, Copy, Debug)]
pub struct ChannelRows<'a> {
    /// Features or embeddings; a missing value counts as the column's mean.
    pub features: &'a Features<'a>,
    /// The class that was given to each row.
    pub labels: &'a [u32],
    /// The channel of each row.
    pub channels: &'a [u32],
}

/// How neighbours are sought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NeighbourSettings {
    /// Neighbours of each row, `1..=64`.
    pub k: usize,
    /// With more rows than this, neighbours are sought among a sample of as many, the same number from each channel.
    pub most_reference_rows: usize,
    /// Of the sample.
    pub seed: u64,
}

impl Default for NeighbourSettings {
    /// Seven neighbours, among at most 10,000 rows.
    fn default() -> Self {
        Self { k: 7, most_reference_rows: 10_000, seed: 1 }
    }
}

/// The class that most of a row's `k` nearest rows from *other* channels have, and how many have it.
///
/// Who poisons through one channel cannot vouch for its own rows. Distances are Euclidean over columns divided by
/// their standard deviation, in single precision. Of equal votes, the class of the nearest counts.
///
/// Cost: `O(rows * min(rows, most_reference_rows) * columns)`. 100,000 rows of 20 columns against 10,000 take
/// seconds; against all of them a minute.
#[derive(Clone, Debug)]
pub struct OutsideNeighbours {
    pub(super) classes: Vec<u32>,
    pub(super) channels: Vec<u32>,
    pub(super) label_of: Vec<usize>,
    pub(super) channel_of: Vec<usize>,
    pub(super) nearest_class: Vec<usize>,
    pub(super) votes: Vec<usize>,
    /// How much farther away than that class the next one is, as the ratio of squared distances; infinite where
    /// there is no other class.
    pub(super) margin: Vec<f32>,
    pub(super) k: usize,
}

impl OutsideNeighbours {
    /// `None` if lengths are uneven, fewer than two channels, more than 256 channels or 1,000 classes, `k` is out of
    /// range, a row has fewer than `k` reference rows outside its channel, or there is too much work (2 * 10^12
    /// differences).
    #[must_use]
    pub fn find(rows: ChannelRows<'_>, settings: &NeighbourSettings) -> Option<Self> {
        let n = rows.features.rows();
        if rows.labels.len() != n || rows.channels.len() != n || !(1..=64).contains(&settings.k) {
            return None;
        }
        let (classes, label_of) = numbered(rows.labels, MOST_CLASSES)?;
        let (channels, channel_of) = numbered(rows.channels, MOST_CHANNELS)?;
        let groups = reference_rows(&channel_of, channels.len(), settings);
        let sampled: usize = groups.iter().map(Vec::len).sum();
        let enough = groups.iter().all(|group| sampled - group.len() >= settings.k);
        let width = rows.features.width();
        if channels.len() < 2 || !enough || n as u128 * sampled as u128 * width as u128 > MOST_DIFFERENCES {
            return None;
        }
        let points = Points { values: standardised(rows.features), width };
        let mut found = Self {
            classes,
            channels,
            label_of,
            channel_of,
            nearest_class: vec![],
            votes: vec![],
            margin: vec![],
            k: settings.k,
        };
        let n_classes = found.classes.len();
        for start in (0..n).step_by(CHUNK) {
            let asked = start..n.min(start + CHUNK);
            let (nearest, of_classes) = points.nearest(asked, &groups, &found, settings.k);
            for (of_row, of_class) in nearest.chunks_exact(settings.k).zip(of_classes.chunks_exact(n_classes)) {
                let (class, votes) = majority(of_row.iter().map(|(_, row)| found.label_of[*row as usize]));
                found.nearest_class.push(class);
                found.votes.push(votes);
                found.margin.push(margin(of_class, class));
            }
        }
        Some(found)
    }

    /// For each row, the class of most neighbours and how many of the `k` have it.
    pub fn rows(&self) -> impl Iterator<Item = (u32, usize)> + '_ {
        self.nearest_class.iter().zip(&self.votes).map(|(class, votes)| (self.classes[*class], *votes))
    }

    /// Rows that a channel and a class of neighbours, at each number of votes, have in common are one stratum.
    pub(super) fn stratum(&self, row: usize) -> usize {
        self.nearest_class[row] * (self.k + 1) + self.votes[row]
    }

    pub(super) fn n_strata(&self) -> usize {
        self.classes.len() * (self.k + 1)
    }
}

/// The different numbers, ascending, and the place of each row's among them.
pub(super) fn numbered(numbers: &[u32], most: usize) -> Option<(Vec<u32>, Vec<usize>)> {
    let mut different = numbers.to_vec();
    different.sort_unstable();
    different.dedup();
    let places = numbers.iter().map(|number| different.partition_point(|other| other < number)).collect();
    (different.len() <= most).then_some((different, places))
}

/// Rows that may be neighbours, by channel.
fn reference_rows(channel_of: &[usize], channels: usize, settings: &NeighbourSettings) -> Vec<Vec<usize>> {
    let mut groups = vec![Vec::new(); channels];
    channel_of.iter().enumerate().for_each(|(row, channel)| groups[*channel].push(row));
    if channel_of.len() > settings.most_reference_rows {
        let mut random = SplitMix::new(settings.seed);
        for group in &mut groups {
            random.shuffle(group);
            group.truncate(settings.most_reference_rows / channels.max(1));
        }
    }
    groups
}

fn standardised(features: &Features<'_>) -> Vec<f32> {
    let width = features.width();
    let mut values = vec![0.0_f32; features.rows() * width];
    for (at, column) in features.columns().iter().enumerate() {
        let mut moments = Moments::new();
        for value in column.iter().filter(|value| !value.is_nan()) {
            moments.insert(*value);
        }
        let mean = moments.mean().unwrap_or(0.0);
        let deviation = (moments.m2() / (moments.count() as f64).max(1.0)).sqrt();
        if !(deviation.is_finite() && deviation > 1e-12 * mean.abs()) {
            continue;
        }
        for (value, given) in values[at..].iter_mut().step_by(width).zip(*column) {
            *value = if given.is_nan() { 0.0 } else { ((given - mean) / deviation) as f32 };
        }
    }
    values
}

/// The class with the most votes, of equals the first.
fn majority(labels: impl Iterator<Item = usize> + Clone) -> (usize, usize) {
    let mut best = (0, 0);
    for label in labels.clone() {
        let votes = labels.clone().filter(|other| *other == label).count();
        if votes > best.1 {
            best = (label, votes);
        }
    }
    best
}

/// Rows of standardised values, one after the other.
struct Points {
    values: Vec<f32>,
    width: usize,
}

impl Points {
    fn row(&self, row: usize) -> &[f32] {
        &self.values[row * self.width..(row + 1) * self.width]
    }

    /// Squared distance and row of the `k` nearest of each row asked, nearest first; and for each row and class the
    /// squared distances of the nearest rows of that class.
    fn nearest(
        &self,
        asked: std::ops::Range<usize>,
        groups: &[Vec<usize>],
        known: &OutsideNeighbours,
        k: usize,
    ) -> (Vec<(f32, u32)>, Vec<[f32; NTH]>) {
        let n_classes = known.classes.len();
        let mut nearest = vec![(f32::INFINITY, 0_u32); asked.len() * k];
        let mut of_classes = vec![[f32::INFINITY; NTH]; asked.len() * n_classes];
        let mut columns = vec![0.0_f32; self.width * BLOCK];
        for (channel, group) in groups.iter().enumerate() {
            for block in group.chunks(BLOCK) {
                for (place, row) in block.iter().enumerate() {
                    let cells = columns[place..].iter_mut().step_by(BLOCK);
                    cells.zip(self.row(*row)).for_each(|(cell, value)| *cell = *value);
                }
                let classes: Vec<usize> = block.iter().map(|row| known.label_of[*row]).collect();
                let best = nearest.chunks_exact_mut(k).zip(of_classes.chunks_exact_mut(n_classes));
                for ((best, of_class), row) in best.zip(asked.clone()) {
                    if known.channel_of[row] != channel {
                        let distances = distances(self.row(row), &columns);
                        keep_nearest(best, &distances, block);
                        keep_nearest_of_classes(of_class, &distances, &classes);
                    }
                }
            }
        }
        (nearest, of_classes)
    }
}

fn distances(point: &[f32], columns: &[f32]) -> [f32; BLOCK] {
    let mut sums = [0.0_f32; BLOCK];
    for (value, column) in point.iter().zip(columns.chunks_exact(BLOCK)) {
        for (sum, other) in sums.iter_mut().zip(column) {
            let difference = value - other;
            *sum += difference * difference;
        }
    }
    sums
}

fn keep_nearest(best: &mut [(f32, u32)], distances: &[f32; BLOCK], block: &[usize]) {
    let last = best.len() - 1;
    for (distance, row) in distances.iter().zip(block) {
        if *distance < best[last].0 {
            let mut place = last;
            while 0 < place && *distance < best[place - 1].0 {
                best[place] = best[place - 1];
                place -= 1;
            }
            best[place] = (*distance, *row as u32);
        }
    }
}

fn keep_nearest_of_classes(best: &mut [[f32; NTH]], distances: &[f32; BLOCK], classes: &[usize]) {
    for (distance, class) in distances.iter().zip(classes) {
        let kept = &mut best[*class];
        if *distance < kept[NTH - 1] {
            let place = kept.partition_point(|known| *known <= *distance);
            kept[place..].rotate_right(1);
            kept[place] = *distance;
        }
    }
}

fn margin(of_class: &[[f32; NTH]], class: usize) -> f32 {
    let others = of_class.iter().enumerate().filter(|(other, _)| *other != class);
    let next = others.map(|(_, kept)| kept[NTH - 1]).fold(f32::INFINITY, f32::min);
    // With many rows at the same place both may be zero: then nothing parts the classes.
    if next > 0.0 { next / of_class[class][NTH - 1].max(f32::MIN_POSITIVE) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: blocks, chunks and channels change nothing. Method: 1,500 rows against sorting all distances.
    #[test]
    fn neighbours_are_those_of_a_full_sort() {
        let mut random = SplitMix::new(3);
        let columns: Vec<Vec<f64>> = (0..3).map(|_| (0..1_500).map(|_| random.normal()).collect()).collect();
        let labels: Vec<u32> = (0..1_500).map(|_| random.below(4) as u32 + 10).collect();
        let channels: Vec<u32> = (0..1_500).map(|_| random.below(3) as u32 * 7).collect();
        let features = Features::new(columns.iter().map(Vec::as_slice).collect()).unwrap();
        let rows = ChannelRows { features: &features, labels: &labels, channels: &channels };
        let found: Vec<_> = OutsideNeighbours::find(rows, &NeighbourSettings::default()).unwrap().rows().collect();
        let points = standardised(&features);
        for row in (0..1_500).step_by(50) {
            let distance =
                |other: usize| (0..3).map(|at| (points[row * 3 + at] - points[other * 3 + at]).powi(2)).sum::<f32>();
            let mut others: Vec<usize> = (0..1_500).filter(|other| channels[*other] != channels[row]).collect();
            others.sort_by(|a, b| distance(*a).total_cmp(&distance(*b)));
            let expected = majority(others[..7].iter().map(|other| labels[*other] as usize));
            assert_eq!((expected.0 as u32, expected.1), found[row], "row {row}");
        }
    }

    #[test]
    fn bad_input_is_refused() {
        let column = [0.0, 1.0, f64::NAN, 3.0];
        let features = Features::new(vec![&column]).unwrap();
        let rows = ChannelRows { features: &features, labels: &[0, 1, 0, 1], channels: &[0, 0, 1, 1] };
        let find = |rows, k| OutsideNeighbours::find(rows, &NeighbourSettings { k, ..NeighbourSettings::default() });
        assert!(find(rows, 2).is_some());
        assert!(find(rows, 3).is_none());
        assert!(find(rows, 0).is_none());
        assert!(find(ChannelRows { channels: &[0; 4], ..rows }, 1).is_none());
        assert!(find(ChannelRows { labels: &[0], ..rows }, 1).is_none());
    }
}
