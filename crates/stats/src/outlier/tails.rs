//! ECOD and COPOD: how far out in the tails a row's values are.

use serde::{Deserialize, Serialize};

use crate::learn::Features;

/// How the tails of a column are put together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TailRule {
    /// The larger of the left and the right tail; their sum where the column is not skewed at all. Reference: Li, Zhao,
    /// Hu, Botta, Ionescu, Chen, "ECOD", IEEE TKDE (2022).
    Ecod,
    /// The larger of the mean of both tails and the one that the column's skewness points to, the right one where it is
    /// positive; the sum of both where it is zero. Reference: Li, Zhao, Botta, Ionescu, Hu, "COPOD", ICDM (2020).
    Copod,
}

/// Sums, over columns, minus the logarithm of how many values lie as far out.
///
/// A tail is `-ln(share of values at most x)` or `-ln(share at least x)`, the row itself counted with the `n` reference
/// values, so that no share is zero. As PyOD's for one row at a time. No parameter, and the score is a sum of parts by
/// column ([`TailScore::parts`]). Sees nothing that is only unusual in a combination, nor a gap between two clusters.
/// Cost: a search in each column, `O(columns ln(n))` a row; keeps all reference values. Without a false-alarm rate: put
/// [`super::Calibration`] behind it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct TailScore {
    rule: TailRule,
    columns: Vec<Column>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Stored {
    rule: TailRule,
    columns: Vec<Vec<f64>>,
}

#[derive(Clone, Debug, PartialEq)]
struct Column {
    sorted: Vec<f64>,
    /// Sums of the powers of distances from the mean.
    mean: f64,
    second: f64,
    third: f64,
}

impl TailScore {
    /// Keeps reference values; `None` for fewer than two rows, or a value that is missing or above `1e100`.
    #[must_use]
    pub fn fit(features: &Features<'_>, rule: TailRule) -> Option<Self> {
        if features.rows() < 2 {
            return None;
        }
        let columns = features.columns().iter().map(|column| Column::new(column.to_vec()));
        Some(Self { rule, columns: columns.collect::<Option<_>>()? })
    }

    /// The score of each row; `None` if the number of columns differs or a value is missing.
    #[must_use]
    pub fn score(&self, features: &Features<'_>) -> Option<Vec<f64>> {
        let mut scores = vec![0.0; features.rows()];
        for part in self.parts(features)? {
            scores.iter_mut().zip(part).for_each(|(score, part)| *score += part);
        }
        Some(scores)
    }

    /// The scores of rows among themselves, each counted once: PyOD's `decision_scores_`.
    ///
    /// `O(columns n ln(n))`. `None` as for [`TailScore::fit`].
    #[must_use]
    pub fn among_themselves(features: &Features<'_>, rule: TailRule) -> Option<Vec<f64>> {
        let rows = features.rows();
        if rows < 2 {
            return None;
        }
        let mut scores = vec![0.0; rows];
        let mut order: Vec<(f64, u32)> = Vec::with_capacity(rows);
        for values in features.columns() {
            let skewness = Column::new(values.to_vec())?.skewness();
            order.clear();
            order.extend(values.iter().zip(0..).map(|(value, row)| (*value, row)));
            order.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
            let mut below = 0;
            for equal in order.chunk_by(|a, b| a.0 == b.0) {
                let at_most = below + equal.len();
                let part = rule.part([at_most as f64 / rows as f64, (rows - below) as f64 / rows as f64], skewness);
                equal.iter().for_each(|(_, row)| scores[*row as usize] += part);
                below = at_most;
            }
        }
        Some(scores)
    }

    /// What each column adds to the score of each row, column by column; `None` as for the score.
    #[must_use]
    pub fn parts(&self, features: &Features<'_>) -> Option<Vec<Vec<f64>>> {
        let fits = features.width() == self.columns.len();
        let known = || features.columns().iter().all(|column| column.iter().all(|value| value.abs() <= 1e100));
        if !fits || !known() {
            return None;
        }
        let columns = self.columns.iter().zip(features.columns());
        Some(
            columns
                .map(|(column, values)| values.iter().map(|value| column.part(*value, self.rule)).collect())
                .collect(),
        )
    }
}

impl Column {
    fn new(mut values: Vec<f64>) -> Option<Self> {
        // Third powers stay finite.
        if values.iter().any(|value| value.is_nan() || value.abs() > 1e100) {
            return None;
        }
        // Before the sums: a model that was kept must come to the same ones, to the last digit.
        values.sort_unstable_by(f64::total_cmp);
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let power = |exponent| values.iter().map(|value| (value - mean).powi(exponent)).sum();
        let (second, third) = (power(2), power(3));
        Some(Self { sorted: values, mean, second, third })
    }

    /// Zero for a constant.
    fn skewness(&self) -> f64 {
        if self.second > 0.0 { (self.sorted.len() as f64).sqrt() * self.third / self.second.powf(1.5) } else { 0.0 }
    }

    /// The skewness with one more value; zero for a constant.
    fn skewness_with(&self, value: f64) -> f64 {
        let n = self.sorted.len() as f64;
        let (count, delta) = (n + 1.0, value - self.mean);
        let step = delta / count;
        let second = self.second + delta * step * n;
        let third = self.third + delta * step * step * n * (n - 1.0) - 3.0 * step * self.second;
        if second > 0.0 { count.sqrt() * third / second.powf(1.5) } else { 0.0 }
    }

    fn part(&self, value: f64, rule: TailRule) -> f64 {
        let rows = self.sorted.len();
        let at_most = self.sorted.partition_point(|other| *other <= value);
        let equals = at_most.checked_sub(1).is_some_and(|at| self.sorted[at] == value);
        let below = if equals { self.sorted[..at_most].partition_point(|other| *other < value) } else { at_most };
        let count = (rows + 1) as f64;
        let tails = [(at_most + 1) as f64 / count, (rows + 1 - below) as f64 / count];
        rule.part(tails, self.skewness_with(value))
    }
}

impl TailRule {
    /// What a column adds: of the shares of values at most and at least as large, and its skewness.
    fn part(self, tails: [f64; 2], skewness: f64) -> f64 {
        let [left, right] = tails.map(|share| -share.ln());
        let skewed = if skewness > 0.0 {
            right
        } else if skewness < 0.0 {
            left
        } else {
            left + right
        };
        match self {
            Self::Ecod => skewed.max(left.max(right)),
            Self::Copod => skewed.max(0.5 * (left + right)),
        }
    }
}

impl TryFrom<Stored> for TailScore {
    type Error = &'static str;

    fn try_from(stored: Stored) -> Result<Self, Self::Error> {
        let rows = stored.columns.first().map_or(0, Vec::len);
        if rows < 2 || stored.columns.iter().any(|column| column.len() != rows) {
            return Err("not columns of reference values");
        }
        let columns: Option<Vec<Column>> = stored.columns.into_iter().map(Column::new).collect();
        columns.map(|columns| Self { rule: stored.rule, columns }).ok_or("a reference value that is missing")
    }
}

impl From<TailScore> for Stored {
    fn from(model: TailScore) -> Self {
        Self { rule: model.rule, columns: model.columns.into_iter().map(|column| column.sorted).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_skewness_follows_one_more_value() {
        let values: Vec<f64> = (0..50).map(|i| f64::from(i * i % 37)).collect();
        let column = Column::new(values.clone()).unwrap();
        for value in [-100.0, 3.5, 1_000.0] {
            let all: Vec<f64> = values.iter().copied().chain([value]).collect();
            let mean = all.iter().sum::<f64>() / 51.0;
            let moment = |exponent| all.iter().map(|x| (x - mean).powi(exponent)).sum::<f64>() / 51.0;
            let expected = moment(3) / moment(2).powf(1.5);
            assert!((column.skewness_with(value) - expected).abs() < 1e-9 * expected.abs());
        }
    }

    #[test]
    fn both_tails_stand_out_and_parts_name_the_column() {
        let x: Vec<f64> = (0..200).map(f64::from).collect();
        let y: Vec<f64> = (0..200).map(|i| f64::from(i * 7 % 200)).collect();
        for rule in [TailRule::Ecod, TailRule::Copod] {
            let model = TailScore::fit(&Features::new(vec![&x, &y]).unwrap(), rule).unwrap();
            let judged = Features::new(vec![&[100.0, -5.0, 205.0], &[100.0; 3]]).unwrap();
            let scores = model.score(&judged).unwrap();
            assert!(scores[1] > scores[0] + 1.0 && scores[2] > scores[0] + 1.0, "{scores:?}");
            let parts = model.parts(&judged).unwrap();
            assert!(parts[0][1] > parts[1][1]);
            let read: TailScore = postcard::from_bytes(&postcard::to_allocvec(&model).unwrap()).unwrap();
            assert_eq!(read.score(&judged), model.score(&judged));
        }
        let gap = [1.0, f64::NAN];
        let gap = Features::new(vec![&gap]).unwrap();
        assert!(TailScore::fit(&gap, TailRule::Ecod).is_none());
        assert!(TailScore::among_themselves(&gap, TailRule::Ecod).is_none());
        assert!(TailScore::among_themselves(&Features::new(vec![&[1.0]]).unwrap(), TailRule::Copod).is_none());
    }

    /// Goal: a model that was kept answers to the last digit as before, also where a column is so even that the sign of
    /// its skewness hangs on the order of its sum.
    #[test]
    fn a_kept_model_answers_alike() {
        for start in 0..40_u32 {
            let x: Vec<f64> = (0..201).map(|i| (f64::from((i * 83 + start) % 201) - 100.0) * 0.1).collect();
            let rows = Features::new(vec![&x]).unwrap();
            for rule in [TailRule::Ecod, TailRule::Copod] {
                let model = TailScore::fit(&rows, rule).unwrap();
                let read: TailScore = postcard::from_bytes(&postcard::to_allocvec(&model).unwrap()).unwrap();
                assert_eq!(read, model);
                assert_eq!(read.score(&rows), model.score(&rows));
            }
        }
    }
}
