//! NannyML 0.13: Jensen-Shannon distance against three deviations of the reference's own chunks.

use super::histogram::Histogram;
use super::{PeerTest, PeerVerdict};
use crate::two_sample::jensen_shannon;

/// Chunks that a reference is cut into for the threshold; the rest of the division is one more.
const CHUNKS: usize = 10;
/// Deviations above the mean.
const DEVIATIONS: f64 = 3.0;

/// A reference column as NannyML fits it.
///
/// The threshold is the mean of the reference's chunks plus three of their deviations. Ten chunks tell
/// a deviation badly, and they are compared with a reference that holds them, so unchanged chunks of the
/// same size alarm in 7 % (100 references of 10,000 normal values, 2,000 chunks), not in the 0.13 % of
/// three deviations. Windows of a tenth of a chunk always alarm: the distance grows as rows get fewer.
pub struct NannyMlColumn {
    bins: Histogram,
    reference: Vec<u64>,
    threshold: f64,
}

impl NannyMlColumn {
    /// Fits a numeric column, in the order of time. `None` for fewer than ten values, or one that is
    /// not finite.
    #[must_use]
    pub fn numeric(reference: &[f64]) -> Option<Self> {
        let size = reference.len() / CHUNKS;
        if size == 0 {
            return None;
        }
        let bins = Histogram::doane(reference)?;
        let counts = bins.counts(reference);
        let mut column = Self { bins, reference: counts, threshold: 0.0 };
        let distances: Option<Vec<f64>> = reference.chunks(size).map(|chunk| column.distance(chunk)).collect();
        column.threshold = mean_and_deviations(&distances?);
        Some(column)
    }

    /// The distance of a chunk, base 2, from 0 to 1: on Doane's bins of the reference, with what lies
    /// outside in a bin of its own. `None` for an empty chunk or values that are not finite.
    #[must_use]
    pub fn distance(&self, current: &[f64]) -> Option<f64> {
        if current.is_empty() || current.iter().any(|value| !value.is_finite()) {
            return None;
        }
        let counts = self.bins.counts(current);
        with_leftover(&self.reference, counts, current.len() as u64)
    }

    /// What the distance must exceed.
    #[must_use]
    pub fn threshold(&self) -> f64 {
        self.threshold
    }

    /// What NannyML's default says about a chunk.
    #[must_use]
    pub fn verdict(&self, current: &[f64]) -> Option<PeerVerdict> {
        let score = self.distance(current)?;
        let drifted = score > self.threshold;
        Some(PeerVerdict { test: PeerTest::JensenShannon, score, threshold: self.threshold, drifted })
    }
}

/// The distance of a column of categories, base 2: by the reference's values, all others together.
///
/// The counts are of the reference's values; `current_rows` counts those with other values too.
/// `None` if the lengths differ, a side is empty, or the rows are fewer than counted.
#[must_use]
pub fn categorical_distance(reference: &[u64], current: &[u64], current_rows: u64) -> Option<f64> {
    with_leftover(reference, current.to_vec(), current_rows)
}

/// `mean + 3 deviations`, with `n` below the deviation: NannyML's default threshold.
#[must_use]
pub fn mean_and_deviations(chunks: &[f64]) -> f64 {
    let n = chunks.len().max(1) as f64;
    let mean = chunks.iter().sum::<f64>() / n;
    let deviation = (chunks.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / n).sqrt();
    mean + DEVIATIONS * deviation
}

fn with_leftover(reference: &[u64], mut current: Vec<u64>, rows: u64) -> Option<f64> {
    if reference.len() != current.len() {
        return None;
    }
    let held = current.iter().try_fold(0_u64, |sum, count| sum.checked_add(*count))?;
    let mut reference = reference.to_vec();
    reference.push(0);
    current.push(rows.checked_sub(held)?);
    jensen_shannon(&reference, &current).map(|nats| nats / std::f64::consts::LN_2.sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SplitMix;

    fn normals(seed: u64, n: usize, shift: f64) -> Vec<f64> {
        let mut random = SplitMix::new(seed);
        (0..n).map(|_| random.normal() + shift).collect()
    }

    /// The share of unchanged chunks of `rows` that alarm, over 20 references of 10,000 rows.
    fn false_alarms(rows: usize) -> f64 {
        let alarms = (0..20_u64).map(|reference| {
            let column = NannyMlColumn::numeric(&normals(1_000 * reference, 10_000, 0.0)).unwrap();
            let chunks = (1..21).map(|chunk| normals(1_000 * reference + chunk, rows, 0.0));
            chunks.filter(|chunk| column.verdict(chunk).unwrap().drifted).count()
        });
        alarms.sum::<usize>() as f64 / 400.0
    }

    #[test]
    fn alarms_at_a_shift_and_too_often_without() {
        let column = NannyMlColumn::numeric(&normals(1, 10_000, 0.0)).unwrap();
        assert!(column.verdict(&normals(2, 1_000, 0.3)).unwrap().drifted);
        let (same, small) = (false_alarms(1_000), false_alarms(100));
        assert!((0.02..0.2).contains(&same) && small > 0.9, "{same} {small}");
    }

    #[test]
    fn bad_samples_give_nothing() {
        assert!(NannyMlColumn::numeric(&[1.0; 5]).is_none());
        assert!(NannyMlColumn::numeric(&[f64::NAN; 50]).is_none());
        let column = NannyMlColumn::numeric(&[1.0; 50]).unwrap();
        assert_eq!(column.distance(&[]), None);
        assert!(column.distance(&[7.0]).unwrap() > 0.99);
        assert_eq!(categorical_distance(&[1, 2], &[3], 3), None);
        assert_eq!(categorical_distance(&[1, 2], &[3, 1], 3), None);
    }
}
