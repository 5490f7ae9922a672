//! HBOS: rare values, feature by feature, from histograms.

use serde::{Deserialize, Serialize};

use crate::learn::Features;

/// Added to each density, so that an empty bin has a score: PyOD's `alpha`.
const FLOOR: f64 = 0.1;
/// How far outside of the range, in bins, a value counts for its outermost bin: PyOD's `tol`.
const TOLERANCE: f64 = 0.5;

/// `score = -sum over columns of log2(density + 0.1)`, the density that of the value's bin.
///
/// Sees nothing that is only unusual in a combination, and depends on units: densities are per unit of the column, as in
/// PyOD; scale columns to a range of about one. Cost `O(columns)` a row. A missing value adds nothing. Without a
/// false-alarm rate: put [`super::Calibration`] behind it.
/// Reference: Goldstein, Dengel, "Histogram-based outlier score", KI (2012).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Vec<StoredColumn>", into = "Vec<StoredColumn>")]
pub struct HistogramScore {
    columns: Vec<Column>,
}

type StoredColumn = (f64, f64, Vec<f64>);

#[derive(Clone, Debug, PartialEq)]
struct Column {
    low: f64,
    width: f64,
    /// Of each bin.
    scores: Vec<f64>,
    rarest: f64,
}

impl HistogramScore {
    /// Histograms of so many bins of equal width a column, 2 to 10,000 (PyOD: 10).
    ///
    /// `None` for other counts of bins, or a column without a value. A column of one value is a range of width one around it.
    #[must_use]
    pub fn fit(features: &Features<'_>, bins: usize) -> Option<Self> {
        if !(2..=10_000).contains(&bins) {
            return None;
        }
        Some(Self {
            columns: features.columns().iter().map(|column| Column::fit(column, bins)).collect::<Option<_>>()?,
        })
    }

    /// The score of each row; `None` if the number of columns differs.
    #[must_use]
    pub fn score(&self, features: &Features<'_>) -> Option<Vec<f64>> {
        if features.width() != self.columns.len() {
            return None;
        }
        let mut scores = vec![0.0; features.rows()];
        for (histogram, column) in self.columns.iter().zip(features.columns()) {
            for (score, value) in scores.iter_mut().zip(*column).filter(|(_, value)| !value.is_nan()) {
                *score -= histogram.score(*value);
            }
        }
        Some(scores)
    }
}

impl Column {
    fn fit(column: &[f64], bins: usize) -> Option<Self> {
        let known = || column.iter().copied().filter(|value| !value.is_nan());
        let (mut low, high) = known().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
        if low > high {
            return None;
        }
        // Halves first: a range may overflow.
        let range = 2.0 * (0.5 * high - 0.5 * low);
        let mut width = if range.is_finite() { range / bins as f64 } else { high / bins as f64 - low / bins as f64 };
        // Values that differ by their last digits only are one value, and its bin is as wide as numbers there can tell.
        let finest = 4.0 * f64::EPSILON * low.abs().max(high.abs());
        if width <= finest.max(1e-280) {
            let half = (finest * bins as f64).max(0.5);
            (low, width) = (low - half, 2.0 * half / bins as f64);
        }
        let mut counts = vec![0_u64; bins];
        for value in known() {
            counts[(((value - low) / width) as usize).min(bins - 1)] += 1;
        }
        let total: f64 = counts.iter().map(|count| *count as f64).sum::<f64>() * width;
        Some(Self::new(low, width, counts.iter().map(|count| (*count as f64 / total + FLOOR).log2()).collect()))
    }

    fn new(low: f64, width: f64, scores: Vec<f64>) -> Self {
        let rarest = scores.iter().copied().fold(f64::INFINITY, f64::min);
        Self { low, width, scores, rarest }
    }

    fn score(&self, value: f64) -> f64 {
        let place = (value - self.low) / self.width;
        let last = self.scores.len() - 1;
        let beyond = if place < 0.0 { -place } else { place - (last + 1) as f64 };
        if beyond > TOLERANCE {
            return self.rarest;
        }
        self.scores[(place.max(0.0) as usize).min(last)]
    }
}

impl TryFrom<Vec<StoredColumn>> for HistogramScore {
    type Error = &'static str;

    fn try_from(stored: Vec<StoredColumn>) -> Result<Self, Self::Error> {
        let sound = |(low, width, scores): &StoredColumn| {
            low.is_finite()
                && 0.0 < *width
                && width.is_finite()
                && !scores.is_empty()
                && scores.iter().all(|s| s.is_finite())
        };
        if stored.is_empty() || !stored.iter().all(sound) {
            return Err("not histograms of columns");
        }
        Ok(Self { columns: stored.into_iter().map(|(low, width, scores)| Column::new(low, width, scores)).collect() })
    }
}

impl From<HistogramScore> for Vec<StoredColumn> {
    fn from(model: HistogramScore) -> Self {
        model.columns.into_iter().map(|column| (column.low, column.width, column.scores)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rare_values_score_high_and_missing_ones_nothing() {
        let x: Vec<f64> = (0..1_000).map(|i| f64::from(i % 100) / 100.0).collect();
        let model = HistogramScore::fit(&Features::new(vec![&x]).unwrap(), 10).unwrap();
        let judged = [0.5, 1.02, 9.0, -9.0, f64::NAN];
        let scores = model.score(&Features::new(vec![&judged]).unwrap()).unwrap();
        assert!((scores[0] - scores[1]).abs() < 0.2, "just outside counts as the last bin");
        assert_eq!((scores[2], scores[4]), (scores[3], 0.0));
        let read: HistogramScore = postcard::from_bytes(&postcard::to_allocvec(&model).unwrap()).unwrap();
        assert_eq!(read, model);
        assert!(HistogramScore::fit(&Features::new(vec![&[f64::NAN]]).unwrap(), 10).is_none());
        assert!(HistogramScore::fit(&Features::new(vec![&[3.0]]).unwrap(), 10).is_some());
    }

    /// Goal: a number for every value, however the column lies: one moment in nanoseconds, neighbouring numbers, the
    /// ends of the range.
    #[test]
    fn no_column_gives_nan() {
        let columns: [[f64; 2]; 6] = [
            [1.8e18, 1.8e18],
            [1.0, 1.0 + f64::EPSILON],
            [-1.7e308, 1.7e308],
            [0.0, 5e-324],
            [-1e-290, 1e-290],
            [1e300, 1e300],
        ];
        for column in columns {
            for bins in [2, 10, 10_000] {
                let model = HistogramScore::fit(&Features::new(vec![&column]).unwrap(), bins).unwrap();
                let judged = [column[0], column[1], 0.0, 1e308, -1e308];
                let scores = model.score(&Features::new(vec![&judged]).unwrap()).unwrap();
                assert!(scores.iter().all(|score| score.is_finite()), "{column:?}: {scores:?}");
                assert!(scores[0] <= scores[3] && scores[1] <= scores[4], "{column:?}: {scores:?}");
            }
        }
    }
}
